// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"

	"k8s.io/client-go/rest"
)

// profiled has a running program write CPU profiles of ten seconds each, one
// after the other, until stop, and then one of its allocations. `go tool pprof`
// takes several of a kind together.
func (b *bench) profiled(p *process, name string) (stop func() error, err error) {
	if b.profiles == "" {
		return func() error { return nil }, nil
	}
	config := rest.CopyConfig(b.plane.AdminConfig())
	config.Insecure, config.CAData, config.CAFile = true, nil, "" // the program signs its own
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	url := fmt.Sprintf("https://127.0.0.1:%d/debug/pprof/", p.port)
	file := func(kind string) string { return filepath.Join(b.profiles, name+"-"+kind+".pprof") }
	ctx, cancel := context.WithCancel(b.ctx)
	ended := make(chan error, 1)
	go func() {
		var err error
		for i := 0; err == nil; i++ {
			err = fetch(ctx, client, url+"profile?seconds=10", file(fmt.Sprintf("cpu-%03d", i)))
		}
		ended <- err
	}()
	return func() error {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			return err
		}
		return fetch(b.ctx, client, url+"allocs", file("allocs"))
	}, nil
}

// fetch writes an answer to a file, if it comes whole.
func fetch(ctx context.Context, client *http.Client, url, path string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s", url, resp.Status, data)
	}
	return os.WriteFile(path, data, 0o600)
}

// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/kube-live/kube-controller-manager/pkg/catalog"
	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/lint"
)

// loadFile is the configuration of a file as the running manager loads it, but
// without flags.
func loadFile(file string, data []byte) (*config.Loaded, error) {
	return config.Load(input(file, config.Content{Data: data}))
}

// input is what the running manager loads when the files have that content, but
// without flags.
func input(file string, c config.Content) config.Input {
	return config.Input{File: file, Data: c.Data, DropIns: c.DropIns, Names: catalog.Names(), Implemented: catalog.Implemented()}
}

// read is the content of a file, or of the standard input for "-", as far as it
// matters: what is longer than a configuration may be is cut off behind that
// length, so that it is refused without being held in memory.
func read(name string, stdin io.Reader) ([]byte, error) {
	from := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		from = f
	}
	return io.ReadAll(io.LimitReader(from, config.MaxBytes+1))
}

// expand replaces folders by the *.yaml and *.yml files in them, not deeper.
func expand(names []string) ([]string, error) {
	var files []string
	for _, name := range names {
		info, err := os.Stat(name)
		if name == "-" || err != nil || !info.IsDir() {
			files = append(files, name) // reading it tells what is wrong
			continue
		}
		entries, err := os.ReadDir(name)
		if err != nil {
			return nil, err
		}
		before := len(files)
		for _, e := range entries { // sorted
			ext := filepath.Ext(e.Name())
			if !e.IsDir() && (ext == ".yaml" || ext == ".yml") {
				files = append(files, filepath.Join(name, e.Name()))
			}
		}
		if len(files) == before {
			return nil, fmt.Errorf("%s has no *.yaml or *.yml file", name)
		}
	}
	return files, nil
}

// doubts are the findings of the lint rules.
func doubts(l *config.Loaded) []config.Problem {
	var controllers []lint.Controller
	for _, d := range catalog.All() {
		on, _ := d.Enabled(&l.Config.Controllers, l.Gates)
		controllers = append(controllers, lint.Controller{Name: d.Name, Enabled: on, Required: d.Required, Gates: d.Gates})
	}
	return lint.Run(l, controllers)
}

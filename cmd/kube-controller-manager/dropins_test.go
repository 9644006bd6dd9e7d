// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

// A drop-in comes, changes, breaks, and goes while the program runs.
func TestDropInsGovernTheRunningProgram(t *testing.T) {
	dir := t.TempDir()
	p := start(t, lock(t), "--config-dir="+dir)
	p.leading()
	p.await(`logger="deployment-controller" state="Running"`)
	paths := config.Paths{File: p.file, Dir: dir}
	save := func(body string) {
		t.Helper()
		name := filepath.Join(dir, "50-team.yaml")
		header, _, _ := strings.Cut(head, "clientConnection")
		do(t, os.WriteFile(name+".new", []byte(header+body), 0o600))
		do(t, os.Rename(name+".new", name))
	}
	// inEffect waits until what is on the disk is what runs.
	inEffect := func(want ...string) {
		t.Helper()
		c := paths.Read()
		want = append(want, `"hash":"`+config.Hash(append([]config.Source{{Name: p.file, Data: c.Data}}, c.DropIns...))+`"`)
		testkit.Eventually(t, timeout, func() error {
			_, body := p.get("/configz", false)
			for _, w := range want {
				if !strings.Contains(body, w) {
					return fmt.Errorf("no %s in %.4000s", w, body)
				}
			}
			return nil
		})
	}
	inEffect()

	save("controllers: {deployment-controller: {enabled: false}}\n")
	inEffect(`"controllers.deployment-controller.enabled":"` + dir + `/50-team.yaml:3"`)
	p.await(`logger="deployment-controller" state="Stopping"`)

	save("controllers:\n  deployment-controller: {workers: 2}\n")
	inEffect(`"controllers.deployment-controller.workers":"` + dir + `/50-team.yaml:4"`)

	before := p.logged()
	save("controllers: {deployment-controller: {enabeld: false}}\n")
	p.await("50-team.yaml:3:39: controllers.deployment-controller.enabeld: unknown field; did you mean")
	if _, body := p.get("/configz", false); !strings.Contains(body, `"rejected":`) || !strings.Contains(body, "50-team.yaml:4") {
		t.Errorf("a broken drop-in changes what is in effect: %s", body)
	}

	do(t, os.Remove(filepath.Join(dir, "50-team.yaml")))
	inEffect()
	if _, body := p.get("/configz", false); strings.Contains(body, "50-team.yaml") || strings.Contains(body, `"rejected":`) {
		t.Errorf("a drop-in that is gone has an effect: %s", body)
	}
	if said := strings.TrimPrefix(p.logged(), before); strings.Contains(said, `logger="deployment-controller" state="Stopping"`) {
		t.Error("the mistake stopped the controller")
	}
}

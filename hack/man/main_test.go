// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPages(t *testing.T) {
	dir := t.TempDir()
	if err := write(dir); err != nil {
		t.Fatal(err)
	}
	for name, says := range map[string]string{
		"kube-controller-manager.8":       "leader-elect-lease-duration",
		"kube-controller-manager-check.8": "fail-on-warning",
	} {
		page, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(strings.ReplaceAll(string(page), `\-`, "-"), says) {
			t.Errorf("%s does not mention %s", name, says)
		}
	}
}

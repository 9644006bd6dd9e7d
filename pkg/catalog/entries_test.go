// SPDX-License-Identifier: Apache-2.0

package catalog_test

import (
	"testing"

	"github.com/kube-live/kube-controller-manager/pkg/catalog"
)

func TestEntriesAgreeWithTheCatalog(t *testing.T) {
	entries := map[string]catalog.Entry{}
	off := 0
	for _, e := range catalog.Entries() {
		entries[e.Name] = e
		if !e.Default {
			off++
		}
		for _, n := range append([]string{e.Name, e.Alias}, e.Names...) {
			if n != "" && catalog.Names()[n] != e.Name {
				t.Errorf("%s stands for %q, want %s", n, catalog.Names()[n], e.Name)
			}
		}
	}
	if len(entries) < 49 || off != 6 {
		t.Errorf("%d controllers, %d of them off by default; want 49 of upstream and the cloud's, 6 off", len(entries), off)
	}
	for _, d := range catalog.All() {
		if e := entries[d.Name]; !e.Implemented || e.ServiceAccount != d.ServiceAccount {
			t.Errorf("%s: %+v", d.Name, e)
		}
	}
	implemented := catalog.Implemented()
	for name, e := range entries {
		if implemented(name) != e.Implemented {
			t.Errorf("%s is implemented and not", name)
		}
	}
}

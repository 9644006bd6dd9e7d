// SPDX-License-Identifier: Apache-2.0

package manager_test

import (
	"testing"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/manager"
)

// All but the namespace controller are allowed.
func without(name string) (bool, string) {
	return name != "namespace-controller", "kept for later"
}

func TestScopeLimitsWhatRuns(t *testing.T) {
	w := newWorld(t)
	w.apply("")
	scope := func(allows func(string) (bool, string)) {
		t.Helper()
		if err := w.Scope(allows); err != nil {
			t.Fatal(err)
		}
	}
	scope(without)
	stop := w.lead()
	w.expect(1, 0, 1)
	if c := w.controller("namespace-controller"); c.State != controller.Waiting || c.Reason != "kept for later" {
		t.Errorf("%+v", c)
	}
	// A change of configuration does not start it either.
	w.apply("controllers: {namespace-controller: {syncPeriod: 1m}}")
	w.expect(1, 0, 1)
	scope(nil)
	w.expect(1, 1, 1)
	scope(without)
	if n := w.fakes["namespace-controller"].living.Load(); n != 0 {
		t.Error("runs although Scope has returned")
	}
	if c := w.controller("namespace-controller"); c.State != controller.Waiting {
		t.Errorf("%+v", c)
	}
	scope(nil)
	w.expect(1, 2, 1)
	if err := stop(); err != nil {
		t.Error(err)
	}
	scope(nil) // nobody leads: nothing starts
	w.eventually("stopped", func(s manager.Status) bool { return !s.Leading })
	w.expect(1, 2, 1)
}

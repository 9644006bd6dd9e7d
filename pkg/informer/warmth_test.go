// SPDX-License-Identifier: Apache-2.0

package informer_test

import (
	"testing"

	"k8s.io/client-go/kubernetes/fake"

	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

func TestWarmthKeepsWhatStays(t *testing.T) {
	testkit.NoLeaks(t)
	pool := informer.NewPool(informer.Clients{Typed: fake.NewClientset()}, informer.Options{})
	leases := func() map[string]int {
		found := map[string]int{}
		for _, s := range pool.Stats() {
			found[s.Key] = s.Leases
		}
		return found
	}
	var w informer.Warmth
	keep := func(kinds ...informer.Source) {
		t.Helper()
		if err := w.Keep(pool, kinds); err != nil {
			t.Fatal(err)
		}
	}
	keep(informer.Pods(), informer.Nodes(), informer.Pods())
	pods, err := pool.Acquire(informer.Pods())
	if err != nil {
		t.Fatal(err)
	}
	if got := leases(); len(got) != 2 || got["/v1, Resource=pods"] != 2 {
		t.Errorf("leases %v", got)
	}
	keep(informer.Pods(), informer.Jobs())
	again, err := pool.Acquire(informer.Pods())
	if err != nil {
		t.Fatal(err)
	}
	if again.Informer() != pods.Informer() {
		t.Error("an informer that stays was made anew")
	}
	again.Release()
	pods.Release()
	if got := leases(); len(got) != 2 || got["/v1, Resource=pods"] != 1 || got["batch/v1, Resource=jobs"] != 1 {
		t.Errorf("leases %v", got)
	}
	w.Release()
	if got := leases(); len(got) != 0 {
		t.Errorf("after the release: %v", got)
	}
	pool.Close()
	if err := w.Keep(pool, []informer.Source{informer.Pods()}); err == nil {
		t.Error("a closed pool keeps something warm")
	}
}

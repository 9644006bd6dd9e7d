// SPDX-License-Identifier: Apache-2.0

package endpointslicemirroring_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

func TestSomebodyElseWritesToSlices(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	const hold = `{"metadata":{"finalizers":["example.com/hold"]}}`
	remove := func(slice string) {
		w.Must(w.Admin.DiscoveryV1().EndpointSlices(w.NS).Delete(ctx, slice, metav1.DeleteOptions{}))
	}
	for _, test := range []struct {
		name string
		do   func(slice string)
		// kept: it is put right; otherwise there is a new one.
		kept bool
	}{
		{"edited", func(s string) { w.PatchSlice(s, `{"endpoints":[{"addresses":["10.9.9.9"]}]}`) }, true},
		{"deleted", remove, false},
		{"taken", func(s string) {
			w.PatchSlice(s, `{"metadata":{"labels":{"endpointslice.kubernetes.io/managed-by":"me"}}}`)
		}, false},
		{"moved", func(s string) { w.PatchSlice(s, `{"metadata":{"labels":{"kubernetes.io/service-name":"nobody"}}}`) }, false},
		{"held", func(s string) {
			w.PatchSlice(s, hold)
			remove(s)
			w.T.Cleanup(func() { w.PatchSlice(s, `{"metadata":{"finalizers":null}}`) })
		}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := w.within(t)
			w.both(test.name, nil)
			before := w.AwaitSlices(test.name, shows("10.1.0.1|80"))[0]
			test.do(before.Name)
			w.AwaitSlices(test.name, func(list []discoveryv1.EndpointSlice) error {
				for _, s := range list {
					if s.Labels[discoveryv1.LabelManagedBy] == us && s.DeletionTimestamp == nil && (s.UID == before.UID) == test.kept {
						return shows("10.1.0.1|80")([]discoveryv1.EndpointSlice{s})
					}
				}
				return fmt.Errorf("%d slices, none of which is it", len(list))
			})
		})
	}
	w.AwaitSlices("nobody", shows()) // a Service that there is not has no slices
}

func TestForeignSlicesAreLeftAlone(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	foreign, err := w.Admin.DiscoveryV1().EndpointSlices(w.NS).Create(ctx, &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Name: "foreign", Labels: map[string]string{discoveryv1.LabelServiceName: "web", discoveryv1.LabelManagedBy: "me"},
		},
		AddressType: discoveryv1.AddressTypeIPv4, Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"10.9.9.9"}}},
	}, metav1.CreateOptions{})
	w.Must(err)
	w.both("web", nil)
	w.AwaitSlices("web", shows("10.9.9.9|", "10.1.0.1|80"))
	w.deleteEndpoints("web")
	left := w.AwaitSlices("web", shows("10.9.9.9|"))
	if left[0].ResourceVersion != foreign.ResourceVersion {
		t.Error("it was written")
	}
}

// TestEndpointsCreatedAnew has a slice of earlier Endpoints of the same name, with
// which the garbage collector would remove it.
func TestEndpointsCreatedAnew(t *testing.T) {
	w := newWorld(t)
	run := w.start(nil)
	w.both("web", nil)
	before := w.AwaitSlices("web", shows("10.1.0.1|80"))
	run.Stop()
	w.deleteEndpoints("web")
	e := w.endpoints("web", nil)
	w.start(nil)
	w.AwaitSlices("web", func(list []discoveryv1.EndpointSlice) error {
		if err := shows("10.1.0.1|80")(list); err != nil {
			return err
		}
		if list[0].UID != before[0].UID {
			t.Error("the slice was replaced")
		}
		if owner := list[0].OwnerReferences[0].UID; owner != e.UID {
			return fmt.Errorf("owner %s, want %s", owner, e.UID)
		}
		return nil
	})
}

// TestEndpointsPendingDeletion are not given new slices, which would be collected
// at once.
func TestEndpointsPendingDeletion(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	w.both("web", func(e *corev1.Endpoints) { e.Finalizers = []string{"example.com/hold"} })
	before := w.AwaitSlices("web", shows("10.1.0.1|80"))
	w.deleteEndpoints("web")
	defer w.patchEndpoints("web", `{"metadata":{"finalizers":null}}`)
	w.patchEndpoints("web", `{"subsets":[{"addresses":[{"ip":"10.1.0.2"}],"ports":[{"port":80}]}]}`)
	w.AwaitSlices("web", shows("10.1.0.2|80"))
	w.queue().Idle(func() {
		w.Must(w.Admin.DiscoveryV1().EndpointSlices(w.NS).Delete(ctx, before[0].Name, metav1.DeleteOptions{}))
	})
	w.AwaitSlices("web", shows())
}

// TestChangesWhileStopped are made up for by the next run.
func TestChangesWhileStopped(t *testing.T) {
	w := newWorld(t)
	run := w.start(nil)
	names := []string{"stays", "without-endpoints", "without-service", "without-both", "skipped", "selected", "edited"}
	for _, name := range names {
		w.both(name, nil)
	}
	for _, name := range names {
		w.AwaitSlices(name, shows("10.1.0.1|80"))
	}
	run.Stop()
	for _, name := range []string{"num_endpoint_slices", "changes", "endpoints_sync_duration"} {
		if _, found := w.Metric("endpoint_slice_mirroring_controller_"+name, nil); found {
			t.Errorf("a stopped controller still has %s", name)
		}
	}
	w.deleteEndpoints("without-endpoints")
	w.deleteEndpoints("without-both")
	for _, name := range []string{"without-service", "without-both"} {
		w.Must(w.Admin.CoreV1().Services(w.NS).Delete(ctx, name, metav1.DeleteOptions{}))
	}
	w.patchEndpoints("skipped", `{"metadata":{"labels":{"endpointslice.kubernetes.io/skip-mirror":"true"}}}`)
	w.PatchService("selected", `{"spec":{"selector":{"app":"web"}}}`)
	w.patchEndpoints("edited", `{"subsets":[{"addresses":[{"ip":"10.1.0.2"}],"ports":[{"port":80}]}]}`)
	w.start(nil)
	for _, name := range []string{"without-endpoints", "without-service", "without-both", "skipped", "selected"} {
		w.AwaitSlices(name, shows())
	}
	w.AwaitSlices("edited", shows("10.1.0.2|80"))
	w.AwaitSlices("stays", shows("10.1.0.1|80"))
	w.queue().Settles()
	if diff := cmp.Diff(map[string]int{"put": 1, "delete": 5}, w.Writes()); diff != "" {
		t.Error("requests:", diff)
	}
}

// TestBatchPeriod delays what follows a change of slices, and nothing else.
func TestBatchPeriod(t *testing.T) {
	w := newWorld(t)
	clock := clocktesting.NewFakeClock(time.Now())
	w.Kit.Clock = clock
	w.start(func(c *v1beta1.EndpointSliceMirroringController) { c.UpdatesBatchPeriod.Duration = time.Second })
	w.both("web", nil)
	slice := w.AwaitSlices("web", shows("10.1.0.1|80"))[0]
	w.queue().Settles()
	later := func() float64 {
		n, _ := w.Metric("workqueue_retries_total", map[string]string{"name": "endpoint_slice_mirroring"})
		return n
	}
	before := later()
	w.PatchSlice(slice.Name, `{"endpoints":[{"addresses":["10.9.9.9"]}]}`)
	w.Eventually(func() error {
		if later() == before {
			return fmt.Errorf("nothing was queued for later")
		}
		return nil
	})
	w.AwaitSlices("web", shows("10.9.9.9|80"))
	clock.Step(time.Second)
	w.AwaitSlices("web", shows("10.1.0.1|80"))
}

func TestNamespaceTerminating(t *testing.T) {
	w := newWorld(t)
	run := w.start(nil)
	w.both("web", nil)
	before := w.AwaitSlices("web", shows("10.1.0.1|80"))
	w.Terminate()
	w.queue().Settles()
	posts := w.Writes()["post"]
	w.Must(w.Admin.DiscoveryV1().EndpointSlices(w.NS).Delete(ctx, before[0].Name, metav1.DeleteOptions{}))
	w.Eventually(func() error {
		if w.Writes()["post"] == posts {
			return fmt.Errorf("no attempt to create it")
		}
		return nil
	})
	w.queue().Settles()
	if n := w.Writes()["post"]; n != posts+1 {
		t.Errorf("%d attempts", n-posts)
	}
	if failed := run.Load().Errors; failed != 0 {
		t.Errorf("%d syncs failed", failed)
	}
}

// TestStopInTheMiddle stops runs while they have much to write. Whatever was
// refused, the next run does.
func TestStopInTheMiddle(t *testing.T) {
	w := newWorld(t)
	const n = 60
	for i := range n {
		w.both(fmt.Sprint("web-", i), func(e *corev1.Endpoints) {
			e.Subsets[0].Addresses = append(e.Subsets[0].Addresses, corev1.EndpointAddress{IP: "fd00::1"})
		})
	}
	made := func() int {
		list, err := w.Admin.DiscoveryV1().EndpointSlices(w.NS).List(ctx, metav1.ListOptions{})
		w.Must(err)
		return len(list.Items)
	}
	for _, after := range []int{10, 50, 90} {
		run := w.start(func(c *v1beta1.EndpointSliceMirroringController) { c.Workers = 10 })
		w.Eventually(func() error {
			if made() < after {
				return fmt.Errorf("fewer than %d", after)
			}
			return nil
		})
		run.Stop()
		t.Logf("stopped after %d of %d", made(), 2*n)
	}
	w.start(nil)
	w.Eventually(func() error {
		if made() < 2*n {
			return fmt.Errorf("%d of %d", made(), 2*n)
		}
		return nil
	})
	w.queue().Settles()
	if made() != 2*n {
		t.Errorf("%d slices, want %d", made(), 2*n)
	}
	owners := map[types.UID]int{}
	list, err := w.Admin.DiscoveryV1().EndpointSlices(w.NS).List(ctx, metav1.ListOptions{})
	w.Must(err)
	for _, s := range list.Items {
		owners[s.OwnerReferences[0].UID]++
		if !strings.HasPrefix(s.Name, "web-") {
			t.Errorf("slice %s", s.Name)
		}
	}
	for uid, count := range owners {
		if count != 2 {
			t.Errorf("%d slices of %s", count, uid)
		}
	}
}

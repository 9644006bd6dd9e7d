// SPDX-License-Identifier: Apache-2.0

package endpointslice_test

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// fresh checks that a Service has one slice of ours that is none of the given,
// with one endpoint.
func fresh(than map[types.UID]bool) func([]discoveryv1.EndpointSlice) error {
	return func(list []discoveryv1.EndpointSlice) error {
		found := 0
		for _, s := range list {
			if !than[s.UID] && s.Labels[discoveryv1.LabelManagedBy] == ourLabel && len(s.Endpoints) == 1 {
				found++
			}
		}
		if found != 1 {
			return fmt.Errorf("%d fresh slices in %v, want 1", found, names(list))
		}
		return nil
	}
}

func TestSomebodyElseWritesToSlices(t *testing.T) {
	w := newWorld(t)
	w.node("node", "", "1")
	w.start(nil)
	w.pod(pod{name: "a", ips: []string{"10.1.0.1"}})
	const finalizer = `{"metadata":{"finalizers":["example.com/hold"]}}`
	for _, test := range []struct {
		name    string
		service string
		do      func(w *world, slice string)
		// stays: the old slice is not removed, and is put right by nobody.
		stays bool
	}{
		{"deleted", "deleted", func(w *world, slice string) { w.deleteSlice(slice) }, false},
		{"taken over", "taken", func(w *world, slice string) {
			w.PatchSlice(slice, `{"metadata":{"labels":{"endpointslice.kubernetes.io/managed-by":null}}}`)
		}, true},
		{"moved to a Service that is not there", "moved", func(w *world, slice string) {
			w.PatchSlice(slice, `{"metadata":{"labels":{"kubernetes.io/service-name":"elsewhere"}}}`)
		}, false},
		{"without a Service", "lost", func(w *world, slice string) {
			w.PatchSlice(slice, `{"metadata":{"labels":{"kubernetes.io/service-name":null}}}`)
		}, false},
		{"pending deletion", "held", func(w *world, slice string) {
			w.PatchSlice(slice, finalizer)
			w.deleteSlice(slice)
			w.T.Cleanup(func() { w.PatchSlice(slice, `{"metadata":{"finalizers":null}}`) })
		}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := w.within(t)
			w.Service(test.service, nil)
			before := w.AwaitSlices(test.service, sizes(1))
			test.do(w, before[0].Name)
			after := w.AwaitSlices(test.service, fresh(uids(before)))
			want := 1
			if test.stays {
				want = 2
			}
			if len(after) != want {
				t.Errorf("slices %v, want %d", names(after), want)
			}
			// The Service is served as any other from here on.
			w.PatchService(test.service, `{"metadata":{"labels":{"x":"y"}}}`)
			w.AwaitSlices(test.service, func(list []discoveryv1.EndpointSlice) error {
				for _, s := range list {
					if s.UID != before[0].UID && s.Labels["x"] != "y" {
						return fmt.Errorf("labels %v", s.Labels)
					}
				}
				return nil
			})
			w.faultless()
		})
	}
}

func TestSlicesThatStay(t *testing.T) {
	w := newWorld(t)
	w.node("node", "", "1")
	w.start(nil)
	w.pod(pod{name: "a", ips: []string{"10.1.0.1"}})
	t.Run("edited", func(t *testing.T) {
		w := w.within(t)
		w.Service("edited", nil)
		before := w.AwaitSlices("edited", sizes(1))
		w.PatchSlice(before[0].Name, `{"endpoints":[{"addresses":["10.9.9.9"]},{"addresses":["10.9.9.8"]}]}`)
		after := w.AwaitSlices("edited", func(list []discoveryv1.EndpointSlice) error {
			if err := sizes(1)(list); err != nil {
				return err
			}
			return endpoints(func(e discoveryv1.Endpoint) string { return strings.Join(e.Addresses, ",") }, "10.1.0.1")(list)
		})
		if after[0].UID != before[0].UID {
			t.Error("the slice was replaced")
		}
	})
	t.Run("foreign slices are left alone", func(t *testing.T) {
		w := w.within(t)
		w.Service("shared", nil)
		w.AwaitSlices("shared", sizes(1))
		w.idle(func() {
			_, err := w.Admin.DiscoveryV1().EndpointSlices(w.NS).Create(ctx, &discoveryv1.EndpointSlice{
				ObjectMeta: metav1.ObjectMeta{
					Name:   "foreign",
					Labels: map[string]string{discoveryv1.LabelServiceName: "shared", discoveryv1.LabelManagedBy: "me"},
				},
				AddressType: discoveryv1.AddressTypeIPv4,
				Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{"10.9.9.9"}}, {Addresses: []string{"10.9.9.8"}}},
			}, metav1.CreateOptions{})
			w.Must(err)
			w.PatchService("shared", `{"metadata":{"annotations":{"x":"y"}}}`)
		})
		w.AwaitSlices("shared", sizes(2, 1))
	})
}

// faultless fails the test when a sync has failed, unless for an outdated cache.
func (w *world) faultless() {
	w.T.Helper()
	if n, _ := w.Metric("endpoint_slice_controller_syncs", map[string]string{"result": "error"}); n != 0 {
		w.T.Errorf("%v syncs failed", n)
	}
}

func TestServiceCreatedAnew(t *testing.T) {
	w := newWorld(t)
	w.node("node", "", "1")
	w.start(nil)
	w.pod(pod{name: "a", ips: []string{"10.1.0.1"}})
	w.Service("web", nil)
	before := w.AwaitSlices("web", sizes(1))
	// Nobody collects garbage here: the old Service's slice is still there.
	w.Must(w.Admin.CoreV1().Services(w.NS).Delete(ctx, "web", metav1.DeleteOptions{}))
	s := w.Service("web", nil)
	w.AwaitSlices("web", func(list []discoveryv1.EndpointSlice) error {
		if err := sizes(1)(list); err != nil {
			return err
		}
		if list[0].UID == before[0].UID || list[0].OwnerReferences[0].UID != s.UID {
			return fmt.Errorf("slice of owner %v", list[0].OwnerReferences)
		}
		return nil
	})
}

func TestServicePendingDeletion(t *testing.T) {
	w := newWorld(t)
	w.node("node", "", "1")
	w.start(nil)
	w.pod(pod{name: "a", ips: []string{"10.1.0.1"}})
	w.Service("web", func(s *corev1.Service) { s.Finalizers = []string{"example.com/hold"} })
	before := w.AwaitSlices("web", sizes(1))
	w.Must(w.Admin.CoreV1().Services(w.NS).Delete(ctx, "web", metav1.DeleteOptions{}))
	defer w.PatchService("web", `{"metadata":{"finalizers":null}}`)
	w.pod(pod{name: "b", ips: []string{"10.1.0.2"}})
	w.AwaitSlices("web", sizes(2))
	w.idle(func() { w.deleteSlice(before[0].Name) })
	w.AwaitSlices("web", sizes())
}

func TestNamespaceTerminating(t *testing.T) {
	w := newWorld(t)
	w.start(nil)
	w.Service("web", nil)
	before := w.AwaitSlices("web", sizes(0))
	w.Terminate()
	retries, _ := w.Metric("workqueue_retries_total", map[string]string{"name": "endpoint_slice"})
	w.idle(func() { w.deleteSlice(before[0].Name) })
	// What is queued for later counts as a retry, so the slice's deletion did.
	if now, _ := w.Metric("workqueue_retries_total", map[string]string{"name": "endpoint_slice"}); now != retries+1 {
		t.Errorf("%v retries", now-retries-1)
	}
	w.faultless()
}

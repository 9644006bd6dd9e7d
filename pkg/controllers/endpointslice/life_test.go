// SPDX-License-Identifier: Apache-2.0

package endpointslice_test

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

func TestStoppedMeansStopped(t *testing.T) {
	w := newWorld(t)
	w.node("node", "", "1")
	w.pod(pod{name: "a", ips: []string{"10.1.0.1"}})
	w.Service("web", nil)
	run := w.start(nil)
	before := w.AwaitSlices("web", sizes(1))
	w.wrote(1, 0, 0)
	for name, want := range map[string]float64{"num_endpoint_slices": 1, "desired_endpoint_slices": 1, "endpoints_desired": 1} {
		if n, _ := w.Metric("endpoint_slice_controller_"+name, nil); n != want {
			t.Errorf("%s is %v, want %v", name, n, want)
		}
	}
	if n, _ := w.Metric("endpoint_slice_controller_endpointslices_changed_per_sync", map[string]string{"topology": "Disabled"}); n == 0 {
		t.Error("no sync was observed")
	}
	run.Stop()
	families, err := w.Kit.Hub.Gather()
	w.Must(err)
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "endpoint_slice_controller_") {
			t.Errorf("a stopped controller still has %v", f)
		}
	}
	// What happens meanwhile, the next run makes up for, without a sync that is
	// put off because of what this run remembered.
	w.deleteSlice(before[0].Name)
	w.pod(pod{name: "b", ips: []string{"10.1.0.2"}})
	w.start(nil)
	w.AwaitSlices("web", sizes(2))
	w.wrote(1, 0, 0)
	if n, _ := w.Metric("endpoint_slice_controller_syncs", map[string]string{"result": "stale"}); n != 0 {
		t.Errorf("%v stale syncs", n)
	}
}

// TestStartCostsOneSyncPerService though each has a pod and a slice whose events
// arrive too.
func TestStartCostsOneSyncPerService(t *testing.T) {
	w := newWorld(t)
	w.node("node", "", "1")
	const n = 20
	w.Backends(n, func(i int, p *corev1.Pod) { p.Labels["app"] = fmt.Sprint("app-", i) })
	for i := range n {
		w.Service(fmt.Sprint("web-", i), func(s *corev1.Service) { s.Spec.Selector["app"] = fmt.Sprint("app-", i) })
	}
	run := w.start(nil)
	for i := range n {
		w.AwaitSlices(fmt.Sprint("web-", i), sizes(1))
	}
	w.wrote(n, 0, 0)
	run.Stop()
	w.start(nil)
	w.wrote(0, 0, 0)
	all, err := w.Admin.CoreV1().Services(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	w.Must(err)
	if added, _ := w.queue().Keys(); int(added) != len(all.Items) {
		t.Errorf("%v syncs of %d Services", added, len(all.Items))
	}
}

// TestStopInTheMiddle stops runs while they have much to write: two slices for
// each Service, so that some syncs have written one and are refused the other.
// That is nobody's fault and must show in no event.
func TestStopInTheMiddle(t *testing.T) {
	w := newWorld(t)
	const n = 100
	dual := corev1.IPFamilyPolicyPreferDualStack
	for i := range n {
		w.Service(fmt.Sprint("web-", i), func(s *corev1.Service) { s.Spec.IPFamilyPolicy = &dual })
	}
	made := func() int {
		list, err := w.Admin.DiscoveryV1().EndpointSlices(w.NS).List(ctx, metav1.ListOptions{})
		w.Must(err)
		return len(list.Items)
	}
	for _, after := range []int{10, 70, 130} {
		run := w.start(func(c *v1beta1.EndpointSliceController) { c.Workers = 10 })
		w.Eventually(func() error {
			if made() < after {
				return fmt.Errorf("fewer than %d", after)
			}
			return nil
		})
		run.Stop()
		t.Logf("stopped after %d of %d slices", made(), 2*n)
	}
	w.start(nil)
	for i := range n {
		w.AwaitSlices(fmt.Sprint("web-", i), sizes(0, 0))
	}
	for _, e := range w.Events("") {
		if e.Source.Component == "endpoint-slice-controller" {
			t.Error(e.Reason, e.Message)
		}
	}
}

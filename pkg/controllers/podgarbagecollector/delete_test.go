// SPDX-License-Identifier: Apache-2.0

package podgarbagecollector

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/component-base/metrics"
	"k8s.io/klog/v2"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/kube-live/kube-controller-manager/pkg/client"
)

// TestEnd goes through what the API server may answer.
func TestEnd(t *testing.T) {
	full, gone := errors.New("disk full"), apierrors.NewNotFound(corev1.Resource("pods"), "p")
	for _, tc := range []struct {
		name            string
		phase           corev1.PodPhase
		patch, delete   error
		sent            []string
		deleted, failed float64
	}{
		{name: "runs", phase: corev1.PodRunning, sent: []string{"patch", "delete"}, deleted: 1},
		{name: "has ended", phase: corev1.PodFailed, sent: []string{"delete"}, deleted: 1},
		{name: "no patch, no deletion", phase: corev1.PodPending, patch: full, sent: []string{"patch"}, deleted: 1, failed: 1},
		{name: "gone already", phase: corev1.PodSucceeded, delete: gone, sent: []string{"delete"}, deleted: 1, failed: 1},
		{name: "stopping", phase: corev1.PodRunning, patch: client.ErrStopping, sent: []string{"patch"}},
		{name: "stopping in the middle", phase: corev1.PodRunning, delete: client.ErrStopping, sent: []string{"patch", "delete"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var sent []string
			api := &fake.Clientset{}
			answer := func(err error) clienttesting.ReactionFunc {
				return func(a clienttesting.Action) (bool, runtime.Object, error) {
					sent = append(sent, a.GetVerb())
					return true, &corev1.Pod{}, err
				}
			}
			api.AddReactor("patch", "pods", answer(tc.patch))
			api.AddReactor("delete", "pods", answer(tc.delete))
			registry := metrics.NewKubeRegistry()
			c := &collector{
				client: api, clock: clocktesting.NewFakeClock(time.Unix(0, 0)), logger: klog.Background(), metrics: newMetrics(registry),
			}
			c.end(t.Context(), made("p", 1, tc.phase, ""), reasonTerminated, nil)
			if diff := cmp.Diff(tc.sent, sent); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if deleted, failed := total(t, registry, "deleted"), total(t, registry, "failed"); deleted != tc.deleted || failed != tc.failed {
				t.Errorf("counted %v and %v, want %v and %v", deleted, failed, tc.deleted, tc.failed)
			}
		})
	}
}

// total is the sum of a counter over its series.
func total(t *testing.T, registry metrics.KubeRegistry, which string) (sum float64) {
	t.Helper()
	name := map[string]string{
		"deleted": "pod_gc_collector_force_delete_pods_total", "failed": "pod_gc_collector_force_delete_pod_errors_total",
	}[which]
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == name {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

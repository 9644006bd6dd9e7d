// SPDX-License-Identifier: Apache-2.0

package metrics_test

import (
	"testing"

	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/pkg/metrics"
)

// series counts the series of a family.
func series(t *testing.T, h *metrics.Hub, name string) int {
	t.Helper()
	families, err := h.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return len(f.GetMetric())
		}
	}
	return 0
}

func TestRunsShareFamiliesAndLeaveWithTheirSeries(t *testing.T) {
	h := metrics.NewHub()
	var detach []func()
	for _, name := range []string{"one", "two"} {
		registry, leave := h.Prepare()
		detach = append(detach, leave)
		q := workqueue.NewTypedRateLimitingQueueWithConfig(workqueue.DefaultTypedControllerRateLimiter[string](),
			workqueue.TypedRateLimitingQueueConfig[string]{Name: name, MetricsProvider: metrics.NewQueues(registry, clock.RealClock{})})
		defer q.ShutDown()
		if n := series(t, h, "workqueue_depth"); n != len(detach)-1 {
			t.Errorf("%d series before the registry of %s is served", n, name)
		}
		h.Serve(registry)
	}
	if n := series(t, h, "workqueue_depth"); n != 2 {
		t.Errorf("%d series of two queues", n)
	}
	detach[0]()
	if n := series(t, h, "workqueue_depth"); n != 1 {
		t.Errorf("%d series after one has left", n)
	}
	detach[1]()
	if n := series(t, h, "workqueue_depth") + h.Runs(); n != 0 {
		t.Errorf("%d series and registries are left", n)
	}
}

// SPDX-License-Identifier: Apache-2.0

package status_test

import (
	"sync"
	"testing"
	"time"

	"github.com/kube-live/kube-controller-manager/pkg/catalog"
	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/manager"
	"github.com/kube-live/kube-controller-manager/pkg/metrics"
	"github.com/kube-live/kube-controller-manager/pkg/plan"
	"github.com/kube-live/kube-controller-manager/pkg/status"
)

const (
	identity = "control-plane-1_5f0c1c4e-6d0b-4b8e-9f0b-1f2f7f3f9a10"
	before   = `apiVersion: kubecontrollermanager.config.k8s.io/v1beta1
kind: KubeControllerManagerConfiguration
clientConnection: {qps: 50, burst: 100}
featureGates: {PodDeletionCost: true}
`
	after = `apiVersion: kubecontrollermanager.config.k8s.io/v1beta1
kind: KubeControllerManagerConfiguration
clientConnection: {qps: 50, burst: 100}
controllers:
  deployment-controller: {workers: 12}
  ttl-after-finished-controller: {enabled: false}
featureGates: {PodDeletionCost: false}
`
)

func load(t testing.TB, content string) *config.Loaded {
	t.Helper()
	l, err := config.Load(config.Input{File: "/etc/kubernetes/controller-manager.yaml", Data: []byte(content),
		Flags: map[string]string{"v": "2"}, Names: catalog.Names()})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// world is a source whose state can be changed.
type world struct {
	mu     sync.Mutex
	status manager.Status
	leader status.Leadership
	now    time.Time
}

func (w *world) change(f func(*manager.Status)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(&w.status)
}

func (w *world) source() status.Source {
	return status.Source{
		Status:     func() manager.Status { w.mu.Lock(); defer w.mu.Unlock(); return w.status },
		Leadership: func() status.Leadership { w.mu.Lock(); defer w.mu.Unlock(); return w.leader },
		Process:    status.Process{Version: "v1.37.2", Identity: identity, Host: "control-plane-1", PID: 1, Started: w.now.Add(-27 * time.Hour)},
		File:       "/etc/kubernetes/controller-manager.yaml",
		Flags:      map[string]string{"v": "2"},
		Now:        func() time.Time { w.mu.Lock(); defer w.mu.Unlock(); return w.now },
	}
}

// sample is a day in the life of a manager, with a bit of everything.
func sample(t testing.TB) *world {
	t.Helper()
	now := time.Date(2026, 3, 4, 9, 30, 12, 0, time.UTC)
	old, current := load(t, before), load(t, after)
	off := func(c manager.ControllerStatus, why string) manager.ControllerStatus {
		c.State, c.Reason, c.Workers, c.Run = controller.Off, why, 0, 0
		return c
	}
	running := func(name string, workers, depth int, rate float64, syncs int64) manager.ControllerStatus {
		return manager.ControllerStatus{Name: name, State: controller.Running, Since: now.Add(-26 * time.Hour), Workers: workers, Run: 1,
			Load: metrics.Load{Depth: depth, PerMinute: rate, Syncs: syncs, Retries: syncs / 50}}
	}
	failed := running("namespace-controller", 0, 0, 0, 0)
	failed.State, failed.Reason, failed.Since, failed.Restarts, failed.Run = controller.Failed, "discovery: the server is currently unable to handle the request", now.Add(-40*time.Second), 3, 4
	failed.LastError = failed.Reason
	ill := running("garbage-collector-controller", 20, 2, 31.5, 40211)
	ill.Unhealthy = "metrics.k8s.io/v1beta1 has not been listed for 6 minutes, its objects are not collected"
	deployment := running("deployment-controller", 12, 17, 248.4, 90112)
	deployment.Since, deployment.Run, deployment.Load.Errors = now.Add(-4*time.Minute), 2, 3
	again := running("replicaset-controller", 5, 4, 613, 190433)
	again.LastError, again.Restarts, again.Run = "panic in queue replicaset at key shop/web: index out of range", 1, 2
	steps := []plan.Step{
		{Controller: "deployment-controller", Action: plan.Resize, Workers: 12, Why: []string{"workers 5 -> 12"}},
		{Controller: "replicaset-controller", Action: plan.Restart, Why: []string{"feature gate PodDeletionCost flips"}},
		{Controller: "ttl-after-finished-controller", Action: plan.Stop, Why: []string{"disabled in its section"}},
		{Controller: "namespace-controller", Action: plan.Keep}, {Controller: "job-controller", Action: plan.Keep},
	}
	w := &world{now: now, leader: status.Leadership{Elect: true, Lock: "kube-system/kube-controller-manager", Holder: identity,
		Standbys: []status.Standby{{Identity: "control-plane-2_0c6f5c9f-1111-4222-8333-2d2d2d2d2d2d", Verdict: "Applied", Hash: current.Hash, Seen: now.Add(-4 * time.Minute)}}}}
	w.status = manager.Status{
		Generation: 3, Hash: current.Hash, Applied: now.Add(-4 * time.Minute), Leading: true, Config: current, Previous: old,
		Rejected: `controller-manager.yaml:9:26: controllers.deployment-controller.wokers: unknown field; did you mean "workers"?`,
		Controllers: []manager.ControllerStatus{deployment, running("endpointslice-controller", 5, 0, 54.2, 3322), ill,
			running("job-controller", 5, 0, 1.5, 210), failed, again, running("service-account-controller", 1, 0, 0, 12),
			off(running("ttl-after-finished-controller", 0, 0, 0, 0), "disabled in its section")},
		Informers: []informer.Stat{{Key: "apps/v1, Resource=deployments", Leases: 1, Objects: 412, Synced: true}, {Key: "apps/v1, Resource=replicasets", Leases: 2, Objects: 1930, Synced: true},
			{Key: "batch/v1, Resource=jobs/metadata", Leases: 0, Objects: 25, Synced: true}, {Key: "discovery.k8s.io/v1, Resource=endpointslices", Leases: 1, Objects: 377}, {Key: "/v1, Resource=pods", Leases: 4, Objects: 8110, Synced: true}},
		History: []manager.Attempt{
			{Time: now.Add(-65 * time.Second), Outcome: manager.Rejected, Generation: 3, Leading: true,
				Reason: `controller-manager.yaml:9:26: controllers.deployment-controller.wokers: unknown field; did you mean "workers"?`},
			{Time: now.Add(-4 * time.Minute), Outcome: manager.Applied, Hash: current.Hash, Generation: 3, Leading: true,
				Plan: plan.Plan{Changes: []plan.Change{{Part: plan.Logging, Why: []string{"logging.verbosity 0 -> 2"}}}, Steps: steps}},
			{Time: now.Add(-3 * time.Hour), Outcome: manager.RolledBack, Hash: "0badc0de0badc0de", Generation: 2, Leading: true,
				Reason: "job-controller failed: no such file; went back to " + old.Hash, Plan: plan.Plan{Steps: steps[:2]}},
			{Time: now.Add(-26 * time.Hour), Outcome: manager.Applied, Hash: old.Hash, Generation: 1,
				Plan: plan.Plan{Steps: []plan.Step{{Controller: "deployment-controller", Action: plan.Start}, {Controller: "job-controller", Action: plan.Start},
					{Controller: "namespace-controller", Action: plan.Start}, {Controller: "replicaset-controller", Action: plan.Start}, {Controller: "ttl-after-finished-controller", Action: plan.Start}}}},
		},
	}
	return w
}

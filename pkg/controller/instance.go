// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/event"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/metrics"
	"github.com/kube-live/kube-controller-manager/pkg/trace"
)

// Kit is what the manager has to lend to controllers.
type Kit struct {
	Clients *client.Factory
	Pool    *informer.Pool
	Hub     *metrics.Hub
	Gates   feature.Set
	Logger  klog.Logger
	Clock   clock.WithTicker
	// Cluster is lent to controllers as it is.
	Cluster v1beta1.Cluster
	// Tracer records syncs; nil records none.
	Tracer *trace.Tracer
	// Metadata reads with the manager's identity.
	Metadata metadata.Interface
	// Grace is how long syncs may go on after the stop signal before their
	// requests are cancelled.
	Grace time.Duration
}

// closeTimeout bounds the flushing of events and the end of the last requests
// of a run.
const closeTimeout = 5 * time.Second

// Instance is a controller that was built and can run once.
type Instance struct {
	// Name of the controller.
	Name string

	controller Controller
	env        Env
	kit        Kit
	recorder   *event.Recorder
	detach     func()
	state      atomic.Value // State
	watch      func(State)
}

// Build makes an instance from a configuration. It checks and wires, and starts
// nothing. The ledger outlives the instance: the next one of the same
// controller must be given the same. An error that Declined knows means that the
// controller has nothing to do.
func Build(d Descriptor, kit Kit, c *v1beta1.Controllers, ledger *client.Ledger) (*Instance, error) {
	session, err := kit.session(d, ledger)
	if err != nil {
		return nil, err
	}
	section := d.Section(c)
	logger := kit.Logger.WithName(d.Name)
	i := &Instance{Name: d.Name, kit: kit, watch: func(State) {}}
	i.state.Store(Starting)
	i.recorder = event.NewRecorder(cmp.Or(d.Component, d.Name), session.Events.CoreV1(), kit.Clock, logger)
	registry, detach := kit.Hub.Prepare()
	i.detach = detach
	session.Observe(metrics.NewRequests(registry, d.Name).Observe)
	i.env = Env{
		API: session, Recorder: i.recorder, Logger: logger, Clock: kit.Clock,
		Metrics:   registry,
		Gates:     kit.Gates.Restrict(d.Gates),
		Workers:   NewWorkers(WorkersOf(section)),
		Cluster:   kit.Cluster,
		ClusterCA: kit.Clients.CAData(),
		pool:      kit.Pool,
		queues:    metrics.NewQueues(registry, kit.Clock),
		ledger:    ledger,
		current:   kit.currentVersion,
		grace:     kit.Grace,
		report:    i.report,
		trace: func(ctx context.Context, queue string, key any) (context.Context, trace.Span) {
			return kit.Tracer.Sync(ctx, d.Name, queue, key)
		},
	}
	i.controller, err = d.build(i.env, section)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	return i, nil
}

// session has the identity that the descriptor asks for.
func (k Kit) session(d Descriptor, ledger *client.Ledger) (*client.Session, error) {
	if d.Root != "" {
		return k.Clients.NewRootSession(d.Root, ledger, d.Scale)
	}
	return k.Clients.NewSession(d.ServiceAccount, ledger, d.Scale)
}

// Observe has f called with every change of state. It must be set before Run
// and f must not block.
func (i *Instance) Observe(f func(State)) { i.watch = f }

// State is where the run stands.
func (i *Instance) State() State { return i.state.Load().(State) }

// Workers is the current worker count.
func (i *Instance) Workers() int { return i.env.Workers.Count() }

// Load is what the run's work queues have to do and did.
func (i *Instance) Load() metrics.Load { return i.env.queues.Load() }

// Resize changes the worker count while the instance runs.
func (i *Instance) Resize(n int) { i.env.Workers.Set(n) }

// Health is what the controller says of itself; nil when it says nothing. It
// never waits.
func (i *Instance) Health() error {
	if h, ok := i.controller.(Healthy); ok {
		return h.Health()
	}
	return nil
}

// Debug is the controller's own debug page, or nil.
func (i *Instance) Debug() http.Handler {
	if d, ok := i.controller.(interface{ Debug() http.Handler }); ok {
		return d.Debug()
	}
	return nil
}

func (i *Instance) report(s State) {
	i.state.Store(s)
	i.watch(s)
}

// Run runs the controller until the context ends or it fails; a panic counts
// as an error. When it returns, nothing of the run is left: no goroutine, no
// handler, no lease, no series.
func (i *Instance) Run(ctx context.Context) (err error) {
	i.kit.Hub.Serve(i.env.Metrics)
	i.recorder.Start()
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		i.env.API.Refuse()
		i.recorder.Stop(closing)
		i.env.API.Close(closing)
		i.detach()
	}()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic in Run: %v\n%s", r, debug.Stack())
		}
	}()
	return i.controller.Run(klog.NewContext(ctx, i.env.Logger))
}

// currentVersion reads, from the server and not from its cache, how far a
// resource has come.
func (k Kit) currentVersion(ctx context.Context, r schema.GroupVersionResource) (string, error) {
	list, err := k.Metadata.Resource(r).List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil {
		return "", err
	}
	return list.ResourceVersion, nil
}

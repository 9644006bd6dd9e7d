// SPDX-License-Identifier: Apache-2.0

package controller

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/record"
	"k8s.io/component-base/metrics"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	kcmmetrics "github.com/kube-live/kube-controller-manager/pkg/metrics"
	"github.com/kube-live/kube-controller-manager/pkg/trace"
)

// State is where a run stands.
type State string

// States in the order a run passes them; Off and Waiting have no run.
const (
	Off      State = "Off"      // not configured to run
	Waiting  State = "Waiting"  // another process leads
	Starting State = "Starting" // Run was called
	Syncing  State = "Syncing"  // caches are filling
	Running  State = "Running"
	Stopping State = "Stopping"
	Failed   State = "Failed" // Run returned an error; it will be started anew
	Stuck    State = "Stuck"  // did not stop in time; it is never replaced
)

// Env is what one run of a controller may use. All of it belongs to that run:
// it is made before New and taken down after Run returned.
type Env struct {
	// API has the clients that act as the controller.
	API *client.Session
	// Recorder writes events with the controller as their source.
	Recorder record.EventRecorder
	// Logger carries the controller's name.
	Logger klog.Logger
	// Clock is the time; controllers read no other.
	Clock clock.WithTicker
	// Metrics is the run's own registry; its series leave with the run.
	Metrics metrics.KubeRegistry
	// Gates has the values of the gates the descriptor declares.
	Gates feature.Set
	// Workers is the worker count, which may change while the run goes on.
	Workers *Workers
	// Cluster is what the configuration says about the cluster. A controller that
	// reads a field of it is named in the field's readers tag, so that a change
	// restarts it.
	Cluster v1beta1.Cluster
	// ClusterCA is the CA bundle inside the manager's kubeconfig, in PEM; it
	// may be empty.
	ClusterCA []byte

	pool    *informer.Pool
	queues  *kcmmetrics.Queues
	ledger  *client.Ledger
	current func(context.Context, schema.GroupVersionResource) (string, error)
	grace   time.Duration
	report  func(State)
	trace   func(ctx context.Context, queue string, key any) (context.Context, trace.Span)
}

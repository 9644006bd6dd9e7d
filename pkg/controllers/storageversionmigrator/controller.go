// SPDX-License-Identifier: Apache-2.0

// Package storageversionmigrator rewrites all objects of a resource, so that each
// is stored as the API server would store it today: in another version, or under
// another key. A StorageVersionMigration asks for it.
//
// Three queues bring a migration to its end. The first lets one migration of a
// resource run at a time, and tells the CustomResourceDefinition, if there is one.
// The second writes down how far the resource has come when the migration begins.
// The third lists all objects and sends a patch without content for each that is
// not younger. All progress is in the API: a run that follows another begins with
// the objects that are still old.
package storageversionmigrator

import (
	"context"

	storagemigrationv1 "k8s.io/api/storagemigration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/kube/monitors"
)

// atOnce is how many migrations, each of another resource, rewrite at a time.
const atOnce = 5

// Descriptor of the controller.
func Descriptor() controller.Descriptor {
	return controller.Define(controller.Descriptor{
		Name:           "storage-version-migrator-controller",
		Alias:          "svm",
		ServiceAccount: "storage-version-migrator-controller",
		Required:       []feature.Gate{feature.StorageVersionMigrator, feature.InformerResourceVersion},
		// Each object costs a request.
		Scale: client.Scale{QPS: 20, Burst: 100},
	}, New)
}

type migration = storagemigrationv1.StorageVersionMigration

type migrator struct {
	*controller.Loop

	client   kubernetes.Interface
	metadata metadata.Interface
	dynamic  dynamic.Interface
	logger   klog.Logger
	clock    clock.WithTicker

	turns    *controller.Queue[metav1.GroupResource] // whose turn it is
	versions *controller.Queue[string]               // migrations that begin
	rewrites *controller.Queue[string]               // migrations that go on
	// versionPace and rewritePace space what is tried again, that which is no
	// failure included.
	versionPace, rewritePace workqueue.TypedRateLimiter[string]

	migrations *informer.Cache[*migration]
	directory  *directory
	trials     *trials
	// written is the version of the last migration that was given its turn or has
	// ended it. It belongs to the only worker of turns.
	written string
}

// New wires a run of the controller. Its section has nothing but the switch.
func New(env controller.Env, _ *v1beta1.StorageVersionMigratorController) (controller.Controller, error) {
	objects, err := dynamic.NewForConfig(env.API.Config())
	if err != nil {
		return nil, err
	}
	c := &migrator{
		Loop:        controller.NewLoop(env),
		client:      env.API.Typed,
		metadata:    env.API.Metadata,
		dynamic:     objects,
		logger:      env.Logger,
		clock:       env.Clock,
		versionPace: workqueue.DefaultTypedControllerRateLimiter[string](),
		rewritePace: workqueue.DefaultTypedControllerRateLimiter[string](),
		trials:      newTrials(env.Clock),
	}
	api := discovery.ToDiscoveryInterfaceWithContext(env.API.Discovery)
	c.directory = newDirectory(env.Clock, func(ctx context.Context) (*monitors.Served, error) { return monitors.Discover(ctx, api) })
	// Two queues share a name, as upstream: their metrics add up.
	c.turns = controller.NewQueue(c.Loop, controller.QueueOptions[metav1.GroupResource]{
		Name: "resource-version-controller", Sync: c.takeTurns,
	})
	c.versions = controller.NewQueue(c.Loop, controller.QueueOptions[string]{
		Name: "resource-version-controller", Limiter: c.versionPace, Sync: c.begin,
	})
	c.rewrites = controller.NewQueue(c.Loop, controller.QueueOptions[string]{
		Name: "storage-version-migrator-controller", Workers: controller.NewWorkers(atOnce), Limiter: c.rewritePace, Sync: c.rewrite,
	})
	c.migrations = controller.Watch(c.Loop, informer.StorageVersionMigrations(), controller.Handler[*migration]{
		Add:    c.added,
		Update: c.updated,
		Delete: func(m *migration) {
			c.turns.Add(m.Spec.Resource)
			c.rewrites.Add(m.Name)
		},
	})
	return c, nil
}

func (c *migrator) added(m *migration) {
	if !ended(m) {
		c.directory.outdate() // what it is about may be as new as it is
	}
	c.updated(nil, m)
}

// updated queues what may have to be done. What a migration says about its own
// progress is no reason to hurry it: it may be pausing.
func (c *migrator) updated(old, m *migration) {
	c.turns.Add(m.Spec.Resource)
	if begins(m) {
		c.versions.Add(m.Name)
	}
	resync := old != nil && old.ResourceVersion == m.ResourceVersion
	if old == nil && rewrites(m) || old != nil && rewrites(m) != rewrites(old) || resync {
		c.rewrites.Add(m.Name)
	}
}

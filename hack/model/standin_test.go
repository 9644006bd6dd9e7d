// SPDX-License-Identifier: Apache-2.0

package model_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

// stage knows the stand-ins of one manager's controllers.
type stage struct {
	t     *testing.T
	roles map[string]*role
}

// role is what is known about the runs of one controller.
type role struct {
	living atomic.Int32
	// sees is the section and the gates of the present run.
	sees atomic.Pointer[string]
	// crash ends the present run.
	crash atomic.Pointer[func(error)]
}

// run is one run of a stand-in: a true Loop with caches, a queue and metrics.
type run struct {
	*controller.Loop
	t     *testing.T
	role  *role
	crash chan error
	over  atomic.Bool
}

// errDesign is the error of a crash.
var errDesign = errors.New("it was made to")

// Run is part of controller.Controller.
func (r *run) Run(ctx context.Context) error {
	if r.role.living.Add(1) > 1 {
		r.t.Error("two runs of one controller at a time")
	}
	defer r.role.living.Add(-1)
	defer r.over.Store(true)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	crash := func(err error) { cancel(err) }
	r.role.crash.Store(&crash)
	if err := r.Loop.Run(ctx); err != nil {
		return err
	}
	if err := context.Cause(ctx); errors.Is(err, errDesign) {
		if strings.Contains(err.Error(), "panic") {
			panic(err)
		}
		return err
	}
	return nil
}

// perform makes the descriptor of a controller whose stand-in reads the kinds.
func perform[S any, P interface {
	*S
	v1beta1.Section
}](s *stage, name string, gates []feature.Gate, declare func(*controller.Loop, controller.Handler[informer.Object], controller.Env)) controller.Descriptor {
	part := &role{}
	s.roles[name] = part
	return controller.Define(controller.Descriptor{Name: name, ServiceAccount: name, Gates: gates}, func(env controller.Env, section P) (controller.Controller, error) {
		sees := settings(section)
		if strings.Contains(sees, refused) {
			return nil, errors.New("the file cannot be read")
		}
		for _, g := range gates {
			sees += fmt.Sprintf(" %s=%v", g, env.Gates.Enabled(g))
		}
		r := &run{Loop: controller.NewLoop(env), t: s.t, role: part}
		q := controller.NewQueue(r.Loop, controller.QueueOptions[string]{Name: name, Sync: func(context.Context, string) error { return nil }})
		note := func(o informer.Object) {
			if r.over.Load() {
				s.t.Errorf("%s: a handler was called after the run", name)
			}
			q.Add(o.GetName())
		}
		declare(r.Loop, controller.Handler[informer.Object]{Add: note, Delete: note, Update: func(_, o informer.Object) { note(o) }}, env)
		r.Go(func(ctx context.Context) { part.sees.Store(&sees) })
		return r, nil
	})
}

// settings are all values that a run keeps for its life: not the worker count, nor
// why it runs.
func settings(section v1beta1.Section) (text string) {
	tags.Walk(section, func(f tags.Field) {
		if !f.Resizes() && f.Path != "enabled" {
			text += " " + f.Path + "=" + tags.Text(f.Value)
		}
	})
	return text
}

// refused is a path with which no stand-in can be built.
const refused = "/refused"

func watch[T informer.Object](l *controller.Loop, k informer.Kind[T], h controller.Handler[informer.Object]) {
	controller.Watch(l, k, controller.Handler[T]{
		Add: func(o T) { h.Add(o) }, Delete: func(o T) { h.Delete(o) }, Update: func(a, b T) { h.Update(a, b) },
	})
}

type handler = controller.Handler[informer.Object]

func newStage(t *testing.T) (*stage, []controller.Descriptor) {
	s := &stage{t: t, roles: map[string]*role{}}
	return s, []controller.Descriptor{
		perform[v1beta1.DeploymentController](s, "deployment-controller", nil, func(l *controller.Loop, h handler, _ controller.Env) {
			watch(l, informer.Deployments(), h)
			watch(l, informer.ReplicaSets(), h)
			watch(l, informer.Pods(), h)
		}),
		perform[v1beta1.NamespaceController](s, "namespace-controller", nil, func(l *controller.Loop, h handler, _ controller.Env) {
			watch(l, informer.Namespaces(), h)
		}),
		perform[v1beta1.ReplicaSetController](s, "replicaset-controller", []feature.Gate{feature.PodDeletionCost}, func(l *controller.Loop, h handler, env controller.Env) {
			watch(l, informer.ReplicaSets(), h)
			if env.Gates.Enabled(feature.PodDeletionCost) {
				watch(l, informer.Pods(), h)
			}
		}),
		perform[v1beta1.ServiceAccountController](s, "serviceaccount-controller", nil, func(l *controller.Loop, h handler, _ controller.Env) {
			watch(l, informer.ServiceAccounts(), h)
			watch(l, informer.Namespaces(), h)
		}),
		perform[v1beta1.RootCACertificatePublisherController](s, "root-ca-certificate-publisher-controller", nil, func(l *controller.Loop, h handler, _ controller.Env) {
			watch(l, informer.ConfigMapsNamed("kube-root-ca.crt"), h)
		}),
		perform[v1beta1.EndpointSliceController](s, "endpointslice-controller", []feature.Gate{feature.PreferSameTrafficDistribution}, func(l *controller.Loop, h handler, _ controller.Env) {
			// A kind that is known only at run time.
			l.Go(func(context.Context) {
				note := func(o *corev1.Service) { h.Add(o) }
				_, err := controller.Attach(l, informer.Services(), controller.Handler[*corev1.Service]{Add: note, Delete: note})
				if err != nil && l.Work().Err() == nil {
					s.t.Logf("attach: %v", err) // the run is ending
				}
			})
		}),
	}
}

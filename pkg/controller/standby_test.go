// SPDX-License-Identifier: Apache-2.0

package controller_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

// attacher watches pods, and at run time what it is told.
type attacher struct {
	*controller.Loop
	asked *atomic.Int32
}

func (a attacher) Attaches(context.Context) ([]informer.Source, error) {
	switch a.asked.Add(1) {
	case 1:
		return nil, errors.New("not yet")
	case 2:
		return []informer.Source{informer.Nodes()}, nil
	}
	return []informer.Source{informer.Nodes(), informer.Services()}, nil
}

func TestStandbyKeepsCachesWarm(t *testing.T) {
	b := newBench(t)
	fake := clocktesting.NewFakeClock(time.Now())
	var asked atomic.Int32
	d := controller.Define(controller.Descriptor{Name: "deployment-controller", ServiceAccount: "x"},
		func(env controller.Env, _ *v1beta1.DeploymentController) (controller.Controller, error) {
			a := attacher{Loop: controller.NewLoop(env), asked: &asked}
			controller.Watch(a.Loop, informer.Pods(), controller.Handler[*corev1.Pod]{Add: func(*corev1.Pod) { t.Error("a handler is called on a standby") }})
			return a, nil
		})
	var c v1beta1.Controllers
	tags.SetDefaults(&c)
	build := func() []*controller.Instance {
		i, err := controller.Build(d, b.kit, &c, b.ledger)
		if err != nil {
			t.Fatal(err)
		}
		return []*controller.Instance{i}
	}
	warm := func(want ...string) {
		t.Helper()
		testkit.Eventually(t, timeout, func() error {
			var got []string
			for _, s := range b.kit.Pool.Stats() {
				got = append(got, s.Key)
			}
			if !slices.Equal(got, want) {
				return fmt.Errorf("warm are %v, want %v", got, want)
			}
			return nil
		})
	}
	const pods, nodes, services = "/v1, Resource=pods", "/v1, Resource=nodes", "/v1, Resource=services"
	var s controller.Standby
	s.Keep(b.kit.Pool, build(), fake, b.kit.Logger)
	warm(pods)
	for _, want := range [][]string{{nodes, pods}, {nodes, pods, services}} {
		testkit.Eventually(t, timeout, func() error {
			if !fake.HasWaiters() {
				return errors.New("nobody waits")
			}
			return nil
		})
		fake.Step(time.Minute)
		warm(want...)
	}
	// A new configuration: what stays is not listed anew, even without a linger.
	before, _ := b.kit.Pool.Acquire(informer.Pods())
	before.Release()
	s.Keep(b.kit.Pool, build(), fake, b.kit.Logger)
	after, _ := b.kit.Pool.Acquire(informer.Pods())
	after.Release()
	if before.Informer() != after.Informer() {
		t.Error("a reload cooled the standby")
	}
	s.Cool()
	s.Cool()
	warm()
}

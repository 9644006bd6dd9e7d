// SPDX-License-Identifier: Apache-2.0

package deployment_test

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/kube-live/kube-controller-manager/pkg/controllers/deployment"
	"github.com/kube-live/kube-controller-manager/pkg/controllers/replicaset"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

// TestWithPods has the real ReplicaSet controller, a scheduler and nodes, and
// looks at every state the pods pass through.
func TestWithPods(t *testing.T) {
	h := harness.New(t, testkit.StartForTest(t, testkit.Options{Nodes: 1}))
	w := &world{Scene: h.Scene(t)}
	h.Start(replicaset.Descriptor(), nil)
	w.run = h.Start(deployment.Descriptor(), nil)

	t.Run("a rolling update keeps its limits", func(t *testing.T) {
		w.create(object("rolling", 6, setSurge(2, 1)))
		w.completed("rolling")
		broken := w.observe("rolling", func(pods map[types.UID]*corev1.Pod) error {
			total, ready := 0, 0
			for _, p := range pods {
				if p.DeletionTimestamp == nil {
					total++
					if isReady(p) {
						ready++
					}
				}
			}
			// The sizes of the ReplicaSets keep to 8. The new one does not wait for the
			// old one to delete the pods of the step before, which are 3 at most.
			if total > 8+3 || ready < 5 {
				return fmt.Errorf("%d pods, %d ready", total, ready)
			}
			return nil
		})
		w.change("rolling", setImage("v2"))
		w.completed("rolling")
		for _, err := range broken() {
			t.Error(err)
		}
		hash := w.sized("rolling", map[string]int32{"v1": 0, "v2": 6})["v2"].Labels["pod-template-hash"]
		pods, err := w.Admin.CoreV1().Pods(w.NS).List(t.Context(), metav1.ListOptions{LabelSelector: "app=rolling,pod-template-hash=" + hash})
		w.Within(t).Must(err)
		if len(pods.Items) != 6 {
			t.Errorf("%d pods with the hash of the new ReplicaSet", len(pods.Items))
		}
	})

	t.Run("Recreate never mixes versions", func(t *testing.T) {
		w.create(object("recreate", 4, setRecreate))
		w.completed("recreate")
		broken := w.observe("recreate", func(pods map[types.UID]*corev1.Pod) error {
			images := map[string]int{}
			for _, p := range pods {
				images[p.Spec.Containers[0].Image]++
			}
			if len(images) > 1 {
				return fmt.Errorf("pods by image: %v", images)
			}
			return nil
		})
		w.change("recreate", setImage("v2"))
		w.completed("recreate")
		for _, err := range broken() {
			t.Error(err)
		}
	})
}

// observe checks every state of a Deployment's pods, until the result is called,
// which returns what the check found.
func (w *world) observe(app string, check func(map[types.UID]*corev1.Pod) error) func() []error {
	w.T.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	client := w.Admin.CoreV1().Pods(w.NS)
	list, err := client.List(ctx, metav1.ListOptions{LabelSelector: "app=" + app})
	w.Must(err)
	watcher, err := client.Watch(ctx, metav1.ListOptions{LabelSelector: "app=" + app, ResourceVersion: list.ResourceVersion})
	w.Must(err)
	pods := map[types.UID]*corev1.Pod{}
	for i := range list.Items {
		pods[list.Items[i].UID] = &list.Items[i]
	}
	var found []error
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer watcher.Stop()
		for event := range watcher.ResultChan() {
			p, ok := event.Object.(*corev1.Pod)
			if !ok {
				continue
			}
			if event.Type == watch.Deleted {
				delete(pods, p.UID)
			} else {
				pods[p.UID] = p
			}
			if err := check(pods); err != nil {
				found = append(found, err)
			}
		}
	}()
	return func() []error {
		cancel()
		<-done
		return found
	}
}

func isReady(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

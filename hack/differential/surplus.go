// SPDX-License-Identifier: Apache-2.0

package differential

import (
	"context"
	"fmt"
	"slices"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

// Census watches the pods of a cluster: how many each namespace has ever had,
// and whether a workload has ever had more at a time than its spec allows.
type Census struct {
	mu sync.Mutex
	// made is every pod of a namespace that was ever seen.
	made map[string]map[types.UID]bool
	// foreign pods were seen before the controller that has them now adopted them.
	foreign map[types.UID]bool
	// live pods by the UID of their controller, except those that it adopted: a
	// workload may adopt more than it wants.
	live map[types.UID]map[types.UID]bool
	// owner is a pod's controller when it was last seen.
	owner map[types.UID]types.UID
	// parent of a ReplicaSet is its Deployment.
	parent map[types.UID]types.UID
	// allowed is the highest number that any version of the workload's spec
	// allows.
	allowed map[types.UID]int
	// most live pods that a workload has had at a time, by namespace.
	most map[string]map[types.UID]peak
}

// peak is the moment with the most pods.
type peak struct {
	pods int
	text string
}

// Watch begins a census, which goes on until the context ends.
func (c *Cluster) Watch(ctx context.Context) (*Census, error) {
	w := &Census{
		made: map[string]map[types.UID]bool{}, foreign: map[types.UID]bool{}, live: map[types.UID]map[types.UID]bool{}, owner: map[types.UID]types.UID{}, parent: map[types.UID]types.UID{},
		allowed: map[types.UID]int{}, most: map[string]map[types.UID]peak{},
	}
	f := informers.NewSharedInformerFactory(c.Typed, 0)
	for _, i := range []cache.SharedIndexInformer{
		f.Apps().V1().Deployments().Informer(), f.Apps().V1().ReplicaSets().Informer(), f.Apps().V1().StatefulSets().Informer(),
		f.Batch().V1().Jobs().Informer(), f.Core().V1().ReplicationControllers().Informer(), f.Core().V1().Pods().Informer(),
	} {
		if _, err := i.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(o any) { w.note(o, false) },
			UpdateFunc: func(_, o any) { w.note(o, false) },
			DeleteFunc: func(o any) {
				if d, ok := o.(cache.DeletedFinalStateUnknown); ok {
					o = d.Obj
				}
				w.note(o, true)
			},
		}); err != nil {
			return nil, err
		}
	}
	f.Start(ctx.Done())
	f.WaitForCacheSync(ctx.Done())
	return w, ctx.Err()
}

func (w *Census) note(o any, gone bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch o := o.(type) {
	case *appsv1.Deployment:
		most := replicas(o.Spec.Replicas)
		if r := o.Spec.Strategy.RollingUpdate; r != nil && r.MaxSurge != nil {
			surge, err := intstr.GetScaledValueFromIntOrPercent(r.MaxSurge, most, true)
			if err == nil {
				most += surge
			}
		}
		w.allow(o.UID, most)
	case *appsv1.ReplicaSet:
		if owner := metav1.GetControllerOf(o); owner != nil {
			w.parent[o.UID] = owner.UID
		}
		w.allow(o.UID, replicas(o.Spec.Replicas))
	case *appsv1.StatefulSet:
		w.allow(o.UID, replicas(o.Spec.Replicas))
	case *corev1.ReplicationController:
		w.allow(o.UID, replicas(o.Spec.Replicas))
	case *batchv1.Job:
		w.allow(o.UID, replicas(o.Spec.Parallelism))
	case *corev1.Pod:
		w.pod(o, gone)
	}
}

func replicas(n *int32) int {
	if n == nil {
		return 1
	}
	return int(*n)
}

func (w *Census) allow(uid types.UID, most int) {
	if known, ok := w.allowed[uid]; !ok || most > known {
		w.allowed[uid] = most
	}
}

// pod counts one, for its controller and for the controller's controller. It is
// judged in the end: events of kinds come in any order, so the spec that allows a
// pod may be seen after the pod.
func (w *Census) pod(p *corev1.Pod, gone bool) {
	if w.made[p.Namespace] == nil {
		w.made[p.Namespace] = map[types.UID]bool{}
	}
	w.made[p.Namespace][p.UID] = true
	owner := metav1.GetControllerOf(p)
	if former := w.owner[p.UID]; former != "" && (owner == nil || owner.UID != former) { // let go
		delete(w.live[former], p.UID)
		delete(w.live[w.parent[former]], p.UID)
	}
	if owner == nil {
		delete(w.owner, p.UID)
		w.foreign[p.UID] = true
		return
	}
	if w.foreign[p.UID] {
		return
	}
	w.owner[p.UID] = owner.UID
	ended := gone || p.DeletionTimestamp != nil || p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
	for _, uid := range []types.UID{owner.UID, w.parent[owner.UID]} {
		if uid == "" {
			continue
		}
		if ended {
			delete(w.live[uid], p.UID)
			continue
		}
		if w.live[uid] == nil {
			w.live[uid] = map[types.UID]bool{}
		}
		w.live[uid][p.UID] = true
		if n := len(w.live[uid]); n > w.most[p.Namespace][uid].pods {
			if w.most[p.Namespace] == nil {
				w.most[p.Namespace] = map[types.UID]peak{}
			}
			w.most[p.Namespace][uid] = peak{n, fmt.Sprintf("pod %s is number %d of %s %s", p.Name, n, owner.Kind, owner.Name)}
		}
	}
}

// Of says how many pods a namespace has ever had, and of which there were too
// many.
func (w *Census) Of(namespace string) (made int, surplus []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for uid, most := range w.most[namespace] {
		if allowed, known := w.allowed[uid]; known && most.pods > allowed {
			surplus = append(surplus, fmt.Sprintf("%s, which may have %d", most.text, allowed))
		}
	}
	slices.Sort(surplus)
	return len(w.made[namespace]), surplus
}

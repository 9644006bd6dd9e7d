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

// Census watches the workloads of a cluster: how many pods each namespace has
// ever had, and whether a workload has ever had more at a time than its spec
// allows. Of a Deployment the sizes of its ReplicaSets count, not their pods:
// one may get pods before those of another are gone.
type Census struct {
	mu sync.Mutex
	// made is every pod of a namespace that was ever seen.
	made map[string]map[types.UID]bool
	// foreign children were seen without a controller. A workload may adopt more
	// than it wants, so they do not count.
	foreign map[types.UID]bool
	// live is how much each child counts, by the UID of the controller.
	live map[types.UID]map[types.UID]int
	// most is the highest that a workload ever had.
	most map[types.UID]peak
	// allowed is the highest number that any version of the workload's spec
	// allows.
	allowed map[types.UID]int
	// first is the ordinal that a StatefulSet began with: when it moves up, new
	// pods come before old ones go.
	first map[types.UID]int
}

type peak struct {
	namespace, child, owner string
	pods                    int
}

// Watch begins a census, which goes on until the context ends.
func (c *Cluster) Watch(ctx context.Context) (*Census, error) {
	w := &Census{
		made: map[string]map[types.UID]bool{}, foreign: map[types.UID]bool{}, live: map[types.UID]map[types.UID]int{},
		most: map[types.UID]peak{}, allowed: map[types.UID]int{}, first: map[types.UID]int{},
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
		n := replicas(o.Spec.Replicas)
		w.allow(o.UID, n)
		if gone {
			n = 0
		}
		w.child(o, n)
	case *appsv1.StatefulSet:
		start := 0
		if o.Spec.Ordinals != nil {
			start = int(o.Spec.Ordinals.Start)
		}
		if _, known := w.first[o.UID]; !known {
			w.first[o.UID] = start
		}
		w.allow(o.UID, start-w.first[o.UID]+replicas(o.Spec.Replicas))
	case *corev1.ReplicationController:
		w.allow(o.UID, replicas(o.Spec.Replicas))
	case *batchv1.Job:
		w.allow(o.UID, replicas(o.Spec.Parallelism))
	case *corev1.Pod:
		if w.made[o.Namespace] == nil {
			w.made[o.Namespace] = map[types.UID]bool{}
		}
		w.made[o.Namespace][o.UID] = true
		n := 1
		if gone || o.DeletionTimestamp != nil || o.Status.Phase == corev1.PodSucceeded || o.Status.Phase == corev1.PodFailed {
			n = 0
		}
		w.child(o, n)
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

// child counts n for its controller.
func (w *Census) child(o metav1.Object, n int) {
	owner := metav1.GetControllerOf(o)
	if owner == nil {
		w.foreign[o.GetUID()] = true
		for _, children := range w.live {
			delete(children, o.GetUID())
		}
		return
	}
	if w.foreign[o.GetUID()] {
		return
	}
	if w.live[owner.UID] == nil {
		w.live[owner.UID] = map[types.UID]int{}
	}
	w.live[owner.UID][o.GetUID()] = n
	pods := 0
	for _, n := range w.live[owner.UID] {
		pods += n
	}
	if pods > w.most[owner.UID].pods {
		w.most[owner.UID] = peak{namespace: o.GetNamespace(), child: o.GetName(), owner: owner.Kind + " " + owner.Name, pods: pods}
	}
}

// Of says how many pods a namespace has ever had, and of which there were too
// many. It is judged at the end: news of pods and of their owners come in any
// order.
func (w *Census) Of(namespace string) (made int, surplus []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for uid, m := range w.most {
		if most, known := w.allowed[uid]; m.namespace == namespace && known && m.pods > most {
			surplus = append(surplus, fmt.Sprintf("%s made it %d of %s, which may have %d", m.child, m.pods, m.owner, most))
		}
	}
	slices.Sort(surplus)
	return len(w.made[namespace]), surplus
}

// SPDX-License-Identifier: Apache-2.0

package daemonset

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/kube-live/kube-controller-manager/pkg/kube/podstate"
)

// burst bounds what one sync creates, and what it deletes; the next one goes on
// when it has seen that happen.
const burst = 250

// plan is what is to be done with pods.
type plan struct {
	// Create a pod for each of these nodes.
	Create []string
	Delete []removal
	// Retry is when to look again at failed pods that are left for now, or 0.
	Retry time.Duration
}

// removal of a pod.
type removal struct {
	Pod  *corev1.Pod
	Node string
	Why  cause
}

// cause of a removal.
type cause int

const (
	unwanted cause = iota
	failed
	succeeded
)

func (p *plan) remove(at *place, why cause, pods ...*corev1.Pod) {
	for _, pod := range pods {
		p.Delete = append(p.Delete, removal{Pod: pod, Node: at.Node, Why: why})
	}
}

// empty says that no pod is to be created or deleted.
func (p plan) empty() bool { return len(p.Create)+len(p.Delete) == 0 }

// limited is the part of the plan that one sync may do.
func (p plan) limited() plan {
	p.Create = p.Create[:min(len(p.Create), burst)]
	p.Delete = p.Delete[:min(len(p.Delete), burst)]
	return p
}

// manage brings pods to where they should be, of whatever revision. The function
// waits is how long a failed pod on a node is to be left alone, or 0.
func (v view) manage(waits func(node string) time.Duration) plan {
	var p plan
	surges := v.surges()
	for i := range v.Places {
		at := &v.Places[i]
		switch {
		case at.Gone:
			for _, pod := range at.Pods {
				if pod.Spec.NodeName == "" && pod.DeletionTimestamp == nil {
					p.remove(at, unwanted, pod)
				}
			}
		case at.Run && len(at.Pods) == 0:
			p.Create = append(p.Create, at.Node)
		case at.Keep:
			running := p.sweep(at, waits)
			if surges {
				v.pair(&p, at, running)
			} else if len(running) > 1 {
				p.remove(at, unwanted, running[1:]...)
			}
		default:
			p.remove(at, unwanted, alive(at.Pods)...)
		}
	}
	return p
}

// alive are the pods that nobody has deleted.
func alive(pods []*corev1.Pod) []*corev1.Pod {
	var left []*corev1.Pod
	for _, pod := range pods {
		if pod.DeletionTimestamp == nil {
			left = append(left, pod)
		}
	}
	return left
}

// sweep removes pods that have ended and returns those that run or will. Of
// several that failed on a node one is removed at a time.
func (p *plan) sweep(at *place, waits func(node string) time.Duration) []*corev1.Pod {
	var running []*corev1.Pod
	swept := false
	for _, pod := range alive(at.Pods) {
		switch pod.Status.Phase {
		case corev1.PodFailed:
			if swept {
				continue // its turn comes when the other one is gone
			}
			if wait := waits(at.Node); wait > 0 {
				if p.Retry == 0 || wait < p.Retry {
					p.Retry = wait
				}
				continue
			}
			swept = true
			p.remove(at, failed, pod)
		case corev1.PodSucceeded:
			p.remove(at, succeeded, pod)
		default:
			running = append(running, pod)
		}
	}
	return running
}

// pair keeps up to two pods on a node of a DaemonSet that surges: one of the
// current revision and, until that is available, the old one that serves.
func (v view) pair(p *plan, at *place, running []*corev1.Pod) {
	if len(running) == 0 && at.Run {
		p.Create = append(p.Create, at.Node)
	}
	if len(running) < 2 {
		return
	}
	var current, old *corev1.Pod
	for _, pod := range running {
		switch isCurrent := v.carriesHash(pod); {
		case isCurrent && current == nil:
			current = pod
		case !isCurrent && old == nil:
			old = pod
		default:
			p.remove(at, unwanted, pod)
		}
	}
	if current != nil && old != nil && (!podstate.Ready(old) || v.available(current)) {
		p.remove(at, unwanted, old)
	}
}

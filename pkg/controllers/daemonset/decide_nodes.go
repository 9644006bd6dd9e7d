// SPDX-License-Identifier: Apache-2.0

package daemonset

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	scheduling "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"
)

// verdict is about a DaemonSet and a node.
type verdict struct {
	// Run: the node should have a pod. Keep: it may keep one it has.
	Run, Keep bool
}

// rules say on which nodes a DaemonSet has its pods. They are made once for many
// nodes.
type rules struct {
	nodeName    string
	affinity    nodeaffinity.RequiredNodeAffinity
	tolerations []corev1.Toleration
	comparison  bool
}

func newRules(ds *appsv1.DaemonSet, comparison bool) rules {
	spec := &ds.Spec.Template.Spec
	return rules{
		nodeName:    spec.NodeName,
		affinity:    nodeaffinity.NewRequiredNodeAffinity(spec.NodeSelector, spec.Affinity),
		tolerations: tolerations(spec),
		comparison:  comparison,
	}
}

// judge looks at the node's name, labels and taints alone: what else may be wrong
// with a node either shows as a taint or is for the pod to wait for.
func (r rules) judge(node *corev1.Node) verdict {
	if r.nodeName != "" && r.nodeName != node.Name {
		return verdict{}
	}
	// An error is about terms that cannot be parsed, which then match nothing.
	if matches, _ := r.affinity.Match(node); !matches {
		return verdict{}
	}
	v := verdict{Run: true, Keep: true}
	for i := range node.Spec.Taints {
		taint := &node.Spec.Taints[i]
		evicts := taint.Effect == corev1.TaintEffectNoExecute
		if !evicts && taint.Effect != corev1.TaintEffectNoSchedule {
			continue
		}
		if scheduling.TolerationsTolerateTaint(klog.Logger{}, r.tolerations, taint, r.comparison) {
			continue
		}
		v.Run = false
		if evicts {
			v.Keep = false
		}
	}
	return v
}

// tolerations are those of the template and what every daemon tolerates, since it
// is often what makes a node usable, or watches one that is not.
func tolerations(spec *corev1.PodSpec) []corev1.Toleration {
	all := append([]corev1.Toleration(nil), spec.Tolerations...)
	for _, d := range []struct {
		key    string
		effect corev1.TaintEffect
		unless bool
	}{
		{key: corev1.TaintNodeNotReady, effect: corev1.TaintEffectNoExecute},
		{key: corev1.TaintNodeUnreachable, effect: corev1.TaintEffectNoExecute},
		{key: corev1.TaintNodeDiskPressure, effect: corev1.TaintEffectNoSchedule},
		{key: corev1.TaintNodeMemoryPressure, effect: corev1.TaintEffectNoSchedule},
		{key: corev1.TaintNodePIDPressure, effect: corev1.TaintEffectNoSchedule},
		{key: corev1.TaintNodeUnschedulable, effect: corev1.TaintEffectNoSchedule},
		{key: corev1.TaintNodeNetworkUnavailable, effect: corev1.TaintEffectNoSchedule, unless: !spec.HostNetwork},
	} {
		if !d.unless {
			all = tolerate(all, corev1.Toleration{Key: d.key, Operator: corev1.TolerationOpExists, Effect: d.effect})
		}
	}
	return all
}

// tolerate puts a toleration in the place of what it equals but for the time, or
// at the end.
func tolerate(all []corev1.Toleration, t corev1.Toleration) []corev1.Toleration {
	found := false
	for i := range all {
		if all[i].MatchToleration(&t) {
			all[i], found = t, true
		}
	}
	if found {
		return all
	}
	return append(all, t)
}

// concerns says whether a DaemonSet has something to do about a node: to create a
// pod, to delete one, or to see that one is no longer where it should not be.
func concerns(v verdict, scheduled bool, misscheduled int32) bool {
	return v.Run && !scheduled || !v.Keep && scheduled || scheduled && misscheduled > 0
}

// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"
)

// epoch is when the objects of these tests begin to exist.
func epoch() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

// rolling is a Deployment with absolute fenceposts.
func rolling(desired, surge, unavailable int32, change ...func(*appsv1.Deployment)) *appsv1.Deployment {
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "web", UID: "d-1"},
		Spec: appsv1.DeploymentSpec{
			Replicas: &desired,
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}},
			Template: template("v1"),
			Strategy: appsv1.DeploymentStrategy{
				Type: appsv1.RollingUpdateDeploymentStrategyType,
				RollingUpdate: &appsv1.RollingUpdateDeployment{
					MaxSurge: ptr.To(intstr.FromInt32(surge)), MaxUnavailable: ptr.To(intstr.FromInt32(unavailable)),
				},
			},
		},
	}
	for _, f := range change {
		f(d)
	}
	return d
}

func template(image string) corev1.PodTemplateSpec {
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "web"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: image}}},
	}
}

// replicaSet was created so many seconds after the epoch and has all its pods,
// of which so many are available.
func replicaSet(age int, size, available int32, change ...func(*appsv1.ReplicaSet)) *appsv1.ReplicaSet {
	rs := &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "ns", Name: fmt.Sprintf("rs-%d", age), UID: types.UID(fmt.Sprintf("rs-%d", age)),
			CreationTimestamp: metav1.NewTime(epoch().Add(time.Duration(age) * time.Second)),
		},
		Spec:   appsv1.ReplicaSetSpec{Replicas: &size, Template: template(fmt.Sprintf("v%d", age))},
		Status: appsv1.ReplicaSetStatus{Replicas: size, ReadyReplicas: available, AvailableReplicas: available},
	}
	for _, f := range change {
		f(rs)
	}
	return rs
}

func annotated(pairs ...string) func(*appsv1.ReplicaSet) {
	return func(rs *appsv1.ReplicaSet) {
		if rs.Annotations == nil {
			rs.Annotations = map[string]string{}
		}
		for i := 0; i < len(pairs); i += 2 {
			rs.Annotations[pairs[i]] = pairs[i+1]
		}
	}
}

func revised(n int) func(*appsv1.ReplicaSet) { return annotated(revisionAnnotation, fmt.Sprint(n)) }

// sizes are those the sets have after some steps: the current one's (or -1) and
// the old ones', the youngest first.
func sizes(s *sets, steps []resize) []int32 {
	after := map[string]int32{}
	for _, rs := range s.all() {
		after[rs.Name] = size(rs)
	}
	for _, step := range steps {
		after[step.rs.Name] = step.to
	}
	list := []int32{-1}
	if s.current != nil {
		list[0] = after[s.current.Name]
	}
	for i := len(s.old) - 1; i >= 0; i-- {
		list = append(list, after[s.old[i].Name])
	}
	return list
}

// SPDX-License-Identifier: Apache-2.0

package replicationcontroller

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/kube-live/kube-controller-manager/pkg/kube/replication"
)

func TestStatus(t *testing.T) {
	at := metav1.NewTime(time.Date(2026, 1, 1, 9, 0, 0, 0, time.UTC))
	own := corev1.ReplicationControllerStatus{
		Replicas: 1, FullyLabeledReplicas: 2, ReadyReplicas: 3, AvailableReplicas: 4, ObservedGeneration: 5,
		Conditions: []corev1.ReplicationControllerCondition{{Type: "ReplicaFailure", Status: "True", LastTransitionTime: at, Reason: "FailedCreate", Message: "why"}},
	}
	set := appsv1.ReplicaSetStatus{
		Replicas: 1, FullyLabeledReplicas: 2, ReadyReplicas: 3, AvailableReplicas: 4, ObservedGeneration: 5,
		Conditions: []appsv1.ReplicaSetCondition{{Type: "ReplicaFailure", Status: "True", LastTransitionTime: at, Reason: "FailedCreate", Message: "why"}},
	}
	if diff := cmp.Diff(set, statusOf(&corev1.ReplicationController{Status: own})); diff != "" {
		t.Errorf("of a ReplicationController (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(own, toStatus(set)); diff != "" {
		t.Errorf("of a ReplicaSet (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(corev1.ReplicationControllerStatus{}, toStatus(statusOf(new(corev1.ReplicationController)))); diff != "" {
		t.Errorf("there and back (-want +got):\n%s", diff)
	}
}

func TestSpec(t *testing.T) {
	template := new(corev1.PodTemplateSpec)
	selector := map[string]string{"app": "web"}
	tests := []struct {
		name    string
		spec    corev1.ReplicationControllerSpec
		want    replication.Spec
		selects bool // pods with those labels; it never selects others
	}{
		{"whole", corev1.ReplicationControllerSpec{Replicas: new(int32(3)), MinReadySeconds: 7, Selector: selector, Template: template},
			replication.Spec{Replicas: 3, MinReadySeconds: 7, Selector: &metav1.LabelSelector{MatchLabels: selector}, Template: template}, true},
		{"empty", corev1.ReplicationControllerSpec{}, replication.Spec{Replicas: 1, Template: template}, false},
		{"empty selector", corev1.ReplicationControllerSpec{Selector: map[string]string{}}, replication.Spec{Replicas: 1, Template: template}, false},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got := specOf(&corev1.ReplicationController{Spec: tc.spec})
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			s, err := metav1.LabelSelectorAsSelector(got.Selector)
			if err != nil {
				t.Fatal(err)
			}
			if s.Matches(labels.Set(selector)) != tc.selects || s.Matches(labels.Set(nil)) {
				t.Errorf("selects %s", s)
			}
		})
	}
}

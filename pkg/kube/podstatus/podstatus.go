// SPDX-License-Identifier: Apache-2.0

// Package podstatus changes single fields of a pod's status. What is sent is a
// strategic merge patch with nothing but those fields in it: a cached pod is
// trimmed and must not be written back, and the kubelet writes other fields of the
// same status at the same time.
package podstatus

import (
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-live/kube-controller-manager/pkg/kube/podstate"
)

// Change is what becomes of the status of one pod.
type Change struct {
	// Phase is the new one, which is noted together with the generation of the pod
	// that it was decided on; "" leaves the old.
	Phase corev1.PodPhase
	// Condition replaces the one of its type; nil leaves all as they are. Its
	// generation and its transition time are filled in.
	Condition *corev1.PodCondition
	// Exactly makes the patch a conflict unless the pod is still the version on
	// which the change was decided.
	Exactly bool
}

// Patch is the body of the patch of pods/status that makes a change, now. It
// fails on a pod of the same name that was created later.
func Patch(pod *corev1.Pod, c Change, now time.Time) ([]byte, error) {
	p := patch{Metadata: metadata{UID: pod.UID}, Status: status{Phase: c.Phase}}
	if c.Exactly {
		p.Metadata.ResourceVersion = pod.ResourceVersion
	}
	if c.Phase != "" {
		p.Status.ObservedGeneration = pod.Generation
	}
	if c.Condition != nil {
		p.Status.Conditions = []condition{transition(pod, c.Condition, now)}
		p.Status.Order = order(pod, c.Condition.Type)
	}
	body, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("status of pod %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	return body, nil
}

// transition is the condition as the pod will have it: its time stays when the
// status does.
func transition(pod *corev1.Pod, want *corev1.PodCondition, now time.Time) condition {
	since := metav1.NewTime(now)
	if had := podstate.Condition(pod, want.Type); had != nil && had.Status == want.Status {
		since = had.LastTransitionTime
	}
	return condition{
		Type: want.Type, Status: want.Status, Reason: want.Reason, Message: want.Message,
		ObservedGeneration: pod.Generation, LastTransitionTime: since,
	}
}

// order keeps the conditions where they are and puts a new one last; a patch that
// is silent on that puts it first.
func order(pod *corev1.Pod, changed corev1.PodConditionType) []place {
	if podstate.Condition(pod, changed) != nil {
		return nil
	}
	places := make([]place, 0, len(pod.Status.Conditions)+1)
	for _, c := range pod.Status.Conditions {
		places = append(places, place{c.Type})
	}
	return append(places, place{changed})
}

type patch struct {
	Metadata metadata `json:"metadata"`
	Status   status   `json:"status"`
}

type metadata struct {
	UID             types.UID `json:"uid"`
	ResourceVersion string    `json:"resourceVersion,omitempty"`
}

type status struct {
	Phase              corev1.PodPhase `json:"phase,omitempty"`
	ObservedGeneration int64           `json:"observedGeneration,omitempty"`
	Conditions         []condition     `json:"conditions,omitempty"`
	Order              []place         `json:"$setElementOrder/conditions,omitempty"`
}

type place struct {
	Type corev1.PodConditionType `json:"type"`
}

// condition is a PodCondition of which nothing is omitted: what is empty now may
// not have been before.
type condition struct {
	Type               corev1.PodConditionType `json:"type"`
	Status             corev1.ConditionStatus  `json:"status"`
	Reason             string                  `json:"reason"`
	Message            string                  `json:"message"`
	ObservedGeneration int64                   `json:"observedGeneration"`
	LastTransitionTime metav1.Time             `json:"lastTransitionTime"`
}

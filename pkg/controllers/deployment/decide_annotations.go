// SPDX-License-Identifier: Apache-2.0

package deployment

import (
	"fmt"
	"maps"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Annotations of Deployments and ReplicaSets.
const (
	// revisionAnnotation numbers the ReplicaSets in the order in which they
	// were (or became again) the current one; on a Deployment, it is that of
	// the current one.
	revisionAnnotation = "deployment.kubernetes.io/revision"
	// revisionHistoryAnnotation are the numbers a ReplicaSet had before.
	revisionHistoryAnnotation = "deployment.kubernetes.io/revision-history"
	// desiredReplicasAnnotation and maxReplicasAnnotation say for which numbers
	// of the Deployment a ReplicaSet was last sized.
	desiredReplicasAnnotation = "deployment.kubernetes.io/desired-replicas"
	maxReplicasAnnotation     = "deployment.kubernetes.io/max-replicas"
	// rollbackAnnotation asks for a rollback; it is removed when it was served.
	rollbackAnnotation = appsv1.DeprecatedRollbackTo
)

// historyLimit is how long the list of former revisions may become, in
// characters.
const historyLimit = 2000

// isOwn tells the annotations that are one object's alone from those that a
// Deployment shares with its current ReplicaSet.
func isOwn(key string) bool {
	switch key {
	case corev1.LastAppliedConfigAnnotation, revisionAnnotation, revisionHistoryAnnotation,
		desiredReplicasAnnotation, maxReplicasAnnotation, rollbackAnnotation:
		return true
	}
	return false
}

// withShared is a copy of a ReplicaSet's annotations with the shared ones of
// the Deployment. Those that the Deployment has lost stay.
func withShared(own, shared map[string]string) map[string]string {
	merged := maps.Clone(own)
	if merged == nil {
		merged = map[string]string{}
	}
	for k, v := range shared {
		if !isOwn(k) {
			merged[k] = v
		}
	}
	return merged
}

// currentAnnotations are those the current ReplicaSet shall have, when the
// oldest ones' revisions make its own at least this number. It is false when its
// revision is not a number: then nothing about it is touched.
func currentAnnotations(d *appsv1.Deployment, rs *appsv1.ReplicaSet, revision int64) (map[string]string, bool) {
	a := withShared(rs.Annotations, d.Annotations)
	former, had := a[revisionAnnotation]
	n, err := strconv.ParseInt(former, 10, 64)
	if err != nil && former != "" {
		return nil, false
	}
	if n >= revision {
		return a, true
	}
	a[revisionAnnotation] = strconv.FormatInt(revision, 10)
	if had {
		// It was the current one before: this is a rollback.
		a[revisionHistoryAnnotation] = appendRevision(a[revisionHistoryAnnotation], former, historyLimit)
	}
	return a, true
}

// appendRevision appends a number to a comma-separated list, dropping the oldest
// ones as the limit demands. A number that does not fit at all is not appended.
func appendRevision(list, revision string, limit int) string {
	if list == "" {
		return revision
	}
	full := list + "," + revision
	for rest, found := full, true; found; _, rest, found = strings.Cut(rest, ",") {
		if len(rest) <= limit {
			return rest
		}
	}
	return list
}

// withMarks is a copy of annotations that says for which numbers of the
// Deployment a ReplicaSet is sized.
func withMarks(annotations map[string]string, d *appsv1.Deployment) map[string]string {
	marked := maps.Clone(annotations)
	if marked == nil {
		marked = map[string]string{}
	}
	marked[desiredReplicasAnnotation] = fmt.Sprint(desired(d))
	marked[maxReplicasAnnotation] = fmt.Sprint(maxReplicas(d))
	return marked
}

// int32Annotation reads a number, if it is there and is one.
func int32Annotation(o metav1.Object, key string) (int32, bool) {
	n, err := strconv.ParseInt(o.GetAnnotations()[key], 10, 32)
	return int32(n), err == nil
}

// revisionOf is the revision of a ReplicaSet, 0 when it has none. It is false
// when it is not a number.
func revisionOf(o metav1.Object) (int64, bool) {
	text, found := o.GetAnnotations()[revisionAnnotation]
	if !found {
		return 0, true
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

// maxRevision is the highest revision of ReplicaSets, 0 when there is none.
func maxRevision(all []*appsv1.ReplicaSet) (highest int64) {
	for _, rs := range all {
		if n, ok := revisionOf(rs); ok {
			highest = max(highest, n)
		}
	}
	return highest
}

// SPDX-License-Identifier: Apache-2.0

package job

import (
	"fmt"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// Summary is the status of a Job in the form "1 active, 2 terminating, Complete",
// without zeros. The tests of both packages use it.
func Summary(job *batchv1.Job) string {
	st := job.Status
	var parts []string
	number := func(n int32, what string) {
		if n != 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, what))
		}
	}
	number(st.Active, "active")
	number(ptr.Deref(st.Ready, 0), "ready")
	number(ptr.Deref(st.Terminating, 0), "terminating")
	number(st.Succeeded, "succeeded")
	number(st.Failed, "failed")
	if u := st.UncountedTerminatedPods; u != nil {
		number(int32(len(u.Succeeded)+len(u.Failed)), "uncounted")
	}
	if st.CompletedIndexes != "" {
		parts = append(parts, "completed "+st.CompletedIndexes)
	}
	if st.FailedIndexes != nil {
		parts = append(parts, strings.TrimSpace("broken "+*st.FailedIndexes))
	}
	for _, c := range st.Conditions {
		not := ""
		if c.Status != corev1.ConditionTrue {
			not = "not "
		}
		parts = append(parts, fmt.Sprintf("%s%s(%s)", not, c.Type, c.Reason))
	}
	return strings.Join(parts, ", ")
}

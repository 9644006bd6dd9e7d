// SPDX-License-Identifier: Apache-2.0

package job

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func onCodes(action batchv1.PodFailurePolicyAction, op batchv1.PodFailurePolicyOnExitCodesOperator, codes ...int32) batchv1.PodFailurePolicyRule {
	return batchv1.PodFailurePolicyRule{Action: action, OnExitCodes: &batchv1.PodFailurePolicyOnExitCodesRequirement{Operator: op, Values: codes}}
}

func onCondition(action batchv1.PodFailurePolicyAction, kind corev1.PodConditionType) batchv1.PodFailurePolicyRule {
	return batchv1.PodFailurePolicyRule{Action: action, OnPodConditions: []batchv1.PodFailurePolicyOnPodConditionsPattern{{Type: kind, Status: corev1.ConditionTrue}}}
}

func withPolicy(rules ...batchv1.PodFailurePolicyRule) func(*batchv1.Job) {
	return func(j *batchv1.Job) {
		j.Spec.PodFailurePolicy = &batchv1.PodFailurePolicy{Rules: rules}
		replaceFailed(j)
	}
}

func TestPodFailurePolicy(t *testing.T) {
	exit := func(name string, code int32) corev1.ContainerStatus {
		return corev1.ContainerStatus{Name: name, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code}}}
	}
	pod := func(init, main int32, conditions ...corev1.PodConditionType) *corev1.Pod {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "p"}}
		p.Status.ContainerStatuses = []corev1.ContainerStatus{exit("main", main), {Name: "running"}}
		p.Status.InitContainerStatuses = []corev1.ContainerStatus{exit("init", init)}
		for _, c := range conditions {
			p.Status.Conditions = append(p.Status.Conditions, corev1.PodCondition{Type: c, Status: corev1.ConditionTrue})
		}
		return p
	}
	named := onCodes("FailJob", "In", 5)
	named.OnExitCodes.ContainerName = ptr.To("init")
	tests := []struct {
		name  string
		rules []batchv1.PodFailurePolicyRule
		pod   *corev1.Pod
		want  judgement
	}{
		{"no rule", nil, pod(0, 1), judgement{}},
		{"a code", []batchv1.PodFailurePolicyRule{onCodes("FailJob", "In", 5, 6)}, pod(0, 6),
			judgement{"FailJob", "Container main for pod ns/p failed with exit code 6 matching FailJob rule at index 0"}},
		{"a negative code", []batchv1.PodFailurePolicyRule{onCodes("FailJob", "In", -1)}, pod(0, -1),
			judgement{"FailJob", "Container main for pod ns/p failed with exit code -1 matching FailJob rule at index 0"}},
		{"another code", []batchv1.PodFailurePolicyRule{onCodes("FailJob", "In", 5, 6)}, pod(0, 7), judgement{}},
		{"not that code", []batchv1.PodFailurePolicyRule{onCodes("Ignore", "NotIn", 5)}, pod(0, 7),
			judgement{"Ignore", "Container main for pod ns/p failed with exit code 7 matching Ignore rule at index 0"}},
		{"success is no failure", []batchv1.PodFailurePolicyRule{onCodes("FailJob", "NotIn", 5)}, pod(0, 0), judgement{}},
		{"unknown operator", []batchv1.PodFailurePolicyRule{onCodes("FailJob", "Near", 5)}, pod(0, 5), judgement{}},
		{"unknown action", []batchv1.PodFailurePolicyRule{onCodes("Explode", "In", 5), onCodes("Count", "In", 5)}, pod(0, 5),
			judgement{"Count", "Container main for pod ns/p failed with exit code 5 matching Count rule at index 1"}},
		{"an init container", []batchv1.PodFailurePolicyRule{named}, pod(5, 5),
			judgement{"FailJob", "Container init for pod ns/p failed with exit code 5 matching FailJob rule at index 0"}},
		{"a condition", []batchv1.PodFailurePolicyRule{onCodes("FailJob", "In", 5), onCondition("FailJob", "DisruptionTarget")}, pod(0, 1, "DisruptionTarget"),
			judgement{"FailJob", "Pod ns/p has condition DisruptionTarget matching FailJob rule at index 1"}},
		{"the first rule", []batchv1.PodFailurePolicyRule{onCondition("Ignore", "DisruptionTarget"), onCodes("FailJob", "In", 5)}, pod(0, 5, "DisruptionTarget"),
			judgement{"Ignore", "Pod ns/p has condition DisruptionTarget matching Ignore rule at index 0"}},
		{"another condition", []batchv1.PodFailurePolicyRule{onCondition("Ignore", "DisruptionTarget")}, pod(0, 5, "Ready"), judgement{}},
	}
	for _, tc := range tests {
		got := judge(&batchv1.PodFailurePolicy{Rules: tc.rules}, tc.pod)
		if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(judgement{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
	if judge(nil, pod(0, 5)) != (judgement{}) || !(judgement{}).counts() {
		t.Error("without a policy every failure counts")
	}
}

func TestSuccessPolicy(t *testing.T) {
	rule := func(indexes string, count int32) batchv1.SuccessPolicyRule {
		r := batchv1.SuccessPolicyRule{}
		if indexes != "none" {
			r.SucceededIndexes = &indexes
		}
		if count > 0 {
			r.SucceededCount = &count
		}
		return r
	}
	tests := []struct {
		name      string
		rules     []batchv1.SuccessPolicyRule
		succeeded string
		want      int // -1: none
	}{
		{"nothing has", []batchv1.SuccessPolicyRule{rule("none", 1)}, "", -1},
		{"a count", []batchv1.SuccessPolicyRule{rule("none", 2)}, "3,7", 0},
		{"too few", []batchv1.SuccessPolicyRule{rule("none", 3)}, "3,7", -1},
		{"all indexes", []batchv1.SuccessPolicyRule{rule("none", 9), rule("1-3", 0)}, "1-4", 1},
		{"some indexes", []batchv1.SuccessPolicyRule{rule("1-3", 0)}, "1,2", -1},
		{"enough of the indexes", []batchv1.SuccessPolicyRule{rule("1-3,9", 2)}, "1,2,4", 0},
		{"others do not count", []batchv1.SuccessPolicyRule{rule("1-3,9", 3)}, "1,2,4", -1},
		{"only those that exist", []batchv1.SuccessPolicyRule{rule("1-3,30-40", 0)}, "1-3", 0},
		{"cannot be read", []batchv1.SuccessPolicyRule{rule("1-x", 1), rule("", 1), rule("none", 1)}, "1", 2},
		{"out of reach", []batchv1.SuccessPolicyRule{rule("30-40", 0)}, "1", -1},
	}
	for _, tc := range tests {
		got, met := succeedsEarly(&batchv1.SuccessPolicy{Rules: tc.rules}, 10, knownIntervals(tc.succeeded, 10))
		if met != (tc.want >= 0) || met && got != tc.want {
			t.Errorf("%s: rule %d, %t; want %d", tc.name, got, met, tc.want)
		}
	}
	if _, met := succeedsEarly(nil, 10, knownIntervals("1", 10)); met {
		t.Error("no policy was met")
	}
}

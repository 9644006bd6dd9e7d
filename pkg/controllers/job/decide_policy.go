// SPDX-License-Identifier: Apache-2.0

package job

import (
	"fmt"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

// judgement is what a pod failure policy says about a pod. The zero value is that
// of no policy, or of one without a rule that matches.
type judgement struct {
	action batchv1.PodFailurePolicyAction
	// reason is why the Job fails, when the action is FailJob.
	reason string
}

// counts says whether the failure is one at all.
func (j judgement) counts() bool { return j.action != batchv1.PodFailurePolicyActionIgnore }

// judge finds the first rule that matches a failed pod.
func judge(policy *batchv1.PodFailurePolicy, pod *corev1.Pod) judgement {
	if policy == nil {
		return judgement{}
	}
	for i := range policy.Rules {
		rule := &policy.Rules[i]
		switch rule.Action {
		case batchv1.PodFailurePolicyActionFailJob, batchv1.PodFailurePolicyActionFailIndex,
			batchv1.PodFailurePolicyActionIgnore, batchv1.PodFailurePolicyActionCount:
		default:
			continue // of a newer version of the API
		}
		if what := match(rule, pod); what != "" {
			return judgement{rule.Action, fmt.Sprintf("%s matching %s rule at index %d", what, rule.Action, i)}
		}
	}
	return judgement{}
}

// match says what about the pod matches a rule, or "".
func match(rule *batchv1.PodFailurePolicyRule, pod *corev1.Pod) string {
	if rule.OnExitCodes != nil {
		if c := exited(rule.OnExitCodes, pod); c != nil {
			return fmt.Sprintf("Container %s for pod %s/%s failed with exit code %d", c.Name, pod.Namespace, pod.Name, c.State.Terminated.ExitCode)
		}
		return ""
	}
	for _, pattern := range rule.OnPodConditions {
		for i := range pod.Status.Conditions {
			if c := &pod.Status.Conditions[i]; c.Type == pattern.Type && c.Status == pattern.Status {
				return fmt.Sprintf("Pod %s/%s has condition %s", pod.Namespace, pod.Name, c.Type)
			}
		}
	}
	return ""
}

// exited is the first container that failed with an exit code the rule is about.
func exited(rule *batchv1.PodFailurePolicyOnExitCodesRequirement, pod *corev1.Pod) *corev1.ContainerStatus {
	for _, list := range [][]corev1.ContainerStatus{pod.Status.ContainerStatuses, pod.Status.InitContainerStatuses} {
		for i := range list {
			c := &list[i]
			if c.State.Terminated == nil || c.State.Terminated.ExitCode == 0 || rule.ContainerName != nil && *rule.ContainerName != c.Name {
				continue
			}
			named := slices.Contains(rule.Values, c.State.Terminated.ExitCode)
			if rule.Operator == batchv1.PodFailurePolicyOnExitCodesOpIn && named ||
				rule.Operator == batchv1.PodFailurePolicyOnExitCodesOpNotIn && !named {
				return c
			}
		}
	}
	return nil
}

// succeedsEarly is the first rule of a success policy that the indexes which have
// succeeded satisfy.
func succeedsEarly(policy *batchv1.SuccessPolicy, completions int, succeeded intervals) (rule int, met bool) {
	if policy == nil || succeeded.total() == 0 {
		return 0, false
	}
	for i := range policy.Rules {
		if satisfied(&policy.Rules[i], completions, succeeded) {
			return i, true
		}
	}
	return 0, false
}

func satisfied(rule *batchv1.SuccessPolicyRule, completions int, succeeded intervals) bool {
	if rule.SucceededIndexes == nil {
		return rule.SucceededCount != nil && succeeded.total() >= int(*rule.SucceededCount)
	}
	wanted, err := parseIntervals(*rule.SucceededIndexes, completions)
	if err != nil || wanted.total() == 0 {
		return false
	}
	common := succeeded.common(wanted)
	return common == wanted.total() || rule.SucceededCount != nil && common >= int(*rule.SucceededCount)
}

// SPDX-License-Identifier: Apache-2.0

package job

import (
	"fmt"
	"slices"
	"strconv"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/kube-live/kube-controller-manager/pkg/kube/podcontrol"
)

// indexVariable tells a container its completion index.
const indexVariable = "JOB_COMPLETION_INDEX"

// maxNamePrefix is what the API server leaves of a prefix when it makes a name
// of it.
const maxNamePrefix = 58

// newPod is a pod as the template describes it, for the index if the Job has
// indexes.
func (p *picture) newPod(template *corev1.PodTemplateSpec, index int) *corev1.Pod {
	pod := podcontrol.FromTemplate(p.job, kind, template)
	if !tracked(pod) {
		pod.Finalizers = append(pod.Finalizers, batchv1.JobTrackingFinalizer)
	}
	if !isIndexed(p.job) {
		return pod
	}
	text := strconv.Itoa(index)
	pod.GenerateName = namePrefix(p.job.Name, text)
	pod.Spec.Hostname = fmt.Sprintf("%s-%s", p.job.Name, text)
	if pod.Annotations == nil {
		pod.Annotations = map[string]string{}
	}
	pod.Annotations[batchv1.JobCompletionIndexAnnotation] = text
	if len(pod.Labels) > 0 { // without, the pod must be refused
		pod.Labels[batchv1.JobCompletionIndexAnnotation] = text
	}
	for i := range pod.Spec.InitContainers {
		addIndexVariable(&pod.Spec.InitContainers[i])
	}
	for i := range pod.Spec.Containers {
		addIndexVariable(&pod.Spec.Containers[i])
	}
	if limitsIndexes(p.job) {
		p.inherit(pod, index)
	}
	return pod
}

func namePrefix(job, index string) string {
	suffix := "-" + index + "-"
	return job[:min(len(job), maxNamePrefix-len(suffix))] + suffix
}

func addIndexVariable(c *corev1.Container) {
	if slices.ContainsFunc(c.Env, func(v corev1.EnvVar) bool { return v.Name == indexVariable }) {
		return
	}
	c.Env = append(c.Env, corev1.EnvVar{Name: indexVariable, ValueFrom: &corev1.EnvVarSource{
		FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.labels['" + batchv1.JobCompletionIndexAnnotation + "']"},
	}})
}

// inherit hands on the failures of an index to the pod that tries it next.
func (p *picture) inherit(pod *corev1.Pod, index int) {
	var counted, ignored int32
	if last := p.delayed[index]; last != nil {
		counted, ignored = failuresOfIndex(last)
		if judge(p.job.Spec.PodFailurePolicy, last).counts() {
			counted++
		} else {
			ignored++
		}
	}
	pod.Annotations[batchv1.JobIndexFailureCountAnnotation] = strconv.Itoa(int(counted))
	if ignored > 0 {
		pod.Annotations[batchv1.JobIndexIgnoredFailureCountAnnotation] = strconv.Itoa(int(ignored))
	}
}

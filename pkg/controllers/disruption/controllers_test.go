// SPDX-License-Identifier: Apache-2.0

package disruption

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
)

// of makes an object the controller of a pod.
func of(apiVersion, kind, name string, uid types.UID) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		ownedBy(apiVersion, kind, name)(p)
		p.OwnerReferences[0].UID = uid
	}
}

// cachedControllers begins with a ReplicaSet that nobody runs.
func cachedControllers(s *scene, _ *wire) {
	set := map[string]string{"app": "web"}
	rs, err := s.Admin.AppsV1().ReplicaSets(s.NS).Create(s.T.Context(), &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{Name: "rs"},
		Spec: appsv1.ReplicaSetSpec{
			Replicas: new(int32(7)), Selector: &metav1.LabelSelector{MatchLabels: set},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: set},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "registry.example/c"}}},
			},
		},
	}, metav1.CreateOptions{})
	s.Must(err)
	s.pod(pod("managed", ready, of("apps/v1", "ReplicaSet", "rs", rs.UID)))
	s.budget(web(maxUnavailable("2")))
	s.shows(1, 5, 7, 0, "InsufficientPods")
	s.patch(`{"spec":{"maxUnavailable":"30%"}}`)
	s.shows(1, 4, 7, 0, "InsufficientPods")
	s.patch(`{"spec":{"maxUnavailable":2}}`)
	s.shows(1, 5, 7, 0, "InsufficientPods")
	_, err = s.Admin.AppsV1().ReplicaSets(s.NS).Patch(s.T.Context(), "rs", types.MergePatchType, []byte(`{"spec":{"replicas":5}}`), metav1.PatchOptions{})
	s.Must(err)
	s.patchPod("managed", `{"metadata":{"labels":{"touched":"yes"}}}`)
	s.nudged(func() { s.patchPod("managed", `{"metadata":{"labels":{"touched":null}}}`) }, 1, 3, 5, 0, "InsufficientPods")

	s.pod(pod("naked", ready))
	s.shows(2, 3, 5, 0, "InsufficientPods")
	s.told("PodDisruptionBudget/web UnmanagedPods " + fmt.Sprintf(unmanagedMessage, &metav1.LabelSelector{}))
}

// nudged is shows, for what needs an event of a pod after a cache that the
// test cannot see has come as far. A nudge makes one.
func (s *scene) nudged(nudge func(), healthy, desired, expected, allowed int32, reason string) {
	s.T.Helper()
	s.Eventually(func() error {
		got, err := s.Admin.PolicyV1().PodDisruptionBudgets(s.NS).Get(s.T.Context(), "web", metav1.GetOptions{})
		s.Must(err)
		if got.Status.ExpectedPods != expected {
			nudge()
			return fmt.Errorf("%d expected, want %d", got.Status.ExpectedPods, expected)
		}
		return nil
	})
	s.shows(healthy, desired, expected, allowed, reason)
}

// customResources has a kind that can be scaled and one that cannot, and pods
// that claim to be controlled by this and that.
func customResources(s *scene, _ *wire) {
	group := s.NS + ".example.com"
	scaled := s.define(group, "Scaled", &apiextensionsv1.CustomResourceSubresources{
		Scale: &apiextensionsv1.CustomResourceSubresourceScale{SpecReplicasPath: ".spec.replicas", StatusReplicasPath: ".status.replicas"},
	})
	plain := s.define(group, "Plain", nil)
	s.budget(web(maxUnavailable("5")))
	s.shows(0, 0, 0, 0, "InsufficientPods")

	s.pod(pod("p", ready, of(group+"/v1", "Scaled", "x", scaled)))
	s.shows(1, 5, 10, 0, "InsufficientPods")
	for _, tc := range []struct {
		pod     *corev1.Pod
		message string
	}{
		{pod("a", ready, of(group+"/v1", "Plain", "x", plain)), "plains." + group + " does not implement the scale subresource"},
		{pod("a", ready, of(group+"/v1", "Unknown", "x", "u")), fmt.Sprintf(`no matches for kind "Unknown" in version "%s/v1"`, group)},
		{pod("a", ready, of("nothing.example.com/v1", "Thing", "x", "u")), `no matches for kind "Thing" in version "nothing.example.com/v1"`},
		{pod("a", ready, of("batch/v1", "Job", "x", "u")), "jobs.batch does not implement the scale subresource"},
		{pod("a", ready, of(group+"/v1", "Scaled", "x", "another")), `found no controllers for pod "a"`},
		{pod("a", ready, of(group+"/v1", "Scaled", "gone", "u")), `found no controllers for pod "a"`},
		{pod("a", ready, of("apps/v1", "ReplicaSet", "gone", "u")), `found no controllers for pod "a"`},
	} {
		s.pod(tc.pod)
		got := s.shows(1, 5, 10, 0, "SyncFailed")
		s.Eventually(func() error {
			got = s.shows(1, 5, 10, 0, "SyncFailed")
			if m := got.Status.Conditions[0].Message; m != tc.message {
				return fmt.Errorf("message %q, want %q", m, tc.message)
			}
			return nil
		})
		s.DeletePod("a")
		if got = s.shows(1, 5, 10, 0, "InsufficientPods"); got.Status.Conditions[0].Message != "" {
			s.T.Errorf("a message is left: %s", got.Status.Conditions[0].Message)
		}
	}
}

// define makes a kind and an object "x" of it, with 10 replicas.
func (s *scene) define(group, kind string, subresources *apiextensionsv1.CustomResourceSubresources) types.UID {
	s.T.Helper()
	definitions, err := apiextensions.NewForConfig(s.AdminConfig)
	s.Must(err)
	objects, err := dynamic.NewForConfig(s.AdminConfig)
	s.Must(err)
	plural := map[string]string{"Scaled": "scaleds", "Plain": "plains"}[kind]
	_, err = definitions.ApiextensionsV1().CustomResourceDefinitions().Create(s.T.Context(), &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: plural + "." + group},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: group, Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: plural, Kind: kind},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: "v1", Served: true, Storage: true, Subresources: subresources,
				Schema: &apiextensionsv1.CustomResourceValidation{
					OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{Type: "object", XPreserveUnknownFields: new(true)},
				},
			}},
		},
	}, metav1.CreateOptions{})
	s.Must(err)
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": group + "/v1", "kind": kind, "metadata": map[string]any{"name": "x"}, "spec": map[string]any{"replicas": int64(10)},
	}}
	s.Eventually(func() (err error) {
		resource := schema.GroupVersionResource{Group: group, Version: "v1", Resource: plural}
		created, err := objects.Resource(resource).Namespace(s.NS).Create(s.T.Context(), object.DeepCopy(), metav1.CreateOptions{})
		if err == nil {
			object = created
		}
		return err
	})
	return object.GetUID()
}

// SPDX-License-Identifier: Apache-2.0

package validatingadmissionpolicystatus

import (
	"context"
	"fmt"
	"testing"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// gadgets are custom resources of a group of the test's own. Parts of their schema say
// nothing about types, which is no reason to warn about the others.
func (f *fixture) gadgets(group string) {
	f.t.Helper()
	object := func(properties map[string]apiextensionsv1.JSONSchemaProps) apiextensionsv1.JSONSchemaProps {
		return apiextensionsv1.JSONSchemaProps{Type: "object", Properties: properties}
	}
	root := object(map[string]apiextensionsv1.JSONSchemaProps{
		"spec": object(map[string]apiextensionsv1.JSONSchemaProps{
			"size":        {Type: "integer"},
			"anyKeys":     {Type: "object", AdditionalProperties: &apiextensionsv1.JSONSchemaPropsOrBool{Allows: true}},
			"untyped":     {XPreserveUnknownFields: new(true)},
			"intOrString": {XIntOrString: true},
		}),
	})
	crd := &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: "gadgets." + group},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: group, Scope: apiextensionsv1.ClusterScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "gadgets", Kind: "Gadget"},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: "v1", Served: true, Storage: true, Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &root},
			}},
		},
	}
	client, err := apiextensions.NewForConfig(f.AdminConfig)
	f.Must(err)
	definitions := client.ApiextensionsV1().CustomResourceDefinitions()
	_, err = definitions.Create(f.t.Context(), crd, metav1.CreateOptions{})
	f.Must(err)
	f.t.Cleanup(func() { f.Must(definitions.Delete(context.Background(), crd.Name, metav1.DeleteOptions{})) })
	// Discovery and the schemas come some time later, one after the other.
	f.Eventually(func() error {
		q := &inquiry{ctx: f.t.Context(), kinds: serverChecker(f.t).kinds, documents: newDocuments(), openapi: serverChecker(f.t).openapi(f.t.Context())}
		if _, err := q.KindsFor(schema.GroupVersionResource{Group: group, Version: "v1", Resource: "gadgets"}); err != nil {
			return err
		}
		if _, err := q.ResolveSchema(schema.GroupVersionKind{Group: group, Version: "v1", Kind: "Gadget"}); err != nil {
			return fmt.Errorf("%w: %w, %w", err, q.failed, q.unread)
		}
		return nil
	})
}

func TestCustomResources(t *testing.T) {
	f := start(t)
	f.gadgets("custom.example.com")
	group := rule("custom.example.com", "v1", "gadgets")
	for e, want := range map[string][][]string{
		"object.spec.size > 1":   nil,
		"object.spec.size > '1'": {{first, "custom.example.com/v1, Kind=Gadget: ERROR", "found no matching overload for '_>_' applied to '(int, string)'"}},
		"object.spec.foo == 1":   {{first, "undefined field 'foo'"}},
		"object.spec.intOrString == 1 || object.spec.intOrString == '1'": nil,
		"object.metadata.name == 1":                                      {{first, "found no matching overload for '_==_' applied to '(string, int)'"}},
	} {
		warns(t, f.checked(f.create(policy([]string{e}, group))).ExpressionWarnings, want...)
	}
	p := policy([]string{"params.spec.size == object.spec.replicas", "params.spec.foo == 1"})
	p.Spec.ParamKind = &admissionv1.ParamKind{APIVersion: "custom.example.com/v1", Kind: "Gadget"}
	warns(t, f.checked(f.create(p)).ExpressionWarnings, []string{"spec.validations[1].expression", "apps/v1, Kind=Deployment: ERROR", "undefined field 'foo'"})
}

func TestTheResourceComesLater(t *testing.T) {
	f := start(t)
	p := policy([]string{"object.spec.foo == 1 && params.spec.bar == 1"}, rule("later.example.com", "v1", "gadgets"))
	p.Spec.ParamKind = &admissionv1.ParamKind{APIVersion: "later.example.com/v1", Kind: "Gadget"}
	name := f.create(p)
	warns(t, f.checked(name).ExpressionWarnings)
	f.gadgets("later.example.com")
	f.checked(f.create(policy([]string{"true"}))) // the first one is not checked again
	warns(t, f.checked(name).ExpressionWarnings)
	_, err := f.Admin.AdmissionregistrationV1().ValidatingAdmissionPolicies().Patch(t.Context(), name, types.MergePatchType,
		[]byte(`{"spec":{"failurePolicy":"Ignore"}}`), metav1.PatchOptions{})
	f.Must(err)
	warns(t, f.checked(name).ExpressionWarnings, []string{first, "undefined field 'foo'", "undefined field 'bar'"})
}

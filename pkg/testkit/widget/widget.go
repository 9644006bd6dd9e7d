// SPDX-License-Identifier: Apache-2.0

// Package widget defines custom resources in tests: widgets, each kind of them in
// a group of its own, so that tests can change and delete definitions beside each
// other.
package widget

import (
	"context"
	"fmt"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset/typed/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

// Kind is the kind Widget of one group, and its objects in one namespace. It is
// not defined at first.
type Kind struct {
	// Group is that of the resource. It may be changed before it is defined.
	Group string
	// Definitions are those of all custom resources.
	Definitions apiextensions.CustomResourceDefinitionInterface

	t         testing.TB
	ctx       context.Context
	objects   dynamic.Interface
	namespace string
}

// New makes a kind in a group that is named after the namespace.
func New(t testing.TB, config *rest.Config, namespace string) *Kind {
	t.Helper()
	k := &Kind{Group: namespace + ".example.com", t: t, ctx: context.Background(), namespace: namespace}
	client, err := apiextensions.NewForConfig(config)
	k.must(err)
	k.Definitions = client.CustomResourceDefinitions()
	k.objects, err = dynamic.NewForConfig(config)
	k.must(err)
	return k
}

// Version is a version that is served and takes any object; one of them is stored.
func Version(name string, stored bool) apiextensionsv1.CustomResourceDefinitionVersion {
	return apiextensionsv1.CustomResourceDefinitionVersion{
		Name: name, Served: true, Storage: stored,
		Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{
			Type: "object", XPreserveUnknownFields: new(true),
		}},
	}
}

// Definition is the name of the definition.
func (k *Kind) Definition() string { return "widgets." + k.Group }

// Resource is a version of the resource.
func (k *Kind) Resource(version string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: k.Group, Version: version, Resource: "widgets"}
}

// Define creates the definition and waits until its first version is served. The
// version is v1, unless others are given.
func (k *Kind) Define(versions ...apiextensionsv1.CustomResourceDefinitionVersion) {
	k.t.Helper()
	if len(versions) == 0 {
		versions = append(versions, Version("v1", true))
	}
	_, err := k.Definitions.Create(k.ctx, &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: k.Definition()},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: k.Group, Scope: apiextensionsv1.NamespaceScoped, Versions: versions,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "widgets", Kind: "Widget"},
		},
	}, metav1.CreateOptions{})
	k.must(err)
	k.Served(versions[0].Name)
}

// Served waits until a version is served.
func (k *Kind) Served(version string) {
	k.t.Helper()
	testkit.Eventually(k.t, harness.Timeout, func() error {
		_, err := k.Widgets(version).List(k.ctx, metav1.ListOptions{})
		return err
	})
}

// Redefine changes the definition, as often as others interfere.
func (k *Kind) Redefine(change func(*apiextensionsv1.CustomResourceDefinitionSpec)) {
	k.t.Helper()
	testkit.Eventually(k.t, harness.Timeout, func() error {
		crd, err := k.Definitions.Get(k.ctx, k.Definition(), metav1.GetOptions{})
		if err != nil {
			return err
		}
		change(&crd.Spec)
		_, err = k.Definitions.Update(k.ctx, crd, metav1.UpdateOptions{})
		return err
	})
}

// BreakConversion defines the version v2 beside v1, to which nothing can be
// converted: what is stored cannot be listed.
func (k *Kind) BreakConversion() {
	k.t.Helper()
	k.Redefine(func(s *apiextensionsv1.CustomResourceDefinitionSpec) {
		s.Versions = append(s.Versions, Version("v2", false))
		s.Conversion = &apiextensionsv1.CustomResourceConversion{
			Strategy: apiextensionsv1.WebhookConverter,
			Webhook: &apiextensionsv1.WebhookConversion{
				ConversionReviewVersions: []string{"v1"},
				ClientConfig:             &apiextensionsv1.WebhookClientConfig{URL: new("https://127.0.0.1:1/convert")},
			},
		}
	})
	testkit.Eventually(k.t, harness.Timeout, func() error {
		// Clients repeat what fails for now, so this takes as long as one grants it.
		short, cancel := context.WithTimeout(k.ctx, time.Second)
		defer cancel()
		_, err := k.Widgets("v2").List(short, metav1.ListOptions{})
		if err == nil || apierrors.IsNotFound(err) {
			return fmt.Errorf("the conversion does not fail yet: %v", err)
		}
		return nil
	})
}

// RepairConversion lets widgets be converted again. They cannot be deleted before,
// and so the definition cannot.
func (k *Kind) RepairConversion() {
	k.t.Helper()
	k.Redefine(func(s *apiextensionsv1.CustomResourceDefinitionSpec) {
		s.Conversion = &apiextensionsv1.CustomResourceConversion{Strategy: apiextensionsv1.NoneConverter}
	})
}

// Undefine deletes the definition and waits until it is gone, with its objects.
func (k *Kind) Undefine() {
	k.t.Helper()
	k.must(k.Definitions.Delete(k.ctx, k.Definition(), metav1.DeleteOptions{}))
	testkit.Eventually(k.t, harness.Timeout, func() error {
		_, err := k.Definitions.Get(k.ctx, k.Definition(), metav1.GetOptions{})
		if !apierrors.IsNotFound(err) {
			return fmt.Errorf("the definition is still there: %v", err)
		}
		return nil
	})
}

// Widgets are those of the namespace in a version.
func (k *Kind) Widgets(version string) dynamic.ResourceInterface {
	return k.objects.Resource(k.Resource(version)).Namespace(k.namespace)
}

// Widget is one that is not created yet.
func (k *Kind) Widget(version, name string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	o.SetAPIVersion(k.Group + "/" + version)
	o.SetKind("Widget")
	o.SetName(name)
	return o
}

// CreateWidget makes one through v1.
func (k *Kind) CreateWidget(name string, owners ...metav1.OwnerReference) *unstructured.Unstructured {
	k.t.Helper()
	o := k.Widget("v1", name)
	o.SetOwnerReferences(owners)
	o, err := k.Widgets("v1").Create(k.ctx, o, metav1.CreateOptions{})
	k.must(err)
	return o
}

func (k *Kind) must(err error) {
	k.t.Helper()
	if err != nil {
		k.t.Fatal(err)
	}
}

// SPDX-License-Identifier: Apache-2.0

package storageversionmigrator

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	storagemigrationv1 "k8s.io/api/storagemigration/v1"
	"k8s.io/apiextensions-apiserver/pkg/apihelpers"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

var shared testkit.Shared

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "encryption-")
	if err != nil {
		panic(err)
	}
	encryption.path = dir + "/config.yaml"
	if err := encryption.renew(); err != nil {
		panic(err)
	}
	shared.Options.APIServerArgs = []string{"--encryption-provider-config=" + encryption.path}
	code := shared.Main(m)
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// ahead is the real time, but later.
type ahead struct {
	clock.RealClock
	by atomic.Int64
}

func (a *ahead) Now() time.Time { return a.RealClock.Now().Add(time.Duration(a.by.Load())) }

func (a *ahead) Since(t time.Time) time.Duration { return a.Now().Sub(t) }

// world has a custom resource, widgets, in a group of its own.
type world struct {
	*harness.Harness

	t           *testing.T
	ns, group   string
	definitions apiextensions.Interface
	objects     dynamic.Interface
	line        *line
	clock       *ahead
}

func newWorld(t *testing.T) *world {
	t.Helper()
	h := harness.New(t, shared.Plane(t))
	w := &world{Harness: h, t: t, line: &line{}, clock: &ahead{}}
	h.Kit.Clock = w.clock
	w.ns = h.Namespace()
	w.group = w.ns + ".example.com"
	var err error
	w.definitions, err = apiextensions.NewForConfig(h.AdminConfig)
	w.must(err)
	w.objects, err = dynamic.NewForConfig(h.AdminConfig)
	w.must(err)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// descriptor is the controller's own, with the test listening on its line.
func (w *world) descriptor() controller.Descriptor {
	return controller.Define(Descriptor(), func(env controller.Env, section *v1beta1.StorageVersionMigratorController) (controller.Controller, error) {
		cfg := env.API.Config()
		cfg.Wrap(w.line.wrap)
		env.API.Metadata = metadata.NewForConfigOrDie(cfg)
		return New(env, section)
	})
}

func (w *world) start() *harness.Run {
	w.t.Helper()
	return w.Start(w.descriptor(), nil)
}

func version(name string, stored bool) apiextensionsv1.CustomResourceDefinitionVersion {
	return apiextensionsv1.CustomResourceDefinitionVersion{
		Name: name, Served: true, Storage: stored,
		Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{
			Type: "object", XPreserveUnknownFields: new(true),
		}},
	}
}

func (w *world) definition() *apiextensionsv1.CustomResourceDefinition {
	w.t.Helper()
	crd, err := w.definitions.ApiextensionsV1().CustomResourceDefinitions().Get(w.t.Context(), "widgets."+w.group, metav1.GetOptions{})
	w.must(err)
	return crd
}

// share has the world share a definition with others, which takes less time than
// one of its own. It must stay as it is, and is without widgets when the test
// begins.
func (w *world) share() {
	w.t.Helper()
	w.group = "shared.example.com"
	_, err := w.definitions.ApiextensionsV1().CustomResourceDefinitions().Get(w.t.Context(), "widgets."+w.group, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		w.define()
	} else {
		w.must(err)
	}
	w.t.Cleanup(func() {
		if err := w.widgets("v1").DeleteCollection(context.Background(), metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
			w.t.Error(err)
		}
	})
}

// define creates the definition, stored as v1, and waits until it is served.
func (w *world) define() {
	w.t.Helper()
	_, err := w.definitions.ApiextensionsV1().CustomResourceDefinitions().Create(w.t.Context(), &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: "widgets." + w.group},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: w.group, Scope: apiextensionsv1.NamespaceScoped, Versions: []apiextensionsv1.CustomResourceDefinitionVersion{version("v1", true)},
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "widgets", Kind: "Widget"},
		},
	}, metav1.CreateOptions{})
	w.must(err)
	w.eventuallyServed("v1")
}

func (w *world) eventuallyServed(version string) {
	w.t.Helper()
	testkit.Eventually(w.t, harness.Timeout, func() error {
		_, err := w.widgets(version).List(w.t.Context(), metav1.ListOptions{})
		return err
	})
}

// redefine changes the definition.
func (w *world) redefine(change func(*apiextensionsv1.CustomResourceDefinitionSpec)) {
	w.t.Helper()
	testkit.Eventually(w.t, harness.Timeout, func() error {
		crd := w.definition()
		change(&crd.Spec)
		_, err := w.definitions.ApiextensionsV1().CustomResourceDefinitions().Update(w.t.Context(), crd, metav1.UpdateOptions{})
		return err
	})
}

// storeAsV2 has widgets stored as v2 from now on, and waits until they are.
func (w *world) storeAsV2() {
	w.t.Helper()
	probe := w.widget("probe")
	w.redefine(func(spec *apiextensionsv1.CustomResourceDefinitionSpec) {
		spec.Versions = []apiextensionsv1.CustomResourceDefinitionVersion{version("v1", false), version("v2", true)}
	})
	w.eventuallyServed("v2")
	// An update that changes nothing is a write only when the form of storage is new.
	testkit.Eventually(w.t, harness.Timeout, func() error {
		o, err := w.widgets("v1").Update(w.t.Context(), probe, metav1.UpdateOptions{})
		if err == nil && o.GetResourceVersion() == probe.GetResourceVersion() {
			return fmt.Errorf("still stored as v1")
		}
		return err
	})
	w.must(w.widgets("v1").Delete(w.t.Context(), "probe", metav1.DeleteOptions{}))
}

func (w *world) widgets(version string) dynamic.ResourceInterface {
	return w.objects.Resource(schema.GroupVersionResource{Group: w.group, Version: version, Resource: "widgets"}).Namespace(w.ns)
}

// widget creates one through v1.
func (w *world) widget(name string) *unstructured.Unstructured {
	w.t.Helper()
	o := &unstructured.Unstructured{}
	o.SetAPIVersion(w.group + "/v1")
	o.SetKind("Widget")
	o.SetName(name)
	o, err := w.widgets("v1").Create(w.t.Context(), o, metav1.CreateOptions{})
	w.must(err)
	return o
}

// resourceVersions of all widgets, by name.
func (w *world) resourceVersions() map[string]string {
	w.t.Helper()
	list, err := w.widgets("v1").List(w.t.Context(), metav1.ListOptions{})
	w.must(err)
	versions := map[string]string{}
	for _, o := range list.Items {
		versions[o.GetName()] = o.GetResourceVersion()
	}
	return versions
}

// rewritten is how many widgets have another version than before.
func (w *world) rewritten(before map[string]string) (n int) {
	w.t.Helper()
	for name, version := range w.resourceVersions() {
		if before[name] != version {
			n++
		}
	}
	return n
}

// named is the name of a migration of this test.
func (w *world) named(name string) string { return w.ns + "-" + name }

func (w *world) migrations() interface {
	Get(context.Context, string, metav1.GetOptions) (*migration, error)
	Create(context.Context, *migration, metav1.CreateOptions) (*migration, error)
	UpdateStatus(context.Context, *migration, metav1.UpdateOptions) (*migration, error)
	Delete(context.Context, string, metav1.DeleteOptions) error
} {
	return w.Admin.StoragemigrationV1().StorageVersionMigrations()
}

// migrate asks for a migration; of widgets, unless it is said of what.
func (w *world) migrate(name string, of ...metav1.GroupResource) *migration {
	w.t.Helper()
	m := &migration{ObjectMeta: metav1.ObjectMeta{Name: w.named(name)}}
	m.Spec.Resource = metav1.GroupResource{Group: w.group, Resource: "widgets"}
	if len(of) > 0 {
		m.Spec.Resource = of[0]
	}
	m, err := w.migrations().Create(w.t.Context(), m, metav1.CreateOptions{})
	w.must(err)
	w.t.Cleanup(func() {
		_ = w.migrations().Delete(context.Background(), m.Name, metav1.DeleteOptions{})
	})
	return m
}

// eventually waits until a migration is as it should be, and returns it.
func (w *world) eventually(name string, check func(*migration) error) (m *migration) {
	w.t.Helper()
	testkit.Eventually(w.t, 2*harness.Timeout, func() (err error) {
		m, err = w.migrations().Get(w.t.Context(), w.named(name), metav1.GetOptions{})
		if err != nil {
			return err
		}
		if err := check(m); err != nil {
			return fmt.Errorf("%s: %w; status %+v", name, err, m.Status)
		}
		return nil
	})
	return m
}

// eventuallyOver waits until a migration has ended in one of two ways, with that
// message, and has given its turn up.
func (w *world) eventuallyOver(name string, t storagemigrationv1.MigrationConditionType, message string) *migration {
	w.t.Helper()
	m := w.eventually(name, func(m *migration) error {
		if !ended(m) || !hadTurn(m) {
			return fmt.Errorf("it is not over")
		}
		return nil
	})
	w.hasCondition(m, condition(t, metav1.ConditionTrue, string("StorageVersionMigration"+t), message))
	w.hasCondition(m, condition(storagemigrationv1.MigrationRunning, metav1.ConditionFalse, "MigrationCompleted", "Migration completed"))
	if len(m.Status.Conditions) != 2 {
		w.t.Errorf("%s: conditions %v", name, m.Status.Conditions)
	}
	return m
}

func (w *world) eventuallySucceeded(name string) *migration {
	w.t.Helper()
	return w.eventuallyOver(name, storagemigrationv1.MigrationSucceeded, "Migration completed")
}

// eventuallySays waits until a migration runs with that message.
func (w *world) eventuallySays(name, message string) {
	w.t.Helper()
	w.eventually(name, func(m *migration) error {
		c := meta.FindStatusCondition(m.Status.Conditions, string(storagemigrationv1.MigrationRunning))
		if c == nil || c.Status != metav1.ConditionTrue || c.Reason != "MigrationRunning" || c.Message != message {
			return fmt.Errorf("it does not say %q", message)
		}
		return nil
	})
}

func (w *world) hasCondition(m *migration, want metav1.Condition) {
	w.t.Helper()
	c := meta.FindStatusCondition(m.Status.Conditions, want.Type)
	if c == nil {
		w.t.Errorf("%s has no condition %s", m.Name, want.Type)
		return
	}
	if c.Status != want.Status || c.Reason != want.Reason || c.Message != want.Message || c.ObservedGeneration != m.Generation {
		w.t.Errorf("%s: %+v, want %+v", m.Name, *c, want)
	}
}

// hasStored checks what the definition says after a migration.
func (w *world) hasStored(reason, message string, stored ...string) {
	w.t.Helper()
	crd := w.definition()
	c := apihelpers.FindCRDCondition(crd, storageMigrating)
	if c == nil || c.Status != apiextensionsv1.ConditionFalse || c.Reason != reason || c.Message != message || c.ObservedGeneration != crd.Generation {
		w.t.Errorf("condition %+v, want %s: %s (generation %d)", c, reason, message, crd.Generation)
	}
	if got := fmt.Sprint(crd.Status.StoredVersions); got != fmt.Sprint(stored) {
		w.t.Errorf("stored versions %s, want %s", got, stored)
	}
}

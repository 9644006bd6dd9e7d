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
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/widget"
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

// world is a namespace with a custom resource, widgets, in a group of its own.
type world struct {
	*harness.Scene
	*widget.Kind

	line  *line
	clock *ahead
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s := harness.New(t, shared.Plane(t)).Scene(t)
	w := &world{Scene: s, Kind: widget.New(t, s.AdminConfig, s.NS), line: &line{}, clock: &ahead{}}
	s.Kit.Clock = w.clock
	return w
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
	w.T.Helper()
	return w.Start(w.descriptor(), nil)
}

func (w *world) definition() *apiextensionsv1.CustomResourceDefinition {
	w.T.Helper()
	crd, err := w.Definitions.Get(w.T.Context(), w.Definition(), metav1.GetOptions{})
	w.Must(err)
	return crd
}

// share has the world share a definition with others, which takes less time than
// one of its own. It must stay as it is, and is without widgets when the test
// begins.
func (w *world) share() {
	w.T.Helper()
	w.Group = "shared.example.com"
	_, err := w.Definitions.Get(w.T.Context(), w.Definition(), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		w.Define()
	} else {
		w.Must(err)
	}
	w.T.Cleanup(func() {
		if err := w.Widgets("v1").DeleteCollection(context.Background(), metav1.DeleteOptions{}, metav1.ListOptions{}); err != nil {
			w.T.Error(err)
		}
	})
}

// storeAsV2 has widgets stored as v2 from now on, and waits until they are.
func (w *world) storeAsV2() {
	w.T.Helper()
	probe := w.CreateWidget("probe")
	w.Redefine(func(spec *apiextensionsv1.CustomResourceDefinitionSpec) {
		spec.Versions = []apiextensionsv1.CustomResourceDefinitionVersion{widget.Version("v1", false), widget.Version("v2", true)}
	})
	w.Served("v2")
	// An update that changes nothing is a write only when the form of storage is new.
	w.Eventually(func() error {
		o, err := w.Widgets("v1").Update(w.T.Context(), probe, metav1.UpdateOptions{})
		if err == nil && o.GetResourceVersion() == probe.GetResourceVersion() {
			return fmt.Errorf("still stored as v1")
		}
		return err
	})
	w.Must(w.Widgets("v1").Delete(w.T.Context(), "probe", metav1.DeleteOptions{}))
}

// resourceVersions of all widgets, by name.
func (w *world) resourceVersions() map[string]string {
	w.T.Helper()
	list, err := w.Widgets("v1").List(w.T.Context(), metav1.ListOptions{})
	w.Must(err)
	versions := map[string]string{}
	for _, o := range list.Items {
		versions[o.GetName()] = o.GetResourceVersion()
	}
	return versions
}

// rewritten is how many widgets have another version than before.
func (w *world) rewritten(before map[string]string) (n int) {
	w.T.Helper()
	for name, version := range w.resourceVersions() {
		if before[name] != version {
			n++
		}
	}
	return n
}

// named is the name of a migration of this test.
func (w *world) named(name string) string { return w.NS + "-" + name }

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
	w.T.Helper()
	m := &migration{ObjectMeta: metav1.ObjectMeta{Name: w.named(name)}}
	m.Spec.Resource = metav1.GroupResource{Group: w.Group, Resource: "widgets"}
	if len(of) > 0 {
		m.Spec.Resource = of[0]
	}
	m, err := w.migrations().Create(w.T.Context(), m, metav1.CreateOptions{})
	w.Must(err)
	w.T.Cleanup(func() {
		_ = w.migrations().Delete(context.Background(), m.Name, metav1.DeleteOptions{})
	})
	return m
}

// eventually waits until a migration is as it should be, and returns it.
func (w *world) eventually(name string, check func(*migration) error) (m *migration) {
	w.T.Helper()
	testkit.Eventually(w.T, 2*harness.Timeout, func() (err error) {
		m, err = w.migrations().Get(w.T.Context(), w.named(name), metav1.GetOptions{})
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
	w.T.Helper()
	m := w.eventually(name, func(m *migration) error {
		if !ended(m) || !hadTurn(m) {
			return fmt.Errorf("it is not over")
		}
		return nil
	})
	w.hasCondition(m, condition(t, metav1.ConditionTrue, string("StorageVersionMigration"+t), message))
	w.hasCondition(m, condition(storagemigrationv1.MigrationRunning, metav1.ConditionFalse, "MigrationCompleted", "Migration completed"))
	if len(m.Status.Conditions) != 2 {
		w.T.Errorf("%s: conditions %v", name, m.Status.Conditions)
	}
	return m
}

func (w *world) eventuallySucceeded(name string) *migration {
	w.T.Helper()
	return w.eventuallyOver(name, storagemigrationv1.MigrationSucceeded, "Migration completed")
}

// eventuallySays waits until a migration runs with that message.
func (w *world) eventuallySays(name, message string) {
	w.T.Helper()
	w.eventually(name, func(m *migration) error {
		c := meta.FindStatusCondition(m.Status.Conditions, string(storagemigrationv1.MigrationRunning))
		if c == nil || c.Status != metav1.ConditionTrue || c.Reason != "MigrationRunning" || c.Message != message {
			return fmt.Errorf("it does not say %q", message)
		}
		return nil
	})
}

func (w *world) hasCondition(m *migration, want metav1.Condition) {
	w.T.Helper()
	c := meta.FindStatusCondition(m.Status.Conditions, want.Type)
	if c == nil {
		w.T.Errorf("%s has no condition %s", m.Name, want.Type)
		return
	}
	if c.Status != want.Status || c.Reason != want.Reason || c.Message != want.Message || c.ObservedGeneration != m.Generation {
		w.T.Errorf("%s: %+v, want %+v", m.Name, *c, want)
	}
}

// hasStored checks what the definition says after a migration.
func (w *world) hasStored(reason, message string, stored ...string) {
	w.T.Helper()
	crd := w.definition()
	c := apihelpers.FindCRDCondition(crd, storageMigrating)
	if c == nil || c.Status != apiextensionsv1.ConditionFalse || c.Reason != reason || c.Message != message || c.ObservedGeneration != crd.Generation {
		w.T.Errorf("condition %+v, want %s: %s (generation %d)", c, reason, message, crd.Generation)
	}
	if got := fmt.Sprint(crd.Status.StoredVersions); got != fmt.Sprint(stored) {
		w.T.Errorf("stored versions %s, want %s", got, stored)
	}
}

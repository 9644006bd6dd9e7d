// SPDX-License-Identifier: Apache-2.0

package storageversionmigrator

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	storagemigrationv1 "k8s.io/api/storagemigration/v1"
	"k8s.io/apiextensions-apiserver/pkg/apihelpers"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

const (
	updated  = "The migration has succeeded and the stored versions have been updated"
	mismatch = "The migration has succeeded but the stored versions have not been updated due to a generation mismatch"
)

func TestNewStorageVersion(t *testing.T) {
	w := newWorld(t)
	w.Define()
	for i := range 5 {
		w.CreateWidget(fmt.Sprintf("widget-%d", i))
	}
	w.storeAsV2()
	before := w.resourceVersions()
	w.start()
	w.migrate("first")
	m := w.eventuallySucceeded("first")
	if m.Status.ResourceVersion == "" {
		t.Error("the migration has no resource version")
	}
	if n := w.rewritten(before); n != 5 {
		t.Errorf("%d of 5 were rewritten", n)
	}
	w.hasStored("MigrationSucceeded", updated, "v2")

	// There is nothing left to do, and the definition stays as it is.
	after := w.resourceVersions()
	w.migrate("second")
	w.eventuallySucceeded("second")
	if n := w.rewritten(after); n != 0 {
		t.Errorf("%d were rewritten again", n)
	}
	w.hasStored("MigrationSucceeded", updated, "v2")
}

// held has the patch of an object wait until it is released.
func (w *world) held(name string) (waits chan struct{}, release func()) {
	waits = make(chan struct{})
	released := make(chan struct{})
	begun := sync.OnceFunc(func() { close(waits) })
	w.line.answerWith(func(r *http.Request) *http.Response {
		if path.Base(r.URL.Path) == name {
			begun()
			<-released
		}
		return nil
	})
	release = sync.OnceFunc(func() { close(released) })
	w.T.Cleanup(release)
	return waits, release
}

func (w *world) await(waits chan struct{}) {
	w.T.Helper()
	select {
	case <-waits:
	case <-time.After(2 * harness.Timeout):
		w.T.Fatal("the patch was never sent")
	}
}

func TestDefinitionChangesMeanwhile(t *testing.T) {
	w := newWorld(t)
	w.Define()
	w.CreateWidget("a")
	w.storeAsV2()
	waits, release := w.held("a")
	w.start()
	w.migrate("m")
	w.await(waits)
	crd := w.definition()
	c := apihelpers.FindCRDCondition(crd, storageMigrating)
	if c == nil || c.Status != "True" || c.Reason != "MigrationRunning" || c.Message != "Migration "+w.named("m")+" is running" || c.ObservedGeneration != crd.Generation {
		t.Errorf("condition %+v", c)
	}
	w.Redefine(func(spec *apiextensionsv1.CustomResourceDefinitionSpec) { spec.Names.ShortNames = []string{"w"} })
	release()
	w.eventuallySucceeded("m")
	w.hasStored("MigrationSucceeded", mismatch, "v1", "v2")
}

// Migrations of a resource run one after the other, the oldest first; one that is
// deleted makes room.
func TestTurnsOfMigrations(t *testing.T) {
	w := newWorld(t)
	w.share()
	w.CreateWidget("a")
	for _, name := range []string{"c", "b", "a"} { // created in the same second, or in this order
		w.migrate(name)
	}
	first, second := w.order("c", "b", "a")
	waits, release := w.held("a")
	w.start()
	w.await(waits)
	w.runs(first)
	w.Must(w.migrations().Delete(t.Context(), w.named(first), metav1.DeleteOptions{}))
	w.eventuallySays(second, messageRunning)
	release()
	for _, name := range []string{"a", "b", "c"} {
		if name != first {
			w.eventuallySucceeded(name)
		}
	}
	w.hasStored("MigrationSucceeded", updated, "v1")
}

// order finds out which of migrations are the first two.
func (w *world) order(names ...string) (first, second string) {
	w.T.Helper()
	var all []*migration
	short := map[string]string{}
	for _, name := range names {
		m, err := w.migrations().Get(w.T.Context(), w.named(name), metav1.GetOptions{})
		w.Must(err)
		all = append(all, m)
		short[m.Name] = name
	}
	_, next := turns(all)
	var rest []*migration
	for _, m := range all {
		if m != next {
			rest = append(rest, m)
		}
	}
	_, then := turns(rest)
	return short[next.Name], short[then.Name]
}

// runs checks that of all migrations of the test only one runs.
func (w *world) runs(name string) {
	w.T.Helper()
	list, err := w.Admin.StoragemigrationV1().StorageVersionMigrations().List(w.T.Context(), metav1.ListOptions{})
	w.Must(err)
	for i := range list.Items {
		if m := &list.Items[i]; m.Spec.Resource.Group == w.Group && running(m) != (m.Name == w.named(name)) {
			w.T.Errorf("%s runs: %v", m.Name, running(m))
		}
	}
}

// Objects come and go while ten migrations of them run.
func TestManyMigrations(t *testing.T) {
	w := newWorld(t)
	w.share()
	const widgets, migrations = 50, 10
	generations := map[string]int64{}
	for i := range widgets {
		o := w.CreateWidget(fmt.Sprintf("stays-%d", i))
		generations[o.GetName()] = o.GetGeneration()
	}
	before := w.resourceVersions()
	w.start()
	stop := w.churn()
	for i := range migrations {
		w.migrate(fmt.Sprint(i))
	}
	for i := range migrations {
		w.eventuallySucceeded(fmt.Sprint(i))
	}
	stop()
	after := w.resourceVersions()
	for name, version := range before {
		if after[name] != version {
			t.Errorf("%s was written although nothing was to change", name)
		}
	}
	list, err := w.Widgets("v1").List(t.Context(), metav1.ListOptions{})
	w.Must(err)
	for _, o := range list.Items {
		if want, found := generations[o.GetName()]; found && o.GetGeneration() != want {
			t.Errorf("%s has generation %d, had %d", o.GetName(), o.GetGeneration(), want)
		}
	}
	w.hasStored("MigrationSucceeded", updated, "v1")
}

// churn creates and deletes widgets all the time, until it is stopped.
func (w *world) churn() (stop func()) {
	ctx, cancel := context.WithCancel(w.T.Context())
	var done sync.WaitGroup
	done.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			o := w.Widget("v1", fmt.Sprintf("passes-%d", i))
			if _, err := w.Widgets("v1").Create(ctx, o, metav1.CreateOptions{}); err == nil {
				_ = w.Widgets("v1").Delete(ctx, o.GetName(), metav1.DeleteOptions{})
			}
		}
	})
	stop = func() {
		cancel()
		done.Wait()
	}
	w.T.Cleanup(stop)
	return stop
}

// A stop at any moment leaves nothing that the next run does not finish.
func TestRestarts(t *testing.T) {
	w := newWorld(t)
	w.Define()
	const widgets = 30
	for i := range widgets {
		w.CreateWidget(fmt.Sprintf("widget-%02d", i))
	}
	w.storeAsV2()
	before := w.resourceVersions()
	w.migrate("m")
	for round := 1; round <= 3; round++ {
		reached := make(chan struct{})
		begun := sync.OnceFunc(func() { close(reached) })
		away := metav1.Status{Code: http.StatusServiceUnavailable, Reason: metav1.StatusReasonServiceUnavailable}
		w.line.answerWith(func(r *http.Request) *http.Response {
			if name := path.Base(r.URL.Path); r.Method == http.MethodPatch && name >= fmt.Sprintf("widget-%02d", round*7) {
				begun()
				return refuse(name, away)(r)
			}
			return nil
		})
		run := w.start()
		w.await(reached)
		run.Stop()
	}
	w.line.answerWith(nil)
	m, err := w.migrations().Get(t.Context(), w.named("m"), metav1.GetOptions{})
	w.Must(err)
	if ended(m) {
		t.Fatal("it has ended too early")
	}
	version := m.Status.ResourceVersion
	run := w.start()
	m = w.eventuallySucceeded("m")
	if m.Status.ResourceVersion != version {
		t.Errorf("the version went from %s to %s", version, m.Status.ResourceVersion)
	}
	if n := w.rewritten(before); n != widgets {
		t.Errorf("%d of %d were rewritten", n, widgets)
	}
	w.hasStored("MigrationSucceeded", updated, "v2")
	run.Stop()

	// What has ended is not touched by another run.
	crd := w.definition().ResourceVersion
	sent := len(w.line.patches())
	w.start()
	w.migrate("later", metav1.GroupResource{Resource: "bindings"})
	w.eventuallyOver("later", storagemigrationv1.MigrationFailed, `resource "/v1, Resource=bindings" does not support discovery operations: [update patch list]`)
	now, err := w.migrations().Get(t.Context(), w.named("m"), metav1.GetOptions{})
	w.Must(err)
	if now.ResourceVersion != m.ResourceVersion || w.definition().ResourceVersion != crd || len(w.line.patches()) != sent {
		t.Error("something was written")
	}
}

// Only objects that may have been stored otherwise are written.
func TestYoungerObjects(t *testing.T) {
	w := newWorld(t)
	w.share()
	w.CreateWidget("old-1")
	last := w.CreateWidget("old-2")
	m := w.migrate("m")
	m.Status.Conditions = []metav1.Condition{runs(messageRunning)}
	m.Status.Conditions[0].LastTransitionTime = metav1.Now()
	m.Status.ResourceVersion = last.GetResourceVersion()
	_, err := w.migrations().UpdateStatus(t.Context(), m, metav1.UpdateOptions{})
	w.Must(err)
	w.CreateWidget("young")
	w.start()
	w.eventuallySucceeded("m")
	if diff := cmp.Diff([]string{"old-1", "old-2"}, w.line.patches()); diff != "" {
		t.Errorf("patches (-want +got):\n%s", diff)
	}
}

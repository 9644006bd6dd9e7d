// SPDX-License-Identifier: Apache-2.0

package storageversionmigrator

import (
	"fmt"
	"net/http"
	"path"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	storagemigrationv1 "k8s.io/api/storagemigration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

func TestGates(t *testing.T) {
	var c v1beta1.Controllers
	tags.SetDefaults(&c)
	if on, why := Descriptor().Enabled(&c, feature.Defaults()); !on {
		t.Error(why)
	}
	for _, gate := range []feature.Gate{feature.StorageVersionMigrator, feature.InformerResourceVersion} {
		if on, why := Descriptor().Enabled(&c, feature.Defaults().With(gate, false)); on || why != fmt.Sprintf("feature gate %s is off", gate) {
			t.Errorf("enabled %v: %s", on, why)
		}
	}
}

// later lets the controller's time be later.
func (w *world) later(d time.Duration) { w.clock.by.Add(int64(d)) }

func TestUnknownResource(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.migrate("m", metav1.GroupResource{Resource: "foo"})
	tries := map[string]string{"name": "resource-version-controller"}
	testkit.Eventually(t, harness.Timeout, func() error {
		if n, _ := w.Metric("workqueue_retries_total", tries); n < 6 {
			return fmt.Errorf("%v tries", n)
		}
		return nil
	})
	w.eventuallySays("m", messageRunning)
	w.later(grace)
	w.eventuallyOver("m", storagemigrationv1.MigrationFailed, "resource does not exist in discovery")
}

// A resource may be defined a moment after its migration.
func TestResourceDefinedLater(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.migrate("m")
	w.eventuallySays("m", messageRunning)
	w.Define()
	w.migrate("another") // has the API be asked again
	w.eventuallySucceeded("m")
	w.eventuallySucceeded("another")
}

// A resource may cease to exist after the migration has begun.
func TestResourceGone(t *testing.T) {
	w := newWorld(t)
	m := w.migrate("m", metav1.GroupResource{Group: w.Group, Resource: "widgets"})
	m.Status.Conditions = []metav1.Condition{runs(messageRunning)}
	m.Status.Conditions[0].LastTransitionTime = metav1.Now()
	m.Status.ResourceVersion = "1"
	_, err := w.migrations().UpdateStatus(t.Context(), m, metav1.UpdateOptions{})
	w.Must(err)
	w.later(grace)
	w.start()
	w.eventuallyOver("m", storagemigrationv1.MigrationFailed, "migration encountered unhandled error: unable to obtain GVR from discovery")
}

// Objects that cannot be listed, as when a conversion webhook is down, cannot be
// migrated. A server that is away proves nothing.
func TestObjectsThatCannotBeListed(t *testing.T) {
	w := newWorld(t)
	w.share()
	w.CreateWidget("a")
	var status atomic.Pointer[metav1.Status]
	var lists atomic.Int64
	status.Store(&metav1.Status{Code: http.StatusServiceUnavailable, Reason: metav1.StatusReasonServiceUnavailable})
	w.line.answerWith(func(r *http.Request) *http.Response {
		if r.Method != http.MethodGet || path.Base(r.URL.Path) != "widgets" || strings.Contains(r.URL.Path, nowhere) {
			return nil
		}
		lists.Add(1)
		return refuse("widgets", *status.Load())(r)
	})
	w.start()
	w.migrate("m")
	tried := func(n int64) {
		t.Helper()
		testkit.Eventually(t, harness.Timeout, func() error {
			if now := lists.Load(); now < n {
				return fmt.Errorf("%d lists", now)
			}
			return nil
		})
	}
	tried(1)
	w.later(grace + listTime)
	tried(2)
	w.eventuallySays("m", messageRunning)
	status.Store(&metav1.Status{Code: http.StatusInternalServerError, Reason: metav1.StatusReasonInternalError, Message: "conversion failed"})
	m := w.eventuallyOver("m", storagemigrationv1.MigrationFailed, "migration encountered unhandled error: resource does not exist in GC: %!w(<nil>)")
	if m.Status.ResourceVersion == "" {
		t.Error("the version is gone")
	}
}

func TestClusterScopedResource(t *testing.T) {
	w := newWorld(t)
	roles, err := w.Admin.RbacV1().ClusterRoles().List(t.Context(), metav1.ListOptions{})
	w.Must(err)
	w.start()
	w.migrate("m", metav1.GroupResource{Group: "rbac.authorization.k8s.io", Resource: "clusterroles"})
	w.eventuallySucceeded("m")
	if got := len(w.line.patches()); got != len(roles.Items) {
		t.Errorf("%d patches, want %d", got, len(roles.Items))
	}
}

// Lists of many objects come in pages.
func TestPages(t *testing.T) {
	w := newWorld(t)
	w.share()
	for _, name := range []string{"a", "b", "c"} {
		w.CreateWidget(name)
	}
	w.line.answerWith(func(r *http.Request) *http.Response {
		if query := r.URL.Query(); query.Get("limit") == fmt.Sprint(pageSize) {
			query.Set("limit", "2")
			r.URL.RawQuery = query.Encode()
		}
		return nil
	})
	w.start()
	w.migrate("m")
	w.eventuallySucceeded("m")
	if diff := cmp.Diff([]string{"a", "b", "c"}, w.line.patches()); diff != "" {
		t.Errorf("patches (-want +got):\n%s", diff)
	}
}

func TestObjectsOfOthers(t *testing.T) {
	w := newWorld(t)
	w.share()
	for _, name := range []string{"changed", "gone", "plain"} {
		w.CreateWidget(name)
	}
	changed := refuse("changed", metav1.Status{Code: http.StatusConflict, Reason: metav1.StatusReasonConflict})
	gone := refuse("gone", metav1.Status{Code: http.StatusNotFound, Reason: metav1.StatusReasonNotFound})
	w.line.answerWith(func(r *http.Request) *http.Response {
		if resp := changed(r); resp != nil {
			return resp
		}
		return gone(r)
	})
	w.start()
	w.migrate("m")
	w.eventuallySucceeded("m")
	if diff := cmp.Diff([]string{"changed", "gone", "plain"}, w.line.patches()); diff != "" {
		t.Errorf("patches (-want +got):\n%s", diff)
	}
}

func TestTransientErrors(t *testing.T) {
	for name, status := range map[string]metav1.Status{
		"with a delay": {Code: http.StatusTooManyRequests, Reason: metav1.StatusReasonTooManyRequests, Message: "slow down", Details: &metav1.StatusDetails{RetryAfterSeconds: 1}},
		"without":      {Code: http.StatusInternalServerError, Reason: metav1.StatusReasonInternalError, Message: "out of order"},
		"unavailable":  {Code: http.StatusServiceUnavailable, Reason: metav1.StatusReasonServiceUnavailable, Message: "not now"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.share()
			w.CreateWidget("a")
			w.CreateWidget("b")
			w.line.answerWith(refuse("b", status))
			w.start()
			w.migrate("m")
			w.eventuallySays("m", "The migration is running, 1/2 objects not yet migrated; transient error: "+status.Message)
			w.line.answerWith(nil)
			w.eventuallySucceeded("m")
			w.hasStored("MigrationSucceeded", updated, "v1")
		})
	}
}

func TestFatalError(t *testing.T) {
	w := newWorld(t)
	w.Define()
	w.CreateWidget("a")
	w.CreateWidget("b")
	w.storeAsV2()
	w.line.answerWith(refuse("b", metav1.Status{Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden, Message: "never"}))
	w.start()
	w.migrate("m")
	w.eventuallyOver("m", storagemigrationv1.MigrationFailed, "1/2 not yet migrated. migration encountered unhandled error: never")
	// Not true of b, but said all the same, as upstream.
	w.hasStored("MigrationFailed", "The migration has failed", "v2")
}

// Versions of a resource that are no numbers cannot be compared.
func TestVersionThatIsNone(t *testing.T) {
	w := newWorld(t)
	w.share()
	w.line.answerWith(func(r *http.Request) *http.Response {
		if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, nowhere) {
			return nil
		}
		return reply(r, http.StatusOK, metav1.PartialObjectMetadataList{
			TypeMeta: metav1.TypeMeta{APIVersion: "meta.k8s.io/v1", Kind: "PartialObjectMetadataList"},
			ListMeta: metav1.ListMeta{ResourceVersion: "007"},
		})
	})
	w.start()
	w.migrate("m")
	w.eventuallyOver("m", storagemigrationv1.MigrationFailed,
		"latest resourceVersion for "+w.Group+"/v1, Resource=widgets is not valid: resource version is not well formed: 007")
}

// SPDX-License-Identifier: Apache-2.0

package storageversionmigrator

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	storagemigrationv1 "k8s.io/api/storagemigration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// migrationIn is one with conditions, of which some are False, and maybe a version.
func migrationIn(name string, created int64, version string, conditions map[storagemigrationv1.MigrationConditionType]metav1.ConditionStatus) *migration {
	m := &migration{ObjectMeta: metav1.ObjectMeta{Name: name, CreationTimestamp: metav1.NewTime(time.Unix(created, 0))}}
	m.Status.ResourceVersion = version
	for t, s := range conditions {
		m.Status.Conditions = append(m.Status.Conditions, condition(t, s, "R", "m"))
	}
	return m
}

type states = map[storagemigrationv1.MigrationConditionType]metav1.ConditionStatus

func TestStages(t *testing.T) {
	for name, tc := range map[string]struct {
		version                          string
		states                           states
		running, ended, begins, rewrites bool
	}{
		"new":                        {},
		"runs":                       {states: states{"Running": "True"}, running: true, begins: true},
		"knows its version":          {version: "7", states: states{"Running": "True"}, running: true, rewrites: true},
		"version, but does not run":  {version: "7", rewrites: true},
		"succeeded":                  {version: "7", states: states{"Running": "True", "Succeeded": "True"}, running: true, ended: true},
		"failed before it began":     {states: states{"Running": "True", "Failed": "True"}, running: true, ended: true},
		"over":                       {version: "7", states: states{"Running": "False", "Failed": "True"}, ended: true},
		"unknown is not yet":         {version: "7", states: states{"Running": "Unknown", "Succeeded": "Unknown"}, rewrites: true},
		"conditions that are denied": {states: states{"Running": "True", "Succeeded": "False", "Failed": "False"}, running: true, begins: true},
	} {
		t.Run(name, func(t *testing.T) {
			m := migrationIn("m", 1, tc.version, tc.states)
			got := []bool{running(m), ended(m), begins(m), rewrites(m)}
			if diff := cmp.Diff([]bool{tc.running, tc.ended, tc.begins, tc.rewrites}, got); diff != "" {
				t.Errorf("running, ended, begins, rewrites (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTurns(t *testing.T) {
	waiting := func(name string, created int64) *migration { return migrationIn(name, created, "", nil) }
	runs := func(name string) *migration { return migrationIn(name, 1, "", states{"Running": "True"}) }
	finished := func(name string) *migration {
		return migrationIn(name, 1, "", states{"Running": "True", "Failed": "True"})
	}
	over := func(name string) *migration {
		return migrationIn(name, 1, "", states{"Running": "False", "Succeeded": "True"})
	}
	for name, tc := range map[string]struct {
		all  []*migration
		over []string
		next string
	}{
		"none":                           {},
		"the oldest":                     {all: []*migration{waiting("a", 9), waiting("c", 3), waiting("b", 5)}, next: "c"},
		"equally old":                    {all: []*migration{waiting("b", 3), waiting("a", 3), waiting("c", 3)}, next: "a"},
		"one runs":                       {all: []*migration{waiting("a", 1), runs("b")}},
		"one has ended":                  {all: []*migration{waiting("a", 1), finished("b")}, over: []string{"b"}, next: "a"},
		"one has ended, another runs":    {all: []*migration{waiting("a", 1), finished("b"), runs("c")}, over: []string{"b"}},
		"all are over":                   {all: []*migration{over("a"), over("b")}},
		"failed without having run":      {all: []*migration{migrationIn("a", 1, "", states{"Failed": "True"}), waiting("b", 2)}, next: "b"},
		"a turn without an end is no go": {all: []*migration{migrationIn("a", 1, "", states{"Running": "False"}), waiting("b", 2)}, next: "b"},
	} {
		t.Run(name, func(t *testing.T) {
			ended, next := turns(tc.all)
			var names []string
			for _, m := range ended {
				names = append(names, m.Name)
			}
			if diff := cmp.Diff(tc.over, names); diff != "" {
				t.Errorf("over (-want +got):\n%s", diff)
			}
			if next == nil && tc.next != "" || next != nil && next.Name != tc.next {
				t.Errorf("next is %v, want %q", next, tc.next)
			}
		})
	}
}

func TestProgress(t *testing.T) {
	for p, want := range map[progress]string{
		{0, 0}: "The migration is running",
		{0, 2}: "The migration is running, 2 objects verified migrated",
		{1, 2}: "The migration is running, 1/2 objects not yet migrated",
		{2, 2}: "The migration is running, 2/2 objects not yet migrated",
	} {
		if got := p.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func stored(namespace, name, version string) metav1.PartialObjectMetadata {
	return metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, ResourceVersion: version}}
}

func TestOld(t *testing.T) {
	got, err := old([]metav1.PartialObjectMetadata{
		stored("b", "x", "9"), stored("a", "z", "100"), stored("a", "y", "99"), stored("a", "younger", "101"), stored("", "much-younger", "1000"),
	}, "100")
	if err != nil {
		t.Fatal(err)
	}
	want := []object{{"b", "x", "9"}, {"a", "z", "100"}, {"a", "y", "99"}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(object{})); diff != "" {
		t.Errorf("old (-want +got):\n%s", diff)
	}
	for _, bad := range []string{"", "0", "01", "x", "1.5", "-1"} {
		if _, err := old([]metav1.PartialObjectMetadata{stored("a", "b", bad)}, "100"); err == nil {
			t.Errorf("the version %q is taken", bad)
		}
	}
}

// FuzzOld holds that an object is old or young by its number, however long that is.
func FuzzOld(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Add(uint64(99), uint64(100))
	f.Add(uint64(1<<63), uint64(1<<63))
	f.Fuzz(func(t *testing.T, version, limit uint64) {
		got, err := old([]metav1.PartialObjectMetadata{stored("ns", "n", strconv.FormatUint(version, 10))}, strconv.FormatUint(limit, 10))
		if version == 0 || limit == 0 {
			if err == nil {
				t.Error("zero is no version")
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if isOld := len(got) == 1; isOld != (version <= limit) {
			t.Errorf("%d at %d is old: %v", version, limit, isOld)
		}
	})
}

func TestPasses(t *testing.T) {
	r := schema.GroupResource{Group: "g", Resource: "r"}
	for name, tc := range map[string]struct {
		err  error
		want bool
	}{
		"connection reset":    {fmt.Errorf("patch: %w", syscall.ECONNRESET), true},
		"connection refused":  {fmt.Errorf("patch: %w", syscall.ECONNREFUSED), true},
		"connection lost":     {errors.New("http2: client connection lost"), true},
		"EOF":                 {errors.New("unexpected EOF"), false},
		"server timeout":      {apierrors.NewServerTimeout(r, "patch", 1), true},
		"too many requests":   {apierrors.NewTooManyRequests("later", 1), true},
		"service unavailable": {apierrors.NewServiceUnavailable("down"), true},
		"internal error":      {apierrors.NewInternalError(errors.New("x")), true},
		"timeout":             {apierrors.NewTimeoutError("x", 1), true},
		"resource not served": {apierrors.NewGenericServerResponse(http.StatusNotFound, "patch", r, "n", "404 page not found", 0, true), true},
		"object not found":    {apierrors.NewNotFound(r, "n"), false},
		"forbidden":           {apierrors.NewForbidden(r, "n", errors.New("x")), false},
		"invalid":             {apierrors.NewInvalid(schema.GroupKind{Kind: "K"}, "n", nil), false},
		"bad request":         {apierrors.NewBadRequest("x"), false},
		"anything else":       {errors.New("x"), false},
	} {
		if got := passes(tc.err); got != tc.want {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
	}
}

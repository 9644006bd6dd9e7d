// SPDX-License-Identifier: Apache-2.0

package writes_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-live/kube-controller-manager/pkg/kube/writes"
)

var (
	pods    = schema.GroupResource{Resource: "pods"}
	sets    = schema.GroupResource{Group: "apps", Resource: "replicasets"}
	secrets = schema.GroupResource{Resource: "secrets"}
	key     = types.NamespacedName{Namespace: "ns", Name: "web"}
)

func owner(uid types.UID) metav1.Object {
	return &metav1.ObjectMeta{Namespace: "ns", Name: "web", UID: uid}
}

func at(version string) metav1.Object { return &metav1.ObjectMeta{ResourceVersion: version} }

func TestCheck(t *testing.T) {
	a, again := owner("a"), owner("b")
	tests := []struct {
		name string
		do   func(*writes.Store)
		read string // version of the pod cache
		want *writes.StaleError
	}{
		{"nothing written", func(*writes.Store) {}, "1", nil},
		{"behind", func(s *writes.Store) { s.Wrote(a, pods, at("10")) }, "9", &writes.StaleError{Resource: pods, Read: "9", Written: "10"}},
		{"as new", func(s *writes.Store) { s.Wrote(a, pods, at("10")) }, "10", nil},
		{"newer", func(s *writes.Store) { s.Wrote(a, pods, at("10")) }, "100", nil},
		{"the highest counts", func(s *writes.Store) {
			s.Wrote(a, pods, at("9"))
			s.Wrote(a, pods, at("12"))
			s.Wrote(a, pods, at("11"))
		}, "11", &writes.StaleError{Resource: pods, Read: "11", Written: "12"}},
		{"longer than any integer", func(s *writes.Store) { s.Wrote(a, pods, at("100000000000000000000001")) }, "99999999999999999999999",
			&writes.StaleError{Resource: pods, Read: "99999999999999999999999", Written: "100000000000000000000001"}},
		{"cache not filled", func(s *writes.Store) { s.Wrote(a, pods, at("10")) }, "", nil},
		{"cache version unreadable", func(s *writes.Store) { s.Wrote(a, pods, at("10")) }, "x9", nil},
		{"written version unknown", func(s *writes.Store) { s.Wrote(a, pods, at("")) }, "1", nil},
		{"a resource without a cache", func(s *writes.Store) { s.Wrote(a, secrets, at("10")) }, "1", nil},
		{"another cache is fresh", func(s *writes.Store) { s.Wrote(a, sets, at("50")) }, "1", nil},
		{"replaced by a new owner", func(s *writes.Store) { s.Wrote(a, pods, at("10")); s.Wrote(again, sets, at("20")) }, "1", nil},
		{"forgotten", func(s *writes.Store) { s.Wrote(a, pods, at("10")); s.Forget(a) }, "1", nil},
		{"the former owner forgotten", func(s *writes.Store) { s.Wrote(a, pods, at("10")); s.Forget(again) }, "1",
			&writes.StaleError{Resource: pods, Read: "1", Written: "10"}},
		{"the name forgotten", func(s *writes.Store) { s.Wrote(a, pods, at("10")); s.ForgetName(key) }, "1", nil},
	}
	for _, tc := range tests {
		s := writes.NewStore(writes.Caches{
			pods: func() string { return tc.read },
			sets: func() string { return "50" },
		})
		tc.do(s)
		var got *writes.StaleError
		if err := s.Check(key); err != nil && !errors.As(err, &got) {
			t.Errorf("%s: %v", tc.name, err)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
}

func TestFreshRecordsAreDropped(t *testing.T) {
	read := "10"
	s := writes.NewStore(writes.Caches{pods: func() string { return read }})
	s.Wrote(owner("a"), pods, at("10"))
	if err := s.Check(key); err != nil {
		t.Fatal(err)
	}
	read = "5" // a cache that was filled anew from an older server
	if err := s.Check(key); err != nil {
		t.Errorf("a record that was fresh once is still there: %v", err)
	}
}

func TestMessage(t *testing.T) {
	err := &writes.StaleError{Resource: sets, Read: "3", Written: "4"}
	want := "read version: 3 is not as new as written version: 4 for group resource replicasets.apps"
	if err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestNilStore(t *testing.T) {
	var s *writes.Store
	s.Wrote(owner("a"), pods, at("10"))
	s.Forget(owner("a"))
	s.ForgetName(key)
	if err := s.Check(key); err != nil {
		t.Error(err)
	}
}

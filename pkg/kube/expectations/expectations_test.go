// SPDX-License-Identifier: Apache-2.0

package expectations_test

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	testclock "k8s.io/utils/clock/testing"

	"github.com/kube-live/kube-controller-manager/pkg/kube/expectations"
)

func owner(uid types.UID) metav1.Object {
	return &metav1.ObjectMeta{Namespace: "ns", Name: "web", UID: uid}
}

func name(n string) expectations.Name { return expectations.Name{Namespace: "ns", Name: n} }

func TestCounts(t *testing.T) {
	a, again := owner("a"), owner("b")
	tests := []struct {
		name string
		do   func(*expectations.Counts)
		want bool
	}{
		{"nothing expected", func(*expectations.Counts) {}, true},
		{"zero expected", func(c *expectations.Counts) { c.Expect(a, 0, 0) }, true},
		{"creations outstanding", func(c *expectations.Counts) { c.Expect(a, 2, 0); c.Lower(a, 1, 0) }, false},
		{"creations observed", func(c *expectations.Counts) { c.Expect(a, 2, 0); c.Lower(a, 2, 0) }, true},
		{"more than expected", func(c *expectations.Counts) { c.Expect(a, 1, 0); c.Lower(a, 3, 2) }, true},
		{"one kind of two", func(c *expectations.Counts) { c.Expect(a, 1, 1); c.Lower(a, 5, 0) }, false},
		{"deletions outstanding", func(c *expectations.Counts) { c.Expect(a, 0, 2); c.Lower(a, 0, 1) }, false},
		{"set anew", func(c *expectations.Counts) { c.Expect(a, 5, 5); c.Expect(a, 0, 0) }, true},
		{"lowered before it is set", func(c *expectations.Counts) { c.Lower(a, 1, 0); c.Expect(a, 1, 0) }, false},
		{"of the name's former owner", func(c *expectations.Counts) { c.Expect(again, 1, 0) }, true},
		{"not lowered by the name's former owner", func(c *expectations.Counts) { c.Expect(a, 1, 0); c.Lower(again, 1, 0) }, false},
		{"forgotten", func(c *expectations.Counts) { c.Expect(a, 1, 0); c.Forget(a) }, true},
		{"the former owner forgotten", func(c *expectations.Counts) { c.Expect(a, 1, 0); c.Forget(again) }, false},
		{"the name forgotten", func(c *expectations.Counts) { c.Expect(a, 1, 0); c.ForgetName(name("web")) }, true},
	}
	for _, tc := range tests {
		c := expectations.NewCounts(testclock.NewFakePassiveClock(time.Unix(0, 0)))
		tc.do(c)
		if got := c.Satisfied(a); got != tc.want {
			t.Errorf("%s: satisfied %v", tc.name, got)
		}
	}
}

func TestPatience(t *testing.T) {
	clock := testclock.NewFakePassiveClock(time.Unix(0, 0))
	c, a := expectations.NewCounts(clock), owner("a")
	c.Expect(a, 1, 1)
	clock.SetTime(time.Unix(0, 0).Add(5 * time.Minute))
	if c.Satisfied(a) {
		t.Error("expired after exactly five minutes")
	}
	clock.SetTime(time.Unix(0, 1).Add(5 * time.Minute))
	if !c.Satisfied(a) {
		t.Error("not expired after more than five minutes")
	}
	c.Expect(a, 1, 0)
	if c.Satisfied(a) {
		t.Error("a new expectation counts from when it was set")
	}
}

func TestTrackedCountsEachChildOnce(t *testing.T) {
	e, a := expectations.NewTracked(testclock.NewFakePassiveClock(time.Unix(0, 0))), owner("a")
	e.ExpectDeletions(a, []expectations.Name{name("x"), name("y"), name("y")})
	steps := []struct {
		child     string
		left      int
		satisfied bool
	}{
		{"stranger", 2, false},
		{"x", 1, false},
		{"x", 1, false},
		{"y", 0, true},
		{"y", 0, true},
	}
	for _, s := range steps {
		e.Deleted(a, name(s.child))
		if _, left := e.Outstanding(a); left != s.left || e.Satisfied(a) != s.satisfied {
			t.Errorf("after %s: %d left, satisfied %v", s.child, left, e.Satisfied(a))
		}
	}
	e.ExpectDeletions(a, []expectations.Name{name("x")})
	e.Deleted(owner("b"), name("x"))
	if e.Satisfied(a) {
		t.Error("the child of another owner counted")
	}
	e.Expect(a, 1, 0)
	e.Deleted(a, name("x"))
	if adds, dels := e.Outstanding(a); adds != 1 || dels != 0 {
		t.Errorf("outstanding %d, %d after creations replaced deletions", adds, dels)
	}
}

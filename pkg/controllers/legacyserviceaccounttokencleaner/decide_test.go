// SPDX-License-Identifier: Apache-2.0

package legacyserviceaccounttokencleaner

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	day    = 24 * time.Hour
	period = 365 * day
)

// now is a moment late in a UTC day, written in a zone where it is the next one.
func now() time.Time {
	return time.Date(2027, 3, 11, 5, 30, 0, 0, time.FixedZone("east", 8*3600)) // 2027-03-10 21:30 UTC
}

// unused is a Secret of the account "robot" that was made long ago, with some
// changes.
func unused(change func(*corev1.Secret)) *corev1.Secret {
	s := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Namespace: "ns", Name: "robot-token", CreationTimestamp: metav1.NewTime(now().Add(-2 * period)),
		Labels:      map[string]string{},
		Annotations: map[string]string{"kubernetes.io/service-account.name": "robot", "kubernetes.io/service-account.uid": "1"},
	}}
	if change != nil {
		change(s)
	}
	return s
}

func robot(secrets ...string) *corev1.ServiceAccount {
	sa := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "robot", UID: "1"}}
	for _, s := range secrets {
		sa.Secrets = append(sa.Secrets, corev1.ObjectReference{Name: s})
	}
	return sa
}

func TestDecide(t *testing.T) {
	made := func(at time.Time) func(*corev1.Secret) {
		return func(s *corev1.Secret) { s.CreationTimestamp = metav1.NewTime(at) }
	}
	label := func(key, value string) func(*corev1.Secret) {
		return func(s *corev1.Secret) { s.Labels[key] = value }
	}
	limit := now().Add(-period) // 2026-03-10 21:30 UTC
	other := robot("robot-token")
	other.UID = "2"
	for name, c := range map[string]struct {
		change  func(*corev1.Secret)
		account *corev1.ServiceAccount
		used    bool
		want    action
	}{
		"never used":                       {want: mark},
		"made just before the limit":       {change: made(limit.Add(-time.Second)), want: mark},
		"made at the limit":                {change: made(limit), want: keep},
		"made after the limit":             {change: made(limit.Add(time.Second)), want: keep},
		"being deleted":                    {change: func(s *corev1.Secret) { s.DeletionTimestamp = &metav1.Time{Time: now()} }, want: keep},
		"used on the day before the limit": {change: label(lastUsedLabel, "2026-03-09"), want: mark},
		"used on the limit's day":          {change: label(lastUsedLabel, "2026-03-10"), want: keep},
		"used today":                       {change: label(lastUsedLabel, "2027-03-10"), want: keep},
		"used on no day":                   {change: label(lastUsedLabel, "lately"), want: keep},
		"used on an empty day":             {change: label(lastUsedLabel, ""), want: keep},
		"account is missing":               {account: &corev1.ServiceAccount{}, want: keep},
		"account is another one":           {account: other, want: keep},
		"account by name only":             {change: func(s *corev1.Secret) { delete(s.Annotations, corev1.ServiceAccountUIDKey) }, account: other, want: mark},
		"account by an empty UID":          {change: func(s *corev1.Secret) { s.Annotations[corev1.ServiceAccountUIDKey] = "" }, account: other, want: mark},
		"account lists none":               {account: robot(), want: keep},
		"account lists another":            {account: robot("another"), want: keep},
		"account lists it among others":    {account: robot("another", "robot-token"), want: mark},
		"used by a pod":                    {used: true, want: keep},
		"used by a pod, and marked":        {change: label(invalidSinceLabel, "2020-01-01"), used: true, want: keep},
		"marked on no day":                 {change: label(invalidSinceLabel, "lately"), want: mark},
		"marked on an empty day":           {change: label(invalidSinceLabel, ""), want: mark},
		"marked today":                     {change: label(invalidSinceLabel, "2027-03-10"), want: keep},
		"marked on the limit's day":        {change: label(invalidSinceLabel, "2026-03-10"), want: keep},
		"marked before the limit's day":    {change: label(invalidSinceLabel, "2026-03-09"), want: remove},
	} {
		account := c.account
		if account == nil {
			account = robot("robot-token")
		} else if account.Name == "" {
			account = nil
		}
		got := decide(unused(c.change), account, limitOf(now(), period), func(*corev1.Secret) bool { return c.used })
		if got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

// Whoever removes the mark has all the time again.
func TestAnotherRound(t *testing.T) {
	s, idle := unused(nil), func(*corev1.Secret) bool { return false }
	at := now()
	step := func(d time.Duration, want action) {
		t.Helper()
		at = at.Add(d)
		got := decide(s, robot(s.Name), limitOf(at, period), idle)
		if got != want {
			t.Fatalf("%s: got %v, want %v", at, got, want)
		}
		if got == mark {
			s.Labels[invalidSinceLabel] = at.UTC().Format(time.DateOnly)
		}
	}
	step(0, mark)
	step(day, keep)
	step(period-day, keep)
	delete(s.Labels, invalidSinceLabel)
	step(day, mark)
	step(period, keep)
	step(day, remove)
}

func TestRipe(t *testing.T) {
	// The first full day of tracking begins at the end of the one it was begun on.
	end := time.Date(2027, 3, 11, 0, 0, 0, 0, time.UTC).Add(period)
	for _, c := range []struct {
		since  string
		now    time.Time
		want   bool
		failed bool
	}{
		{"2027-03-10", end, true, false},
		{"2027-03-10", end.Add(-time.Second), false, false},
		{"2027-03-10", end.In(time.FixedZone("west", -8*3600)), true, false},
		{"2027-03-09", end.Add(-day), true, false},
		{"2030-01-01", end, false, false},
		{"", end, false, true},
		{"lately", end, false, true},
		{"2027-02-30", end, false, true},
		{"2027-03-10T00:00:00Z", end, false, true},
	} {
		got, err := ripe(c.since, c.now, period)
		if got != c.want || (err != nil) != c.failed {
			t.Errorf("%s at %s: %v, %v", c.since, c.now, got, err)
		}
	}
}

// Nothing that was made, used or marked within the period is touched, and only what
// is marked is deleted.
func FuzzDecide(f *testing.F) {
	f.Add(int64(0), int64(0), "", "")
	f.Add(int64(3*365*24), int64(365*24), "2020-01-01", "2020-01-01")
	f.Add(int64(1e6), int64(24), "x", "9999-12-31")
	f.Fuzz(func(t *testing.T, age, hours int64, used, marked string) {
		if age < 0 || age > 1e6 || hours <= 0 || hours > 1e6 {
			t.Skip()
		}
		l := limitOf(now(), time.Duration(hours)*time.Hour)
		s := unused(func(s *corev1.Secret) {
			s.CreationTimestamp = metav1.NewTime(now().Add(-time.Duration(age) * time.Hour))
			s.Labels[invalidSinceLabel] = marked
			if used != "" {
				s.Labels[lastUsedLabel] = used
			}
		})
		got := decide(s, robot(s.Name), l, func(*corev1.Secret) bool { return false })
		recent := age <= hours || used != "" && (!isDate(used) || used >= l.date)
		want := mark
		switch {
		case recent, isDate(marked) && marked >= l.date:
			want = keep
		case isDate(marked):
			want = remove
		}
		if got != want {
			t.Errorf("age %dh, period %dh, used %q, marked %q: %v, want %v", age, hours, used, marked, got, want)
		}
	})
}

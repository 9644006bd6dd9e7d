// SPDX-License-Identifier: Apache-2.0

package cronjob

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	hourly  = "0 * * * ?"
	tooMany = "Warning TooManyMissedTimes too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
	blocked = "Normal JobAlreadyActive Not starting job because prior execution is running and concurrency policy is Forbid"
)

func TestDecide(t *testing.T) {
	const never = time.Duration(-1)
	replace, forbid := policy(batchv1.ReplaceConcurrent), policy(batchv1.ForbidConcurrent)
	ten, eleven, week := at(1, 10, 0, 0), at(1, 11, 0, 0), at(8, 10, 1, 0)
	old := listing(job("old"))
	tests := []struct {
		name     string
		schedule string
		cj       []change
		now      time.Time
		slot     time.Time
		wait     time.Duration // without the padding
		notes    []string
	}{
		{"before time", hourly, nil, at(1, 9, 50, 0), time.Time{}, 10 * time.Minute, nil},
		{"after time", hourly, nil, at(1, 10, 1, 0), ten, 59 * time.Minute, nil},
		{"handled", hourly, []change{last(ten)}, at(1, 10, 1, 0), time.Time{}, 59 * time.Minute, nil},
		{"handled, and the clock moved back", hourly, []change{last(eleven)}, at(1, 10, 1, 0), time.Time{}, 119 * time.Minute, nil},
		{"created, but not written down", hourly, []change{listing(job("report-29454360"))}, at(1, 10, 1, 0), time.Time{}, 59 * time.Minute, nil},
		{"later than the deadline", hourly, []change{within(59)}, at(1, 10, 1, 0), time.Time{}, 59 * time.Minute, nil},
		{"on the deadline", hourly, []change{within(60)}, at(1, 10, 0, 59), ten, 59*time.Minute + time.Second, nil},
		{"before the deadline", hourly, []change{within(3600)}, at(1, 10, 1, 0), ten, 59 * time.Minute, nil},

		{"old and Allow", hourly, []change{last(ten), old}, at(1, 11, 1, 0), eleven, 59 * time.Minute, nil},
		{"old and Forbid", hourly, []change{last(ten), old, forbid}, at(1, 11, 1, 0), time.Time{}, 59 * time.Minute, []string{blocked}},
		{"Forbid without an old one", hourly, []change{last(ten), forbid}, at(1, 11, 1, 0), eleven, 59 * time.Minute, nil},
		{"old and Replace", hourly, []change{last(ten), old, replace}, at(1, 11, 1, 0), eleven, 59 * time.Minute, nil},

		{"a week late", hourly, nil, week, at(8, 10, 0, 0), 59 * time.Minute, []string{tooMany}},
		{"a week late and Replace", hourly, []change{old, replace}, week, at(8, 10, 0, 0), 59 * time.Minute, []string{tooMany}},
		{"a week late and Forbid", hourly, []change{old, forbid}, week, time.Time{}, 59 * time.Minute, []string{tooMany, blocked}},
		{"a week late, within seconds", hourly, []change{within(200)}, week, at(8, 10, 0, 0), 59 * time.Minute, nil},
		{"a week late, within hours", hourly, []change{within(7200)}, week, at(8, 10, 0, 0), 59 * time.Minute, nil},
		{"a week late, within hours, Replace", hourly, []change{within(7200), old, replace}, week, at(8, 10, 0, 0), 59 * time.Minute, nil},
		{"a week late, within hours, Forbid", hourly, []change{within(7200), old, forbid}, week, time.Time{}, 59 * time.Minute, []string{blocked}},

		{"every hour, never ran", "@every 1h", nil, at(1, 10, 21, 0), at(1, 10, 20, 30), 59*time.Minute + 30*time.Second, nil},
		{"every hour, a week late", "@every 1h", []change{last(made)}, week, at(8, 9, 20, 30), 19*time.Minute + 30*time.Second, []string{tooMany}},
		{"every hour, with a deadline that moves on", "@every 1h", []change{last(made), within(100)}, at(1, 11, 0, 0), time.Time{}, 20*time.Minute + 30*time.Second, nil},
		{"irregular", "30 6-16/4 * * 1-5", []change{last(at(1, 10, 30, 0))}, at(2, 10, 31, 0), at(2, 10, 30, 0), 4*time.Hour - time.Minute, nil},
		{"no such date", "59 23 31 2 *", nil, ten, time.Time{}, never, []string{"Warning InvalidSchedule invalid schedule: 59 23 31 2 * : time difference between two schedules is less than 1 second"}},
		{"no schedule", "bad", nil, ten, time.Time{}, never, []string{`Warning UnparseableSchedule unparseable schedule: "bad" : expected exactly 5 fields, found 1: [bad]`}},

		{"in a zone", "0 9 * * *", []change{inZone("America/New_York")}, at(1, 14, 1, 0), at(1, 14, 0, 0), 24*time.Hour - time.Minute, nil},
		{"in an unknown zone", hourly, []change{inZone("bad zone")}, at(1, 10, 1, 0), time.Time{}, never, []string{`Warning UnknownTimeZone invalid timeZone: "bad zone": unknown time zone bad zone`}},
		{"with a zone inside", "TZ=America/New_York 0 9 * * *", nil, at(1, 14, 1, 0), at(1, 14, 0, 0), 24*time.Hour - time.Minute,
			[]string{`Warning UnsupportedSchedule CRON_TZ or TZ used in schedule "TZ=America/New_York 0 9 * * *" is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details`}},
		{"with one inside and an unknown one", "TZ=UTC 0 9 * * *", []change{inZone("bad zone")}, at(1, 14, 1, 0), time.Time{}, never, []string{`Warning UnknownTimeZone invalid timeZone: "bad zone": unknown time zone bad zone`}},

		{"suspended", hourly, []change{suspended}, week, time.Time{}, never, nil},
		{"being deleted", hourly, []change{func(cj *batchv1.CronJob) { cj.DeletionTimestamp = &metav1.Time{Time: made} }}, week, time.Time{}, never, nil},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			cj := cronJob(tc.schedule, tc.cj...)
			before := cj.DeepCopy()
			v := decide(cj, tc.now)
			if !v.slot.Equal(tc.slot) || v.replace != (!tc.slot.IsZero() && cj.Spec.ConcurrencyPolicy == batchv1.ReplaceConcurrent) {
				t.Errorf("slot %v (replace: %v), want %v", v.slot, v.replace, tc.slot)
			}
			switch {
			case tc.wait == never && v.wait != nil:
				t.Errorf("wait %v, want none", *v.wait)
			case tc.wait != never && (v.wait == nil || *v.wait != tc.wait+padding):
				t.Errorf("wait %v, want %v", v.wait, tc.wait+padding)
			}
			if diff := cmp.Diff(tc.notes, texts(v.notes)); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, cj); diff != "" {
				t.Errorf("changed (-was +is):\n%s", diff)
			}
		})
	}
}

// decide itself comes to no miss: its search begins where the deadline does.
func TestAdmit(t *testing.T) {
	slot := at(1, 10, 0, 0)
	tests := []struct {
		name   string
		cj     []change
		starts bool
		notes  []string
	}{
		{"on time", nil, true, nil},
		{"missed", []change{within(30)}, false, []string{"Warning MissSchedule Missed scheduled time to start a job: Thu, 01 Jan 2026 10:00:00 +0000"}},
		{"missed, before all else", []change{within(30), last(slot), policy(batchv1.ForbidConcurrent), listing(job("a"))}, false,
			[]string{"Warning MissSchedule Missed scheduled time to start a job: Thu, 01 Jan 2026 10:00:00 +0000"}},
		{"handled", []change{last(slot), policy(batchv1.ForbidConcurrent), listing(job("a"))}, false, nil},
		{"listed", []change{listing(job("report-29454360"))}, false, nil},
		{"listed in another namespace", []change{listing(job("report-29454360", func(j *batchv1.Job) { j.Namespace = "other" }))}, true, nil},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			notes, starts := admit(cronJob(hourly, tc.cj...), slot, slot.Add(time.Minute))
			if starts != tc.starts {
				t.Errorf("starts: %v", starts)
			}
			if diff := cmp.Diff(tc.notes, texts(notes)); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
		})
	}
}

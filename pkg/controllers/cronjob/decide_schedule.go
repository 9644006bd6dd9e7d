// SPDX-License-Identifier: Apache-2.0

package cronjob

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	_ "time/tzdata" // the program's image has no time zones of its own

	"github.com/robfig/cron/v3"
	batchv1 "k8s.io/api/batch/v1"
)

const (
	// padding makes sure that a CronJob is looked at after its time has come,
	// not just before.
	padding = 100 * time.Millisecond
	// many missed runs hint at a wrong clock or a missing deadline.
	many = 100
)

// errDense is about a schedule whose times do not follow one another, as those of
// a date that does not exist.
var errDense = errors.New("time difference between two schedules is less than 1 second")

// embedsZone says whether a schedule names a time zone itself. It was never meant
// to, but works.
func embedsZone(schedule string) bool { return strings.Contains(schedule, "TZ") }

// parse reads a CronJob's schedule, in its time zone.
func parse(cj *batchv1.CronJob) (s cron.Schedule, err error) {
	// The library panics over a zone without a schedule.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("invalid schedule format: %v", r)
		}
	}()
	text := cj.Spec.Schedule
	if zone := cj.Spec.TimeZone; zone != nil && !embedsZone(text) {
		text = "TZ=" + *zone + " " + text
	}
	return cron.ParseStandard(text)
}

// begin is the time after which runs are due: the latest one that was started,
// or the CronJob's creation.
func begin(cj *batchv1.CronJob) time.Time {
	if last := cj.Status.LastScheduleTime; last != nil {
		return last.Time
	}
	return cj.CreationTimestamp.Time
}

// beginInTime is begin without what is too late to be started.
func beginInTime(cj *batchv1.CronJob, now time.Time) time.Time {
	since := begin(cj)
	if d, limited := deadline(cj); limited && now.Add(-d).After(since) {
		return now.Add(-d)
	}
	return since
}

// deadline is how late a run may be started, if there is a limit.
func deadline(cj *batchv1.CronJob) (time.Duration, bool) {
	if cj.Spec.StartingDeadlineSeconds == nil {
		return 0, false
	}
	return time.Duration(min(*cj.Spec.StartingDeadlineSeconds, math.MaxInt64/int64(time.Second))) * time.Second, true
}

// lastDue finds the latest time of a schedule after since that has come, or the
// zero time. It also estimates how many there are, as if they all had the distance
// of the first two; a single one counts as none missed. An irregular schedule may
// have missed some and yet no latest one: its search begins late.
func lastDue(s cron.Schedule, since, now time.Time) (slot time.Time, missed int64, err error) {
	first := s.Next(since)
	if first.IsZero() {
		return time.Time{}, 0, errDense
	}
	second := s.Next(first)
	switch {
	case now.Before(first):
		return time.Time{}, 0, nil
	case now.Before(second):
		return first, 0, nil
	}
	distance := second.Sub(first).Round(time.Second)
	if distance < time.Second {
		return time.Time{}, 0, errDense
	}
	missed = int64(now.Sub(first)/distance) + 1
	// Steps of the distance keep an @every schedule on the beat of its first
	// time; the schedule itself finds the end.
	t := s.Next(first.Add(time.Duration(missed-2) * distance))
	for !t.IsZero() && !t.After(now) {
		slot, t = t, s.Next(t)
	}
	return slot, missed, nil
}

// untilNext is the delay after which a CronJob whose runs are due since a time is
// to be looked at.
func untilNext(s cron.Schedule, since, now time.Time) time.Duration {
	slot, missed, err := lastDue(s, since, now)
	switch {
	case err != nil, slot.IsZero() && missed > 0:
		slot = now
	case slot.IsZero():
		slot = since
	}
	return s.Next(slot).Add(padding).Sub(now)
}

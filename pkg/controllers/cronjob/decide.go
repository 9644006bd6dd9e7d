// SPDX-License-Identifier: Apache-2.0

package cronjob

import (
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

// verdict is what a schedule asks for at a time.
type verdict struct {
	notes []note
	// slot is the time for which a Job is to be created. Zero: none.
	slot time.Time
	// replace has active Jobs deleted before.
	replace bool
	// wait is the delay after which to look again: once the Job is created, if
	// there is to be one. Nil: the next event is what matters.
	wait *time.Duration
}

// decide says what the schedule of a CronJob asks for now. It goes by the status
// as it is after Jobs that ended or went missing were accounted for.
func decide(cj *batchv1.CronJob, now time.Time) (v verdict) {
	if cj.DeletionTimestamp != nil {
		return v
	}
	if zone := cj.Spec.TimeZone; zone != nil {
		if _, err := time.LoadLocation(*zone); err != nil {
			return verdict{notes: []note{unknownTimeZone(*zone, err)}}
		}
	}
	if ptr.Deref(cj.Spec.Suspend, false) {
		return v
	}
	if embedsZone(cj.Spec.Schedule) {
		v.notes = append(v.notes, unsupportedSchedule(cj))
	}
	s, err := parse(cj)
	if err != nil {
		v.notes = append(v.notes, unparseableSchedule(cj, err))
		return v
	}
	slot, missed, err := lastDue(s, beginInTime(cj, now), now)
	if err != nil {
		v.notes = append(v.notes, invalidSchedule(cj, err))
		return v
	}
	if slot.IsZero() {
		v.wait = ptr.To(untilNext(s, begin(cj), now))
		return v
	}
	if missed > many {
		v.notes = append(v.notes, tooManyMissedTimes())
	}
	n, starts := admit(cj, slot, now)
	v.notes = append(v.notes, n...)
	if !starts {
		v.wait = ptr.To(untilNext(s, begin(cj), now))
		return v
	}
	v.slot, v.replace = slot, cj.Spec.ConcurrencyPolicy == batchv1.ReplaceConcurrent
	v.wait = ptr.To(untilNext(s, slot, now))
	return v
}

// admit says whether the run of a time may begin now.
func admit(cj *batchv1.CronJob, slot, now time.Time) ([]note, bool) {
	if d, limited := deadline(cj); limited && slot.Add(d).Before(now) {
		return []note{missSchedule(slot)}, false
	}
	name := jobName(cj, slot)
	started := slices.ContainsFunc(cj.Status.Active, func(ref corev1.ObjectReference) bool {
		return ref.Name == name && ref.Namespace == cj.Namespace
	})
	if last := cj.Status.LastScheduleTime; started || last != nil && last.Time.Equal(slot) {
		return nil, false
	}
	if cj.Spec.ConcurrencyPolicy == batchv1.ForbidConcurrent && len(cj.Status.Active) > 0 {
		return []note{jobAlreadyActive()}, false
	}
	return nil, true
}

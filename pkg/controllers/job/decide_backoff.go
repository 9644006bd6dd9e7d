// SPDX-License-Identifier: Apache-2.0

package job

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// The time until a failed pod is replaced begins with minBackoff and doubles up
// to maxBackoff.
const (
	minBackoff = 10 * time.Second
	maxBackoff = 10 * time.Minute
)

// backoff are the failures of a Job since its last success.
type backoff struct {
	failures int32
	last     time.Time
}

// after is the backoff when these pods have ended, besides those it knows.
func (b backoff) after(succeeded, failed []*corev1.Pod) backoff {
	if len(failed) == 0 {
		if len(succeeded) > 0 {
			return backoff{}
		}
		return b
	}
	ends := finishTimes(failed)
	if len(succeeded) > 0 {
		good := finishTimes(succeeded)
		success := good[len(good)-1]
		b = backoff{}
		ends = slices.DeleteFunc(ends, func(t time.Time) bool { return !t.After(success) })
	}
	if len(ends) == 0 {
		return backoff{}
	}
	return backoff{failures: b.failures + int32(len(ends)), last: ends[len(ends)-1]}
}

// finishTimes of pods, sorted.
func finishTimes(pods []*corev1.Pod) []time.Time {
	times := make([]time.Time, 0, len(pods))
	for _, pod := range pods {
		times = append(times, finishTime(pod))
	}
	slices.SortFunc(times, time.Time.Compare)
	return times
}

// remaining is how long to wait until the next pod may be created.
func (b backoff) remaining(now time.Time) time.Duration {
	return max(0, delay(b.failures)-now.Sub(b.last))
}

// delay after that many failures in a row.
func delay(failures int32) time.Duration {
	if failures <= 0 {
		return 0
	}
	d := minBackoff
	for range failures - 1 {
		if d *= 2; d >= maxBackoff {
			return maxBackoff
		}
	}
	return d
}

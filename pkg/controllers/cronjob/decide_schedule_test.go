// SPDX-License-Identifier: Apache-2.0

package cronjob

import (
	"math"
	"testing"
	"time"

	"k8s.io/utils/ptr"
)

func TestLastDue(t *testing.T) {
	hourly := "0 * * * ?"
	tests := []struct {
		name     string
		schedule string
		since    time.Time
		now      time.Time
		slot     time.Time
		missed   int64
		next     time.Duration // without the padding
		err      bool
	}{
		{"before the first", hourly, made, at(1, 9, 59, 59), time.Time{}, 0, time.Second, false},
		{"on time", hourly, made, at(1, 10, 0, 0), at(1, 10, 0, 0), 0, time.Hour, false},
		{"after the first", hourly, made, at(1, 10, 1, 0), at(1, 10, 0, 0), 0, 59 * time.Minute, false},
		{"after the second", hourly, made, at(1, 11, 1, 0), at(1, 11, 0, 0), 2, 59 * time.Minute, false},
		{"the clock moved back", hourly, at(1, 11, 0, 0), at(1, 10, 30, 0), time.Time{}, 0, 90 * time.Minute, false},
		{"a hundred", hourly, at(1, 0, 0, 0), at(5, 4, 30, 0), at(5, 4, 0, 0), 100, 30 * time.Minute, false},
		{"a hundred and one", hourly, at(1, 0, 0, 0), at(5, 5, 30, 0), at(5, 5, 0, 0), 101, 30 * time.Minute, false},
		{"every hour", "@every 1h", made, at(1, 10, 21, 0), at(1, 10, 20, 30), 0, 59*time.Minute + 30*time.Second, false},
		{"every hour, a week later", "@every 1h", made, at(8, 10, 0, 0), at(8, 9, 20, 30), 168, 20*time.Minute + 30*time.Second, false},
		{"every second", "@every 1s", made, made.Add(24 * time.Hour), made.Add(24 * time.Hour), 86400, time.Second, false},
		{"every moment", "@every 1ns", made, made.Add(90 * time.Second), made.Add(90 * time.Second), 90, time.Second, false},
		{"some hours of workdays", "30 6-16/4 * * 1-5", at(1, 10, 30, 0), at(2, 10, 31, 0), at(2, 10, 30, 0), 2, 4*time.Hour - time.Minute, false},
		{"missed, and none found", "30 10,11,12 * * 1-5", at(2, 10, 0, 0), at(2, 16, 30, 0), time.Time{}, 7, 66 * time.Hour, false},
		{"weekly", "0 12 * * 4", at(1, 12, 0, 0), at(20, 11, 30, 0), at(15, 12, 0, 0), 2, 48*time.Hour + 30*time.Minute, false},
		{"no such date", "59 23 31 2 *", made, at(1, 10, 0, 0), time.Time{}, 0, 0, true},
		{"no date at all", ", * * * *", made, at(1, 10, 0, 0), time.Time{}, 0, 0, true},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			s, err := parse(cronJob(tc.schedule))
			if err != nil {
				t.Fatal(err)
			}
			slot, missed, err := lastDue(s, tc.since, tc.now)
			if !slot.Equal(tc.slot) || missed != tc.missed || (err != nil) != tc.err {
				t.Errorf("got %v, %d missed, %v; want %v, %d", slot, missed, err, tc.slot, tc.missed)
			}
			if err != nil {
				return
			}
			if got := untilNext(s, tc.since, tc.now); got != tc.next+padding {
				t.Errorf("next in %v, want %v", got, tc.next+padding)
			}
		})
	}
}

func TestParse(t *testing.T) {
	tests := []struct {
		name, schedule string
		zone           *string
		next           time.Time // after 9:20:30
		err            string
	}{
		{"fields", "*/30 9-10 * JAN thu", nil, at(1, 9, 30, 0), ""},
		{"question mark", "0 0 ? * ?", nil, at(2, 0, 0, 0), ""},
		{"descriptor", "@midnight", nil, at(2, 0, 0, 0), ""},
		{"in a zone", "0 9 * * *", ptr.To("America/New_York"), at(1, 14, 0, 0), ""},
		{"the embedded zone wins", "TZ=UTC 0 9 * * *", ptr.To("America/New_York"), at(2, 9, 0, 0), ""},
		{"by its other name", "CRON_TZ=UTC 0 9 * * *", nil, at(2, 9, 0, 0), ""},
		{"six fields", "0 0 9 * * *", nil, time.Time{}, "expected exactly 5 fields, found 6: [0 0 9 * * *]"},
		{"empty", "", nil, time.Time{}, "empty spec string"},
		{"unknown embedded zone", "TZ=Nowhere 0 9 * * *", nil, time.Time{}, "provided bad location Nowhere: unknown time zone Nowhere"},
		{"a panic", "TZ=0", nil, time.Time{}, "invalid schedule format: runtime error: slice bounds out of range [:-1]"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			cj := cronJob(tc.schedule)
			cj.Spec.TimeZone = tc.zone
			s, err := parse(cj)
			if err != nil || tc.err != "" {
				if err == nil || err.Error() != tc.err {
					t.Errorf("error %v, want %q", err, tc.err)
				}
				return
			}
			if got := s.Next(made); !got.Equal(tc.next) {
				t.Errorf("next %v, want %v", got, tc.next)
			}
		})
	}
}

func TestBeginInTime(t *testing.T) {
	now := at(1, 12, 0, 0)
	tests := []struct {
		name string
		cj   []change
		want time.Time
	}{
		{"never ran", nil, made},
		{"ran", []change{last(at(1, 11, 0, 0))}, at(1, 11, 0, 0)},
		{"a short deadline", []change{last(at(1, 11, 0, 0)), within(60)}, at(1, 11, 59, 0)},
		{"a long deadline", []change{last(at(1, 11, 0, 0)), within(7200)}, at(1, 11, 0, 0)},
		{"more than a Duration holds", []change{within(math.MaxInt64)}, made},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if got := beginInTime(cronJob("* * * * *", tc.cj...), now); !got.Equal(tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

func FuzzSchedule(f *testing.F) {
	for _, s := range []string{"0 * * * ?", "@every 90m", "30 6-16/4 * * 1-5", "59 23 31 2 *", "TZ=0", "CRON_TZ=Asia/Tokyo @daily", "0 0 29 2 *"} {
		f.Add(s, "", int64(1767259230), int64(90000))
	}
	f.Add("15 2 * 3 *", "Europe/Berlin", int64(1767259230), int64(7776000))
	f.Fuzz(func(t *testing.T, schedule, zone string, since, elapsed int64) {
		const decades = 60 * 365 * 86400
		if since < 0 || since > decades || elapsed < 0 || elapsed > decades/20 {
			t.Skip()
		}
		cj := cronJob(schedule)
		if zone != "" {
			cj.Spec.TimeZone = &zone
		}
		s, err := parse(cj)
		if err != nil {
			t.Skip()
		}
		from, now := time.Unix(since, 0), time.Unix(since+elapsed, 0)
		slot, missed, err := lastDue(s, from, now)
		if err != nil {
			t.Skip()
		}
		if !slot.IsZero() && (!slot.After(from) || slot.After(now)) {
			t.Errorf("%v is not between %v and %v", slot, from, now)
		}
		if next := s.Next(slot); !slot.IsZero() && !next.IsZero() && !next.After(now) {
			t.Errorf("%v is not the last: %v", slot, next)
		}
		if missed < 0 {
			t.Errorf("%d missed", missed)
		}
		if wait := untilNext(s, from, now); wait <= padding && !s.Next(now).IsZero() {
			t.Errorf("next in %v", wait)
		}
	})
}

// SPDX-License-Identifier: Apache-2.0

package job

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestIntervals(t *testing.T) {
	tests := []struct {
		text  string
		n     int
		want  string
		total int
		bad   bool
	}{
		{"", 10, "", 0, false},
		{"0", 10, "0", 1, false},
		{"0,1", 10, "0,1", 2, false},
		{"0-1", 10, "0,1", 2, false},
		{"0,1,2", 10, "0-2", 3, false},
		{"2,4,5,7-9", 10, "2,4,5,7-9", 6, false},
		{"1-3,4-6", 10, "1-6", 6, false},
		{"5,1-3,2-4", 10, "1-5", 5, false},
		{"1-3,8", 3, "1,2", 2, false},
		{"7-9", 3, "", 0, false},
		{"1,x,3", 10, "1,3", 2, true},
		{"1,3-,5", 10, "1,5", 2, true},
		{"-1", 10, "", 0, true},
		{"5-3", 10, "", 0, true},
		{"1,,2", 10, "1,2", 2, true},
	}
	for _, tc := range tests {
		got, err := parseIntervals(tc.text, tc.n)
		if got.String() != tc.want || got.total() != tc.total || (err != nil) != tc.bad {
			t.Errorf("%q below %d: %q, %d in all, %v; want %q, %d", tc.text, tc.n, got, got.total(), err, tc.want, tc.total)
		}
	}
}

func TestIntervalsWith(t *testing.T) {
	base := knownIntervals("2,4,5,7-9", 20)
	if got := base.with(3, 6, 12, 3).String(); got != "2-9,12" {
		t.Errorf("got %q", got)
	}
	if got := base.String(); got != "2,4,5,7-9" {
		t.Errorf("the original became %q", got)
	}
	if n := base.common(knownIntervals("0-4,8-20", 20)); n != 4 {
		t.Errorf("%d in common, want 4", n)
	}
}

func FuzzIntervals(f *testing.F) {
	for _, s := range []string{"", "1,3-5,7", "0-9223372036854775807", "2-1,x", "3,2,1"} {
		f.Add(s, 100)
	}
	f.Fuzz(func(t *testing.T, text string, n int) {
		s, _ := parseIntervals(text, n%1000)
		again, err := parseIntervals(s.String(), n%1000)
		if diff := cmp.Diff(s.String(), again.String()); diff != "" || err != nil {
			t.Fatalf("%q: %v\n%s", text, err, diff)
		}
		count := 0
		for i := range 1000 {
			if s.has(i) {
				count++
			}
		}
		if count != s.total() || s.common(again) != count {
			t.Errorf("%q: %d indexes, total %d, %d in common", text, count, s.total(), s.common(again))
		}
	})
}

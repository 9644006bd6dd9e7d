// SPDX-License-Identifier: Apache-2.0

package job

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// intervals is a set of completion indexes: ascending, disjoint, and not
// adjacent.
type intervals []interval

// interval holds its ends.
type interval struct{ first, last int }

// parseIntervals reads a list such as "1,3-5,7", of which only what is below the
// number of completions counts. Parts that cannot be read are left out, and the
// error is about the first of them.
func parseIntervals(text string, completions int) (intervals, error) {
	if text == "" {
		return nil, nil
	}
	var (
		list intervals
		bad  error
	)
	for part := range strings.SplitSeq(text, ",") {
		i, err := parseInterval(part)
		switch {
		case err != nil:
			bad = cmp.Or(bad, err)
		case i.first < completions:
			list = append(list, interval{i.first, min(i.last, completions-1)})
		}
	}
	return list.normal(), bad
}

// knownIntervals is for lists that the controller wrote itself.
func knownIntervals(text string, completions int) intervals {
	list, _ := parseIntervals(text, completions)
	return list
}

func parseInterval(part string) (interval, error) {
	from, to, isRange := strings.Cut(part, "-")
	first, err := strconv.Atoi(from)
	last := first
	if err == nil && isRange {
		last, err = strconv.Atoi(to)
	}
	if err == nil && (first < 0 || last < first) {
		err = fmt.Errorf("no interval: %q", part)
	}
	return interval{first, last}, err
}

// normal sorts the intervals and joins those that touch. It may reuse the list.
func (s intervals) normal() intervals {
	slices.SortFunc(s, func(a, b interval) int { return cmp.Compare(a.first, b.first) })
	joined := s[:0]
	for _, i := range s {
		if n := len(joined); n > 0 && i.first-1 <= joined[n-1].last {
			joined[n-1].last = max(joined[n-1].last, i.last)
			continue
		}
		joined = append(joined, i)
	}
	return joined
}

// with is the set with more indexes, in any order.
func (s intervals) with(indexes ...int) intervals {
	if len(indexes) == 0 {
		return s
	}
	list := make(intervals, 0, len(s)+len(indexes))
	list = append(list, s...)
	for _, i := range indexes {
		list = append(list, interval{i, i})
	}
	return list.normal()
}

func (s intervals) has(index int) bool {
	_, found := slices.BinarySearchFunc(s, index, func(i interval, index int) int {
		switch {
		case i.last < index:
			return -1
		case i.first > index:
			return 1
		}
		return 0
	})
	return found
}

// total is the number of indexes.
func (s intervals) total() (n int) {
	for _, i := range s {
		n += i.last - i.first + 1
	}
	return n
}

// common is the number of indexes that both sets have.
func (s intervals) common(other intervals) (n int) {
	for len(s) > 0 && len(other) > 0 {
		a, b := s[0], other[0]
		n += max(0, min(a.last, b.last)-max(a.first, b.first)+1)
		if a.last < b.last {
			s = s[1:]
		} else {
			other = other[1:]
		}
	}
	return n
}

// String is the list as the API has it: two neighbours are written "1,2", more
// are "1-3".
func (s intervals) String() string {
	parts := make([]string, 0, len(s))
	for _, i := range s {
		switch i.last - i.first {
		case 0:
			parts = append(parts, strconv.Itoa(i.first))
		case 1:
			parts = append(parts, strconv.Itoa(i.first), strconv.Itoa(i.last))
		default:
			parts = append(parts, fmt.Sprintf("%d-%d", i.first, i.last))
		}
	}
	return strings.Join(parts, ",")
}

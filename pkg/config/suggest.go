// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"strings"
)

// Suggestion is a hint that names the known word closest to a wrong one, or "".
func Suggestion(wrong string, known []string) string {
	best, distance := "", max(len(wrong)/3, 2)+1
	for _, k := range known {
		if strings.EqualFold(k, wrong) {
			return fmt.Sprintf("the letter case is wrong, write %q", k)
		}
		if wrong != "" && strings.EqualFold(k, wrong+"-controller") {
			best, distance = k, 0
		}
		if d := edits(strings.ToLower(wrong), strings.ToLower(k), distance); d < distance {
			best, distance = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %q?", best)
}

// edits is the number of insertions, deletions and replacements between two
// words; what reaches the limit need not be exact.
func edits(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			above := row[j+1]
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(above+1, row[j]+1, diagonal+cost)
			diagonal = above
		}
	}
	return row[len(b)]
}

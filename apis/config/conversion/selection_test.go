// SPDX-License-Identifier: Apache-2.0

package conversion_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kube-live/kube-controller-manager/apis/config/conversion"
)

func TestSelect(t *testing.T) {
	names := map[string]string{"job": "job-controller", "gone": "gone-controller"}
	for _, tc := range []struct {
		name string
		list []string
		want conversion.Selection
		back []string // the shortest list with the same meaning
	}{
		{"nothing", nil, conversion.Selection{Baseline: "None", Star: -1}, []string{}},
		{"empty text", []string{""}, conversion.Selection{Baseline: "None", Star: -1}, []string{}},
		{"default", []string{"*"}, conversion.Selection{Baseline: "Default"}, []string{"*"}},
		{"the first entry decides", []string{"job", "-job-controller", "*", "*"},
			conversion.Selection{Baseline: "Default", Star: 2, Choices: map[string]conversion.Choice{"job-controller": {On: true}}}, []string{"*", "job-controller"}},
		{"off by default", []string{"*", "-token-cleaner-controller", "selinux-warning-controller"},
			conversion.Selection{Baseline: "Default", Choices: map[string]conversion.Choice{"token-cleaner-controller": {Index: 1}, "selinux-warning-controller": {On: true, Index: 2}}},
			[]string{"*", "selinux-warning-controller", "-token-cleaner-controller"}},
		{"a name without a section", []string{"gone"},
			conversion.Selection{Baseline: "None", Star: -1, Choices: map[string]conversion.Choice{"gone-controller": {On: true}}}, []string{}},
		{"unknown", []string{"Job", "--job", "-*", "job "}, conversion.Selection{Baseline: "None", Star: -1, Unknown: []int{0, 1, 2, 3}}, []string{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.want.Choices == nil {
				tc.want.Choices = map[string]conversion.Choice{}
			}
			got := conversion.Select(tc.list, names)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			h := conversion.NewHub()
			got.Apply(&h.Controllers)
			if diff := cmp.Diff(tc.back, conversion.List(&h.Controllers)); diff != "" {
				t.Errorf("back (-want +got)\n%s", diff)
			}
		})
	}
}

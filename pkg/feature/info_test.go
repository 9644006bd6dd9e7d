// SPDX-License-Identifier: Apache-2.0

package feature

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDescribe(t *testing.T) {
	got := map[Gate]Info{}
	for _, i := range Describe() {
		got[i.Name] = i
	}
	if len(got) != len(known) {
		t.Errorf("%d gates, want %d", len(got), len(known))
	}
	for _, want := range []Info{
		{Name: "AtomicFIFO", Default: true, Stage: "Beta", Client: true},
		{Name: "DRAFractionalCapacityRange", Default: false, Stage: "Beta", DependsOn: got["DRAFractionalCapacityRange"].DependsOn},
		{Name: "JobManagedBy", Default: true, Stage: "GA", Locked: true},
		{Name: "StorageNamespaceIndex", Default: true, Stage: "Deprecated"},
		{Name: "WorkloadWithJob", Stage: "Alpha", DependsOn: []Gate{"GenericWorkload"}},
	} {
		if diff := cmp.Diff(want, got[want.Name]); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

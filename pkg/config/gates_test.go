// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGatesThatAreGoneOnlyWarn(t *testing.T) {
	l, err := Load(Input{File: "c.yaml", Data: []byte(head + "featureGates: {HPAContainerMetrics: false, PodDeletionCost: false}"),
		Flags: map[string]string{"feature-gates": "ServiceLBEndpointFinalizers=true"}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range l.Warnings {
		got = append(got, w.String())
	}
	want := []string{
		`c.yaml:3:37: featureGates.HPAContainerMetrics: accepted, has no effect: what it switched is always on since Kubernetes 1.30, got "false"; remove it`,
		`--feature-gates: featureGates.ServiceLBEndpointFinalizers: accepted, has no effect: no version of Kubernetes has it, got "true"; remove it`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if l.Gates.Enabled("PodDeletionCost") {
		t.Error("the other gate was lost")
	}
}

func TestEveryWrongGateIsReported(t *testing.T) {
	_, err := Load(Input{File: "c.yaml", Data: []byte(head + "featureGates: {Levitation: true, JobManagedBy: false, Antigravity: true}")})
	var invalid Errors
	if !errors.As(err, &invalid) || len(invalid) != 3 {
		t.Fatalf("want three problems, got %v", err)
	}
	for i, name := range []string{"Levitation", "JobManagedBy", "Antigravity"} {
		if !strings.HasSuffix(invalid[i].Path, name) {
			t.Errorf("problem %d is about %s, want %s", i, invalid[i].Path, name)
		}
	}
}

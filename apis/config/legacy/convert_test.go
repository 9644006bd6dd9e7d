// SPDX-License-Identifier: Apache-2.0

package legacy_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/apis/config/conversion"
	"github.com/kube-live/kube-controller-manager/apis/config/legacy"
)

func with[T any](v T) *T { return &v }

func TestEveryFieldArrives(t *testing.T) {
	h, moved, notes := legacy.ToV1beta1(&legacy.Configuration{Generic: legacy.Generic{
		Kubeconfig: with("k"), Master: with("https://m"), KubeAPIQPS: with[float32](3), KubeAPIBurst: with[int32](4),
		UseServiceAccountCredentials: with(true), Namespace: with("ns"), BindAddress: with("::1"), HealthzBindPort: with[int32](10258),
		LeaderElectionEnabled: with(false), EnableProfiling: with(false), MinResyncPeriod: &metav1.Duration{Duration: time.Hour},
		LogLevel: with[int32](4), LogJSON: with(true), FeatureGates: map[string]bool{"A": true}, Controllers: &[]string{"job", "-ttl-controller"},
	}}, map[string]string{"job": "job-controller"})
	want := conversion.NewHub()
	want.ClientConnection.Kubeconfig, want.ClientConnection.Master = "k", "https://m"
	want.ClientConnection.QPS, want.ClientConnection.Burst, want.ClientConnection.UseServiceAccountCredentials = 3, 4, true
	want.LeaderElection.ResourceNamespace, want.LeaderElection.LeaderElect = "ns", false
	want.Serving.BindAddress, want.Serving.Port, want.Serving.Profiling = "::1", 10258, false
	want.Informers.MinResyncPeriod.Duration = time.Hour
	want.Logging.Verbosity, want.Logging.Format = 4, "json"
	want.FeatureGates = map[string]bool{"A": true}
	want.Controllers.Baseline = "None"
	want.Controllers.Job.Enabled, want.Controllers.TTL.Enabled = with(true), with(false)
	if diff := cmp.Diff(want, h); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"generic.log_json": "logging.format", "generic.healthz_bind_port": "serving.port"}, moved); diff != "" || len(notes) > 0 {
		t.Errorf("notes %v, moved (-want +got)\n%s", notes, diff)
	}
}

func TestPorts(t *testing.T) {
	for name, tc := range map[string]struct {
		bind, healthz, diagnostics *int32
		port                       int32
		noted                      []string
	}{
		"none":                {port: 10257},
		"the old pair":        {bind: with[int32](10252), healthz: with[int32](10257), port: 10257, noted: []string{"generic.bind_port"}},
		"metrics only":        {bind: with[int32](10252), port: 10257, noted: []string{"generic.bind_port"}},
		"own metrics":         {bind: with[int32](9000), port: 9000, noted: []string{"generic.bind_port"}},
		"own pair":            {bind: with[int32](9000), healthz: with[int32](9001), port: 9001, noted: []string{"generic.bind_port"}},
		"diagnostics":         {diagnostics: with[int32](9002), port: 9002},
		"health wins":         {healthz: with[int32](9001), diagnostics: with[int32](9002), port: 9001, noted: []string{"generic.diagnostics_port"}},
		"the same port twice": {healthz: with[int32](9001), diagnostics: with[int32](9001), port: 9001},
		"health is off":       {healthz: with[int32](0), port: 0},
	} {
		t.Run(name, func(t *testing.T) {
			h, _, notes := legacy.ToV1beta1(&legacy.Configuration{Generic: legacy.Generic{BindPort: tc.bind, HealthzBindPort: tc.healthz, DiagnosticsPort: tc.diagnostics}}, nil)
			var noted []string
			for _, n := range notes {
				noted = append(noted, n.Path)
			}
			if diff := cmp.Diff(tc.noted, noted); diff != "" || h.Serving.Port != tc.port {
				t.Errorf("port %d, want %d; notes (-want +got)\n%s", h.Serving.Port, tc.port, diff)
			}
		})
	}
}

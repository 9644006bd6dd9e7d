// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

// scrape is what /metrics shows.
func (p *program) scrape() string {
	p.t.Helper()
	code, body := p.get("/metrics", false)
	if code != http.StatusOK {
		p.t.Fatalf("/metrics: %d %s", code, body)
	}
	return body
}

// upstreams are metrics that upstream's manager serves, too, by name.
var upstreams = []string{
	"running_managed_controllers", "leader_election_master_status", "kubernetes_build_info", "kubernetes_feature_enabled", "version_info",
	"workqueue_depth", "workqueue_adds_total", "workqueue_queue_duration_seconds", "workqueue_work_duration_seconds",
	"workqueue_unfinished_work_seconds", "workqueue_longest_running_processor_seconds", "workqueue_retries_total",
	"rest_client_request_duration_seconds", "rest_client_request_size_bytes", "rest_client_response_size_bytes",
	"rest_client_rate_limiter_duration_seconds", "rest_client_requests_total", "informer_store_resource_version",
	"apiserver_delegated_authz_request_total", "apiserver_delegated_authz_request_duration_seconds",
	"authenticated_user_requests", "authentication_attempts", "authentication_duration_seconds",
	"authorization_attempts_total", "authorization_duration_seconds", "apiserver_client_certificate_expiration_seconds",
	"disabled_metrics_total", "hidden_metrics_total", "registered_metrics_total",
	"go_goroutines", "go_gc_duration_seconds", "process_start_time_seconds", "process_resident_memory_bytes", "process_open_fds",
}

// The alerts and the dashboard are checked against what a leader and a standby
// really serve.
func TestMonitoring(t *testing.T) {
	base := lock(t)
	kubeconfig := shared.Plane(t).ManagerKubeconfig
	delegate := []string{"--authentication-kubeconfig=" + kubeconfig, "--authorization-kubeconfig=" + kubeconfig}
	leader := start(t, base, delegate...)
	leader.leading()
	leader.await(`logger="deployment-controller" state="Running"`)
	standby := start(t, base, delegate...)
	standby.await("Attempting to acquire leader lease")
	leader.get("/metrics", true) // whoever asks is judged
	do(t, os.WriteFile(leader.file, []byte(base+"nonsense: true\n"), 0o600))
	leader.await("nonsense: unknown field")
	leader.save(base + "# fine again\n")
	standby.save(base + "# fine again\n")

	// What it announces on the lease makes the next renewal take the slow path.
	testkit.Eventually(t, timeout, func() error {
		if !strings.Contains(leader.scrape(), "leader_election_slowpath_total{") {
			return errors.New("no renewal took the slow path")
		}
		return nil
	})

	text := leader.scrape()
	dir := t.TempDir()
	args := []string{"run", "."}
	for name, body := range map[string]string{"leader": text, "standby": standby.scrape()} {
		file := filepath.Join(dir, name)
		do(t, os.WriteFile(file, []byte(body), 0o600))
		args = append(args, file)
	}
	if keep := os.Getenv("KEEP_SCRAPE"); keep != "" {
		do(t, os.WriteFile(keep, []byte(text), 0o600))
	}
	var missing []string
	for _, name := range upstreams {
		if !strings.Contains(text, "\n# TYPE "+name+" ") {
			missing = append(missing, name)
		}
	}
	if diff := cmp.Diff([]string(nil), missing); diff != "" {
		t.Errorf("metrics of upstream's that are not served (-want +got):\n%s", diff)
	}
	root, err := testkit.RepoRoot()
	do(t, err)
	check := exec.CommandContext(t.Context(), "go", args...)
	check.Dir = filepath.Join(root, "hack", "monitoring")
	check.Env = append(os.Environ(), "GOWORK=off")
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// What is served follows the file, and a controller that has stopped leaves no
// series behind.
func TestMetricsFollowTheFile(t *testing.T) {
	base := lock(t)
	p := start(t, base)
	p.leading()
	p.await(`logger="deployment-controller" state="Running"`)
	testkit.Eventually(t, timeout, func() error {
		body := p.scrape()
		for _, want := range []string{
			`kube_controller_manager_controller_state{controller="deployment-controller",state="Running"} 1`,
			`running_managed_controllers{manager="kube-controller-manager",name="deployment-controller"} 1`,
			`kube_controller_manager_informer_objects{group="apps",resource="deployments"`,
			`kube_controller_manager_leading 1`,
			`version_info{`,
		} {
			if !strings.Contains(body, want) {
				return fmt.Errorf("not there: %s", want)
			}
		}
		return nil
	})
	value := func(name string) string {
		_, rest, found := strings.Cut(p.scrape(), name)
		if !found {
			return "none"
		}
		_, value, _ := strings.Cut(rest, "} ")
		value, _, _ = strings.Cut(value, "\n")
		return value
	}
	enabled := value(`kubernetes_feature_enabled{name="MaxUnavailableStatefulSet"`)
	p.save(base + map[string]string{"1": "featureGates: {MaxUnavailableStatefulSet: false}\n", "0": "featureGates: {MaxUnavailableStatefulSet: true}\n"}[enabled])
	if now := value(`kubernetes_feature_enabled{name="MaxUnavailableStatefulSet"`); now == enabled || now == "none" {
		t.Errorf("the gate was %s, is %s after its flip", enabled, now)
	}
	p.save(base + "controllers: {deployment-controller: {enabled: false}}\n" +
		"metrics: {disabled: [go_goroutines], allowLabels: {\"kubernetes_feature_enabled,stage\": BETA}}\n")
	body := p.scrape()
	for _, gone := range []string{`"deployment-controller"`, `workqueue_depth{name="deployment"}`, "\ngo_goroutines "} {
		if strings.Contains(body, gone) {
			t.Errorf("still served: %s", gone)
		}
	}
	if !strings.Contains(body, `stage="unexpected"`) || strings.Contains(body, `stage="ALPHA"`) || !strings.Contains(body, "\ndisabled_metrics_total 1\n") {
		t.Error("labels are not limited")
	}
	p.save(base + "# as before\n")
	if body := p.scrape(); !strings.Contains(body, "\ngo_goroutines ") || strings.Contains(body, `stage="unexpected"`) {
		t.Error("the limits outlive the file that set them")
	}
}

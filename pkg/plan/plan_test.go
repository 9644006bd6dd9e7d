// SPDX-License-Identifier: Apache-2.0

package plan_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/plan"
)

func never[P any](controller.Env, P) (controller.Controller, error) { panic("a plan builds nothing") }

func catalog() []controller.Descriptor {
	return []controller.Descriptor{
		controller.Define(controller.Descriptor{Name: "deployment-controller"}, never[*v1beta1.DeploymentController]),
		controller.Define(controller.Descriptor{Name: "endpointslice-controller", OffByDefault: true}, never[*v1beta1.EndpointSliceController]),
		controller.Define(controller.Descriptor{Name: "replicaset-controller", Gates: []feature.Gate{feature.PodDeletionCost}}, never[*v1beta1.ReplicaSetController]),
		controller.Define(controller.Descriptor{Name: "serviceaccount-controller", Required: []feature.Gate{"GenericWorkload"}}, never[*v1beta1.ServiceAccountController]),
	}
}

func setup(t *testing.T, body string) *plan.Setup {
	t.Helper()
	l, err := config.Load(config.Input{File: "c.yaml", Data: []byte("apiVersion: " + v1beta1.APIVersion + "\nkind: " + v1beta1.Kind + "\n" + body)})
	if err != nil {
		t.Fatal(err)
	}
	return &plan.Setup{Config: l.Config, Gates: l.Gates}
}

func TestCompute(t *testing.T) {
	for _, tc := range []struct{ name, old, now, want string }{
		{"nothing", "logging: {verbosity: 0}", "", "nothing changes\n"},
		{"stop", "", "controllers: {deployment-controller: {enabled: false}}",
			"stop     deployment-controller: disabled in its section\nkeep     1 controllers\n"},
		{"start one that is off by default", "", "controllers: {endpointslice-controller: {enabled: true}}",
			"start    endpointslice-controller\nkeep     2 controllers\n"},
		{"spelling out the default", "", "controllers: {deployment-controller: {enabled: true, workers: 5}}", "nothing changes\n"},
		{"baseline", "", "controllers: {baseline: None}",
			"stop     deployment-controller: not enabled and the baseline is None\nstop     replicaset-controller: not enabled and the baseline is None\nkeep     0 controllers\n"},
		{"resize", "", "controllers: {deployment-controller: {workers: 9}}",
			"resize   deployment-controller: workers 5 -> 9\nkeep     1 controllers\n"},
		{"section of one that is off", "", "controllers: {endpointslice-controller: {maxEndpointsPerSlice: 7}}", "nothing changes\n"},
		{"section", "controllers: {endpointslice-controller: {enabled: true}}", "controllers: {endpointslice-controller: {enabled: true, maxEndpointsPerSlice: 7, workers: 1}}",
			"restart  endpointslice-controller: maxEndpointsPerSlice 100 -> 7, workers 5 -> 1\nkeep     2 controllers\n"},
		{"gate", "", "featureGates: {PodDeletionCost: false}",
			"restart  replicaset-controller: feature gate PodDeletionCost flips\nkeep     1 controllers\n"},
		{"required gate", "", "featureGates: {GenericWorkload: true}",
			"start    serviceaccount-controller\nkeep     2 controllers\n"},
		{"field without effect", "", "cluster: {cloudConfigFile: /tmp}", "nothing changes\n"},
		{"gate nobody reads", "", "featureGates: {HPAScaleToZero: false}", "nothing changes\n"},
		{"limits replace nothing", "", "clientConnection: {qps: 50}",
			"replace  settings: clientConnection.qps 20 -> 50\nkeep     2 controllers\n"},
		{"identities keep the caches", "", "clientConnection: {useServiceAccountCredentials: true}",
			"replace  clients: clientConnection.useServiceAccountCredentials false -> true\nrestart  deployment-controller: clientConnection.useServiceAccountCredentials false -> true\n" +
				"restart  replicaset-controller: clientConnection.useServiceAccountCredentials false -> true\nkeep     0 controllers\n"},
		{"cluster that nobody reads", "", "cluster: {name: other}", "nothing changes\n"},
		{"another cluster", "", "clientConnection: {master: 'https://a:6443'}",
			"replace  clients: clientConnection.master \"\" -> https://a:6443\nreplace  caches: clientConnection.master \"\" -> https://a:6443\n" +
				"restart  deployment-controller: clientConnection.master \"\" -> https://a:6443\nrestart  replicaset-controller: clientConnection.master \"\" -> https://a:6443\nkeep     0 controllers\n"},
		{"parts", "", "serving: {port: 1}\nlogging: {format: json}\nleaderElection: {retryPeriod: 1s}\nreload: {probation: 1s}\ninformers: {linger: 1s}",
			"replace  election: leaderElection.retryPeriod 2s -> 1s\nreplace  serving: serving.port 10257 -> 1\nreplace  logging: logging.format text -> json\n" +
				"replace  settings: informers.linger 30s -> 1s, reload.probation 30s -> 1s\nkeep     2 controllers\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := plan.Compute(catalog(), setup(t, tc.old), setup(t, tc.now))
			if diff := cmp.Diff(tc.want, p.String()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if got, want := p.Changed(), tc.want != "nothing changes\n"; got != want {
				t.Errorf("Changed() = %v", got)
			}
		})
	}
}

func TestComputeFromNothing(t *testing.T) {
	p := plan.Compute(catalog(), nil, setup(t, "controllers: {replicaset-controller: {enabled: false}}"))
	if got, want := p.Summary(), "start deployment-controller"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := p.Of("serviceaccount-controller").Why; len(got) != 1 || got[0] != "feature gate GenericWorkload is off" {
		t.Errorf("why off: %q", got)
	}
}

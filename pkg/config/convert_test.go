// SPDX-License-Identifier: Apache-2.0

package config

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"sigs.k8s.io/yaml"

	"github.com/kube-live/kube-controller-manager/apis/config/conversion"
	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1alpha1"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

const alphaHead = "apiVersion: kubecontrollermanager.config.k8s.io/v1alpha1\nkind: KubeControllerManagerConfiguration\n"

func load(t *testing.T, data string) *Loaded {
	t.Helper()
	l, err := Load(Input{File: "c.yaml", Data: []byte(data), Names: names})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Every version with nothing set is the same configuration.
func TestDefaultsOfOlderVersions(t *testing.T) {
	out, err := yaml.Marshal(v1alpha1.New())
	if err != nil {
		t.Fatal(err)
	}
	testkit.Golden(t, "testdata/defaults.v1alpha1.yaml", out)
	for name, data := range map[string]string{
		"v1alpha1, all": string(out), "v1alpha1, empty": alphaHead, "legacy": "generic: {}\n",
	} {
		l := load(t, data)
		if diff := cmp.Diff(conversion.NewHub(), l.Config, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-default +got)\n%s", name, diff)
		}
	}
}

// What upstream's /configz prints is a file.
func TestUpstreamsNamesAreUnderstood(t *testing.T) {
	l := load(t, alphaHead+`
Generic: {Port: 0, Address: 0.0.0.0, MinResyncPeriod: 6h0m0s, ClientConnection: {qps: 50},
  Controllers: ["*", -deployment-controller], LeaderMigration: {leaderName: "", controllerLeaders: null}}
KubeCloudShared: {AllocateNodeCIDRs: true, ClusterCIDR: 10.244.0.0/16}
GarbageCollectorController: {GCIgnoredResources: [{Group: "", Resource: events}, {Group: events.k8s.io, Resource: events}]}
NodeLifecycleController: {NodeEvictionRate: 0.2, PodEvictionTimeout: 0s}
ServiceController: {ConcurrentServiceSyncs: 0}
`)
	c := l.Config
	if c.Informers.MinResyncPeriod.Duration != 6*time.Hour || c.ClientConnection.QPS != 50 || !c.Cluster.AllocateNodeCIDRs ||
		c.Cluster.CIDRs[0] != "10.244.0.0/16" || c.Controllers.NodeLifecycle.NodeEvictionRate != 0.2 || *c.Controllers.Deployment.Enabled {
		t.Errorf("%+v", c)
	}
	if len(c.Annotations) > 0 {
		t.Errorf("annotations %v", c.Annotations)
	}
}

func TestMistakesInOlderVersionsKeepTheirPlaces(t *testing.T) {
	for _, tc := range []struct{ name, data, want string }{
		{"unknown field", alphaHead + "generic:\n  minResyncPeriods: 1h", `c.yaml:4:3: generic.minResyncPeriods: unknown field; did you mean "minResyncPeriod"?`},
		{"letter case", alphaHead + "generic: {Minresyncperiod: 1h}", `c.yaml:3:11: generic.Minresyncperiod: unknown field; the letter case is wrong, write "minResyncPeriod"`},
		{"both spellings", alphaHead + "generic:\n  port: 0\n  Port: 0", `c.yaml:5:3: generic.Port: field is set twice, first in line 4; keep one of them`},
		{"both sections", alphaHead + "Generic: {}\ngeneric: {}", `c.yaml:4:1: generic: field is set twice, first in line 3; keep one of them`},
		{"range", alphaHead + "deploymentController:\n  ConcurrentDeploymentSyncs: 0", `c.yaml:4:30: deploymentController.concurrentDeploymentSyncs: must be at least 1, got "0"`},
		{"item", alphaHead + "nodeIPAMController:\n  secondaryServiceCIDR: x", "c.yaml:4:25: nodeIPAMController.secondaryServiceCIDR[0]: must be a network such as 10.244.0.0/16 or fd00::/48\nc.yaml:4:25: nodeIPAMController.secondaryServiceCIDR[1]: must be a network such as 10.244.0.0/16 or fd00::/48, got \"x\""},
		{"several fields", alphaHead + "generic:\n  leaderElection:\n    renewDeadline: 20s", `c.yaml:5:5: generic.leaderElection.leaseDuration: must be longer than renewDeadline, which is 20s, got "15s"`},
		{"controller", alphaHead + "generic: {controllers: ['*', -deploymnt]}", `c.yaml:3:30: generic.controllers[1]: "deploymnt" is not in the list of known controllers; did you mean "deployment"?`},
		{"version", "apiVersion: kubecontrollermanager.config.k8s.io/v1\nkind: KubeControllerManagerConfiguration\n", `c.yaml:1:13: apiVersion: is not supported, got "kubecontrollermanager.config.k8s.io/v1"; use kubecontrollermanager.config.k8s.io/v1beta1`},
		{"kind", "apiVersion: kubecontrollermanager.config.k8s.io/v1alpha1\ngeneric: {}", `c.yaml:1:1: kind: is missing; add kind: KubeControllerManagerConfiguration`},
		{"legacy field", "generic:\n  bindport: 3", `c.yaml:2:3: generic.bindport: unknown field; did you mean "bind_port"?`},
		{"legacy camelCase", "generic:\n  bindAddress: x", `c.yaml:2:3: generic.bindAddress: unknown field; did you mean "bind_address"?`},
		{"legacy range", "generic:\n  healthz_bind_port: 70000", `c.yaml:2:22: generic.healthz_bind_port: must be at most 65535, got "70000"`},
		{"legacy gate", "generic:\n  feature_gates: {Nope: true}", ""},
		{"legacy controller", "generic:\n  controllers: [nobody-at-all]", `c.yaml:2:17: generic.controllers[0]: "nobody-at-all" is not in the list of known controllers`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Load(Input{File: "c.yaml", Data: []byte(tc.data), Names: names})
			switch {
			case err == nil:
				t.Error("no error")
			case tc.want == "":
				if !strings.HasPrefix(err.Error(), "c.yaml:2:") {
					t.Errorf("no place: %v", err)
				}
			case err.Error() != tc.want:
				t.Errorf("\n got %v\nwant %s", err, tc.want)
			}
		})
	}
}

func TestOriginsOfOlderVersions(t *testing.T) {
	l := load(t, alphaHead+"generic:\n  controllers:\n  - '*'\n  - -deployment\nsaController: {rootCAFile: ca.crt}\n")
	want := map[string]string{
		"controllers.baseline": "c.yaml:5", "controllers.deployment-controller.enabled": "c.yaml:6",
		"controllers.serviceaccount-token-controller.rootCAFile":                                "c.yaml:7",
		"controllers.root-ca-certificate-publisher-controller.rootCAFile":                       "c.yaml:7",
		"controllers.kube-apiserver-serving-clustertrustbundle-publisher-controller.rootCAFile": "c.yaml:7",
	}
	if diff := cmp.Diff(want, l.Origins); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestWarningsOfOlderVersions(t *testing.T) {
	for _, tc := range []struct {
		name, data string
		want       []string
	}{
		{"dead field", alphaHead + "generic: {port: 10252}", []string{`c.yaml:3:17: generic.port: accepted, has no effect: there is no plain HTTP port any more, got "10252"`}},
		{"inert in the hub", alphaHead + "kubeCloudShared: {cloudConfigFile: /x}", []string{`c.yaml:3:36: kubeCloudShared.cloudProvider.cloudConfigFile`}},
		{"legacy", "generic: {log_level: 2}", nil},
		{"metrics port", "generic:\n  bind_port: 10252\n  healthz_bind_port: 10257", []string{"c.yaml:2:14: generic.bind_port: was the port of metrics over plain HTTP; it is not opened any more: metrics are on port 10257 with health, over HTTPS"}},
		{"own metrics port", "generic:\n  bind_port: 9000", []string{"c.yaml:2:14: generic.bind_port: was the port of metrics over plain HTTP; it now has metrics and health, over HTTPS"}},
		{"two ports", "generic:\n  healthz_bind_port: 1\n  diagnostics_port: 2", []string{"c.yaml:3:21: generic.diagnostics_port: is not opened: there is one port, 1, which generic.healthz_bind_port has set"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.name == "inert in the hub" {
				tc.data = alphaHead + "kubeCloudShared: {cloudProvider: {cloudConfigFile: /x}}"
				tc.want = []string{`c.yaml:3:52: kubeCloudShared.cloudProvider.cloudConfigFile: accepted, has no effect: no cloud provider is built in that could read it, got "/x"`}
			}
			if strings.HasPrefix(tc.data, "generic:") {
				tc.want = append([]string{"c.yaml:1:1: deprecated: the form without apiVersion and kind; write it anew with: kube-controller-manager convert c.yaml --to v1beta1"}, tc.want...)
			}
			var got []string
			for _, w := range load(t, tc.data).Warnings {
				got = append(got, w.String())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestConvertKeepsCommentsAndMeaning(t *testing.T) {
	for _, tc := range []struct{ from, to, golden string }{
		{"legacy.yaml", "v1beta1", "legacy.to.v1beta1.yaml"},
		{"upstream.yaml", "v1beta1", "upstream.to.v1beta1.yaml"},
		{"upstream.yaml", "v1alpha1", "upstream.to.v1alpha1.yaml"},
		{"upstream.to.v1beta1.yaml", "v1alpha1", "upstream.to.v1alpha1.yaml"},
		{"upstream.to.v1alpha1.yaml", "v1beta1", "upstream.to.v1beta1.yaml"},
	} {
		t.Run(tc.from+" to "+tc.to, func(t *testing.T) {
			data, err := os.ReadFile("testdata/" + tc.from)
			if err != nil {
				t.Fatal(err)
			}
			c, err := Convert(Input{File: tc.from, Data: data, Names: names}, tc.to)
			if err != nil {
				t.Fatal(err)
			}
			if len(c.Lost) > 0 {
				t.Errorf("lost %v", c.Lost)
			}
			testkit.Golden(t, "testdata/"+tc.golden, c.Data)
			if diff := cmp.Diff(load(t, string(data)).Config, load(t, string(c.Data)).Config, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("the converted file means something else (-old +new)\n%s", diff)
			}
		})
	}
}

func TestConvertTellsWhatIsLost(t *testing.T) {
	c, err := Convert(Input{File: "c.yaml", Data: []byte(head + "serving:\n  port: 10260\n"), Names: names}, "v1alpha1")
	if err != nil {
		t.Fatal(err)
	}
	want := `c.yaml:4:9: serving.port: v1alpha1 has no field for it, got "10260"; set it with --secure-port instead`
	if len(c.Lost) != 1 || c.Lost[0].String() != want {
		t.Errorf("got %v, want %s", c.Lost, want)
	}
	if _, err := Convert(Input{File: "c.yaml", Data: []byte(head)}, "v9"); err == nil {
		t.Error("v9 is a version")
	}
}

// A file with only what differs means the same as the whole.
func TestMinimalMeansTheSame(t *testing.T) {
	off := false
	h := conversion.NewHub()
	tags.Walk(h, func(f tags.Field) {
		if f.Path == "serving.sniCertKeys" {
			if err := tags.SetText(f.Value, "/a,/b:x"); err != nil {
				t.Fatal(err)
			}
		}
	})
	h.Controllers.Deployment.Enabled = &off
	h.FeatureGates = map[string]bool{"PodDeletionCost": false}
	h.Authorization.AlwaysAllowPaths = []string{}
	h.Cluster.Name = "0x10"
	data, err := Minimal(h)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(h, load(t, string(data)).Config, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got)\n%s\n%s", diff, data)
	}
	if lines := strings.Count(string(data), "\n"); lines > 16 {
		t.Errorf("%d lines:\n%s", lines, data)
	}
}

func FuzzLoadOlderVersions(f *testing.F) {
	f.Add(alphaHead + "Generic: {Controllers: [a, -b, '*']}")
	f.Add("generic: {bind_port: 10252, controllers: ['*']}")
	f.Add("generic: [")
	f.Fuzz(func(t *testing.T, data string) {
		l, err := Load(Input{File: "c.yaml", Data: []byte(data), Names: names})
		if (l == nil) == (err == nil) {
			t.Fatalf("loaded %v, error %v: want exactly one", l, err)
		}
		if err != nil {
			return
		}
		c, err := Convert(Input{File: "c.yaml", Data: []byte(data), Names: names}, "v1beta1")
		if err != nil {
			t.Fatalf("a valid file does not convert: %v", err)
		}
		again, err := Load(Input{File: "c.yaml", Data: c.Data, Names: names})
		if err != nil {
			t.Fatalf("what convert writes does not load: %v\n%s", err, c.Data)
		}
		if diff := cmp.Diff(l.Config, again.Config, cmpopts.EquateEmpty(), cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("(-old +new)\n%s", diff)
		}
	})
}

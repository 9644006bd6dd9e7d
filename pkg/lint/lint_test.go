// SPDX-License-Identifier: Apache-2.0

package lint_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/lint"
)

const head = "apiVersion: kubecontrollermanager.config.k8s.io/v1beta1\nkind: KubeControllerManagerConfiguration\n"

func load(t *testing.T, body string) *config.Loaded {
	t.Helper()
	l, err := config.Load(config.Input{File: "/etc/kcm/c.yaml", Data: []byte(head + body)})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// controllers are all that have a section, as if the program had them.
func controllers(l *config.Loaded) []lint.Controller {
	var list []lint.Controller
	v := reflect.ValueOf(&l.Config.Controllers).Elem()
	for i := range v.NumField() {
		section, ok := v.Field(i).Addr().Interface().(v1beta1.Section)
		if !ok {
			continue
		}
		name, _ := tags.JSONName(v.Type().Field(i))
		c := lint.Controller{Name: name, Enabled: l.Config.Controllers.Baseline == v1beta1.BaselineDefault && !config.OffByDefault(name)}
		if on := section.Explicit(); on != nil {
			c.Enabled = *on
		}
		if name == "podgroup-protection-controller" {
			c.Required = []feature.Gate{"GenericWorkload"}
			c.Enabled = c.Enabled && l.Gates.Enabled("GenericWorkload")
		}
		if name == "replicaset-controller" {
			c.Gates = []feature.Gate{feature.PodDeletionCost}
		}
		list = append(list, c)
	}
	return list
}

func TestRules(t *testing.T) {
	for _, tc := range []struct {
		name, body string
		want       []string // RULE LINE:COLUMN PATH
	}{
		{name: "defaults"},
		{name: "workers", body: "clientConnection: {qps: 5, burst: 10}\ncontrollers:\n  deployment-controller:\n    workers: 11", want: []string{"KCM101 6:14 controllers.deployment-controller.workers"}},
		{name: "as many workers as requests", body: "controllers: {deployment-controller: {workers: 30}}"},
		{name: "many workers by default", body: "clientConnection: {qps: 1, burst: 2}"},
		{name: "many workers of one that is off", body: "controllers: {deployment-controller: {workers: 300, enabled: false}}"},
		{name: "burst", body: "clientConnection: {qps: 40}", want: []string{"KCM102 3:19 clientConnection.burst"}},
		{name: "burst equals qps", body: "clientConnection: {qps: 30}"},
		{name: "few renewals", body: "leaderElection: {renewDeadline: 5s}", want: []string{"KCM103 3:33 leaderElection.renewDeadline"}},
		{name: "enough renewals", body: "leaderElection: {renewDeadline: 6s}"},
		{name: "lease hardly longer", body: "leaderElection: {leaseDuration: 11s}", want: []string{"KCM103 3:33 leaderElection.leaseDuration"}},
		{name: "no election", body: "leaderElection: {leaderElect: false, leaseDuration: 5m, renewDeadline: 1s}"},
		{name: "slow failover", body: "leaderElection: {leaseDuration: 61s}", want: []string{"KCM104 3:33 leaderElection.leaseDuration"}},
		{name: "failover in a minute", body: "leaderElection: {leaseDuration: 60s}"},
		{name: "grace against period", body: "controllers: {node-lifecycle-controller: {nodeMonitorPeriod: 20s}}", want: []string{"KCM105 3:42 controllers.node-lifecycle-controller.nodeMonitorGracePeriod"}},
		{name: "grace against kubelets", body: "controllers: {node-lifecycle-controller: {nodeMonitorGracePeriod: 39s}}", want: []string{"KCM105 3:67 controllers.node-lifecycle-controller.nodeMonitorGracePeriod"}},
		{name: "grace is enough", body: "controllers: {node-lifecycle-controller: {nodeMonitorGracePeriod: 40s, nodeMonitorPeriod: 10s}}"},
		{name: "grace of one that is off", body: "controllers: {node-lifecycle-controller: {nodeMonitorGracePeriod: 1s, enabled: false}, taint-eviction-controller: {enabled: false}}"},
		{name: "needed", body: "controllers:\n  replicaset-controller: {enabled: false}", want: []string{"KCM106 4:36 controllers.replicaset-controller.enabled"}},
		{name: "needed by none", body: "controllers: {baseline: None, deployment-controller: {enabled: true}, replicaset-controller: {enabled: true}}", want: []string{"KCM106 3:14 controllers.garbage-collector-controller.enabled"}},
		{name: "pair that is off", body: "controllers: {deployment-controller: {enabled: false}, replicaset-controller: {enabled: false}}"},
		{name: "gate of controller", body: "controllers: {podgroup-protection-controller: {enabled: true}}", want: []string{"KCM107 3:57 controllers.podgroup-protection-controller.enabled"}},
		{name: "gate of controller is on", body: "featureGates: {GenericWorkload: true}\ncontrollers: {podgroup-protection-controller: {enabled: true}}"},
		{name: "gates that go away", body: "featureGates: {SELinuxMount: false, StorageNamespaceIndex: true, PodDeletionCost: false}",
			want: []string{"KCM108 3:30 featureGates.SELinuxMount", "KCM108 3:60 featureGates.StorageNamespaceIndex", "KCM115 3:30 featureGates.SELinuxMount"}},
		{name: "gate nobody reads", body: "featureGates: {HPAScaleToZero: false, CoordinatedLeaderElection: true, ClientsAllowCBOR: true}", want: []string{"KCM115 3:32 featureGates.HPAScaleToZero"}},
		{name: "resync", body: "informers: {minResyncPeriod: 9m59s}", want: []string{"KCM109 3:30 informers.minResyncPeriod"}},
		{name: "resync is long enough", body: "informers: {minResyncPeriod: 10m}"},
		{name: "open", body: "authorization: {alwaysAllowPaths: [/healthz, '/*']}", want: []string{"KCM110 3:46 authorization.alwaysAllowPaths[1]"}},
		{name: "prefix is not all", body: "authorization: {alwaysAllowPaths: ['/debug/*']}"},
		{name: "identified only", body: "authentication: {kubeconfig: a.conf}", want: []string{"KCM111 3:30 authentication.kubeconfig"}},
		{name: "authorized only", body: "authorization: {kubeconfig: a.conf}", want: []string{"KCM111 3:29 authorization.kubeconfig"}},
		{name: "delegated", body: "authorization: {kubeconfig: a.conf}\nauthentication: {kubeconfig: a.conf}"},
		{name: "delegated but not served", body: "authorization: {kubeconfig: a.conf}\nserving: {port: 0}"},
		{name: "nothing runs", body: "controllers: {baseline: None}", want: []string{"KCM112 3:25 controllers.baseline"}},
		{name: "two switches", body: "controllers: {garbage-collector-controller: {enabled: true, enableGarbageCollector: false}}", want: []string{"KCM113 3:85 controllers.garbage-collector-controller.enableGarbageCollector"}},
		{name: "networks not allocated", body: "controllers: {node-ipam-controller: {enabled: true}}", want: []string{"KCM114 3:47 controllers.node-ipam-controller.enabled"}},
		{name: "networks", body: "cluster: {allocateNodeCIDRs: true, cidrs: [10.0.0.0/8]}"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := load(t, tc.body)
			var got []string
			for _, p := range lint.Run(l, controllers(l)) {
				got = append(got, fmt.Sprintf("%s %d:%d %s", p.Rule, p.Line, p.Column, p.Path))
				if p.Reason == "" || p.Hint == "" {
					t.Errorf("%s has no reason or no hint", p)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestRulesHaveTheirNumbers(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range lint.Rules() {
		if seen[r.ID] || seen[r.Name] || !strings.HasPrefix(r.ID, "KCM") || !strings.HasSuffix(r.Summary, ".") {
			t.Errorf("%+v", r)
		}
		seen[r.ID], seen[r.Name] = true, true
	}
}

func TestFiles(t *testing.T) {
	l := load(t, "clientConnection: {kubeconfig: here.conf}\nauthentication: {clientCAFile: gone.crt}\n")
	var asked []string
	found := lint.Files(l, func(path string) error {
		asked = append(asked, path)
		if strings.HasSuffix(path, "gone.crt") {
			return errors.New("no such file")
		}
		return nil
	})
	if diff := cmp.Diff([]string{"/etc/kcm/here.conf", "/etc/kcm/gone.crt"}, asked); diff != "" {
		t.Errorf("files (-want +got)\n%s", diff)
	}
	if len(found) != 1 || found[0].Rule != lint.RuleFile || found[0].Line != 4 || found[0].Value != "/etc/kcm/gone.crt" {
		t.Errorf("found %+v", found)
	}
}

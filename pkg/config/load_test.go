// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

const head = "apiVersion: kubecontrollermanager.config.k8s.io/v1beta1\nkind: KubeControllerManagerConfiguration\n"

var names = map[string]string{
	"deployment-controller": "deployment-controller", "deployment": "deployment-controller",
	"replicaset-controller": "replicaset-controller", "tokencleaner": "token-cleaner-controller",
}

func TestLoadReportsEveryMistakeWithItsPlace(t *testing.T) {
	for _, tc := range []struct{ name, body, want string }{
		{"unknown field", "controllers:\n  deployment-controller:\n    wokers: 3", `c.yaml:5:5: controllers.deployment-controller.wokers: unknown field; did you mean "workers"?`},
		{"letter case", "leaderelection: {}", `c.yaml:3:1: leaderelection: unknown field; the letter case is wrong, write "leaderElection"`},
		{"duplicate", "logging: {verbosity: 1}\nlogging: {verbosity: 2}", `c.yaml:4:1: logging: field is set twice, first in line 3; keep one of them`},
		{"syntax", "controllers:\n  a: b: c", `c.yaml:4:3: YAML syntax: mapping values are not allowed in this context`},
		{"unclosed brace", "controllers:\n  deployment-controller: {enabled: false\nlogging: {}", `c.yaml:4:3: YAML syntax: did not find expected ',' or '}'`},
		{"bad indentation", "controllers:\n  deployment-controller: {}\n replicaset-controller: {}", `c.yaml:5:2: YAML syntax: did not find expected key`},
		{"unclosed quote", "logging: {format: 'text}", `c.yaml:3:1: YAML syntax: found unexpected end of stream`},
		{"tab", "logging:\n\tverbosity: 1", `c.yaml:4:2: YAML syntax: found character that cannot start any token`},
		{"type", "clientConnection: {qps: '50'}", `c.yaml:3:25: clientConnection.qps: must be a number, got "50"; without quotes`},
		{"duration", "leaderElection: {retryPeriod: 2}", `c.yaml:3:31: leaderElection.retryPeriod: "2" is not a duration such as 15s or 5m`},
		{"range", "controllers:\n  deployment-controller:\n    workers: 0", `c.yaml:5:14: controllers.deployment-controller.workers: must be at least 1, got "0"`},
		{"upper bound", "controllers: {endpointslice-controller: {maxEndpointsPerSlice: 1001}}", `c.yaml:3:64: controllers.endpointslice-controller.maxEndpointsPerSlice: must be at most 1000, got "1001"`},
		{"one of", "logging: {format: xml}", `c.yaml:3:19: logging.format: must be one of text, json, got "xml"`},
		{"pair", "serving: {tlsCertFile: a.crt}", `c.yaml:3:10: serving.tlsPrivateKeyFile: must be set together with tlsCertFile`},
		{"election", "leaderElection: {leaseDuration: 5s}", `c.yaml:3:33: leaderElection.leaseDuration: must be longer than renewDeadline, which is 10s, got "5s"`},
		{"gate", "featureGates: {PodDeletionCosts: true}", `c.yaml:3:34: featureGates.PodDeletionCosts: unrecognized feature gate: PodDeletionCosts; did you mean "PodDeletionCost"?`},
		{"two documents", "---\nlogging: {}", `c.yaml:3:1: the file has more than one document; keep one configuration per file`},
		{"form and value at once", "logging: {format: xml, verbosit: 1}\nclientConnection: {qps: fast, burst: 0}", "c.yaml:3:19: logging.format: must be one of text, json, got \"xml\"\nc.yaml:3:24: logging.verbosit: unknown field; did you mean \"verbosity\"?\n" +
			"c.yaml:4:25: clientConnection.qps: must be a number, got \"fast\"\nc.yaml:4:38: clientConnection.burst: must be at least 1, got \"0\""},
		{"two at once", "logging: {format: xml, verbosity: -1}", "c.yaml:3:19: logging.format: must be one of text, json, got \"xml\"\nc.yaml:3:35: logging.verbosity: must be at least 0, got \"-1\""},
		{"path", "authorization: {alwaysAllowPaths: [/a*b]}", `c.yaml:3:36: authorization.alwaysAllowPaths[0]: only one * is allowed, at the end, got "/a*b"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Load(Input{File: "c.yaml", Data: []byte(head + tc.body)})
			var invalid Errors
			if !errors.As(err, &invalid) {
				t.Fatalf("error %v is not Errors", err)
			}
			if diff := cmp.Diff(tc.want, err.Error()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestLoadHeader(t *testing.T) {
	for body, want := range map[string]string{
		"":            "c.yaml: the file is empty; begin with apiVersion and kind",
		"# nothing\n": "c.yaml: the file is empty; begin with apiVersion and kind",
		"- a\n":       "c.yaml:1:1: the file is not a mapping of fields; begin with apiVersion and kind",
		"kind: Deployment\n" + head[:strings.Index(head, "\n")+1]: `c.yaml:1:7: kind: is not supported, got "Deployment"; use KubeControllerManagerConfiguration`,
		"logging: {}\n": "c.yaml:1:1: apiVersion: is missing; add apiVersion: kubecontrollermanager.config.k8s.io/v1beta1\nc.yaml:1:1: kind: is missing; add kind: KubeControllerManagerConfiguration",
	} {
		if _, err := Load(Input{File: "c.yaml", Data: []byte(body)}); err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", body, err, want)
		}
	}
}

func TestLoadHostileFileIsRefusedSoon(t *testing.T) {
	bomb := head + "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for i := 'b'; i < 'k'; i++ {
		bomb += fmt.Sprintf("%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", i, i, i-1, i-1, i-1, i-1, i-1, i-1, i-1, i-1, i-1, i-1)
	}
	for name, body := range map[string]string{
		"bomb":  bomb,
		"deep":  head + "featureGates: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000),
		"large": head + strings.Repeat("# padding\n", 1<<18),
	} {
		start := time.Now()
		if _, err := Load(Input{File: "c.yaml", Data: []byte(body)}); err == nil {
			t.Errorf("%s: no error", name)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: took %s", name, took)
		}
	}
}

func TestDefaultsFillOnlyWhatIsAbsent(t *testing.T) {
	l, err := Load(Input{File: "/etc/kcm/c.yaml", Data: []byte(head + `
clientConnection: {kubeconfig: admin.conf, burst: 7}
controllers:
  garbage-collector-controller: {ignoredResources: [leases.coordination.k8s.io]}
  deployment-controller: {enabled: false}
  namespace-controller: {workers: null}
`)})
	if err != nil {
		t.Fatal(err)
	}
	c := l.Config
	if got, want := c.ClientConnection.Kubeconfig, "/etc/kcm/admin.conf"; got != want {
		t.Errorf("kubeconfig %s, want it beside the file: %s", got, want)
	}
	if c.ClientConnection.Burst != 7 || c.ClientConnection.QPS != 20 || c.Controllers.Namespace.Workers != 10 {
		t.Errorf("burst %d, qps %v, workers %d", c.ClientConnection.Burst, c.ClientConnection.QPS, c.Controllers.Namespace.Workers)
	}
	want := []v1beta1.GroupResource{{Group: "coordination.k8s.io", Resource: "leases"}}
	if diff := cmp.Diff(want, c.Controllers.GarbageCollector.IgnoredResources); diff != "" {
		t.Errorf("a list of the file replaces the default (-want +got)\n%s", diff)
	}
	if on := c.Controllers.Deployment.Explicit(); on == nil || *on {
		t.Error("enabled: false was lost")
	}
	if at := l.Origins["clientConnection.burst"]; at != "/etc/kcm/c.yaml:4" {
		t.Errorf("origin %q", at)
	}
}

func TestFlagsWinAndSaySo(t *testing.T) {
	l, err := Load(Input{File: "c.yaml", Data: []byte(head + "controllers: {deployment-controller: {workers: 3, enabled: true}}"),
		Flags: map[string]string{"concurrent-deployment-syncs": "9", "controllers": "*,-deployment,deployment-controller,tokencleaner", "feature-gates": "PodDeletionCost=false"}, Names: names})
	if err != nil {
		t.Fatal(err)
	}
	if l.Config.Controllers.Deployment.Workers != 9 {
		t.Errorf("workers %d, want the flag's 9", l.Config.Controllers.Deployment.Workers)
	}
	if on := l.Config.Controllers.Deployment.Explicit(); on == nil || *on {
		t.Error("the first entry that names a controller decides: it must be off")
	}
	if l.Gates.Enabled("PodDeletionCost") {
		t.Error("the gate of the flag was lost")
	}
	var warned []string
	for _, w := range l.Warnings {
		warned = append(warned, w.Path)
	}
	want := []string{"controllers.deployment-controller.workers", "controllers.deployment-controller.enabled"}
	if diff := cmp.Diff(want, warned); diff != "" {
		t.Errorf("warnings (-want +got)\n%s", diff)
	}
}

func TestControllersFlag(t *testing.T) {
	for given, want := range map[string]struct {
		baseline   string
		deployment string
	}{
		"":                                    {"None", "<nil>"},
		"*":                                   {"Default", "<nil>"},
		"deployment":                          {"None", "true"},
		"-deployment,deployment":              {"None", "false"},
		"*,-deployment-controller":            {"Default", "false"},
		"deployment,-deployment,tokencleaner": {"None", "true"},
	} {
		l, err := Load(Input{Flags: map[string]string{"controllers": given}, Names: names})
		if err != nil {
			t.Errorf("%q: %v", given, err)
			continue
		}
		got := "<nil>"
		if on := l.Config.Controllers.Deployment.Explicit(); on != nil {
			got = fmt.Sprint(*on)
		}
		if l.Config.Controllers.Baseline != want.baseline || got != want.deployment {
			t.Errorf("%q: baseline %s, deployment %s; want %+v", given, l.Config.Controllers.Baseline, got, want)
		}
	}
	for given, want := range map[string]string{"*": "<nil>", "deployment": "true", "*,-serviceaccount-token-controller": "true", "-serviceaccount-token-controller": "true"} {
		l, err := Load(Input{Flags: map[string]string{"controllers": given}, Names: names})
		got := "<nil>"
		if err == nil && l.Config.Controllers.ServiceAccountToken.Explicit() != nil {
			got = fmt.Sprint(*l.Config.Controllers.ServiceAccountToken.Explicit())
		}
		if err != nil || got != want {
			t.Errorf("%q: serviceaccount-token-controller %s, want %s (%v)", given, got, want, err)
		}
	}
	_, err := Load(Input{Flags: map[string]string{"controllers": "foo,deploymnt"}, Names: names})
	want := "--controllers: \"foo\" is not in the list of known controllers\n--controllers: \"deploymnt\" is not in the list of known controllers; did you mean \"deployment\"?"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestInvalidFlagNamesTheFlag(t *testing.T) {
	_, err := Load(Input{Flags: map[string]string{"max-endpoints-per-slice": "1001"}})
	want := `--max-endpoints-per-slice: controllers.endpointslice-controller.maxEndpointsPerSlice: must be at most 1000, got "1001"`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(head)
	f.Add(head + "controllers: {baseline: None, deployment-controller: {enabled: true, workers: 3}}")
	f.Add(head + "a: &a {b: *a}")
	f.Add("{")
	f.Fuzz(func(t *testing.T, data string) {
		l, err := Load(Input{File: "c.yaml", Data: []byte(data)})
		if (l == nil) == (err == nil) {
			t.Errorf("loaded %v, error %v: want exactly one", l, err)
		}
	})
}

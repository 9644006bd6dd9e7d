// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func dropIn(name, body string) Source {
	return Source{Name: "/etc/kcm.d/" + name, Data: []byte(head + body)}
}

func TestDropInsAreMerged(t *testing.T) {
	l, err := Load(Input{File: "/etc/kcm/base.yaml", Data: []byte(head + `
featureGates: {PodDeletionCost: false, AllAlpha: false}
metrics: {allowLabels: {"a,b": x, "c,d": y}}
clientConnection: {kubeconfig: base.conf, qps: 30}
authorization: {alwaysAllowPaths: [/a, /b, /c]}
controllers:
  deployment-controller: {workers: 3, enabled: true}
  namespace-controller: {workers: 7}
`), DropIns: []Source{
		dropIn("10.yaml", "featureGates:\n  AllAlpha: true\n  AllBeta: true\nmetrics: {allowLabels: {'c,d': z}}\ncontrollers: {deployment-controller: {enabled: null, workers: 4}}"),
		dropIn("20.yaml", "clientConnection: {kubeconfig: own.conf}\nauthorization: {alwaysAllowPaths: [/d]}\ncontrollers: {deployment-controller: {workers: 5}, job-controller: {}}"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	c := l.Config
	for _, diff := range []string{
		cmp.Diff(map[string]bool{"PodDeletionCost": false, "AllAlpha": true, "AllBeta": true}, c.FeatureGates),
		cmp.Diff(map[string]string{"a,b": "x", "c,d": "z"}, c.Metrics.AllowLabels),
		cmp.Diff([]string{"/d"}, c.Authorization.AlwaysAllowPaths),
		cmp.Diff("/etc/kcm.d/own.conf 30", fmt.Sprint(c.ClientConnection.Kubeconfig, " ", c.ClientConnection.QPS)),
		cmp.Diff("5 true 7", fmt.Sprint(c.Controllers.Deployment.Workers, " ", *c.Controllers.Deployment.Explicit(), " ", c.Controllers.Namespace.Workers)),
	} {
		if diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
	for path, want := range map[string]string{
		"featureGates.PodDeletionCost":               "/etc/kcm/base.yaml:4",
		"featureGates.AllAlpha":                      "/etc/kcm.d/10.yaml:4",
		"featureGates.AllBeta":                       "/etc/kcm.d/10.yaml:5",
		"metrics.allowLabels.a,b":                    "/etc/kcm/base.yaml:5",
		"metrics.allowLabels.c,d":                    "/etc/kcm.d/10.yaml:6",
		"clientConnection.qps":                       "/etc/kcm/base.yaml:6",
		"clientConnection.kubeconfig":                "/etc/kcm.d/20.yaml:3",
		"controllers.deployment-controller.workers":  "/etc/kcm.d/20.yaml:5",
		"controllers.deployment-controller.enabled":  "/etc/kcm/base.yaml:9",
		"controllers.namespace-controller.workers":   "/etc/kcm/base.yaml:10",
		"controllers.replicaset-controller.workers":  "",
		"authorization.alwaysAllowPaths":             "/etc/kcm.d/20.yaml:4",
		"controllers.job-controller.workers":         "",
		"leaderElection.leaseDuration":               "",
		"controllers.deployment-controller.nonsense": "",
	} {
		if got := l.Origins[path]; got != want {
			t.Errorf("origin of %s is %q, want %q", path, got, want)
		}
	}
	if p := l.Locate(Problem{Path: "authorization.alwaysAllowPaths[0]"}); p.String() != "/etc/kcm.d/20.yaml:4:36: authorization.alwaysAllowPaths[0]: " {
		t.Errorf("located at %s", p)
	}
}

func TestDropInsAlone(t *testing.T) {
	l, err := Load(Input{DropIns: []Source{dropIn("a.yaml", "clientConnection: {kubeconfig: k, burst: 7}")}})
	if err != nil {
		t.Fatal(err)
	}
	if c := l.Config.ClientConnection; c.Burst != 7 || c.Kubeconfig != "/etc/kcm.d/k" {
		t.Errorf("%+v", c)
	}
	// A folder without files adds nothing.
	if l, err = Load(Input{DropIns: []Source{}}); err != nil || l.Config.ClientConnection.Burst != 30 {
		t.Errorf("%v, %v", l, err)
	}
}

// An older file may be the lowest one: what is laid over it is of today.
func TestDropInOverOlderVersions(t *testing.T) {
	base := "apiVersion: kubecontrollermanager.config.k8s.io/v1alpha1\nkind: KubeControllerManagerConfiguration\n" +
		"generic: {clientConnection: {qps: 0, burst: 9}}\ndeploymentController: {concurrentDeploymentSyncs: 0}\n"
	_, err := Load(Input{File: "old.yaml", Data: []byte(base), Names: names,
		DropIns: []Source{{"a.yaml", []byte(head + "clientConnection: {burst: 0}\ncontrollers: {deployment-controller: {workers: 2}}")}}})
	want := "old.yaml:3:35: generic.clientConnection.qps: must be greater than 0, got \"0\"\n" +
		"a.yaml:3:27: clientConnection.burst: must be at least 1, got \"0\""
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestMistakesInSeveralFiles(t *testing.T) {
	for _, tc := range []struct {
		name, base string
		dropIns    []string
		flags      map[string]string
		want       []string
	}{
		{name: "decoding and values of all", base: "logging: {format: xml}", dropIns: []string{"logging: {verbosit: 1}", "clientConnection: {qps: fast}\nserving: {port: -1}"}, want: []string{
			`base.yaml:3:19: logging.format: must be one of text, json, got "xml"`,
			`/etc/kcm.d/0.yaml:3:11: logging.verbosit: unknown field; did you mean "verbosity"?`,
			`/etc/kcm.d/1.yaml:3:25: clientConnection.qps: must be a number, got "fast"`,
			`/etc/kcm.d/1.yaml:4:17: serving.port: must be at least 0, got "-1"`}},
		{name: "a value that is replaced is no mistake", base: "logging: {format: xml}", dropIns: []string{"logging: {format: json}"}, want: nil},
		{name: "the last one is to blame", base: "logging: {format: xml}", dropIns: []string{"logging: {format: json}", "logging: {format: ini}"}, want: []string{
			`/etc/kcm.d/1.yaml:3:19: logging.format: must be one of text, json, got "ini"`}},
		{name: "type below, value above", base: "logging: {verbosity: much}", dropIns: []string{"logging: {verbosity: -1}"}, want: []string{
			`base.yaml:3:22: logging.verbosity: must be a whole number, got "much"`,
			`/etc/kcm.d/0.yaml:3:22: logging.verbosity: must be at least 0, got "-1"`}},
		{name: "value below, type above", base: "logging: {verbosity: -1}", dropIns: []string{"logging: {verbosity: much}"}, want: []string{
			`/etc/kcm.d/0.yaml:3:22: logging.verbosity: must be a whole number, got "much"`}},
		{name: "values that do not go together", base: "leaderElection: {leaseDuration: 20s}", dropIns: []string{"leaderElection: {renewDeadline: 30s}"}, want: []string{
			`base.yaml:3:33: leaderElection.leaseDuration: must be longer than renewDeadline, which is 30s, got "20s"; leaderElection.renewDeadline is set by /etc/kcm.d/0.yaml:3`}},
		{name: "together with one that did not decode", base: "leaderElection: {leaseDuration: 9s}", dropIns: []string{"leaderElection: {renewDeadline: short}"}, want: []string{
			`/etc/kcm.d/0.yaml:3:33: leaderElection.renewDeadline: "short" is not a duration such as 15s or 5m`}},
		{name: "together, but a file is missing in between", base: "leaderElection: {leaseDuration: 9s}", dropIns: []string{"leaderElection: {renewDeadline: 8s"}, want: []string{
			`/etc/kcm.d/0.yaml:3:1: YAML syntax: did not find expected ',' or '}'`}},
		{name: "a broken file hides no others", base: "logging: {format: xml}", dropIns: []string{"logging: {", "serving: {port: -1}"}, want: []string{
			`base.yaml:3:19: logging.format: must be one of text, json, got "xml"`,
			`/etc/kcm.d/0.yaml:4:1: YAML syntax: did not find expected node content`,
			`/etc/kcm.d/1.yaml:3:17: serving.port: must be at least 0, got "-1"`}},
		{name: "flags too", base: "logging: {", flags: map[string]string{"secure-port": "-2"}, want: []string{
			`--secure-port: serving.port: must be at least 0, got "-2"`,
			`base.yaml:4:1: YAML syntax: did not find expected node content`}},
		{name: "a gate of one file needs that of another", dropIns: []string{"featureGates: {PodDeletionCosts: true}"}, want: []string{
			`/etc/kcm.d/0.yaml:3:34: featureGates.PodDeletionCosts: unrecognized feature gate: PodDeletionCosts; did you mean "PodDeletionCost"?`}},
		{name: "an item of a list", base: "authorization: {alwaysAllowPaths: [/ok, '/a*b']}", dropIns: []string{"authorization: {alwaysAllowPaths: [/ok, /fine, '/c*d']}"}, want: []string{
			`/etc/kcm.d/0.yaml:3:48: authorization.alwaysAllowPaths[2]: only one * is allowed, at the end, got "/c*d"`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := Input{File: "base.yaml", Data: []byte(head + tc.base), Flags: tc.flags, Names: names}
			for i, body := range tc.dropIns {
				in.DropIns = append(in.DropIns, dropIn(fmt.Sprint(i, ".yaml"), body))
			}
			_, err := Load(in)
			got := ""
			if err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(strings.Join(tc.want, "\n"), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestDropInIsAWholeFileOfToday(t *testing.T) {
	const hint = "; write it anew with: kube-controller-manager convert a.yaml --to v1beta1"
	for body, want := range map[string]string{
		"":              "a.yaml: the file is empty; begin with apiVersion and kind",
		"logging: {}\n": "a.yaml:1:1: apiVersion: is missing; add apiVersion: kubecontrollermanager.config.k8s.io/v1beta1\na.yaml:1:1: kind: is missing; add kind: KubeControllerManagerConfiguration",
		"apiVersion: kubecontrollermanager.config.k8s.io/v1alpha1\nkind: KubeControllerManagerConfiguration\nnonsense: 1\n": "a.yaml:1:13: apiVersion: a drop-in must be of the version kubecontrollermanager.config.k8s.io/v1beta1, got \"kubecontrollermanager.config.k8s.io/v1alpha1\"" + hint,
		"generic: {log_json: true}\n": "a.yaml:1:1: apiVersion: a drop-in must be of the version kubecontrollermanager.config.k8s.io/v1beta1" + hint,
		head + "---\n" + head:         "a.yaml:3:1: the file has more than one document; keep one configuration per file",
	} {
		_, err := Load(Input{File: "base.yaml", Data: []byte(head), DropIns: []Source{{"a.yaml", []byte(body)}}})
		if err == nil || err.Error() != want {
			t.Errorf("%q:\n got %v\nwant %s", body, err, want)
		}
	}
}

// The limits are those of all files together.
func TestManyLargeDropInsAreRefused(t *testing.T) {
	padding := strings.Repeat("# padding\n", MaxBytes/30)
	var many []Source
	for i := range 5 {
		many = append(many, dropIn(fmt.Sprint(i, ".yaml"), padding))
	}
	_, err := Load(Input{DropIns: many})
	if err == nil || !strings.HasPrefix(err.Error(), "/etc/kcm.d/2.yaml: the files are together larger than") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
	for i := range many {
		many[i] = dropIn(fmt.Sprint(i, ".yaml"), "authorization: {alwaysAllowPaths: ["+strings.Repeat("a,", maxNodes/4)+"]}")
	}
	if _, err = Load(Input{DropIns: many}); err == nil || !strings.Contains(err.Error(), "3.yaml:3:") || !strings.Contains(err.Error(), "expands to too much") {
		t.Errorf("got %.300v", err)
	}
}

func TestOlderVersionsReportFormAndValuesAtOnce(t *testing.T) {
	for body, want := range map[string]string{
		"apiVersion: kubecontrollermanager.config.k8s.io/v1alpha1\nkind: KubeControllerManagerConfiguration\n" +
			"generic:\n  clientConnection: {qps: fast, burst: 0}\n  leaderElection: {retryPeriod: x, renewDeadline: 30s}\n  controllers: [nope]\nwrong: 1\n": `c.yaml:4:27: generic.clientConnection.qps: must be a number, got "fast"
c.yaml:4:40: generic.clientConnection.burst: must be at least 1, got "0"
c.yaml:5:19: generic.leaderElection.leaseDuration: must be longer than renewDeadline, which is 30s, got "15s"
c.yaml:5:33: generic.leaderElection.retryPeriod: "x" is not a duration such as 15s or 5m
c.yaml:6:17: generic.controllers[0]: "nope" is not in the list of known controllers
c.yaml:7:1: wrong: unknown field`,
		"generic:\n  bind_port: http\n  kube_api_burst: 0\n  feature_gates: {Nonsense: true}\n  bind_adress: 1.2.3.4\n": `c.yaml:2:14: generic.bind_port: must be a whole number, got "http"
c.yaml:3:19: generic.kube_api_burst: must be at least 1, got "0"
c.yaml:4:29: generic.feature_gates.Nonsense: unrecognized feature gate: Nonsense
c.yaml:5:3: generic.bind_adress: unknown field; did you mean "bind_address"?`,
	} {
		_, err := Load(Input{File: "c.yaml", Data: []byte(body), Names: names})
		if err == nil {
			t.Fatal("no error")
		}
		if diff := cmp.Diff(want, err.Error()); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

// Laying a file over itself changes nothing, and no pair of files panics.
func FuzzDropIns(f *testing.F) {
	f.Add([]byte(head), []byte(head+"controllers: {job-controller: {workers: 1}}"))
	for _, data := range corpus(f)[:40] {
		f.Add(data, data)
	}
	f.Fuzz(func(t *testing.T, base, over []byte) {
		in := Input{File: fuzzedFile, Data: base, DropIns: []Source{{"/etc/kcm.d/a.yaml", over}}, Names: names}
		if l, err := Load(in); (l == nil) == (err == nil) {
			t.Fatalf("loaded %v, error %v: want exactly one", l, err)
		}
		once, err := Load(Input{DropIns: []Source{{fuzzedFile, base}}, Names: names})
		if err != nil {
			return
		}
		twice, err := Load(Input{File: fuzzedFile, Data: base, DropIns: []Source{{"/etc/kcm/d.yaml", base}}, Names: names})
		var wrong Errors
		switch {
		case errors.As(err, &wrong) && wrong[0].Rule == RuleLimit: // which is for both together
		case err != nil:
			t.Fatalf("over itself: %v", err)
		default:
			same(t, "over itself", once.Config, twice.Config)
		}
	})
}

// SPDX-License-Identifier: Apache-2.0

package config

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func only(names ...string) func(string) bool {
	return func(name string) bool { return slices.Contains(names, name) }
}

// most implements all but two.
func most(name string) bool {
	return name != "deployment-controller" && name != "bootstrap-signer-controller"
}

func warnings(l *Loaded) (texts []string) {
	for _, w := range l.Warnings {
		texts = append(texts, w.String())
	}
	return texts
}

func TestControllersThatAreNotImplemented(t *testing.T) {
	all := map[string]string{"deployment": "deployment-controller", "bootstrapsigner": "bootstrap-signer-controller"}
	baseline := "controllers that are not implemented will not run: deployment-controller, got \"Default\""
	for _, tc := range []struct {
		name, body, flag string
		want             []string
		fails            string
	}{
		{name: "baseline Default skips them with one warning", want: []string{"c.yaml: controllers.baseline: " + baseline}},
		{name: "the file's baseline", body: "controllers: {baseline: Default}", want: []string{"c.yaml:3:25: controllers.baseline: " + baseline}},
		{name: "baseline None", body: "controllers: {baseline: None}"},
		{name: "switched off", body: "controllers: {deployment-controller: {enabled: false}}"},
		{name: "explicitly enabled", body: "controllers:\n  deployment-controller: {enabled: true}\n  bootstrap-signer-controller: {enabled: true}",
			fails: "c.yaml:4:36: controllers.deployment-controller.enabled: deployment-controller is not implemented, got \"true\"; remove it, or set it to false\n" +
				"c.yaml:5:42: controllers.bootstrap-signer-controller.enabled: bootstrap-signer-controller is not implemented, got \"true\"; remove it, or set it to false"},
		{name: "named in --controllers", flag: "*,bootstrapsigner,-deployment",
			want: []string{`--controllers: controllers.bootstrap-signer-controller.enabled: bootstrap-signer-controller is not implemented, it will not run, got "true"`}},
		{name: "the flag hides the file's mistake", body: "controllers: {deployment-controller: {enabled: true}}", flag: "*",
			want: []string{`controllers.deployment-controller.enabled: c.yaml:3 sets a value that --controllers=not named overrules, got "true"`, "--controllers: controllers.baseline: " + baseline}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := Input{File: "c.yaml", Data: []byte(head + tc.body), Names: all, Implemented: most}
			if tc.flag != "" {
				in.Flags = map[string]string{"controllers": tc.flag}
			}
			l, err := Load(in)
			if tc.fails != "" {
				if err == nil || err.Error() != tc.fails {
					t.Errorf("got %v\nwant %s", err, tc.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, warnings(l)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestValuesWithoutEffectWarn(t *testing.T) {
	none := "controllers: {baseline: None, ttl-controller: {}, cronjob-controller: {workers: 7}, job-controller: {workers: 5}}\n"
	l, err := Load(Input{File: "c.yaml", Data: []byte(head + none +
		"cluster: {name: a, cidrs: [10.0.0.0/8], allocateNodeCIDRs: true, nodeSyncPeriod: 0s}\nlogging: {splitStream: 1}")})
	if err == nil {
		t.Fatalf("an unknown field is an error whatever its effect: %v", l)
	}
	l, err = Load(Input{File: "c.yaml", Data: []byte(head + none +
		"cluster: {name: a, cidrs: [10.0.0.0/8], allocateNodeCIDRs: true, nodeSyncPeriod: 0s}\nserving: {certDir: pki}"),
		Flags: map[string]string{"cloud-provider": "external", "log-text-split-stream": "false", "allow-untagged-cloud": "true"}, Implemented: only("node-route-controller")})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`c.yaml:4:60: cluster.allocateNodeCIDRs: accepted, has no effect: node-ipam-controller is not implemented, got "true"`,
		`--cloud-provider: cluster.cloudProvider: accepted, has no effect: no cloud provider is built in, so all are external, got "external"`,
		`--allow-untagged-cloud: cluster.allowUntaggedCloud: accepted, has no effect: no cloud provider is built in, got "true"`,
		`c.yaml:4:82: cluster.nodeSyncPeriod: deprecated: This flag is currently no-op and will be deleted., got "0s"`,
		`c.yaml:3:81: controllers.cronjob-controller.workers: accepted, has no effect: cronjob-controller is not implemented, got "7"`,
	}
	if diff := cmp.Diff(want, warnings(l)); diff != "" {
		t.Errorf("a value other than the default that nothing reads must warn, once (-want +got)\n%s", diff)
	}
}

// A flag that one of several controllers reads has an effect. One warning more says
// that the controller of tokens, which the list cannot stop, is not implemented.
func TestFlagOfSeveralControllers(t *testing.T) {
	for reader, want := range map[string]int{"root-ca-certificate-publisher-controller": 1, "ttl-controller": 4} {
		l, err := Load(Input{Flags: map[string]string{"root-ca-file": "/ca.crt", "controllers": ""}, Implemented: only(reader)})
		if err != nil {
			t.Fatal(err)
		}
		if len(l.Warnings) != want {
			t.Errorf("%s: %q", reader, warnings(l))
		}
	}
}

// What the program does without any setting needs no warning.
func TestDefaultsWarnOfNothing(t *testing.T) {
	l, err := Load(Input{})
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Warnings) > 0 {
		t.Errorf("got %s", strings.Join(warnings(l), "\n"))
	}
}

// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/kube-live/kube-controller-manager/pkg/catalog"
	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

// commandLines are those of installers, as they start upstream's program.
var commandLines = map[string][]string{
	"kubeadm": {
		"--allocate-node-cidrs=true", "--authentication-kubeconfig=/etc/kubernetes/controller-manager.conf",
		"--authorization-kubeconfig=/etc/kubernetes/controller-manager.conf", "--bind-address=127.0.0.1",
		"--client-ca-file=/etc/kubernetes/pki/ca.crt", "--cluster-cidr=10.244.0.0/16,fd00:10:244::/56", "--cluster-name=kubernetes",
		"--cluster-signing-cert-file=/etc/kubernetes/pki/ca.crt", "--cluster-signing-key-file=/etc/kubernetes/pki/ca.key",
		"--controllers=*,bootstrapsigner,tokencleaner", "--kubeconfig=/etc/kubernetes/controller-manager.conf", "--leader-elect=true",
		"--requestheader-client-ca-file=/etc/kubernetes/pki/front-proxy-ca.crt", "--root-ca-file=/etc/kubernetes/pki/ca.crt",
		"--service-account-private-key-file=/etc/kubernetes/pki/sa.key", "--service-cluster-ip-range=10.96.0.0/16,fd00:10:96::/112",
		"--use-service-account-credentials=true",
	},
	"kubeadm, external CA": {
		"--cluster-signing-cert-file=", "--cluster-signing-key-file=", "--controllers=*,bootstrapsigner,tokencleaner",
		"--kubeconfig=/etc/kubernetes/controller-manager.conf", "--bind-address=::",
	},
	"k3s": {
		"--allocate-node-cidrs=true", "--authentication-kubeconfig=/k3s/controller.kubeconfig", "--bind-address=127.0.0.1",
		"--cluster-cidr=10.42.0.0/16", "--cluster-signing-kube-apiserver-client-cert-file=/k3s/client-ca.crt",
		"--cluster-signing-kube-apiserver-client-key-file=/k3s/client-ca.key",
		"--cluster-signing-kubelet-client-cert-file=/k3s/client-ca.crt", "--cluster-signing-kubelet-client-key-file=/k3s/client-ca.key",
		"--cluster-signing-kubelet-serving-cert-file=/k3s/server-ca.crt", "--cluster-signing-kubelet-serving-key-file=/k3s/server-ca.key",
		"--cluster-signing-legacy-unknown-cert-file=/k3s/server-ca.crt", "--cluster-signing-legacy-unknown-key-file=/k3s/server-ca.key",
		"--configure-cloud-routes=false", "--controllers=*,tokencleaner,-service,-route,-cloud-node-lifecycle", "--leader-elect=false",
		"--kubeconfig=/k3s/controller.kubeconfig", "--profiling=false", "--root-ca-file=/k3s/server-ca.crt", "--secure-port=10257",
		"--service-account-private-key-file=/k3s/service.current.key", "--service-cluster-ip-range=10.43.0.0/16",
		"--use-service-account-credentials=true",
	},
	"kops": {
		"--allocate-node-cidrs=true", "--attach-detach-reconcile-sync-period=1m0s", "--cloud-provider=external",
		"--cluster-cidr=100.96.0.0/11", "--cluster-name=c.example.com", "--cluster-signing-cert-file=/srv/kcm/ca.crt",
		"--cluster-signing-key-file=/srv/kcm/ca.key", "--configure-cloud-routes=false", "--controllers=*,-nodeipam",
		"--feature-gates=HPAConfigurableTolerance=true", "--flex-volume-plugin-dir=/usr/libexec/kubernetes/kubelet-plugins/volume/exec/",
		"--kubeconfig=/var/lib/kube-controller-manager/kubeconfig", "--leader-elect=true", "--root-ca-file=/srv/kcm/ca.crt",
		"--service-account-private-key-file=/srv/kcm/sa.key", "--tls-cert-file=/srv/kcm/server.crt",
		"--tls-private-key-file=/srv/kcm/server.key", "--use-service-account-credentials=true", "--v=2",
		"--concurrent_rc_syncs", "7", "--kube-api-qps=60.5",
	},
	"lists and maps": {
		"--allow-metric-labels=a,b='x,y'", "--tls-sni-cert-key=/a.crt,/a.key:x,y", "--tls-sni-cert-key=/b.crt,/b.key",
		"--vmodule=a=1,b=2", "--requestheader-allowed-names=", "--feature-gates=", "--emulated-version=", "--controllers=",
	},
}

func TestMigratedFileMeansTheSame(t *testing.T) {
	for name, args := range commandLines {
		t.Run(name, func(t *testing.T) {
			in, err := inputOf(args, "/")
			if err != nil {
				t.Fatal(err)
			}
			want, err := config.Load(in)
			if err != nil {
				t.Fatal(err)
			}
			var out, notes bytes.Buffer
			if err := migrate(&out, &notes, in, "/"); err != nil {
				t.Fatal(err)
			}
			got, err := config.Load(config.Input{File: "/etc/c.yaml", Data: out.Bytes(), Names: catalog.Names()})
			if err != nil {
				t.Fatalf("%v\n%s", err, out.String())
			}
			if diff := cmp.Diff(want.Config, got.Config, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-flags +file)\n%s\n%s", diff, out.String())
			}
			testkit.Golden(t, "testdata/migrated."+strings.NewReplacer(", ", "-", " ", "-").Replace(name)+".yaml", out.String())
		})
	}
}

// The file that comes out must start the same program.
func TestMigratedFileEnablesOnlyWhatThereIs(t *testing.T) {
	in, err := inputOf([]string{"--controllers=*,tokencleaner,bootstrapsigner"}, "/")
	if err != nil {
		t.Fatal(err)
	}
	in.Implemented = func(name string) bool { return name != "token-cleaner-controller" }
	var out, notes bytes.Buffer
	if err := migrate(&out, &notes, in, "/"); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(notes.String(), "token-cleaner-controller is not implemented") {
		t.Errorf("no warning: %s", notes.String())
	}
	l, err := config.Load(config.Input{File: "c.yaml", Data: out.Bytes(), Implemented: in.Implemented})
	if err != nil {
		t.Fatal(err)
	}
	if l.Config.Controllers.TokenCleaner.Enabled != nil || l.Config.Controllers.BootstrapSigner.Enabled == nil {
		t.Errorf("the wrong controllers are enabled:\n%s", out.String())
	}
}

func TestFlagsOfManifests(t *testing.T) {
	for name, tc := range map[string]struct {
		container, folder string
		want              []string
	}{
		"kubeadm":  {"{command: [kube-controller-manager, --v=2, --leader-elect=true]}", "/", []string{"--v=2", "--leader-elect=true"}},
		"args":     {"{command: [/usr/local/bin/kube-controller-manager], args: [--v, '2'], workingDir: /srv}", "/srv", []string{"--v", "2"}},
		"wrapper":  {"{command: [/go-runner, --log-file=/var/log/kube-controller-manager.log, --also-stdout, /usr/local/bin/kube-controller-manager], args: [--v=2]}", "/", []string{"--v=2"}},
		"shell":    {`{command: [/bin/sh, -c, 'exec /usr/local/bin/kube-controller-manager --v=2 --controllers="*,-job" 1>>/var/log/x.log 2>&1']}`, "/", []string{"--v=2", "--controllers=*,-job"}},
		"no flags": {"{command: [kube-controller-manager]}", "/", []string{}},
		"another":  {"{command: [kube-scheduler, --v=2]}", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			got, folder, err := flagsOf([]byte("apiVersion: v1\nkind: Pod\nspec: {containers: [{command: [other]}, " + tc.container + "]}\n"))
			if (err != nil) != (tc.want == nil) {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" || folder != tc.folder {
				t.Errorf("folder %s, flags (-want +got)\n%s", folder, diff)
			}
		})
	}
}

// execute runs the program with arguments.
func execute(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := Root()
	var out, errs bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	cmd.SetArgs(args)
	err = cmd.Execute()
	return out.String(), errs.String(), err
}

func TestConvertAndMigrateCommands(t *testing.T) {
	folder := t.TempDir()
	file := func(name, data string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const head = "apiVersion: kubecontrollermanager.config.k8s.io/v1beta1\nkind: KubeControllerManagerConfiguration\n"
	early := file("early.yaml", "# Ours.\n\ngeneric:\n  bind_port: 10252\n")
	port := file("port.yaml", head+"serving: {port: 10260}\n")
	pod := file("pod.yaml", "apiVersion: v1\nkind: Pod\nspec: {containers: [{command: [kube-controller-manager, --kubeconfig=kcm.conf], workingDir: /srv}]}\n")
	base := file("base.yaml", head+"clientConnection: {kubeconfig: kcm.conf}\n")
	for _, tc := range []struct {
		name, out, errs, err string
		args                 []string
	}{
		{name: "early form", args: []string{"convert", early}, out: "# Ours.\n\n" + head, errs: "early.yaml:4:14: generic.bind_port: was the port of metrics"},
		{name: "loss", args: []string{"convert", port, "--to", "v1alpha1"}, err: "port.yaml:3:17: serving.port: v1alpha1 has no field for it"},
		{name: "loss allowed", args: []string{"convert", port, "--to", "v1alpha1", "--allow-loss"}, out: strings.Replace(head, "v1beta1", "v1alpha1", 1), errs: "set it with --secure-port instead"},
		{name: "version", args: []string{"convert", port, "--to", "v2"}, err: `version "v2" is not one of v1alpha1, v1beta1`},
		{name: "manifest", args: []string{"migrate", "--from-manifest", pod}, out: head + "clientConnection:\n  kubeconfig: /srv/kcm.conf\n"},
		{name: "file and flags", args: []string{"migrate", "--", "--config", base, "--v=2"}, out: head + "clientConnection:\n  kubeconfig: " + folder + "/kcm.conf\nlogging:\n  verbosity: 2\n"},
		{name: "unknown flag", args: []string{"migrate", "--", "--nope"}, err: "unknown flag: --nope"},
		{name: "no flag", args: []string{"migrate", "--", "nope"}, err: `"nope" is not a flag`},
		{name: "bad value", args: []string{"migrate", "--", "--v=x"}, err: "--v: logging.verbosity: "},
		{name: "both", args: []string{"migrate", "--from-manifest", pod, "--", "--v=2"}, err: "not from both"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			out, errs, err := execute(t, tc.args...)
			if out != tc.out || !strings.Contains(errs, tc.errs) {
				t.Errorf("printed %q and %q, want %q and %q", out, errs, tc.out, tc.errs)
			}
			if (err != nil) != (tc.err != "") || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Errorf("error %v, want %s", err, tc.err)
			}
		})
	}
}

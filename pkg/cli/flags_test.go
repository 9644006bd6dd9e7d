// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/pkg/catalog"
	"github.com/kube-live/kube-controller-manager/pkg/config"
)

// load takes a command line the way the program does.
func load(args ...string) (*config.Loaded, error) {
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	s := newSettings(flags)
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	return config.Load(config.Input{Flags: s.given, Names: catalog.Names(), Implemented: catalog.Implemented()})
}

// fields are the texts of a configuration by path.
func fields(l *config.Loaded) map[string]string {
	texts := map[string]string{}
	tags.Walk(l.Config, func(f tags.Field) { texts[f.Path] = tags.Text(f.Value) })
	return texts
}

// Command lines of installers start the program as they are.
func TestCommandLinesOfInstallers(t *testing.T) {
	for name, line := range map[string]string{
		"kubeadm": `--allocate-node-cidrs=true --authentication-kubeconfig=/etc/kubernetes/controller-manager.conf
			--authorization-kubeconfig=/etc/kubernetes/controller-manager.conf --bind-address=127.0.0.1 --client-ca-file=/etc/kubernetes/pki/ca.crt
			--cluster-cidr=10.244.0.0/16,fd00:10:244::/56 --cluster-name=kubernetes --cluster-signing-cert-file=/etc/kubernetes/pki/ca.crt
			--cluster-signing-key-file=/etc/kubernetes/pki/ca.key --controllers=*,bootstrapsigner,tokencleaner
			--kubeconfig=/etc/kubernetes/controller-manager.conf --leader-elect=true --requestheader-client-ca-file=/etc/kubernetes/pki/front-proxy-ca.crt
			--root-ca-file=/etc/kubernetes/pki/ca.crt --service-account-private-key-file=/etc/kubernetes/pki/sa.key
			--service-cluster-ip-range=10.96.0.0/12 --use-service-account-credentials=true`,
		"kubeadm with an external CA": `--cluster-signing-cert-file= --cluster-signing-key-file= --controllers=*,bootstrapsigner,tokencleaner`,
		"k3s": `--allocate-node-cidrs=true --bind-address=127.0.0.1 --secure-port=10257 --profiling=false --configure-cloud-routes=false --leader-elect=false
			--controllers=*,tokencleaner,-service,-route,-cloud-node-lifecycle --cluster-cidr=10.42.0.0/16
			--cluster-signing-kube-apiserver-client-cert-file=/a.crt --cluster-signing-kube-apiserver-client-key-file=/a.key
			--cluster-signing-kubelet-client-cert-file=/a.crt --cluster-signing-kubelet-client-key-file=/a.key
			--cluster-signing-kubelet-serving-cert-file=/b.crt --cluster-signing-kubelet-serving-key-file=/b.key
			--cluster-signing-legacy-unknown-cert-file=/b.crt --cluster-signing-legacy-unknown-key-file=/b.key`,
		"kops": `--allocate-node-cidrs=true --attach-detach-reconcile-sync-period=1m0s --cloud-provider=external --cluster-cidr=100.96.0.0/11
			--cluster-name=a.example.com --configure-cloud-routes=true --flex-volume-plugin-dir=/var/lib/kubelet/volumeplugins/ --leader-elect=true
			--tls-cert-file=/s.crt --tls-private-key-file=/s.key --use-service-account-credentials=true --v=2 --controllers=*,-nodeipam`,
		"kubespray": `--node-monitor-grace-period=40s --node-monitor-period=5s --node-cidr-mask-size-ipv4=24 --profiling=false --terminated-pod-gc-threshold=12500
			--bind-address=:: --leader-elect-lease-duration=15s --leader-elect-renew-deadline=10s --configure-cloud-routes=false
			--tls-min-version=VersionTLS12 --tls-cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384`,
		"GCE": `--v=4 --use-service-account-credentials --cloud-provider=external --cluster-name=x --cluster-cidr=10.64.0.0/14 --allocate-node-cidrs=true
			--terminated-pod-gc-threshold=100 --emulated-version=kube=1.36 --cluster-signing-duration=8760h
			--pv-recycler-pod-template-filepath-nfs=/n.yaml --pv-recycler-pod-template-filepath-hostpath=/h.yaml --enable-garbage-collector=true`,
		"local-up-cluster": `--v=3 --vmodule= --enable-hostpath-provisioner=true --pvclaimbinder-sync-period=15s --feature-gates=AllAlpha=false --emulated-version=
			--cloud-provider= --cloud-config= --configure-cloud-routes=false --leader-elect=false --cert-dir=/var/run --secure-port=10257
			--bind-address 0.0.0.0 --master=https://localhost:6443 --kubeconfig /k --feature-gates=`,
	} {
		if _, err := load(strings.Fields(line)...); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFlagsSetFields(t *testing.T) {
	for line, want := range map[string]string{
		"--concurrent_rc_syncs=7":      "controllers.replicationcontroller-controller.workers=7",
		"-v4":                          "logging.verbosity=4",
		"-v=4":                         "logging.verbosity=4",
		"--v 4":                        "logging.verbosity=4",
		"--log-level=4":                "logging.verbosity=4",
		"--log-json":                   "logging.format=json",
		"--log-json=false":             "logging.format=text",
		"--leader-elect-disable":       "leaderElection.leaderElect=false",
		"--leader-elect-disable=false": "leaderElection.leaderElect=true",
		"--bind-port=1":                "serving.port=1",
		"--healthz-bind-port=1":        "serving.port=1",
		"--diagnostics-port=1":         "serving.port=1",
		"--enable-profiling=false":     "serving.profiling=false",
		"--disabled-metrics=a --disabled-metrics=b,c":                              "metrics.disabled=a,b,c",
		"--cluster-cidr=10.0.0.0/8 --cluster-cidr=::/0":                            "cluster.cidrs=::/0",
		"--requestheader-username-headers=a":                                       "authentication.requestHeaderUsernameHeaders=a",
		"--allow-metric-labels=m,l=v,w":                                            "metrics.allowLabels=m,l=v,w",
		`--allow-metric-labels="m,l=v","n,k=w"`:                                    "metrics.allowLabels=m,l=v\nn,k=w",
		"--allow-metric-labels=m,l=v --allow-metric-labels=n,k=w,x":                "metrics.allowLabels=m,l=v\nn,k=w,x",
		"--tls-curve-preferences=29 --tls-curve-preferences=23,24":                 "serving.tlsCurvePreferences=29,23,24",
		"--tls-sni-cert-key=a,b --tls-sni-cert-key=c,d:*.x,y":                      "serving.sniCertKeys=a,b\nc,d:*.x,y",
		"--log-json-info-buffer-size=4Ki --feature-gates=LoggingAlphaOptions=true": "logging.jsonInfoBufferSize=4Ki",
		"--vmodule=a*=1,b=2":                                                       "logging.vmodule=a*=1,b=2",
		"--emulated-version=kube=1.35":                                             "compatibility.emulatedVersions=kube=1.35",
		"--log-level=DEBUG":                                                        "logging.verbosity=4",
		"--log-level=warn":                                                         "logging.verbosity=0",
		"--log-level=7":                                                            "logging.verbosity=7",
		"--horizontal-pod-autoscaler-tolerance=0.25":                               "controllers.horizontal-pod-autoscaler-controller.tolerance=0.25",
		"--node-eviction-rate=0.5":                                                 "controllers.node-lifecycle-controller.nodeEvictionRate=0.5",
	} {
		l, err := load(strings.Fields(line)...)
		if err != nil {
			t.Errorf("%s: %v", line, err)
			continue
		}
		path, text, _ := strings.Cut(want, "=")
		if got := fields(l)[path]; got != text {
			t.Errorf("%s: %s is %q, want %q", line, path, got, text)
		}
	}
}

func TestRootCAFileIsForAllItsReaders(t *testing.T) {
	l, err := load("--root-ca-file=/ca.crt")
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range fields(l) {
		if strings.HasSuffix(path, ".rootCAFile") && text != "/ca.crt" {
			t.Errorf("%s is %q", path, text)
		}
	}
}

func TestMistakesInFlags(t *testing.T) {
	for line, want := range map[string]string{
		"--kube-api-burst=x":                            `--kube-api-burst: clientConnection.burst: "x" is not a whole number of 32 bits`,
		"--leader-elect-disable=x":                      `--leader-elect-disable: leaderElection.leaderElect: "x" is neither true nor false`,
		"--cloud-provider=gce":                          `--cloud-provider: cluster.cloudProvider: must be external, got "gce"`,
		"--vmodule=a":                                   `--vmodule: logging.vmodule: "a" does not have the pattern=N format`,
		"--vmodule=a=1 --logging-format=json":           `--vmodule: logging.vmodule: only works with the format text`,
		"--tls-sni-cert-key=a":                          `--tls-sni-cert-key: serving.sniCertKeys: "a" is not CERTFILE,KEYFILE or CERTFILE,KEYFILE:NAME,NAME`,
		"--emulated-version=kube=1.30":                  `--emulated-version: compatibility.emulatedVersions[0]: must be kube=MAJOR.MINOR, from 1.34 to 1.37, got "kube=1.30"`,
		"--tls-cipher-suites=X":                         `--tls-cipher-suites: serving.tlsCipherSuites[0]: must be the name of a cipher suite such as TLS_AES_128_GCM_SHA256, got "X"`,
		"--service-cluster-ip-range=::/1,::/2,::/3":     `--service-cluster-ip-range: controllers.node-ipam-controller.serviceCIDRs: must have at most 2 items, got "[::/1 ::/2 ::/3]"`,
		"--attach-detach-reconcile-sync-period=999ms":   `--attach-detach-reconcile-sync-period: controllers.persistentvolume-attach-detach-controller.reconcileSyncPeriod: must be at least 1s, got "999ms"`,
		"--cluster-signing-kubelet-client-cert-file=/a": `controllers.certificatesigningrequest-signing-controller.kubeletClientKeyFile: must be set together with kubeletClientCertFile`,
		"--cluster-signing-key-file=/k --cluster-signing-legacy-unknown-cert-file=/a --cluster-signing-legacy-unknown-key-file=/b": `--cluster-signing-key-file: controllers.certificatesigningrequest-signing-controller.keyFile: cannot be set together with files of single signers, got "/k"`,
	} {
		if _, err := load(strings.Fields(line)...); err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", line, err, want)
		}
	}
}

func TestFormsThatDisagree(t *testing.T) {
	l, err := load("--bind-port=1", "--secure-port=2", "--diagnostics-port=2", "--controllers=-*")
	if err == nil {
		t.Errorf("-* must not be accepted: %v", l)
	}
	if l, err = load("--bind-port=1", "--secure-port=2", "--diagnostics-port=2", "--controllers="); err != nil {
		t.Fatal(err)
	}
	var warned []string
	for _, w := range l.Warnings {
		warned = append(warned, w.String())
	}
	want := []string{`--bind-port: serving.port: --secure-port=2 overrules this flag, got "1"`}
	if diff := cmp.Diff(want, warned); diff != "" || l.Config.Serving.Port != 2 {
		t.Errorf("port %d, warnings (-want +got)\n%s", l.Config.Serving.Port, diff)
	}
}

// Every flag accepts its own default, and then nothing differs.
func TestFlagsAcceptTheirDefaults(t *testing.T) {
	plain, err := load()
	if err != nil {
		t.Fatal(err)
	}
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	newSettings(flags)
	var args []string
	flags.VisitAll(func(f *pflag.Flag) {
		v := f.Value.(*value)
		if v.preset != "" || v.kind == "string" && !strings.Contains(f.Usage, " as --") {
			args = append(args, fmt.Sprintf("--%s=%s", v.name, v.preset))
		}
	})
	l, err := load(args...)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fields(plain), fields(l)); diff != "" {
		t.Errorf("(-plain +with defaults)\n%s", diff)
	}
}

func TestVersionFlag(t *testing.T) {
	for text, want := range map[string]struct {
		out  string
		fail bool
	}{
		"--version":       {out: "Kubernetes v"},
		"--version=raw":   {out: "version.Info{"},
		"--version=maybe": {fail: true},
	} {
		var out strings.Builder
		cmd := Root()
		cmd.SetOut(&out)
		cmd.SetArgs([]string{text})
		err := cmd.Execute()
		if (err != nil) != want.fail || !strings.HasPrefix(out.String(), want.out) {
			t.Errorf("%s: %q, %v", text, out.String(), err)
		}
	}
}

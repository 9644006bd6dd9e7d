// SPDX-License-Identifier: Apache-2.0

package config_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/config"
)

func TestRelativePathsAreRelativeToTheirFile(t *testing.T) {
	const text = "apiVersion: kubecontrollermanager.config.k8s.io/v1beta1\nkind: KubeControllerManagerConfiguration\n"
	l, err := config.Load(config.Input{
		File: "/etc/kcm/config.yaml", Data: []byte(text + "clientConnection: {kubeconfig: a.conf}\nserving: {tlsCertFile: /abs.crt, tlsPrivateKeyFile: k.key}\n"),
		DropIns: []config.Source{{Name: "/etc/kcm.d/1.yaml", Data: []byte(text + "serving: {sniCertKeys: ['a.crt,/b.key:host']}\n")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := l.Config.Serving
	got := []string{l.Config.ClientConnection.Kubeconfig, s.TLSCertFile, s.TLSPrivateKeyFile}
	if diff := cmp.Diff([]string{"/etc/kcm/a.conf", "/abs.crt", "/etc/kcm/k.key"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	want := []v1beta1.NamedCertificate{{CertFile: "/etc/kcm.d/a.crt", KeyFile: "/b.key", Names: []string{"host"}}}
	if diff := cmp.Diff(want, s.SNICertKeys); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

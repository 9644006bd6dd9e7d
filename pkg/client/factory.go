// SPDX-License-Identifier: Apache-2.0

// Package client makes the API clients of the manager. A Factory stands for one
// client configuration; from it come the manager's own clients, and for each
// run of a controller a Session with the controller's identity, a rate limit
// of its own, and the ability to be drained: a session that is stopping lets
// requests that are under way finish and refuses all others, so that a stop
// never leaves a write whose outcome nobody knows.
package client

import (
	"fmt"
	"runtime"
	"strings"
	"sync"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/component-base/version"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

// Program is the name in front of every user agent. The API server derives the
// manager in managedFields from it, so it must not follow the file name of the
// executable.
const Program = "kube-controller-manager"

// Namespace is where the controllers' service accounts live.
const Namespace = "kube-system"

// Factory makes clients of one configuration.
type Factory struct {
	root   *rest.Config
	own    bool // a service account for each controller
	limits limits

	mu     sync.Mutex
	tokens map[string]*tokens
	core   kubernetes.Interface
}

// NewFactory reads the kubeconfig (or the pod's service account) and checks
// that clients can be made from it. It sends nothing.
func NewFactory(c v1beta1.ClientConnection) (*Factory, error) {
	cfg, err := LoadConfig(c.Kubeconfig, c.Master)
	if err != nil {
		return nil, err
	}
	cfg.ContentType = c.ContentType
	cfg.AcceptContentTypes = c.ContentType
	if c.AcceptContentTypes != "" {
		cfg.AcceptContentTypes = c.AcceptContentTypes
	} else if c.ContentType != "application/json" {
		cfg.AcceptContentTypes += ",application/json"
	}
	cfg.QPS, cfg.Burst = c.QPS, int(c.Burst)
	return NewFactoryForConfig(cfg, c.UseServiceAccountCredentials)
}

// NewFactoryForConfig is NewFactory for a configuration that is loaded already.
func NewFactoryForConfig(cfg *rest.Config, useServiceAccountCredentials bool) (*Factory, error) {
	f := &Factory{root: rest.CopyConfig(cfg), own: useServiceAccountCredentials, tokens: map[string]*tokens{}}
	f.root.DisableCompression = true
	f.root.WarningHandler = rest.NoWarnings{}
	f.SetLimits(cfg.QPS, cfg.Burst)
	core, err := kubernetes.NewForConfig(f.Root("kube-controller-manager"))
	if err != nil {
		return nil, fmt.Errorf("client configuration: %w", err)
	}
	f.core = core
	return f, nil
}

// LoadConfig reads a kubeconfig; master, when set, wins over its server. With
// neither it is the configuration inside a pod.
func LoadConfig(kubeconfig, master string) (*rest.Config, error) {
	cfg, err := clientcmd.BuildConfigFromFlags(master, kubeconfig)
	if err != nil {
		if kubeconfig == "" && master == "" {
			return nil, fmt.Errorf("clientConnection.kubeconfig is empty and this is not a pod: %w", err)
		}
		return nil, fmt.Errorf("kubeconfig %q: %w", kubeconfig, err)
	}
	return cfg, nil
}

// Root is the manager's own identity. The name ends the user agent.
func (f *Factory) Root(name string) *rest.Config {
	cfg := rest.CopyConfig(f.root)
	cfg.UserAgent = userAgent(name)
	return cfg
}

// CAData is the CA bundle written into the kubeconfig itself, which is
// published to namespaces when no file is configured. A CA given as a file
// does not count, as upstream.
func (f *Factory) CAData() []byte { return f.root.CAData }

func userAgent(suffix string) string {
	commit := version.Get().GitCommit
	if len(commit) > 7 {
		commit = commit[:7]
	}
	if commit == "" {
		commit = "unknown"
	}
	v, _, _ := strings.Cut(version.Get().GitVersion, "-")
	return fmt.Sprintf("%s/%s (%s/%s) kubernetes/%s/%s", Program, v, runtime.GOOS, runtime.GOARCH, commit, suffix)
}

// forAccount is the configuration of a controller: its own service account, or
// the root identity under its name.
func (f *Factory) forAccount(account string) *rest.Config {
	if !f.own {
		return f.Root(account)
	}
	cfg := rest.AnonymousClientConfig(f.root)
	cfg.DisableCompression = true
	cfg.WarningHandler = f.root.WarningHandler
	cfg.UserAgent = userAgent("system:serviceaccount:" + Namespace + ":" + account)
	f.mu.Lock()
	t := f.tokens[account]
	if t == nil {
		t = newTokens(f.core, account)
		f.tokens[account] = t
	}
	f.mu.Unlock()
	cfg.Wrap(t.wrap)
	return cfg
}

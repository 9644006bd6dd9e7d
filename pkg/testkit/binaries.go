// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Names of the programs of the local control plane.
const (
	Etcd              = "etcd"
	APIServer         = "kube-apiserver"
	Scheduler         = "kube-scheduler"
	ControllerManager = "kube-controller-manager"
	Kubectl           = "kubectl"
	Kwok              = "kwok"
)

const modulePath = "github.com/kube-live/kube-controller-manager"

// A Tool is one program in the one version that this repository pins. The
// go.mod files of hack/tools and hack/tools/kwok are the only place that says
// which version that is.
type Tool struct {
	Name    string
	Version string // as in go.mod: v1.37.2
	Module  string // folder of the module that pins and builds it
	Package string // main package to build
	Path    string // where `make tools` puts it
}

// Tools lists the pinned programs in the order in which it pays to build them:
// what every test needs comes first.
func Tools(root string) ([]Tool, error) {
	modules := filepath.Join(root, "hack", "tools")
	pins := []struct{ group, module, require, pkg, name string }{
		{"kubernetes", modules, "k8s.io/kubernetes", "k8s.io/kubernetes/cmd/" + APIServer, APIServer},
		{"etcd", modules, "go.etcd.io/etcd/server/v3", "go.etcd.io/etcd/server/v3", Etcd},
		{"kubernetes", modules, "k8s.io/kubernetes", "k8s.io/kubernetes/cmd/" + Scheduler, Scheduler},
		{"kwok", filepath.Join(modules, "kwok"), "sigs.k8s.io/kwok", "sigs.k8s.io/kwok/cmd/kwok", Kwok},
		{"kubernetes", modules, "k8s.io/kubernetes", "k8s.io/kubernetes/cmd/" + Kubectl, Kubectl},
		{"kubernetes", modules, "k8s.io/kubernetes", "k8s.io/kubernetes/cmd/" + ControllerManager, ControllerManager},
	}
	tools := make([]Tool, 0, len(pins))
	for _, p := range pins {
		version, err := requiredVersion(filepath.Join(p.module, "go.mod"), p.require)
		if err != nil {
			return nil, err
		}
		tools = append(tools, Tool{
			Name: p.name, Version: version, Module: p.module, Package: p.pkg,
			Path: filepath.Join(root, ".tools", p.group+"-"+version, p.name),
		})
	}
	return tools, nil
}

func requiredVersion(gomod, module string) (string, error) {
	data, err := os.ReadFile(gomod)
	if err != nil {
		return "", err
	}
	re := regexp.MustCompile(`(?m)^\s*(?:require\s+)?` + regexp.QuoteMeta(module) + `\s+(v\S+)`)
	match := re.FindSubmatch(data)
	if match == nil {
		return "", fmt.Errorf("%s: no version of %s is required there", gomod, module)
	}
	return string(match[1]), nil
}

// Find returns the path of a program of exactly the pinned version: the one that
// `make tools` built, else one in $KUBEBUILDER_ASSETS or on PATH. A program from
// elsewhere is asked for its version, since its name promises nothing.
func (t Tool) Find(ctx context.Context) (string, bool) {
	if isExecutable(t.Path) {
		return t.Path, true
	}
	if dir := os.Getenv("KUBEBUILDER_ASSETS"); dir != "" {
		if path := filepath.Join(dir, t.Name); isExecutable(path) && t.versionOf(ctx, path) {
			return path, true
		}
	}
	if path, err := exec.LookPath(t.Name); err == nil && t.versionOf(ctx, path) {
		return path, true
	}
	return "", false
}

func (t Tool) versionOf(ctx context.Context, path string) bool {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	args := []string{"--version"}
	if t.Name == Kubectl {
		args = []string{"version", "--client"}
	}
	out, err := exec.CommandContext(ctx, path, args...).Output()
	words := strings.Fields(string(out))
	return err == nil && (slices.Contains(words, t.Version) ||
		slices.Contains(words, strings.TrimPrefix(t.Version, "v")))
}

func isExecutable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// Binaries are the paths of the pinned programs; one that was not found is empty.
type Binaries struct {
	Etcd              string
	APIServer         string
	Scheduler         string
	ControllerManager string // upstream's, for comparisons
	Kubectl           string
	Kwok              string

	KubernetesVersion string // v1.37.2
}

func (b *Binaries) field(name string) *string {
	return map[string]*string{
		Etcd: &b.Etcd, APIServer: &b.APIServer, Scheduler: &b.Scheduler,
		ControllerManager: &b.ControllerManager, Kubectl: &b.Kubectl, Kwok: &b.Kwok,
	}[name]
}

// ErrNoBinaries is wrapped by the error of FindBinaries when programs are missing.
var ErrNoBinaries = errors.New("programs of the local control plane are missing")

// FindBinaries finds the pinned programs. The named ones must be there (all of
// them when none is named); the others are filled in when they are.
func FindBinaries(ctx context.Context, names ...string) (Binaries, error) {
	var b Binaries
	root, err := RepoRoot()
	if err != nil {
		return b, err
	}
	tools, err := Tools(root)
	if err != nil {
		return b, err
	}
	var missing []string
	for _, tool := range tools {
		path, ok := tool.Find(ctx)
		*b.field(tool.Name) = path
		if tool.Name == APIServer {
			b.KubernetesVersion = tool.Version
		}
		if !ok && (len(names) == 0 || slices.Contains(names, tool.Name)) {
			missing = append(missing, tool.Name+" "+tool.Version)
		}
	}
	if len(missing) > 0 {
		return b, fmt.Errorf("%w: %s: run `make tools` (the first build takes about 15 minutes)",
			ErrNoBinaries, strings.Join(missing, ", "))
	}
	return b, nil
}

// RepoRoot returns the root folder of this module, found from the working
// directory upwards: tests run in their package's folder.
func RepoRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	start := dir
	for {
		data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.Contains("\n"+string(data), "\nmodule "+modulePath+"\n") {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("%s is not inside a checkout of %s", start, modulePath)
		}
		dir = parent
	}
}

// SPDX-License-Identifier: Apache-2.0

// Command bench measures what people choose this program for, on a real local
// control plane, and prints it beside upstream's program: how fast a change of
// the file takes effect and how many lists it costs, the size of the binary,
// the memory with and without pods, and what work on many objects costs.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

type bench struct {
	ctx     context.Context
	root    string
	dir     string
	plane   *testkit.Plane
	audit   string
	pods    int
	toggles int
	scale   float64
	settle  time.Duration
	// profiles is a folder for CPU profiles of this program, or empty.
	profiles string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	b := &bench{ctx: ctx}
	suites := flag.String("suites", "reload,deployments,jobs,statefulsets,growth,namespace,foreground,services,quota", "what is measured")
	flag.IntVar(&b.pods, "pods", 2000, "pods in the cluster of the suite reload")
	flag.IntVar(&b.toggles, "toggles", 100, "changes of the file that are measured")
	flag.Float64Var(&b.scale, "scale", 1, "factor on the number of objects of the other suites")
	flag.DurationVar(&b.settle, "settle", 15*time.Second, "wait before memory is read")
	flag.StringVar(&b.profiles, "profiles", "", "folder for CPU profiles of this program")
	flag.Parse()
	if err := b.run(strings.Split(*suites, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run takes the suites one after the other, each on a control plane of its own.
func (b *bench) run(suites []string) (err error) {
	if b.root, err = testkit.RepoRoot(); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "kcm-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	for _, name := range suites {
		suite, nodes := b.reloadSuite, 0
		if name != "reload" {
			work, ok := b.workloads()[name]
			if !ok {
				return fmt.Errorf("no suite %q", name)
			}
			suite, nodes = func() error { return b.work(name, work) }, work.nodes
		}
		fmt.Printf("\n%s\n", name)
		if err := b.startPlane(nodes); err != nil {
			return err
		}
		err := suite()
		b.plane.Stop()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (b *bench) reloadSuite() error {
	own, peer := b.own(), b.peer()
	fmt.Printf("%-44s %12s %12s\n", "", "this program", "upstream")
	row("stripped binary, MB", mb(size(own.path)), mb(size(peer.path)))
	idle, peerIdle, err := b.memory(own, peer)
	if err != nil {
		return err
	}
	row("RSS idle, MB", mb(idle), mb(peerIdle))
	if err := b.createPods(); err != nil {
		return err
	}
	full, peerFull, err := b.memory(own, peer)
	if err != nil {
		return err
	}
	row(fmt.Sprintf("RSS with %d pods, MB", b.pods), mb(full), mb(peerFull))
	row("  more per pod, kB", kb(full-idle, b.pods), kb(peerFull-peerIdle, b.pods))
	return b.reloads(own)
}

func row(what, own, peer string) { fmt.Printf("%-44s %12s %12s\n", what, own, peer) }

func mb(bytes int64) string { return fmt.Sprintf("%.1f", float64(bytes)/1e6) }

func kb(bytes int64, n int) string { return fmt.Sprintf("%.1f", float64(bytes)/1e3/float64(n)) }

func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// auditPolicy logs what managers list, watch and write, and nothing else.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: Metadata, users: ["system:kube-controller-manager"], verbs: [list, watch, create, update, patch, delete, deletecollection]}
- {level: Metadata, userGroups: ["system:serviceaccounts:kube-system"], verbs: [create, update, patch, delete, deletecollection]}
- {level: None}
`

func (b *bench) startPlane(nodes int) (err error) {
	policy := filepath.Join(b.dir, "policy.yaml")
	b.audit = filepath.Join(b.dir, "audit.log")
	if err := os.WriteFile(policy, []byte(auditPolicy), 0o600); err != nil {
		return err
	}
	if err := os.RemoveAll(b.audit); err != nil {
		return err
	}
	b.plane, err = testkit.Start(b.ctx, testkit.Options{
		Nodes: nodes, DisableAdmission: []string{"ServiceAccount"},
		APIServerArgs: []string{"--audit-policy-file=" + policy, "--audit-log-path=" + b.audit},
	})
	return err
}

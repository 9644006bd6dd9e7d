// SPDX-License-Identifier: Apache-2.0

package differential_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kube-live/kube-controller-manager/hack/differential"
	"github.com/kube-live/kube-controller-manager/pkg/catalog"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

// side is a control plane with one of the programs.
type side struct {
	*differential.Cluster

	program *differential.Program
	metrics *differential.Metrics
	census  *differential.Census
	// config is the file of this program; upstream's has none.
	config string
}

// options switch on what a controller needs that is off by default.
var options = testkit.Options{
	Nodes: 5, FeatureGates: map[string]bool{"GenericWorkload": true}, RuntimeConfig: map[string]string{"scheduling.k8s.io/v1beta1": "true"},
}

// flags make autoscaling quick enough to be watched, and switch on the same as options.
var flags = []string{
	"--horizontal-pod-autoscaler-sync-period=1s", "--horizontal-pod-autoscaler-downscale-stabilization=2s",
	"--horizontal-pod-autoscaler-cpu-initialization-period=1ms", "--horizontal-pod-autoscaler-initial-readiness-delay=1s",
	"--feature-gates=GenericWorkload=true",
}

func newSide(t *testing.T, logs string, own bool) *side {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	plane, err := testkit.Start(ctx, options)
	do(t, err)
	t.Cleanup(func() {
		if err := plane.Err(); err != nil {
			t.Error(err)
		}
		plane.Stop()
	})
	c, err := differential.NewCluster(plane.AdminConfig())
	do(t, err)
	s := &side{Cluster: c, program: &differential.Program{Args: append(differential.Flags(plane), flags...)}}
	if own {
		s.config = filepath.Join(t.TempDir(), "config.yaml")
		s.choose(t, true)
		s.program.Path, s.program.Env, s.program.Log = os.Args[0], []string{asProgram + "=1"}, filepath.Join(logs, "own.log")
		s.program.Args = append(s.program.Args, "--config="+s.config)
	} else {
		s.program.Path, s.program.Log = plane.Binaries.ControllerManager, filepath.Join(logs, "peer.log")
		s.program.Args = append(s.program.Args, "--controllers="+strings.Join(names(), ","))
	}
	do(t, s.program.Start(t.Context()))
	t.Cleanup(s.program.Stop)
	s.metrics, err = s.ServeMetrics(t.Context())
	do(t, err)
	t.Cleanup(s.metrics.Close)
	s.census, err = s.Watch(t.Context())
	do(t, err)
	do(t, s.Follow(t.Context()))
	return s
}

// names are the controllers that both programs run: all that this one has.
func names() []string {
	var list []string
	for _, d := range catalog.All() {
		list = append(list, d.Name)
	}
	return list
}

// choose writes the file, with all controllers or without any.
func (s *side) choose(t *testing.T, on bool) {
	t.Helper()
	text := "apiVersion: kubecontrollermanager.config.k8s.io/v1beta1\nkind: KubeControllerManagerConfiguration\ncontrollers:\n  baseline: None\n"
	if on {
		for _, name := range names() {
			text += fmt.Sprintf("  %s: {enabled: true}\n", name)
		}
	}
	next := s.config + ".next"
	do(t, os.WriteFile(next, []byte(text), 0o600))
	do(t, os.Rename(next, s.config))
}

// disturb does something to the program again and again until stop is called,
// which returns how often it was done.
func (s *side) disturb(t *testing.T, what func(pause func())) (stop func() int) {
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	times := 0
	pause := func() {
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(300+rand.IntN(2000)) * time.Millisecond):
		}
	}
	wg.Go(func() {
		for ctx.Err() == nil {
			what(pause)
			times++
		}
	})
	return func() int { cancel(); wg.Wait(); return times }
}

func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

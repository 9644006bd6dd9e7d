// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

var (
	budgetRow = regexp.MustCompile("(?m)^\\| `(kube_controller_manager_\\w+)` \\| ([\\w, ]*)\\| (\\d+) \\|$")
	ownSeries = regexp.MustCompile(`(?m)^(kube_controller_manager_\w+)(?:\{(.*)\})? \S+$`)
	labelName = regexp.MustCompile(`(\w+)="(?:[^"\\]|\\.)*"`)
)

// A manager with all its controllers serves what the table in
// config-examples/monitoring says, and not more.
func TestSeriesStayWithinTheBudget(t *testing.T) {
	root, err := testkit.RepoRoot()
	do(t, err)
	page, err := os.ReadFile(filepath.Join(root, "config-examples", "monitoring", "README.md"))
	do(t, err)
	type row struct {
		labels string
		most   int
	}
	budget := map[string]row{}
	for _, m := range budgetRow.FindAllStringSubmatch(string(page), -1) {
		most, err := strconv.Atoi(m[3])
		do(t, err)
		budget[m[1]] = row{strings.TrimSpace(m[2]), most}
	}
	p := start(t, lock(t), "--controllers=*,bootstrap-signer-controller,token-cleaner-controller")
	p.leading()
	p.await(`logger="deployment-controller" state="Running"`)
	p.await(`logger="garbage-collector-controller" state="Running"`)
	ns := namespace(t)
	_, err = admin(t).AppsV1().Deployments(ns).Create(t.Context(), deployment("web", "nginx", 3), metav1.CreateOptions{})
	do(t, err)
	complete(t, ns, "web")
	count := map[string]int{}
	for _, m := range ownSeries.FindAllStringSubmatch(p.scrape(), -1) {
		name := m[1]
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if base, is := strings.CutSuffix(name, suffix); is && budget[base].most > 0 {
				name = base
			}
		}
		count[name]++
		var labels []string
		for _, l := range labelName.FindAllStringSubmatch(m[2], -1) {
			if l[1] != "le" {
				labels = append(labels, l[1])
			}
		}
		slices.Sort(labels)
		if got := strings.Join(labels, ", "); budget[name].most == 0 || budget[name].labels != got {
			t.Errorf("%s{%s} is not in the table as it is; there it has the labels %q", name, got, budget[name].labels)
		}
	}
	for name, r := range budget {
		if n := count[name]; n == 0 || n > r.most {
			t.Errorf("%s has %d series, want 1 to %d", name, n, r.most)
		}
	}
}

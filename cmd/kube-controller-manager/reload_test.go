// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

// Whoever writes faster than a change can be applied gets the last one, and no
// change that was overtaken comes into effect later.
func TestAHundredChangesASecond(t *testing.T) {
	base := lock(t)
	p := start(t, base)
	p.leading()
	p.await(`logger="namespace-controller" state="Running"`)
	version := func(n int) string {
		return base + fmt.Sprintf("controllers: {namespace-controller: {syncPeriod: %dm}}\n", n)
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	const changes = 200
	for n := 1; n < changes; n++ {
		do(t, os.WriteFile(p.file+".new", []byte(version(n)), 0o600))
		do(t, os.Rename(p.file+".new", p.file))
		<-tick.C
	}
	p.save(version(changes))
	page := func() string {
		_, body := p.get("/configz", false)
		return body
	}
	if body := page(); !strings.Contains(body, `"syncPeriod":"3h20m0s"`) {
		t.Errorf("the last change is said to be applied, but is not: %.400s", body)
	}
	generation := regexp.MustCompile(`"generation":\d+`)
	was := generation.FindString(page())
	applied := strings.Count(p.logged(), `"Configuration applied"`)
	// A signal to look again changes nothing, and neither does a touch.
	do(t, p.cmd.Process.Signal(syscall.SIGHUP))
	do(t, os.Chtimes(p.file, time.Now(), time.Now()))
	last := strings.Replace(base, "verbosity: 2", "verbosity: 3", 1) + "controllers: {namespace-controller: {syncPeriod: 200m}}\n"
	p.save(last)
	if now := strings.Count(p.logged(), `"Configuration applied"`); now != applied+1 {
		t.Errorf("%d changes were applied after the last one, want only the next", now-applied)
	}
	if now := generation.FindString(page()); now == was {
		t.Errorf("generation %s before and after another change", now)
	}
	// The run is the one that the last change of its section started.
	starts := strings.Count(p.logged(), `logger="namespace-controller" state="Running"`)
	if _, body := p.get("/metrics", false); !strings.Contains(body, `config_automatic_reloads_total{status="failure"} 0`) {
		t.Error("a change failed")
	}
	if starts > applied+1 {
		t.Errorf("%d starts for %d changes", starts, applied)
	}
}

// A file that is written piece by piece is a mistake at most, never a part of a
// change.
func TestAHalfWrittenFileIsNoChange(t *testing.T) {
	base := lock(t)
	p := start(t, base)
	p.leading()
	p.await(`logger="namespace-controller" state="Running"`)
	whole := base + "controllers:\n  namespace-controller: {enabled: false}\n  deployment-controller: {enabled: false}\n  replicaset-controller: {workers: 3}\n"
	f, err := os.Create(p.file)
	do(t, err)
	half := strings.Index(whole, "enabled: false}\n  deployment") + 4
	_, err = f.WriteString(whole[:half])
	do(t, err)
	p.await("Configuration rejected, the last good one stays in effect")
	testkit.Eventually(t, timeout, func() error {
		if _, body := p.get("/metrics", false); !strings.Contains(body, `config_automatic_reloads_total{status="failure"} 1`) {
			return fmt.Errorf("the rejection is not counted")
		}
		return nil
	})
	if strings.Contains(p.logged(), `logger="namespace-controller" state="Stopping"`) {
		t.Error("half a file stopped a controller")
	}
	_, err = f.WriteString(whole[half:])
	do(t, err)
	do(t, f.Close())
	p.applied(whole)
	p.await(`logger="namespace-controller" state="Stopping"`)
}

func TestOneNamespaceOnly(t *testing.T) {
	mine, other := namespace(t), namespace(t)
	p := start(t, lock(t), "--namespace="+mine)
	p.leading()
	ctx := context.Background()
	for _, ns := range []string{other, mine} {
		_, err := admin(t).AppsV1().Deployments(ns).Create(ctx, deployment("web", "nginx", 2), metav1.CreateOptions{})
		do(t, err)
	}
	complete(t, mine, "web")
	// What is not there, nobody makes later: every controller has worked by now.
	p.await(`logger="garbage-collector-controller" state="Running"`)
	p.await(`logger="deployment-controller" state="Running"`)
	sets, err := admin(t).AppsV1().ReplicaSets(other).List(ctx, metav1.ListOptions{})
	do(t, err)
	if len(sets.Items) > 0 {
		t.Errorf("%d ReplicaSets in another namespace", len(sets.Items))
	}
	if _, err := admin(t).CoreV1().ConfigMaps(other).Get(ctx, "kube-root-ca.crt", metav1.GetOptions{}); err == nil {
		t.Error("another namespace was given the root CA")
	}
	do(t, admin(t).AppsV1().Deployments(mine).Delete(ctx, "web", metav1.DeleteOptions{}))
	testkit.Eventually(t, timeout, func() error {
		pods, err := admin(t).CoreV1().Pods(mine).List(ctx, metav1.ListOptions{})
		if err == nil && len(pods.Items) > 0 {
			err = fmt.Errorf("%d pods are left", len(pods.Items))
		}
		return err
	})
}

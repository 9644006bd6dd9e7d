// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
)

// workload is work on many objects of one namespace, in phases.
type workload struct {
	nodes  int
	phases func(c kubernetes.Interface, namespace string) []phase
	// before, if any, is done by nobody's account: the objects that the work is
	// about.
	before func(ctx context.Context, c kubernetes.Interface, namespace string) error
}

// phase is something that is asked of the controllers, and how its end is seen.
type phase struct {
	name string
	do   func(context.Context) error
	done func(context.Context) error
}

const (
	// phaseTimeout bounds a phase: simulated pods start at some 50 a second.
	phaseTimeout = 15 * time.Minute
	// afterwards is how long what follows the visible end of a phase is counted
	// too: status and events come last.
	afterwards = 3 * time.Second
)

// work measures both programs, one after the other, on the same control plane.
func (b *bench) work(name string, w workload) error {
	client, err := kubernetes.NewForConfig(b.plane.AdminConfig())
	if err != nil {
		return err
	}
	type result struct {
		usage []usage
		names []string
		peak  int64
	}
	var results [2]result
	for i, program := range []program{b.own(), b.peer()} {
		p, err := b.start(program)
		if err != nil {
			return err
		}
		err = func() error {
			defer p.stop()
			namespace := fmt.Sprint("work-", i)
			ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
			if _, err := client.CoreV1().Namespaces().Create(b.ctx, ns, metav1.CreateOptions{}); err != nil {
				return err
			}
			if w.before != nil {
				if err := w.before(b.ctx, client, namespace); err != nil {
					return err
				}
			}
			b.pause(afterwards)
			stop := func() error { return nil }
			if i == 0 {
				if stop, err = b.profiled(p, name); err != nil {
					return err
				}
			}
			for _, ph := range w.phases(client, namespace) {
				used, err := b.phase(p, ph)
				if err != nil {
					return fmt.Errorf("%s: %s: %w", program.path, ph.name, err)
				}
				results[i].usage, results[i].names = append(results[i].usage, used), append(results[i].names, ph.name)
			}
			var err error
			results[i].peak, err = p.memory("VmHWM")
			return errors.Join(err, stop())
		}()
		if err != nil {
			return err
		}
	}
	own, peer := results[0], results[1]
	table("", "CPU s", "", "writes", "", "events", "", "wall s", "")
	table("", "this", "upstream", "this", "upstream", "this", "upstream", "this", "upstream")
	var a, c usage
	for i := range own.usage {
		line(own.names[i], own.usage[i], peer.usage[i])
		a, c = sum(a, own.usage[i]), sum(c, peer.usage[i])
	}
	line("all", a, c)
	kinds(a, c)
	fmt.Printf("CPU %.0f%%, writes %.0f%% of upstream's; peak memory %s and %s MB\n",
		100*float64(a.cpu)/float64(max(c.cpu, 1)), 100*float64(a.writes)/float64(max(c.writes, 1)), mb(own.peak), mb(peer.peak))
	return nil
}

func sum(a, b usage) usage {
	all := map[string]int{}
	for _, kinds := range []map[string]int{a.kinds, b.kinds} {
		for kind, n := range kinds {
			all[kind] += n
		}
	}
	return usage{at: a.at.Add(b.at.Sub(time.Time{})), cpu: a.cpu + b.cpu, writes: a.writes + b.writes, events: a.events + b.events, kinds: all}
}

// kinds shows what was written, in all phases.
func kinds(a, b usage) {
	names := map[string]bool{}
	for _, u := range []usage{a, b} {
		for kind, n := range u.kinds {
			names[kind] = names[kind] || n > 0
		}
	}
	fmt.Println()
	table("writes", "", "", "this", "upstream")
	for _, kind := range slices.Sorted(maps.Keys(names)) {
		if names[kind] {
			table("  "+kind, "", "", fmt.Sprint(a.kinds[kind]), fmt.Sprint(b.kinds[kind]))
		}
	}
}

func line(name string, a, b usage) {
	seconds := func(d time.Duration) string { return fmt.Sprintf("%.2f", d.Seconds()) }
	wall := func(u usage) string { return fmt.Sprintf("%.1f", u.at.Sub(time.Time{}).Seconds()) }
	table(name, seconds(a.cpu), seconds(b.cpu), fmt.Sprint(a.writes), fmt.Sprint(b.writes), fmt.Sprint(a.events), fmt.Sprint(b.events), wall(a), wall(b))
}

func table(name string, columns ...string) {
	fmt.Printf("%-24s", name)
	for _, c := range columns {
		fmt.Printf(" %9s", c)
	}
	fmt.Println()
}

// phase does it and returns what the program used until a moment after its end.
// The time of that moment does not count as wall time.
func (b *bench) phase(p *process, ph phase) (usage, error) {
	before, err := b.usage(p)
	if err != nil {
		return usage{}, err
	}
	if err := ph.do(b.ctx); err != nil {
		return usage{}, err
	}
	var last error
	err = wait.PollUntilContextTimeout(b.ctx, 500*time.Millisecond, phaseTimeout, true, func(ctx context.Context) (bool, error) {
		select {
		case <-b.plane.Done():
			return false, b.plane.Err()
		default:
		}
		last = ph.done(ctx)
		return last == nil, nil
	})
	if err != nil {
		return usage{}, errors.Join(err, last)
	}
	wall := time.Now()
	b.pause(afterwards)
	after, err := b.usage(p)
	after.at = wall
	return after.minus(before), err
}

func (b *bench) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-b.ctx.Done():
	}
}

// each does something n times, some at a time.
func each(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(16)
	for i := range n {
		g.Go(func() error { return do(ctx, i) })
	}
	return g.Wait()
}

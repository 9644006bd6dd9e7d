// SPDX-License-Identifier: Apache-2.0

// Command localcluster runs a local control plane with simulated nodes, and
// beside it a command, usually the manager of this repository, until Ctrl-C or
// until either of them ends:
//
//	go run ./hack/localcluster --nodes=5 -- bin/kube-controller-manager --kubeconfig={manager}
//
// In the command's arguments {admin} and {manager} stand for the kubeconfigs of
// an administrator and of the manager, {dir} for the folder with all files, and
// {kubectl} for a kubectl that fits.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

func main() {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	c := &cluster{out: os.Stdout, signals: signals, exit: os.Exit}
	os.Exit(c.run(os.Args[1:]))
}

type cluster struct {
	out     io.Writer
	signals <-chan os.Signal
	exit    func(code int) // ends the program at once; the kernel then ends its children

	nodes    int
	dir      string
	timeout  time.Duration
	hintFile string
	command  []string
}

// run returns the exit code: the command's own, 0 after a wanted end, 1 when
// anything else ended it.
func (c *cluster) run(args []string) int {
	if err := c.parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		c.printf("localcluster: %v\n", err)
		return 2
	}
	plane, err := c.start()
	if errors.Is(err, context.Canceled) {
		c.printf("Stopped.\n")
		return 130
	}
	if err != nil {
		c.printf("localcluster: %v\n", err)
		return 1
	}
	defer c.stop(plane)
	hint, err := c.hint(plane)
	if err != nil {
		c.printf("localcluster: %v\n", err)
		return 1
	}
	c.printf("\n%s\n", hint)
	return c.serve(plane)
}

func (c *cluster) parse(args []string) error {
	flags := flag.NewFlagSet("localcluster", flag.ContinueOnError)
	flags.SetOutput(c.out)
	flags.IntVar(&c.nodes, "nodes", 5, "number of simulated nodes")
	flags.StringVar(&c.dir, "dir", "", "folder for kubeconfigs, keys and logs (default .run in the repository)")
	flags.DurationVar(&c.timeout, "timeout", 2*time.Minute, "time within which all must be ready")
	flags.StringVar(&c.hintFile, "hint-file", "", "text to print when all is ready, instead of the built-in one")
	flags.Usage = func() {
		c.printf("usage: localcluster [flags] [-- command [argument...]]\n")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	c.command = flags.Args()
	if c.dir != "" {
		return nil
	}
	root, err := testkit.RepoRoot()
	c.dir = filepath.Join(root, ".run")
	return err
}

// start brings the plane up. A signal gives the start up, a second one at once.
func (c *cluster) start() (*testkit.Plane, error) {
	ctx, cancel := context.WithTimeout(context.Background(), c.timeout)
	defer cancel()
	done := make(chan struct{})
	defer close(done)
	go func() {
		for range 2 {
			select {
			case <-c.signals:
				if ctx.Err() != nil {
					c.exit(130)
				}
				c.printf("Stopping; once more to end at once.\n")
				cancel()
			case <-done:
				return
			}
		}
	}()
	c.printf("Starting a local control plane with %d nodes in %s; Ctrl-C stops it.\n\n", c.nodes, c.dir)
	since := time.Now()
	plane, err := testkit.Start(ctx, testkit.Options{Nodes: c.nodes, Dir: c.dir, Log: indent{c.out}})
	if err == nil {
		c.printf("  %-24s after    %4.1f s\n", "all", time.Since(since).Seconds())
	}
	return plane, err
}

// serve runs the command until it ends, a component ends, or a signal comes.
func (c *cluster) serve(plane *testkit.Plane) int {
	var exited <-chan struct{} // never, without a command
	var cmd *command
	if len(c.command) > 0 {
		var err error
		if cmd, err = startCommand(expand(c.command, placeholders(plane))); err != nil {
			c.printf("localcluster: %v\n", err)
			return 1
		}
		exited = cmd.exited
		c.printf("Started %s (pid %d).\n\n", c.command[0], cmd.pid())
	}
	select {
	case <-exited:
		return c.report(cmd)
	case <-plane.Done():
		c.printf("\n%v\n", plane.Err())
		if cmd != nil {
			cmd.stop(c.signals)
		}
		return 1
	case <-c.signals:
		c.printf("\nStopping; once more to end at once.\n")
		if cmd != nil {
			cmd.stop(c.signals)
			return c.report(cmd)
		}
		return 0
	}
}

// report says how the command ended, when that was not well.
func (c *cluster) report(cmd *command) int {
	code := cmd.code()
	if code != 0 {
		c.printf("\n%s ended: %v\n", c.command[0], cmd.err)
	}
	return code
}

// stop ends the plane, or this program at once when another signal comes.
func (c *cluster) stop(plane *testkit.Plane) {
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		plane.Stop()
	}()
	select {
	case <-stopped:
		c.printf("Stopped. Logs and keys are in %s.\n", c.dir)
	case <-c.signals:
		c.exit(130)
	}
}

func (c *cluster) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(c.out, format, args...)
}

// indent sets the lines of the start apart.
type indent struct{ out io.Writer }

func (i indent) Write(line []byte) (int, error) {
	_, err := fmt.Fprintf(i.out, "  %s", line)
	return len(line), err
}

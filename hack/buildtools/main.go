// SPDX-License-Identifier: Apache-2.0

// Command buildtools builds the programs that the local control plane needs, in
// the versions pinned by the modules below hack/tools, into .tools. What is there
// already, or found in the right version elsewhere, is not built.
//
//	go run ./hack/buildtools [name...]
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "buildtools:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, names []string) error {
	root, err := testkit.RepoRoot()
	if err != nil {
		return err
	}
	tools, err := testkit.Tools(root)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !slices.ContainsFunc(tools, func(t testkit.Tool) bool { return t.Name == name }) {
			return fmt.Errorf("%q is not one of the pinned programs", name)
		}
	}
	if len(names) > 0 {
		tools = slices.DeleteFunc(tools, func(t testkit.Tool) bool { return !slices.Contains(names, t.Name) })
	}
	missing := report(ctx, root, tools)
	if len(missing) == 0 {
		return nil
	}
	unlock, err := lock(ctx, filepath.Join(root, ".tools"))
	if err != nil {
		return err
	}
	defer unlock()
	// Another build may have made them while this one waited.
	missing = slices.DeleteFunc(missing, func(t testkit.Tool) bool {
		_, ok := t.Find(ctx)
		return ok
	})
	if len(missing) == 0 {
		return nil
	}
	fmt.Printf("Building %d of %d programs; the first, cold build takes about 15 minutes, later ones seconds.\n",
		len(missing), len(tools))
	for _, tool := range missing {
		if err := build(ctx, tool); err != nil {
			return fmt.Errorf("%s: %w", tool.Name, err)
		}
	}
	return nil
}

// report prints where each program is, and returns those that are nowhere.
func report(ctx context.Context, root string, tools []testkit.Tool) (missing []testkit.Tool) {
	for _, tool := range tools {
		path, ok := tool.Find(ctx)
		if !ok {
			missing = append(missing, tool)
			continue
		}
		where := "found, used as it is: " + path
		if path == tool.Path {
			where = "built: " + strings.TrimPrefix(path, root+"/")
		}
		fmt.Printf("%-24s %-8s %s\n", tool.Name, tool.Version, where)
	}
	return missing
}

// lock lets one build run at a time: two would do all the work twice, and each at
// half the speed.
func lock(ctx context.Context, dir string) (unlock func(), err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	unlock = func() { _ = file.Close() }
	said := false
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return unlock, nil
		}
		if !said {
			fmt.Println("Another build is running; waiting for it.")
			said = true
		}
		select {
		case <-ctx.Done():
			unlock()
			return nil, ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// build compiles to a temporary name beside the final one, so that nobody ever
// sees half a program.
func build(ctx context.Context, tool testkit.Tool) error {
	fmt.Printf("%-24s %-8s building %s\n", tool.Name, tool.Version, tool.Package)
	since := time.Now()
	if err := os.MkdirAll(filepath.Dir(tool.Path), 0o755); err != nil {
		return err
	}
	temp := tool.Path + ".building"
	defer os.Remove(temp) //nolint:errcheck // it is gone when all went well
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", ldflags(tool), "-o", temp, tool.Package)
	cmd.Dir = tool.Module
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	// On an interrupt go starts no further compilers and cleans up after itself.
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	if err := wait(cmd, func() {
		fmt.Printf("%-24s %-8s still building, %.0f s\n", tool.Name, tool.Version, time.Since(since).Seconds())
	}); err != nil {
		return err
	}
	if err := os.Rename(temp, tool.Path); err != nil {
		return err
	}
	fmt.Printf("%-24s %-8s done after %.0f s\n", tool.Name, tool.Version, time.Since(since).Seconds())
	return nil
}

// wait runs a command and calls progress every now and then.
func wait(cmd *exec.Cmd, progress func()) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	finished := make(chan error, 1)
	go func() { finished <- cmd.Wait() }()
	ticker := time.NewTicker(15 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case err := <-finished:
			return err
		case <-ticker.C:
			progress()
		}
	}
}

// ldflags stamp the version, which a build from the module cache does not know.
// The API server in particular acts on it: it decides which APIs are served.
func ldflags(tool testkit.Tool) string {
	switch tool.Name {
	case testkit.Etcd:
		return "-s -w"
	case testkit.Kwok:
		return "-s -w -X sigs.k8s.io/kwok/pkg/consts.Version=" + tool.Version
	}
	const pkg = "k8s.io/component-base/version"
	number := strings.Split(strings.TrimPrefix(tool.Version, "v"), ".")
	return fmt.Sprintf("-s -w -X %[1]s.gitMajor=%[2]s -X %[1]s.gitMinor=%[3]s -X %[1]s.gitVersion=%[4]s -X %[1]s.gitTreeState=clean",
		pkg, number[0], number[1], tool.Version)
}

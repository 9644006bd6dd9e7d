// SPDX-License-Identifier: Apache-2.0

package config

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/klog/v2/ktesting"
)

// The interval of these tests never elapses, unless a test is about it: what is
// noticed was noticed by events.
const never = time.Hour

func watch(t *testing.T, path string, poll time.Duration) (*Watcher, <-chan Content) {
	t.Helper()
	return watchAll(t, Paths{File: path}, poll)
}

func watchAll(t *testing.T, paths Paths, poll time.Duration) (*Watcher, <-chan Content) {
	t.Helper()
	logger, _ := ktesting.NewTestContext(t)
	w, out := NewWatcher(paths, paths.Read(), logger), make(chan Content)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); w.Run(ctx, poll, out) }()
	t.Cleanup(func() { cancel(); <-done })
	return w, out
}

func expect(t *testing.T, out <-chan Content, want string) {
	t.Helper()
	for {
		select {
		case c := <-out:
			if string(c.Data) == want && c.Err == nil {
				return
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("content %q was not noticed", want)
		}
	}
}

func expectGone(t *testing.T, out <-chan Content) {
	t.Helper()
	select {
	case c := <-out:
		if !errors.Is(c.Err, fs.ErrNotExist) {
			t.Fatalf("got %q, %v; want the file to be missing", c.Data, c.Err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the missing file was not noticed")
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWatchWriteInPlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.yaml")
	write(t, path, "one")
	_, out := watch(t, path, never)
	write(t, path, "two")
	expect(t, out, "two")
	write(t, path, "one")
	expect(t, out, "one")
}

func TestWatchEditorsRename(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.yaml")
	write(t, path, "one")
	_, out := watch(t, path, never)
	for _, content := range []string{"two", "three"} {
		write(t, path+".new", content)
		do(t, os.Rename(path+".new", path))
		expect(t, out, content)
	}
}

func TestWatchFileGoneForAMoment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.yaml")
	write(t, path, "one")
	_, out := watch(t, path, never)
	do(t, os.Remove(path))
	expectGone(t, out)
	write(t, path, "one")
	expect(t, out, "one")
}

// A ConfigMap volume is c.yaml -> ..data/c.yaml, ..data -> ..1; an update makes
// ..2, and renames a new link over ..data.
func TestWatchConfigMapSwap(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "c.yaml")
	version := func(name, content string) {
		do(t, os.Mkdir(filepath.Join(dir, name), 0o700))
		write(t, filepath.Join(dir, name, "c.yaml"), content)
		do(t, os.Symlink(name, filepath.Join(dir, "..tmp")))
		do(t, os.Rename(filepath.Join(dir, "..tmp"), filepath.Join(dir, "..data")))
	}
	version("..1", "one")
	do(t, os.Symlink("..data/c.yaml", path))
	_, out := watch(t, path, never)
	version("..2", "two")
	do(t, os.RemoveAll(filepath.Join(dir, "..1")))
	expect(t, out, "two")
	version("..3", "three")
	expect(t, out, "three")
}

// The link leads out of its folder; the target is written in place.
func TestWatchTargetElsewhere(t *testing.T) {
	target, path := filepath.Join(t.TempDir(), "real.yaml"), filepath.Join(t.TempDir(), "c.yaml")
	write(t, target, "one")
	do(t, os.Symlink(target, path))
	_, out := watch(t, path, never)
	write(t, target, "two")
	expect(t, out, "two")
}

func TestWatchTouchIsNoChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.yaml")
	write(t, path, "one")
	w, out := watch(t, path, never)
	do(t, os.Chtimes(path, time.Now(), time.Now()))
	write(t, path, "one")
	w.Look()
	write(t, path, "two")
	select {
	case c := <-out:
		if string(c.Data) == "one" {
			t.Error("the same content was reported")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the change was not noticed")
	}
}

// Events can be lost: here the folder is replaced, which inotify does not tell.
func TestWatchIntervalIsTheGuarantee(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "etc")
	do(t, os.Mkdir(dir, 0o700))
	path := filepath.Join(dir, "c.yaml")
	write(t, path, "one")
	w, out := watch(t, path, never)
	do(t, os.Rename(dir, dir+".old"))
	do(t, os.Mkdir(dir, 0o700))
	write(t, path, "two")
	w.SetPoll(10 * time.Millisecond)
	expect(t, out, "two")
}

// SPDX-License-Identifier: Apache-2.0

package material

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/klog/v2"
	testclock "k8s.io/utils/clock/testing"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// join accepts any pair of files that are not empty.
func join(contents [][]byte) (string, error) {
	if len(contents[0]) == 0 || len(contents[1]) == 0 {
		return "", errors.New("is empty")
	}
	return string(contents[0]) + "+" + string(contents[1]), nil
}

type fixture struct {
	*Files[string]

	t       *testing.T
	dir     string
	clock   *testclock.FakeClock
	changed chan struct{}
}

func (f *fixture) path(name string) string { return filepath.Join(f.dir, name) }

func (f *fixture) write(name, content string) {
	f.t.Helper()
	do(f.t, os.WriteFile(f.path(name), []byte(content), 0o600))
}

func (f *fixture) becomes(value string, healthy bool) {
	f.t.Helper()
	testkit.Eventually(f.t, 10*time.Second, func() error {
		if got, err := f.Current(), f.Health(); got != value || (err == nil) != healthy {
			return errors.Join(errors.New("value "+got), err)
		}
		return nil
	})
}

func open(t *testing.T) *fixture {
	f := &fixture{t: t, dir: t.TempDir(), clock: testclock.NewFakeClock(time.Now()), changed: make(chan struct{}, 100)}
	f.write("cert", "a")
	f.write("key", "b")
	files, err := Open([]string{f.path("cert"), f.path("key")}, join, f.clock, klog.Background())
	do(t, err)
	f.Files = files
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); f.Run(ctx, func() { f.changed <- struct{}{} }) }()
	t.Cleanup(func() { cancel(); <-done })
	return f
}

func TestFirstContentMustBeGood(t *testing.T) {
	dir := t.TempDir()
	paths := []string{filepath.Join(dir, "cert"), filepath.Join(dir, "key")}
	if _, err := Open(paths, join, testclock.NewFakeClock(time.Now()), klog.Background()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing files: %v", err)
	}
	for _, path := range paths {
		do(t, os.WriteFile(path, nil, 0o600))
	}
	if _, err := Open(paths, join, testclock.NewFakeClock(time.Now()), klog.Background()); err == nil {
		t.Error("empty files are accepted")
	}
}

func TestBrokenFilesChangeNothing(t *testing.T) {
	f := open(t)
	f.becomes("a+b", true)
	f.write("key", "")
	f.becomes("a+b", false)
	do(t, os.Remove(f.path("key")))
	f.becomes("a+b", false)
	f.write("key", "b")
	f.becomes("a+b", true)
	if len(f.changed) != 0 {
		t.Error("a change was reported where the value is as before")
	}
	f.write("key", "c")
	f.becomes("a+c", true)
	<-f.changed
}

func TestSwappedLinks(t *testing.T) {
	f := open(t)
	for _, version := range []string{"1", "2"} {
		do(t, os.Mkdir(f.path(version), 0o700))
		f.write(version+"/cert", "a"+version)
		f.write(version+"/key", "b"+version)
	}
	link := func(target, name string) {
		do(t, os.Symlink(target, f.path("tmp")))
		do(t, os.Rename(f.path("tmp"), f.path(name)))
	}
	link("1", "data")
	link("data/cert", "cert")
	link("data/key", "key")
	f.becomes("a1+b1", true)
	link("2", "data")
	f.becomes("a2+b2", true)
}

func TestComparesWithoutEvents(t *testing.T) {
	f := open(t)
	// A link two folders away is in none of the watched folders.
	elsewhere := t.TempDir()
	for _, version := range []string{"1", "2"} {
		do(t, os.Mkdir(filepath.Join(elsewhere, version), 0o700))
		do(t, os.WriteFile(filepath.Join(elsewhere, version, "key"), []byte("d"+version), 0o600))
	}
	link := func(target, name string) {
		do(t, os.Symlink(target, name+".tmp"))
		do(t, os.Rename(name+".tmp", name))
	}
	link("1", filepath.Join(elsewhere, "data"))
	link(filepath.Join(elsewhere, "data", "key"), f.path("key"))
	f.becomes("a+d1", true)
	link("2", filepath.Join(elsewhere, "data"))
	f.clock.Step(Poll)
	f.becomes("a+d2", true)
}

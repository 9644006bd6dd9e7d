// SPDX-License-Identifier: Apache-2.0

package leader

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/ktesting"
)

func do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func lockFile(t *testing.T) string { return filepath.Join(t.TempDir(), "leader.lock") }

func fileLock(t *testing.T, path, identity string) *FileLock {
	t.Helper()
	l, err := NewFileLock(path, identity, time.Hour, klog.Background())
	do(t, err)
	t.Cleanup(l.Close)
	return l
}

func holderOf(t *testing.T, l *FileLock) string {
	t.Helper()
	r, _, err := l.Get(context.Background())
	do(t, err)
	return r.HolderIdentity
}

func record(holder string) resourcelock.LeaderElectionRecord {
	return resourcelock.LeaderElectionRecord{HolderIdentity: holder, LeaseDurationSeconds: 15}
}

func TestFileLockHasOneHolder(t *testing.T) {
	path, ctx := lockFile(t), context.Background()
	a, b := fileLock(t, path, "a"), fileLock(t, path, "b")
	if h := holderOf(t, a); h != "" {
		t.Fatalf("a new lock is held by %q", h)
	}
	// Between the lock and the record nobody knows the holder's name, yet it is held.
	if h := holderOf(t, b); h == "" || h == "b" {
		t.Errorf("a lock without a record is held by %q", h)
	}
	do(t, a.Update(ctx, record("a")))
	if h := holderOf(t, b); h != "a" {
		t.Errorf("held by %q, want a", h)
	}
	if err := b.Update(ctx, record("b")); !conflict(err) {
		t.Errorf("a second holder: %v", err)
	}
	if h := holderOf(t, a); h != "a" {
		t.Errorf("the holder sees %q", h)
	}
	do(t, a.Update(ctx, record("")))
	if h := holderOf(t, b); h != "" {
		t.Errorf("after the release held by %q", h)
	}
	do(t, b.Update(ctx, record("b")))
	if h := holderOf(t, a); h != "b" {
		t.Errorf("held by %q, want b", h)
	}
}

// A contender must never believe that a lock expired: the kernel has it.
func TestFileLockOfOthersNeverExpires(t *testing.T) {
	path, ctx := lockFile(t), context.Background()
	a, b := fileLock(t, path, "a"), fileLock(t, path, "b")
	holderOf(t, a)
	do(t, a.Update(ctx, record("a")))
	_, first, err := b.Get(ctx)
	do(t, err)
	_, second, err := b.Get(ctx)
	do(t, err)
	if string(first) == string(second) {
		t.Error("two looks at a lock are one observation")
	}
}

func TestFileLockIsLostWithItsPath(t *testing.T) {
	for name, replace := range map[string]func(path string) error{
		"removed": os.Remove,
		"replaced": func(path string) error {
			return errors.Join(os.WriteFile(path+".new", nil, 0o600), os.Rename(path+".new", path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path, ctx := lockFile(t), context.Background()
			a, b := fileLock(t, path, "a"), fileLock(t, path, "b")
			holderOf(t, a)
			do(t, a.Update(ctx, record("a")))
			do(t, replace(path))
			if h := holderOf(t, b); h != "" {
				t.Fatalf("the new file is held by %q", h)
			}
			do(t, b.Update(ctx, record("b")))
			if err := a.Update(ctx, record("a")); !conflict(err) {
				t.Errorf("renewing a lock that nobody sees: %v", err)
			}
			if h := holderOf(t, a); h != "b" {
				t.Errorf("the former holder sees %q", h)
			}
		})
	}
}

func TestFileLockIsDurableAndReadable(t *testing.T) {
	path := lockFile(t)
	a := fileLock(t, path, "a-with-a-long-name")
	holderOf(t, a)
	do(t, a.Update(context.Background(), record("a-with-a-long-name")))
	r := a.read()
	if r.HolderIdentity != "a-with-a-long-name" || r.Owner != self() || r.Owner.gone() != "" {
		t.Errorf("record %+v, process %+v", r, self())
	}
	do(t, a.Update(context.Background(), record("")))
	if data, err := os.ReadFile(path); err != nil || !json.Valid(data) {
		t.Errorf("a shorter record leaves %q, %v", data, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// ended is a process that has ended.
func ended(t *testing.T) process {
	t.Helper()
	cmd := exec.Command("true")
	do(t, cmd.Run())
	return process{PID: cmd.Process.Pid, Started: "1", Boot: bootID()}
}

func TestOwners(t *testing.T) {
	reused := self()
	reused.Started = "1"
	booted := self()
	booted.Boot = "another"
	for _, tc := range []struct {
		name string
		p    process
		want string
	}{
		{"this one", self(), ""},
		{"no record", process{}, ""},
		{"only a pid", process{PID: os.Getpid()}, ""},
		{"ended", ended(t), "does not exist"},
		{"pid of another", reused, "is another one"},
		{"before a boot", booted, "booted"},
	} {
		if got := tc.p.gone(); (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestFileLockOfTheDead(t *testing.T) {
	for name, content := range map[string]string{
		"nothing": "", "half a record": `{"holderIdentity": "b`, "zeroes": "\x00\x00\x00", "dead": "dead", "reused": "reused",
	} {
		t.Run(name, func(t *testing.T) {
			path := lockFile(t)
			owner := process{}
			switch content {
			case "dead":
				owner = ended(t)
			case "reused":
				owner = self()
				owner.Started = "1"
			}
			if owner.PID > 0 {
				data, err := json.Marshal(fileRecord{LeaderElectionRecord: record("b"), Owner: owner})
				do(t, err)
				content = string(data)
			}
			do(t, os.WriteFile(path, []byte(content), 0o600))
			logger, _ := ktesting.NewTestContext(t)
			a, err := NewFileLock(path, "a", 0, logger)
			do(t, err)
			defer a.Close()
			if h := holderOf(t, a); h != "" {
				t.Errorf("held by %q", h)
			}
			do(t, a.Update(context.Background(), record("a")))
		})
	}
}

// A lock that is held though its recorded owner is gone belongs to somebody: it
// is not stolen.
func TestFileLockOfTheUnknownIsNotStolen(t *testing.T) {
	path := lockFile(t)
	a, b := fileLock(t, path, "a"), fileLock(t, path, "b")
	holderOf(t, a)
	data, err := json.Marshal(fileRecord{LeaderElectionRecord: record("c"), Owner: ended(t)})
	do(t, err)
	do(t, os.WriteFile(path, data, 0o600))
	if h := holderOf(t, b); h != "c" || b.warned.PID == 0 {
		t.Errorf("held by %q, warned about %+v", h, b.warned)
	}
}

func TestFileSystemsThatCannotLock(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.ENOLCK, syscall.EOPNOTSUPP, syscall.ENOSYS, syscall.EINVAL} {
		l := &FileLock{path: lockFile(t), flock: func(int, int) error { return errno }}
		if err := l.probe(); !errors.Is(err, ErrNoFlock) || !strings.Contains(err.Error(), l.path) {
			t.Errorf("%v: %v", errno, err)
		}
	}
	if _, err := NewFileLock("/does/not/exist/lock", "a", 0, klog.Background()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
}

// The path may be replaced between open and lock.
func TestFileLockWinsTheRaceWithAReplacement(t *testing.T) {
	path := lockFile(t)
	calls := 0
	l := &FileLock{path: path, identity: "a", flock: func(fd, how int) error {
		if calls++; calls == 1 {
			do(t, os.Remove(path))
		}
		return syscall.Flock(fd, how)
	}}
	defer l.Close()
	if h := holderOf(t, l); h != "" || calls != 2 || !l.names(l.file) {
		t.Errorf("held by %q after %d calls", h, calls)
	}
}

// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const tempPrefix = "kube-live-testkit-"

// A folder is the place of one plane, held by a lock for as long as it runs.
type folder struct {
	path string
	temp bool
	lock *os.File
}

// openFolder takes dir, or a new temporary folder when it is empty.
func openFolder(dir string) (*folder, error) {
	f := &folder{path: dir, temp: dir == ""}
	var err error
	if f.temp {
		sweep()
		f.path, err = os.MkdirTemp("", tempPrefix)
	} else if f.path, err = filepath.Abs(dir); err == nil {
		err = os.MkdirAll(f.path, 0o700)
	}
	if err != nil {
		return nil, err
	}
	if f.lock, err = lockFile(filepath.Join(f.path, "lock")); err != nil {
		return nil, fmt.Errorf("another control plane uses %s: %w", f.path, err)
	}
	return f, f.clear()
}

// clear removes what a former plane left and makes the folders of this one.
func (f *folder) clear() error {
	for _, name := range []string{"etcd", "logs", "pki", "kwok"} {
		path := filepath.Join(f.path, name)
		if err := os.RemoveAll(path); err != nil {
			return err
		}
		if err := os.MkdirAll(path, 0o700); err != nil {
			return err
		}
	}
	return nil
}

// close gives the folder up. A temporary one goes as a whole, of a given one
// only the database: keys and logs may be asked for after the end.
func (f *folder) close() error {
	defer f.lock.Close() //nolint:errcheck // nothing was written to it
	if f.temp {
		return os.RemoveAll(f.path)
	}
	return os.RemoveAll(filepath.Join(f.path, "etcd"))
}

func lockFile(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// sweep removes temporary folders whose plane was killed together with its test:
// each holds a database of some 100 MB. A plane that still runs holds its lock; one
// that is just being made may not have it yet, so young folders are left alone.
func sweep() {
	folders, _ := filepath.Glob(filepath.Join(os.TempDir(), tempPrefix+"*"))
	for _, dir := range folders {
		path := filepath.Join(dir, "lock")
		if info, err := os.Stat(path); err != nil || time.Since(info.ModTime()) < time.Minute {
			continue
		}
		lock, err := lockFile(path)
		if err != nil {
			continue
		}
		_ = os.RemoveAll(dir)
		_ = lock.Close()
	}
}

// SPDX-License-Identifier: Apache-2.0

// Package material keeps what controllers read from files of key material
// current: a new content is parsed as a whole and then replaces the old one, and
// a content that cannot be parsed replaces nothing.
package material

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"
)

const (
	// Poll is how often files are compared although no event told of a change:
	// some file systems have none. Upstream's interval.
	Poll = time.Minute
	// settle is how long files must be quiet before they are read, for a pair is
	// written one file after the other.
	settle = 50 * time.Millisecond
)

// Parse makes a value of the contents of all files, in the order of their paths.
type Parse[T any] func(contents [][]byte) (T, error)

// Files is the value made of some files, kept current while Run runs.
type Files[T any] struct {
	paths  []string
	parse  Parse[T]
	clock  clock.WithTicker
	logger klog.Logger

	mu       sync.Mutex
	contents [][]byte
	value    T
	err      error
}

// Open reads the files for the first time, which must succeed.
func Open[T any](paths []string, parse Parse[T], clock clock.WithTicker, logger klog.Logger) (*Files[T], error) {
	f := &Files[T]{paths: paths, parse: parse, clock: clock, logger: logger}
	f.read()
	if f.err != nil {
		return nil, f.err
	}
	return f, nil
}

// Current is the value of the last good content.
func (f *Files[T]) Current() T {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.value
}

// Health says why the files as they are now are not in use; nil when they are.
func (f *Files[T]) Health() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// Run follows the files until the context ends. It calls changed, which may be
// nil, after each new value.
func (f *Files[T]) Run(ctx context.Context, changed func()) {
	events, err := fsnotify.NewWatcher()
	if err != nil {
		f.logger.Info("No file events, comparing the content at an interval only", "files", f.paths, "err", err)
	} else {
		defer func() { _ = events.Close() }()
	}
	ticker := f.clock.NewTicker(Poll)
	defer ticker.Stop()
	quiet := time.NewTimer(0)
	defer quiet.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-eventsOf(events):
			quiet.Reset(settle)
		case <-errorsOf(events):
			quiet.Reset(0)
		case <-ticker.C():
			quiet.Reset(0)
		case <-quiet.C:
			f.follow(events)
			if f.read() && changed != nil {
				changed()
			}
		}
	}
}

// read takes the files' content over and says whether there is a new value.
func (f *Files[T]) read() bool {
	contents := make([][]byte, len(f.paths))
	for i, path := range f.paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.broken(err)
			return false
		}
		contents[i] = data
	}
	f.mu.Lock()
	unchanged := f.contents != nil && slices.EqualFunc(contents, f.contents, bytes.Equal)
	if unchanged {
		f.err = nil // back to what is in use
	}
	f.mu.Unlock()
	if unchanged {
		return false
	}
	value, err := f.parse(contents)
	if err != nil {
		f.broken(fmt.Errorf("%s: %w", strings.Join(f.paths, ", "), err))
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	again := f.contents != nil
	f.contents, f.value, f.err = contents, value, nil
	if again {
		f.logger.Info("Key material was replaced", "files", f.paths)
	}
	return again
}

// broken keeps the value and notes why it is not the files' one. Only news are
// logged, for a broken file is looked at again and again.
func (f *Files[T]) broken(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.contents != nil && (f.err == nil || f.err.Error() != err.Error()) {
		f.logger.Error(err, "Key material cannot be used, the last good one stays in use", "files", f.paths)
	}
	f.err = err
}

// follow subscribes to the folders of the files and of what links there lead to,
// and to no others.
func (f *Files[T]) follow(events *fsnotify.Watcher) {
	if events == nil {
		return
	}
	wanted := map[string]bool{}
	for _, path := range f.paths {
		wanted[filepath.Dir(path)] = true
		if target, err := filepath.EvalSymlinks(path); err == nil {
			wanted[filepath.Dir(target)] = true
		}
	}
	for _, folder := range events.WatchList() {
		if !wanted[folder] {
			_ = events.Remove(folder) // gone with an old target, usually
		}
		delete(wanted, folder)
	}
	for folder := range wanted {
		if err := events.Add(folder); err != nil {
			f.logger.V(2).Info("No events for a folder", "folder", folder, "err", err)
		}
	}
}

func eventsOf(w *fsnotify.Watcher) <-chan fsnotify.Event {
	if w == nil {
		return nil
	}
	return w.Events
}

func errorsOf(w *fsnotify.Watcher) <-chan error {
	if w == nil {
		return nil
	}
	return w.Errors
}

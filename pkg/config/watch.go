// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
	"k8s.io/klog/v2"
)

// settle is how long the file must be quiet before it is read: editors and
// volume managers change several things for one new content.
const settle = 20 * time.Millisecond

// Content is what a look at the file found.
type Content struct {
	Data []byte
	Err  error
}

func (c Content) same(d Content) bool {
	if (c.Err == nil) != (d.Err == nil) {
		return false
	}
	return c.Err != nil && c.Err.Error() == d.Err.Error() || c.Err == nil && bytes.Equal(c.Data, d.Data)
}

// Watcher reports every new content of one file. It notices writes in place,
// renames over it (editors), and swapped symbolic links on the way to it
// (ConfigMaps); and because file systems lose events or have none (NFS), it
// compares the content at an interval too.
type Watcher struct {
	path   string
	logger klog.Logger
	last   Content
	look   chan struct{}
	poll   chan time.Duration
}

// NewWatcher watches path from the content that is in use already.
func NewWatcher(path string, inUse []byte, logger klog.Logger) *Watcher {
	return &Watcher{
		path: path, logger: logger, last: Content{Data: inUse},
		look: make(chan struct{}, 1), poll: make(chan time.Duration, 1),
	}
}

// Look has the file read soon, as after SIGHUP.
func (w *Watcher) Look() {
	select {
	case w.look <- struct{}{}:
	default:
	}
}

// SetPoll changes the interval of comparison.
func (w *Watcher) SetPoll(d time.Duration) {
	select {
	case <-w.poll:
	default:
	}
	w.poll <- d
}

// Run sends every content that differs from the one before, until the context
// ends. A file that is missing or unreadable is a content too.
func (w *Watcher) Run(ctx context.Context, poll time.Duration, out chan<- Content) {
	events, links := w.open()
	if events != nil {
		defer func() { _ = events.Close() }()
	}
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	quiet := time.NewTimer(0)
	defer quiet.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case d := <-w.poll:
			ticker.Reset(d)
		case <-w.look:
			quiet.Reset(0)
		case <-eventsOf(events):
			quiet.Reset(settle)
		case err := <-errorsOf(events):
			w.logger.Info("File events were lost, comparing the content", "file", w.path, "err", err)
			quiet.Reset(0)
		case <-ticker.C:
			quiet.Reset(0)
		case <-quiet.C:
			links = w.follow(events, links)
			if !w.report(ctx, out) {
				return
			}
		}
	}
}

func (w *Watcher) report(ctx context.Context, out chan<- Content) bool {
	data, err := os.ReadFile(w.path)
	now := Content{Data: data, Err: err}
	if now.same(w.last) {
		return true
	}
	w.last = now
	select {
	case out <- now:
		return true
	case <-ctx.Done():
		return false
	}
}

// open subscribes to the folder of the file. Without events the interval alone
// must do.
func (w *Watcher) open() (*fsnotify.Watcher, string) {
	events, err := fsnotify.NewWatcher()
	if err != nil {
		w.logger.Info("No file events, comparing the content at an interval only", "file", w.path, "err", err)
		return nil, ""
	}
	if err := events.Add(filepath.Dir(w.path)); err != nil {
		w.logger.Info("No events for the file's folder", "file", w.path, "err", err)
	}
	return events, w.follow(events, "")
}

// follow subscribes to the folder that the file's symbolic links lead to, when
// it is another than before.
func (w *Watcher) follow(events *fsnotify.Watcher, before string) string {
	if events == nil {
		return ""
	}
	target, err := filepath.EvalSymlinks(w.path)
	if err != nil {
		return before
	}
	folder := filepath.Dir(target)
	if folder == before {
		return before
	}
	if before != "" && before != filepath.Dir(w.path) {
		_ = events.Remove(before) // gone with the old target, usually
	}
	if folder != filepath.Dir(w.path) {
		if err := events.Add(folder); err != nil {
			w.logger.V(2).Info("No events for the target's folder", "folder", folder, "err", err)
		}
	}
	return folder
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

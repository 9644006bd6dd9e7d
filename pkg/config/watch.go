// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
	"k8s.io/klog/v2"
)

// settle is how long the files must be quiet before they are read: editors and
// volume managers change several things for one new content.
const settle = 20 * time.Millisecond

// Content is what a look at all files found, or why one of them could not be
// read.
type Content struct {
	// Data is the content of Paths.File.
	Data []byte
	// DropIns are the files of Paths.Dir in their order.
	DropIns []Source
	Err     error
}

func (c Content) same(d Content) bool {
	if c.Err != nil || d.Err != nil {
		return c.Err != nil && d.Err != nil && c.Err.Error() == d.Err.Error()
	}
	return bytes.Equal(c.Data, d.Data) && slices.EqualFunc(c.DropIns, d.DropIns, func(a, b Source) bool {
		return a.Name == b.Name && bytes.Equal(a.Data, b.Data)
	})
}

// Watcher reports every new content of a file, of a folder of drop-ins, or of
// both as one. It notices writes in place, renames over a file (editors), files
// that come and go, and swapped symbolic links on the way to them (ConfigMaps);
// and because file systems lose events or have none (NFS), it compares the
// content at an interval too.
type Watcher struct {
	paths  Paths
	logger klog.Logger
	last   Content
	look   chan struct{}
	poll   chan time.Duration
}

// NewWatcher watches from the content that is in use already.
func NewWatcher(paths Paths, inUse Content, logger klog.Logger) *Watcher {
	return &Watcher{
		paths: paths, logger: logger, last: inUse,
		look: make(chan struct{}, 1), poll: make(chan time.Duration, 1),
	}
}

// Look has the files read soon, as after SIGHUP.
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
// ends. A file or folder that is missing or unreadable is a content too.
func (w *Watcher) Run(ctx context.Context, poll time.Duration, out chan<- Content) {
	events := w.open()
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
		case e := <-eventsOf(events):
			if w.concerns(e) {
				quiet.Reset(settle)
			}
		case err := <-errorsOf(events):
			w.logger.Info("File events were lost, comparing the content", "files", w.paths, "err", err)
			quiet.Reset(0)
		case <-ticker.C:
			quiet.Reset(0)
		case <-quiet.C:
			w.follow(events)
			if !w.report(ctx, out) {
				return
			}
		}
	}
}

func (w *Watcher) report(ctx context.Context, out chan<- Content) bool {
	now := w.paths.Read()
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

// open subscribes to events. Without them the interval alone must do.
func (w *Watcher) open() *fsnotify.Watcher {
	events, err := fsnotify.NewWatcher()
	if err != nil {
		w.logger.Info("No file events, comparing the content at an interval only", "files", w.paths, "err", err)
		return nil
	}
	w.follow(events)
	return events
}

// concerns says whether an event may be about the configuration. The folder above
// a plain folder of drop-ins is only watched for that one to be replaced.
func (w *Watcher) concerns(e fsnotify.Event) bool {
	folder, entry := w.above()
	return filepath.Dir(e.Name) != folder || filepath.Base(e.Name) == entry || w.folders()[folder]
}

// above is the folder in which the folder of drop-ins is, and its name there.
func (w *Watcher) above() (folder, entry string) {
	if w.paths.Dir == "" {
		return "", ""
	}
	dir := filepath.Clean(w.paths.Dir)
	return resolved(filepath.Dir(dir)), filepath.Base(dir)
}

// follow subscribes to the folders that matter now, and to no others: symbolic
// links may lead elsewhere, and a folder that was replaced is another one.
func (w *Watcher) follow(events *fsnotify.Watcher) {
	if events == nil {
		return
	}
	wanted := w.folders()
	if folder, _ := w.above(); folder != "" {
		wanted[folder] = true
	}
	for _, folder := range events.WatchList() {
		if !wanted[folder] {
			_ = events.Remove(folder) // gone with an old target, usually
		}
		delete(wanted, folder)
	}
	for folder := range wanted {
		if err := events.Add(folder); err != nil {
			w.logger.V(2).Info("No events for a folder", "folder", folder, "err", err)
		}
	}
}

// folders are those in which a change of an entry may be one of the
// configuration: where the files and links to them are.
func (w *Watcher) folders() map[string]bool {
	found := map[string]bool{}
	add := func(path string) {
		found[resolved(filepath.Dir(path))] = true
		found[filepath.Dir(resolved(path))] = true
	}
	if w.paths.File != "" {
		add(filepath.Clean(w.paths.File))
	}
	if w.paths.Dir != "" {
		dir := filepath.Clean(w.paths.Dir)
		found[resolved(dir)] = true
		if info, err := os.Lstat(dir); err == nil && info.Mode()&os.ModeSymlink != 0 {
			add(dir) // through other links beside it, maybe
		}
	}
	names, _ := w.paths.dropIns() // reading tells what is wrong
	for _, name := range names {
		add(name)
	}
	return found
}

// resolved is a path without symbolic links, as far as there are any that lead
// somewhere.
func resolved(path string) string {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		return target
	}
	return path
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

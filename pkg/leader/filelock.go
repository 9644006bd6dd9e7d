// SPDX-License-Identifier: Apache-2.0

package leader

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/klog/v2"
)

// filePeriod is how often a file lock is tried, and checked while it is held:
// a system call or two, which cost nothing.
const filePeriod = 100 * time.Millisecond

// ErrNoFlock means that the file system of a lock file cannot lock.
var ErrNoFlock = errors.New("the file system does not support flock(2), use a local one")

// fileRecord is the content of a lock file.
type fileRecord struct {
	resourcelock.LeaderElectionRecord `json:",inline"`
	// Owner is the process that wrote the record.
	Owner process `json:"owner"`
}

// FileLock is a lock that processes of one host share: flock(2) on a file. The
// kernel frees it when its owner ends, however it ends. The record in the file
// only says who that is; it decides nothing. FileLock is a resourcelock.Interface
// and safe for concurrent use.
type FileLock struct {
	path, identity string
	// pause is the least time between two records that only renew.
	pause  time.Duration
	logger klog.Logger
	flock  func(fd, how int) error

	mu   sync.Mutex
	file *os.File // locked, or nil
	// written is when this process last wrote its record.
	written time.Time
	// looks makes every look at a lock of others a new observation, so that it
	// never counts as expired: the kernel knows better than a clock.
	looks int
	// warned is the owner that was said to be gone.
	warned process
}

var _ resourcelock.Interface = (*FileLock)(nil)

// NewFileLock makes a lock on the file of that path. A record is renewed every
// pause. An error that is ErrNoFlock means that the file system cannot lock;
// others are about access to the file. Nothing is locked yet.
func NewFileLock(path, identity string, pause time.Duration, logger klog.Logger) (*FileLock, error) {
	l := &FileLock{path: path, identity: identity, pause: pause, logger: logger, flock: syscall.Flock}
	return l, l.probe()
}

// probe finds out whether the file can be locked. Somebody else's lock is proof
// enough.
func (l *FileLock) probe() error {
	f, err := l.take()
	if f != nil {
		return f.Close()
	}
	return err
}

// take opens and locks the file; nil when another process has it. The path may
// be replaced between the two, so what was locked must still be what the path
// names.
func (l *FileLock) take() (*os.File, error) {
	for {
		f, err := os.OpenFile(l.path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, fmt.Errorf("lock file: %w", err)
		}
		switch err := l.flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
		case errors.Is(err, syscall.EWOULDBLOCK):
			return nil, f.Close()
		case errors.Is(err, syscall.EINTR):
			_ = f.Close()
			continue
		case unsupported(err):
			_ = f.Close()
			return nil, fmt.Errorf("lock file %s: %w (%w)", l.path, ErrNoFlock, err)
		case err != nil:
			_ = f.Close()
			return nil, fmt.Errorf("lock file %s: %w", l.path, err)
		}
		if l.names(f) {
			return f, nil
		}
		_ = f.Close()
	}
}

func unsupported(err error) bool {
	for _, no := range []error{syscall.ENOTSUP, syscall.EOPNOTSUPP, syscall.ENOSYS, syscall.ENOLCK, syscall.EINVAL} {
		if errors.Is(err, no) {
			return true
		}
	}
	return false
}

// names says whether the path leads to that open file.
func (l *FileLock) names(f *os.File) bool {
	open, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(l.path)
	return err == nil && os.SameFile(open, there)
}

// Get is part of resourcelock.Interface. It takes the lock when it is free; then
// the record has no holder. A file that cannot be locked is an error, never one
// of "not found".
func (l *FileLock) Get(context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	held, err := l.hold()
	if err != nil {
		return nil, nil, err
	}
	r := l.read()
	if !held {
		l.doubt(r)
		if r.HolderIdentity == "" || r.HolderIdentity == l.identity {
			r.HolderIdentity = "another process" // which has not written yet
		}
		l.looks++
		return &r.LeaderElectionRecord, []byte(strconv.Itoa(l.looks)), nil
	}
	if r.HolderIdentity != "" && (r.HolderIdentity != l.identity || l.written.IsZero()) {
		why := r.Owner.gone()
		if why == "" {
			why = "it let go of the file"
		}
		l.logger.Info("The last owner of the lock file did not release it", "file", l.path, "owner", r.HolderIdentity, "pid", r.Owner.PID, "why", why)
		r.HolderIdentity = ""
	}
	raw, err := json.Marshal(r.LeaderElectionRecord)
	return &r.LeaderElectionRecord, raw, err
}

// hold has the lock, still or now. One whose path was replaced is not had any
// more: others cannot see it.
func (l *FileLock) hold() (bool, error) {
	if l.file != nil && l.names(l.file) {
		return true, nil
	}
	l.drop()
	f, err := l.take()
	l.file = f
	return f != nil, err
}

// drop gives the file back without a word in it.
func (l *FileLock) drop() {
	if l.file != nil {
		_ = l.file.Close() // the lock goes with the descriptor
	}
	l.file, l.written = nil, time.Time{}
}

// read is the record in the file: an empty one when there is none that makes
// sense, as after a crash in the middle of the first one.
func (l *FileLock) read() (r fileRecord) {
	data, err := os.ReadFile(l.path)
	if err != nil || json.Unmarshal(bytes.TrimRight(data, "\x00"), &r) != nil {
		return fileRecord{}
	}
	return r
}

// doubt tells people about a lock that is held though its owner is gone.
func (l *FileLock) doubt(r fileRecord) {
	why := r.Owner.gone()
	if why == "" || l.warned == r.Owner {
		return
	}
	l.warned = r.Owner
	l.logger.Info("The lock file is locked, but the owner it names is gone: another process holds it, one that inherited it or one of another host", "file", l.path,
		"owner", r.HolderIdentity, "pid", r.Owner.PID, "why", why)
}

// Create is part of resourcelock.Interface. It is not needed, since Get makes
// the file.
func (l *FileLock) Create(ctx context.Context, r resourcelock.LeaderElectionRecord) error {
	return l.Update(ctx, r)
}

// Update is part of resourcelock.Interface. It writes the record, when it says
// more than that the owner still lives or the pause is over. A record without a
// holder gives the lock up. It fails when this process does not have the lock.
func (l *FileLock) Update(_ context.Context, r resourcelock.LeaderElectionRecord) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil || !l.names(l.file) {
		return apierrors.NewConflict(schema.GroupResource{Resource: "files"}, l.path, errors.New("the lock is lost: the file was replaced or removed, or never locked"))
	}
	if r.HolderIdentity != "" && time.Since(l.written) < l.pause {
		return nil
	}
	if err := write(l.file, fileRecord{LeaderElectionRecord: r, Owner: self()}); err != nil {
		return fmt.Errorf("lock file %s: %w", l.path, err)
	}
	l.written = time.Now()
	if r.HolderIdentity == "" {
		l.drop()
	}
	return nil
}

// write replaces the content of the file and has it on the disk. Readers see the
// old content or the new: it is one write, padded over what was there.
func write(f *os.File, r fileRecord) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	data = append(data, '\n')
	if pad := int(info.Size()) - len(data); pad > 0 {
		data = append(data, bytes.Repeat([]byte{' '}, pad)...)
	}
	if _, err := f.WriteAt(data, 0); err != nil {
		return err
	}
	return f.Sync()
}

// Close gives the lock up, if it is had.
func (l *FileLock) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop()
}

// RecordEvent is part of resourcelock.Interface. There is nobody to tell: a file
// lock sends nothing to the API server.
func (l *FileLock) RecordEvent(string) {}

// Identity is part of resourcelock.Interface.
func (l *FileLock) Identity() string { return l.identity }

// Describe is part of resourcelock.Interface.
func (l *FileLock) Describe() string { return "file " + l.path }

// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

// A process is one running component. Its whole output goes to a log file.
type process struct {
	name    string
	logPath string
	cmd     *exec.Cmd
	// stopping tells a wanted end from a crash.
	stopping atomic.Bool
	exited   chan struct{}
	err      error // why it ended; valid once exited is closed
}

// startProcess starts a program that cannot outlive this one.
//
// The kernel ends the child when the thread that started it ends, not the
// process, and the Go runtime ends threads as it likes. So one goroutine, locked
// to its thread, both starts the child and waits for it: the thread lives exactly
// as long as it must. The child has a process group of its own, so that a Ctrl-C
// in the terminal reaches this program only, which then stops all in order.
func startProcess(name, path, logPath, dir string, env, args []string) (*process, error) {
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close() //nolint:errcheck // the child holds its own descriptor
	p := &process{name: name, logPath: logPath, exited: make(chan struct{})}
	p.cmd = exec.Command(path, args...)
	p.cmd.Dir = dir
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = childAttributes()

	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) running() bool {
	if p == nil {
		return false
	}
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// stop ends the process: politely first, by force after grace. It returns when
// the process is gone. It may be called more than once.
func (p *process) stop(grace time.Duration) {
	if p == nil {
		return
	}
	p.stopping.Store(true)
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
		return
	case <-time.After(grace):
	}
	_ = p.cmd.Process.Kill()
	<-p.exited
}

// failure describes an end that nobody asked for, with the last words of its log.
func (p *process) failure() error {
	return fmt.Errorf("%s ended unexpectedly (%v); the end of its log:\n%s",
		p.name, p.cmd.ProcessState, p.tail(15))
}

// tail returns the last n lines of the log.
func (p *process) tail(n int) string {
	data, err := os.ReadFile(p.logPath)
	if err != nil {
		return err.Error()
	}
	lines := bytes.SplitAfter(bytes.TrimSpace(data), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-n):], nil))
}

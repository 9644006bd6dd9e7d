// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// stopGrace is what the command gets to end by itself: a manager gives its lease
// back and finishes the work in hand.
const stopGrace = 15 * time.Second

// A command is the program that runs beside the plane.
type command struct {
	cmd    *exec.Cmd
	exited chan struct{}
	err    error // valid once exited is closed
}

// startCommand starts a program in a process group of its own: a Ctrl-C in the
// terminal does not reach it, so that it is stopped once and in order, and all
// that it has started is stopped with it. It ends with this program, for the
// reasons and by the means that testkit's components do.
func startCommand(args []string) (*command, error) {
	c := &command{cmd: exec.Command(args[0], args[1:]...), exited: make(chan struct{})}
	c.cmd.Stdout, c.cmd.Stderr = os.Stdout, os.Stderr
	c.cmd.SysProcAttr = groupAttributes()
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := c.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		c.err = c.cmd.Wait()
		// What the command has started and left behind goes with it.
		_ = syscall.Kill(-c.pid(), syscall.SIGKILL)
		close(c.exited)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting the command: %w", err)
	}
	return c, nil
}

func (c *command) pid() int { return c.cmd.Process.Pid }

// code is the exit code, as a shell would give it.
func (c *command) code() int {
	var exit *exec.ExitError
	switch {
	case c.err == nil:
		return 0
	case errors.As(c.err, &exit) && exit.ExitCode() >= 0:
		return exit.ExitCode()
	}
	return 1
}

// stop ends the command and what it has started: politely first, by force after
// a while or on a further signal.
func (c *command) stop(signals <-chan os.Signal) {
	_ = syscall.Kill(-c.pid(), syscall.SIGTERM)
	select {
	case <-c.exited:
		return
	case <-signals:
	case <-time.After(stopGrace):
		fmt.Printf("%s did not end within %s; it is killed.\n", c.cmd.Path, stopGrace)
	}
	_ = syscall.Kill(-c.pid(), syscall.SIGKILL)
	<-c.exited
}

// SPDX-License-Identifier: Apache-2.0

// Command meter runs a program and writes to the file of its first argument how it
// ended and what it took: exit status, nanoseconds of the processor, bytes of
// memory. It is small, for what a process used at most before it became another
// program counts as that program's.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

func main() {
	cmd := exec.Command(os.Args[2], os.Args[3:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	_ = cmd.Run() // the state tells
	s := cmd.ProcessState
	text := fmt.Sprintln(s.ExitCode(), int64(s.UserTime()+s.SystemTime()), s.SysUsage().(*syscall.Rusage).Maxrss<<10)
	if err := os.WriteFile(os.Args[1], []byte(text), 0o600); err != nil {
		panic(err)
	}
}

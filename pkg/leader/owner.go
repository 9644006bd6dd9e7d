// SPDX-License-Identifier: Apache-2.0

package leader

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// process identifies one process of one host. A pid alone does not: it is given
// to others later.
type process struct {
	PID int `json:"pid"`
	// Started is the kernel's start time of the process, in its clock ticks
	// since boot, or "" where that is not known.
	Started string `json:"started,omitempty"`
	// Boot identifies the boot of the host that Started counts from, or "".
	Boot string `json:"boot,omitempty"`
}

// self is this process.
func self() process {
	pid := os.Getpid()
	return process{PID: pid, Started: startTime(pid), Boot: bootID()}
}

// gone says why the process does not exist any more, or "" when it may still:
// in doubt it does.
func (p process) gone() string {
	if p.PID <= 0 {
		return ""
	}
	if now := bootID(); p.Boot != "" && now != "" && p.Boot != now {
		return "the host was booted since"
	}
	if err := syscall.Kill(p.PID, 0); errors.Is(err, syscall.ESRCH) {
		return fmt.Sprintf("process %d does not exist", p.PID)
	}
	if now := startTime(p.PID); p.Started != "" && now != "" && p.Started != now {
		return fmt.Sprintf("process %d is another one", p.PID)
	}
	return ""
}

// startTime reads field 22 of /proc/PID/stat. The fields before it are counted
// from the last parenthesis, since the program's name may contain anything.
func startTime(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	end := bytes.LastIndexByte(stat, ')')
	fields := strings.Fields(string(stat[end+1:]))
	const started = 22 - 3 // the first field here is the third
	if end < 0 || len(fields) <= started {
		return ""
	}
	return fields[started]
}

func bootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}

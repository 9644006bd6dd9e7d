// SPDX-License-Identifier: Apache-2.0

//go:build linux

package testkit

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

const killedEnv = "TESTKIT_START_AND_WAIT"

// TestKilledProgramTakesItsPlaneAlong runs this test binary a second time and
// kills it: no signal handler and no cleanup has a chance then.
func TestKilledProgramTakesItsPlaneAlong(t *testing.T) {
	if os.Getenv(killedEnv) != "" {
		startAndWait(t)
		return
	}
	t.Parallel()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), killedEnv+"=1", "TMPDIR="+t.TempDir())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pids []int
	for scanner := bufio.NewScanner(out); scanner.Scan(); {
		if list, ok := strings.CutPrefix(scanner.Text(), "pids "); ok {
			for word := range strings.FieldsSeq(list) {
				var pid int
				if _, err := fmt.Sscan(word, &pid); err != nil {
					t.Fatal(err)
				}
				pids = append(pids, pid)
			}
			break
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if len(pids) != 2 {
		t.Fatalf("pids: %v", pids)
	}
	for _, pid := range pids {
		Eventually(t, 10*time.Second, func() error {
			if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) && !zombie(pid) {
				return fmt.Errorf("%d still runs: %v", pid, err)
			}
			return nil
		})
	}
}

// zombie tells whether a process has ended and only waits to be collected, which
// is up to whatever inherits orphans on this machine.
func zombie(pid int) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(data), ") Z ")
}

func startAndWait(t *testing.T) {
	p := StartForTest(t, Options{})
	fmt.Println()
	fmt.Print("pids")
	for _, pid := range p.pids() {
		fmt.Print(" ", pid)
	}
	fmt.Println()
	<-p.Done()
}

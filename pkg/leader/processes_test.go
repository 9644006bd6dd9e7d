// SPDX-License-Identifier: Apache-2.0

package leader

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

// asContender makes the test's own executable contend for the file it names.
const asContender = "LEADER_TEST_LOCK_FILE"

var shared = testkit.Shared{}

func TestMain(m *testing.M) {
	if path := os.Getenv(asContender); path != "" {
		contender(path)
		return
	}
	os.Exit(shared.Main(m))
}

func onFile(path string) v1beta1.LeaderElection {
	var le v1beta1.LeaderElection
	tags.SetDefaults(&le)
	le.ResourceLock, le.LockFile = v1beta1.LockFile, path
	le.RetryPeriod = metav1.Duration{Duration: 200 * time.Millisecond}
	return le
}

// contender prints when it leads, and leads until it is killed.
func contender(path string) {
	e, err := New(Options{Election: onFile(path), Identity: strconv.Itoa(os.Getpid()), Logger: klog.Background()})
	if err == nil {
		err = e.Run(context.Background(), func(ctx context.Context) error {
			fmt.Println("leads")
			<-ctx.Done()
			return nil
		})
	}
	fmt.Println(err)
}

func TestProcessesContendForAFile(t *testing.T) {
	const contenders = 4
	path := filepath.Join(t.TempDir(), "leader.lock")
	won := make(chan int, 2*contenders)
	processes := map[int]*exec.Cmd{}
	for range contenders {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), asContender+"="+path)
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		out, err := cmd.StdoutPipe()
		do(t, err)
		do(t, cmd.Start())
		processes[cmd.Process.Pid] = cmd
		go func() {
			for lines := bufio.NewScanner(out); lines.Scan(); {
				won <- cmd.Process.Pid
			}
		}()
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	}
	limit := 30 * time.Second // until the first has started
	for round := range contenders {
		select {
		case pid := <-won:
			// The others had all the time to win, too, if they could.
			if processes[pid] == nil {
				t.Fatalf("round %d: process %d leads, which is dead", round, pid)
			}
			if len(won) > 0 {
				t.Fatalf("round %d: %d and %d lead at a time", round, pid, <-won)
			}
			do(t, processes[pid].Process.Kill())
			_ = processes[pid].Wait()
			delete(processes, pid)
		case <-time.After(limit):
			t.Fatalf("round %d: nobody leads", round)
		}
		limit = 2 * time.Second // a takeover takes a tenth of that
	}
}

// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// ticks is how many units of /proc/PID/stat a second of CPU time has: USER_HZ,
// which is 100 on all platforms that Kubernetes runs on.
const ticks = 100

// usage is what a program has used up to a moment.
type usage struct {
	at     time.Time
	cpu    time.Duration
	writes int // of objects, without events
	events int
	// kinds are the writes by verb and resource.
	kinds map[string]int
}

func (u usage) minus(v usage) usage {
	kinds := map[string]int{}
	for kind, n := range u.kinds {
		kinds[kind] = n - v.kinds[kind]
	}
	return usage{at: time.Time{}.Add(u.at.Sub(v.at)), cpu: u.cpu - v.cpu, writes: u.writes - v.writes, events: u.events - v.events, kinds: kinds}
}

// cpu is the CPU time that the process has had.
func (p *process) cpu() (time.Duration, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	// The name in brackets may have spaces; the times are fields 14 and 15.
	_, rest, ok := strings.Cut(string(data), ") ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 13 {
		return 0, errors.New("unknown form of /proc/PID/stat")
	}
	var sum int64
	for _, f := range fields[11:13] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return time.Duration(sum) * time.Second / ticks, nil
}

// written counts the writes in the audit log so far.
func (b *bench) written(u *usage) error {
	f, err := os.Open(b.audit)
	if err != nil {
		return err
	}
	defer f.Close()
	u.kinds = map[string]int{}
	for r := bufio.NewReader(f); ; {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil // a line that is being written counts next time
		}
		if err != nil {
			return err
		}
		var e struct {
			Verb, Stage string
			ObjectRef   struct{ Resource, Subresource string }
		}
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("audit log: %w", err)
		}
		switch {
		case e.Stage != "ResponseComplete" || e.Verb == "list" || e.Verb == "watch" || e.ObjectRef.Resource == "leases":
		case e.ObjectRef.Resource == "events":
			u.events++
		default:
			u.writes++
			u.kinds[strings.TrimSuffix(e.Verb+" "+e.ObjectRef.Resource+"/"+e.ObjectRef.Subresource, "/")]++
		}
	}
}

func (b *bench) usage(p *process) (u usage, err error) {
	u.at = time.Now()
	if u.cpu, err = p.cpu(); err != nil {
		return u, err
	}
	return u, b.written(&u)
}

// memory reads a field of /proc/PID/status that is a size, in bytes.
func (p *process) memory(field string) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.SplitSeq(string(status), "\n") {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb * 1024, err
		}
	}
	return 0, fmt.Errorf("no %s", field)
}

// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// reloads toggles one controller and measures from rename(2) to the log line
// that says the new content is applied, and until the controller works again.
func (b *bench) reloads(own program) error {
	pr, err := b.start(own)
	if err != nil {
		return err
	}
	defer pr.stop()
	if err := pr.await(`logger="deployment-controller" state="Running"`); err != nil {
		return err
	}
	select {
	case <-time.After(b.settle):
	case <-b.ctx.Done():
		return b.ctx.Err()
	}
	before, err := b.listed()
	if err != nil {
		return err
	}
	var applied, running []time.Duration
	for i := range b.toggles {
		on := i%2 == 1
		content := fmt.Sprintf("%s# %d\ncontrollers: {deployment-controller: {enabled: %v}}\n", head, i, on)
		sum := sha256.Sum256([]byte(content))
		next := b.config() + ".next"
		if err := os.WriteFile(next, []byte(content), 0o600); err != nil {
			return err
		}
		begin := time.Now()
		if err := os.Rename(next, b.config()); err != nil {
			return err
		}
		if err := pr.await(`"Configuration applied" config="` + hex.EncodeToString(sum[:])[:16]); err != nil {
			return err
		}
		applied = append(applied, time.Since(begin))
		if on {
			if err := pr.await(`logger="deployment-controller" state="Running"`); err != nil {
				return err
			}
			running = append(running, time.Since(begin))
		}
	}
	after, err := b.listed()
	if err != nil {
		return err
	}
	row(fmt.Sprintf("%d toggles: rename to applied, p50 ms", b.toggles), ms(applied, 50), "restart")
	row("  p99 ms (bound: 250)", ms(applied, 99), "restart")
	row("  rename to running again, p99 ms", ms(running, 99), "restart")
	row("  lists and list-like watches sent", fmt.Sprint(after-before), "all")
	if p := quantile(applied, 99); p > 250*time.Millisecond {
		return fmt.Errorf("p99 of rename to applied is %s, more than 250 ms", p)
	}
	if after != before {
		return fmt.Errorf("%d lists were sent for controllers that did not change", after-before)
	}
	return nil
}

func ms(d []time.Duration, q int) string {
	return fmt.Sprintf("%.1f", float64(quantile(d, q).Microseconds())/1000)
}

func quantile(d []time.Duration, q int) time.Duration {
	s := slices.Sorted(slices.Values(d))
	return s[(len(s)-1)*q/100]
}

// await reads the log until a line contains the text.
func (p *process) await(text string) error {
	timeout := time.After(30 * time.Second)
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				return fmt.Errorf("the program ended before it logged %s", text)
			}
			if strings.Contains(line, text) {
				return nil
			}
		case <-timeout:
			return fmt.Errorf("not logged within 30 s: %s", text)
		}
	}
}

// listed counts the requests of the manager that transfer whole lists: LIST, and
// watches that begin with all objects.
func (b *bench) listed() (int, error) {
	f, err := os.Open(b.audit)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	seen := map[string]bool{}
	for s := bufio.NewScanner(f); s.Scan(); {
		var e struct{ AuditID, Verb, RequestURI string }
		if json.Unmarshal(s.Bytes(), &e) == nil && (e.Verb == "list" || strings.Contains(e.RequestURI, "sendInitialEvents=true")) {
			seen[e.AuditID] = true
		}
	}
	return len(seen), nil
}

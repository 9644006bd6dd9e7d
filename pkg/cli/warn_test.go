// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"
)

// The running manager tells what the lint rules find, as "check" does, and says
// nothing twice as long as it stays the same.
func TestRunningManagerLogsDoubtsOnce(t *testing.T) {
	var logged []string
	d := &daemon{logger: funcr.New(func(_, args string) { logged = append(logged, args) }, funcr.Options{})}
	for _, step := range []struct {
		body  string
		burst int // messages about the burst
	}{
		{"clientConnection: {qps: 40}\n", 1},
		{"clientConnection: {qps: 40}\nlogging: {verbosity: 2}\n", 0},
		{"clientConnection: {qps: 45}\n", 1},
		{"", 0},
		{"clientConnection: {qps: 45}\n", 1},
	} {
		logged = nil
		l, err := loadFile("c.yaml", []byte(ownHead+step.body))
		if err != nil {
			t.Fatal(err)
		}
		d.warn(l)
		got := 0
		for _, line := range logged {
			if strings.Contains(line, "clientConnection.burst") && strings.Contains(line, "c.yaml:3:") {
				got++
			}
		}
		if got != step.burst {
			t.Errorf("%q: %d messages about the burst, want %d: %q", step.body, got, step.burst, logged)
		}
	}
}

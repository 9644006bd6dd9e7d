// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What "check" may take for any content.
const (
	mostTime   = time.Second // of the processor: that of the clock depends on what else runs
	mostMemory = 200 << 20   // bytes that are resident at once
	mostOutput = 1 << 20     // bytes
)

// built is a program of this module as users have it, without the race detector of
// a test.
func built(t *testing.T, folder string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "program")
	if out, err := exec.Command("go", "build", "-o", program, folder).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// numbered is a text for each of n numbers.
func numbered(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// bomb expands to 9^levels values.
func bomb(levels int) string {
	text := "a0: &a0 [x]\n"
	for i := range levels {
		text += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i), 9), ","))
	}
	return text
}

// indented is as deep as lines that are indented by one more space get in a file of
// the largest size.
func indented(levels int) string {
	var b strings.Builder
	for i := range levels {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

// hostile are contents, made when they are needed, that a checker might choke on, by what is bad about them.
func hostile() map[string]func() string {
	const fits = 500_000 // bytes that are still read
	const own = "apiVersion: kubecontrollermanager.config.k8s.io/v1beta1\nkind: KubeControllerManagerConfiguration\n"
	in := func(section, body string) string { return own + section + ": " + body + "\n" }
	files := map[string]func() string{
		"10 MB of comments":         func() string { return own + strings.Repeat("# a comment\n", 10<<20/12) },
		"10 MB of keys":             func() string { return own + numbered(10<<20/10, "a%08d: 1\n") },
		"10 MB on a line":           func() string { return own + strings.Repeat("a", 10<<20) },
		"10 MB of zeros":            func() string { return strings.Repeat("\x00", 10<<20) },
		"100,000 brackets":          func() string { return in("logging", strings.Repeat("[", 100_000)) },
		"100,000 pairs of brackets": func() string { return in("logging", strings.Repeat("[", 100_000)+strings.Repeat("]", 100_000)) },
		"100,000 braces":            func() string { return in("logging", strings.Repeat("{a: ", 100_000)) },
		"100,000 pairs of braces":   func() string { return in("logging", strings.Repeat("{a: ", 100_000)+strings.Repeat("}", 100_000)) },
		"100,000 braces alone":      func() string { return strings.Repeat("{", 100_000) },
		"100,000 lists in lists":    func() string { return own + "logging:\n" + strings.Repeat("- ", 100_000) + "a\n" },
		"100,000 complex keys":      func() string { return own + strings.Repeat("? ", 100_000) + "a\n" },
		"indentation":               func() string { return own + indented(950) },
		"alias bomb":                func() string { return own + bomb(12) },
		"alias bomb in gates":       func() string { return own + bomb(12) + "featureGates: {A: *a12}\n" },
		"many aliases": func() string {
			return own + "a: &a [" + strings.Repeat("x,", 10_000) + "x]\nlogging: [" + strings.Repeat("*a,", 20_000) + "*a]\n"
		},
		"many anchors":           func() string { return own + numbered(30_000, "a%d: &a1 x\n") },
		"long line":              func() string { return in("logging", strings.Repeat("x", fits)) },
		"long text in quotes":    func() string { return in("logging", "{format: \""+strings.Repeat("x y", fits/3)+"\"}") },
		"long key":               func() string { return own + strings.Repeat("k", fits) + ": 1\n" },
		"long number":            func() string { return in("logging", "{verbosity: "+strings.Repeat("9", fits)+"}") },
		"long fraction":          func() string { return in("clientConnection", "{qps: -0."+strings.Repeat("9", fits)+"}") },
		"long duration":          func() string { return in("leaderElection", "{leaseDuration: "+strings.Repeat("9", fits)+"s}") },
		"duration of many parts": func() string { return in("leaderElection", "{renewDeadline: "+strings.Repeat("1s", fits/2)+"}") },
		"large exponent":         func() string { return in("clientConnection", "{qps: 1e999999999}") },
		"large size":             func() string { return in("logging", "{jsonInfoBufferSize: 1e999999999}") },
		"long size":              func() string { return in("logging", "{jsonInfoBufferSize: "+strings.Repeat("9", fits)+"}") },
		"long network":           func() string { return in("cluster", "{cidrs: ["+strings.Repeat("1:", fits/2)+"/1]}") },
		"long list":              func() string { return in("cluster", "{cidrs: ["+strings.Repeat("x, ", 18_000)+"]}") },
		"longer list":            func() string { return in("cluster", "{cidrs: ["+strings.Repeat("x,", fits/2)+"]}") },
		"many unknown fields":    func() string { return own + numbered(30_000, "clientConection%d: 1\n") },
		"many unknown sections":  func() string { return own + "controllers:\n" + numbered(15_000, "  deployment-controler%d: {}\n") },
		"many unknown gates":     func() string { return own + "featureGates:\n" + numbered(15_000, "  PodDeletionCosts%d: true\n") },
		"many unknown controllers": func() string {
			return strings.Replace(own, "v1beta1", "v1alpha1", 1) + "generic:\n  controllers:\n" + numbered(15_000, "  - deploymnt%d\n")
		},
		"many duplicates":          func() string { return own + strings.Repeat("a: 1\n", fits/5) },
		"many keys":                func() string { return own + numbered(60_000, "%d: 1\n") },
		"many documents":           func() string { return own + strings.Repeat("---\na: 1\n", fits/9) },
		"many tags":                func() string { return own + "logging: " + strings.Repeat("!!a ", fits/4) + "x\n" },
		"many empty lines":         func() string { return own + strings.Repeat("\n", fits) + "x\n" },
		"many carriage returns":    func() string { return own + strings.Repeat("\r", fits) + "x\n" },
		"many tabs":                func() string { return own + strings.Repeat("\t", fits) + "x\n" },
		"many quotes":              func() string { return own + strings.Repeat("'", fits) + "\n" },
		"many colons":              func() string { return own + strings.Repeat(": ", fits/2) + "\n" },
		"many merge keys":          func() string { return own + strings.Repeat("<<: {a: 1}\n", fits/11) },
		"many escapes":             func() string { return in("logging", "{format: \""+strings.Repeat(`\U0001F600`, fits/10)+"\"}") },
		"not UTF-8":                func() string { return own + strings.Repeat("\xff", fits) },
		"comments within comments": func() string { return own + strings.Repeat("a: # b\n  # c\n", fits/13) },
		"early form of many":       func() string { return "generic:\n" + numbered(30_000, "  k%d: 1\n") },
		"much in a key of a manifest": func() string {
			return "apiVersion: v1\nkind: ConfigMap\ndata:\n  a: " + strings.Repeat("kind : ", fits/7) + "\n"
		},
	}
	inside := func(text string) string {
		return "apiVersion: v1\nkind: ConfigMap\ndata:\n  a: |\n    " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n    ") + "\n"
	}
	for _, name := range []string{"100,000 pairs of brackets", "100,000 lists in lists", "alias bomb", "many unknown sections", "long number"} {
		files["ConfigMap with "+name] = func() string { return inside(files[name]()) }
	}
	files["ConfigMap with a bomb around"] = func() string { return "apiVersion: v1\nkind: ConfigMap\n" + bomb(12) + "data: *a12\n" }
	files["ConfigMap of many configurations"] = func() string {
		return "apiVersion: v1\nkind: ConfigMap\ndata:\n" +
			numbered(3000, "  k%d: |\n    apiVersion: kubecontrollermanager.config.k8s.io/v1beta1\n    kind: KubeControllerManagerConfiguration\n    x: 1\n")
	}
	return files
}

// No content makes "check" slow, large, talkative, or end otherwise than by
// saying what is wrong.
func TestCheckAnswersHostileFiles(t *testing.T) {
	program, meter := built(t, "."), built(t, "./testdata/meter")
	for name, content := range hostile() {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "c.yaml")
			if err := os.WriteFile(file, []byte(content()), 0o600); err != nil {
				t.Fatal(err)
			}
			answers(t, nil, meter, program, file)
		})
	}
	t.Run("10 MB on standard input", func(t *testing.T) {
		answers(t, strings.NewReader(hostile()["10 MB of keys"]()), meter, program, "-")
	})
	t.Run("a file without an end", func(t *testing.T) {
		answers(t, nil, meter, program, "/dev/zero")
	})
}

// answers checks a file and looks at what came of it.
func answers(t *testing.T, stdin io.Reader, meter, program, file string) {
	t.Helper()
	var out bytes.Buffer
	measured := filepath.Join(t.TempDir(), "measured")
	cmd := exec.Command(meter, measured, program, "check", file)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &out
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(measured)
	if err != nil {
		t.Fatal(err)
	}
	var exit, resident int
	var spent time.Duration
	if _, err := fmt.Sscan(string(text), &exit, &spent, &resident); err != nil {
		t.Fatal(err)
	}
	t.Logf("%v, %d MB, %d bytes of answer", spent, resident>>20, out.Len())
	if exit != 1 {
		t.Errorf("exit status %d, want 1\n%.2000s", exit, out.String())
	}
	if spent > mostTime {
		t.Errorf("took %v, want at most %v", spent, mostTime)
	}
	if resident > mostMemory {
		t.Errorf("used %d MB, want at most %d", resident>>20, mostMemory>>20)
	}
	if out.Len() > mostOutput || !strings.Contains(out.String(), "error: ") || strings.Contains(out.String(), "goroutine ") {
		t.Errorf("%d bytes of answer that should be an error:\n%.2000s", out.Len(), out.String())
	}
}

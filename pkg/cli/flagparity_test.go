// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

// shown is a flag as a help text shows it.
type shown struct{ kind, preset string }

var flagLine = regexp.MustCompile(`^ {2,6}(?:-\w, )?--([a-z0-9-]+)(?: (\S+))?(?: {2,}(.*))?$`)

// helpFlags reads the flags out of a help text.
func helpFlags(help string) map[string]shown {
	flags := map[string]shown{}
	usage := map[string]string{}
	last := ""
	for line := range strings.SplitSeq(help, "\n") {
		if m := flagLine.FindStringSubmatch(line); m != nil {
			last = m[1]
			flags[last] = shown{kind: m[2]}
			usage[last] = m[3]
		} else if strings.HasPrefix(line, "        ") {
			usage[last] += " " + strings.TrimSpace(line)
		}
	}
	for name, text := range usage {
		text = strings.TrimSpace(text)
		if at := strings.LastIndex(text, "(default "); at >= 0 && strings.HasSuffix(text, ")") {
			f := flags[name]
			f.preset = strings.TrimSuffix(text[at+len("(default "):], ")")
			flags[name] = f
		}
	}
	return flags
}

func peer(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	b, err := testkit.FindBinaries(ctx, testkit.ControllerManager)
	if err != nil {
		t.Fatal(err)
	}
	var out, problems strings.Builder
	cmd := exec.CommandContext(ctx, b.ControllerManager, args...)
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %q: %v\n%s", b.ControllerManager, args, err, problems.String())
	}
	return out.String(), problems.String()
}

// differences lists flags whose name, type or default is not the same.
func differences(theirs, ours map[string]shown) []string {
	var list []string
	for name, a := range theirs {
		b, ok := ours[name]
		switch {
		case !ok:
			list = append(list, "-"+name)
		case a != b:
			list = append(list, fmt.Sprintf("~%s: %s %q is %s %q here", name, a.kind, a.preset, b.kind, b.preset))
		}
	}
	for name := range ours {
		if _, ok := theirs[name]; !ok {
			list = append(list, "+"+name)
		}
	}
	slices.Sort(list)
	return list
}

// explained reads the committed list: one difference a line, then its reason.
func explained(t *testing.T, file string) []string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		difference, why, _ := strings.Cut(line, "  # ")
		if strings.TrimSpace(why) == "" {
			t.Errorf("%s: %q has no reason", file, line)
		}
		list = append(list, strings.TrimSpace(difference))
	}
	slices.Sort(list)
	return list
}

func TestFlagsAreUpstreams(t *testing.T) {
	help, _ := peer(t, "--help")
	theirs := helpFlags(help)
	if len(theirs) < 140 {
		t.Fatalf("only %d flags were found in upstream's help text", len(theirs))
	}
	cmd := Root()
	cmd.InitDefaultHelpFlag()
	ours := helpFlags(cmd.Flags().FlagUsages())
	if diff := cmp.Diff(explained(t, "testdata/flag-differences.txt"), differences(theirs, ours)); diff != "" {
		t.Errorf("flags differ in other ways than testdata/flag-differences.txt explains (-explained +found)\n%s", diff)
	}
}

// Hidden flags are not in help texts; what both programs say about them is.
func TestDeprecatedFlagsAreUpstreams(t *testing.T) {
	args := []string{"--allow-untagged-cloud", "--node-sync-period=1s", "--version"}
	_, theirs := peer(t, args...)
	var ours, out strings.Builder
	cmd := Root()
	cmd.Flags().SetOutput(&ours)
	cmd.SetErr(&ours)
	cmd.SetOut(&out)
	cmd.SetArgs(args)
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(theirs, ours.String()); diff != "" {
		t.Errorf("(-upstream +ours)\n%s", diff)
	}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if hidden := f.Name == "allow-untagged-cloud" || f.Name == "node-sync-period"; f.Hidden != hidden {
			t.Errorf("--%s: hidden is %v", f.Name, f.Hidden)
		}
	})
}

// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/component-base/version"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/lint"
	"github.com/kube-live/kube-controller-manager/pkg/report"
)

// Exit statuses of check.
const (
	exitInvalid   = 1
	exitUnchecked = 2
	exitWarnings  = 3
)

// checker is the command that says whether files are valid.
type checker struct {
	output        string
	failOnWarning bool
	files         bool
	dir           string
	stdinWasRead  bool
	report        report.Report
	cmd           *cobra.Command
}

func checkCommand() *cobra.Command {
	c := &checker{}
	c.cmd = &cobra.Command{
		Use:   "check FILE...",
		Short: "Check configuration files without a cluster",
		Long: "check reads configuration files as the running manager does and prints every\n" +
			"mistake with its place, reason and remedy. It also warns about settings that are\n" +
			"valid but work badly together. A folder stands for the *.yaml and *.yml files in\n" +
			"it, - for the standard input. In a Kubernetes ConfigMap every key with a configuration\n" +
			"is checked; other objects in a folder are skipped. Each file is a configuration of its\n" +
			"own; with --config-dir that folder's *.yaml files are laid over FILE as the manager\n" +
			"does, and the result is checked.\n\n" +
			"Exit status: 0 all files are valid, 1 a file is invalid, 2 a file could not be\n" +
			"checked, 3 there are warnings and --fail-on-warning is set.",
		Example: "  kube-controller-manager check /etc/kubernetes/kcm.yaml\n" +
			"  kube-controller-manager check -o sarif --fail-on-warning configs/ > kcm.sarif\n" +
			"  kubectl get cm kcm -o yaml | kube-controller-manager check -",
		Args: func(cmd *cobra.Command, args []string) error {
			wanted := cobra.MinimumNArgs(1)
			if c.dir != "" {
				wanted = cobra.MaximumNArgs(1)
			}
			if err := wanted(cmd, args); err != nil {
				return &ExitError{exitUnchecked, err}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return c.run(args) },
	}
	c.cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &ExitError{exitUnchecked, err} })
	outputFlag(c.cmd, &c.output, report.Formats())
	c.cmd.Flags().BoolVar(&c.failOnWarning, "fail-on-warning", false, "exit with status 3 when there are warnings")
	c.cmd.Flags().StringVar(&c.dir, "config-dir", "", "check what the files in this folder make when they are laid over FILE, if there is one")
	c.cmd.Flags().BoolVar(&c.files, "check-files", false, "warn about files that the configuration names and that this machine does not have")
	return c.cmd
}

func (c *checker) run(args []string) error {
	if !slices.Contains(report.Formats(), c.output) {
		return &ExitError{exitUnchecked, unknownOutput(c.output, report.Formats())}
	}
	if err := c.look(args); err != nil {
		return &ExitError{exitUnchecked, err}
	}
	if err := c.report.Write(c.cmd.OutOrStdout(), c.output, version.Get().GitVersion, rules()); err != nil {
		return &ExitError{exitUnchecked, err}
	}
	n := c.report.Count()
	switch {
	case n.Failed > 0:
		return &ExitError{Code: exitUnchecked}
	case n.Skipped == len(c.report.Files):
		return &ExitError{exitUnchecked, errors.New("there is no configuration in any of these files")}
	case n.Errors > 0:
		return &ExitError{Code: exitInvalid}
	case n.Warnings > 0 && c.failOnWarning:
		return &ExitError{Code: exitWarnings}
	}
	return nil
}

// look checks the merged configuration, or each file alone.
func (c *checker) look(args []string) error {
	if c.dir != "" {
		c.report.Files = c.merged(config.Paths{File: strings.Join(args, ""), Dir: c.dir})
		return nil
	}
	names, err := expand(args)
	for _, name := range names {
		c.report.Files = append(c.report.Files, c.check(name, slices.Contains(args, name))...)
	}
	return err
}

// merged judges what several files make together.
func (c *checker) merged(paths config.Paths) []report.File {
	l, err := loadPaths(paths, c.cmd.InOrStdin())
	if err != nil {
		invalid, is := invalidity(err)
		if !is {
			return []report.File{{Name: mergedName(paths), Failed: err}}
		}
		return byFile(paths, nil, invalid, nil)
	}
	found := warnings(l)
	if c.files {
		found = append(found, lint.Files(l, openable)...)
	}
	return byFile(paths, l, nil, found)
}

// check reads a file and judges it. Named says that the user named it, and not
// only a folder that it is in.
func (c *checker) check(name string, named bool) []report.File {
	if name == "-" && c.stdinWasRead {
		return []report.File{{Name: name, Failed: errors.New("the standard input can be read only once")}}
	}
	c.stdinWasRead = c.stdinWasRead || name == "-"
	data, err := read(name, c.cmd.InOrStdin())
	if err != nil {
		return []report.File{{Name: name, Failed: err}}
	}
	return c.judge(name, data, named)
}

// judge finds what is to say about the configurations in a file: it is one, or a
// ConfigMap that has some.
func (c *checker) judge(name string, data []byte, named bool) []report.File {
	m, other := manifestIn(data)
	switch {
	case !other:
		f, l := judged(name, data)
		if l != nil && c.files {
			f.Warnings = append(f.Warnings, lint.Files(l, openable)...)
		}
		return []report.File{f}
	case !m.isConfigMap() && !named:
		return []report.File{{Name: name, Skipped: "is " + m.String() + ", which has no configuration"}}
	case !m.isConfigMap():
		return []report.File{{Name: name, Errors: config.Errors{{Rule: config.RuleVersion, File: name, Line: m.head.Line, Column: m.head.Column, Path: "kind", Value: m.kind,
			Reason: "the file is " + m.String() + ", not a configuration", Hint: "give a " + v1beta1.Kind + ", or a ConfigMap that has one"}}}}
	}
	inside, problems := m.configurations(name)
	if len(problems) > 0 {
		return []report.File{{Name: name, Errors: problems}}
	}
	var files []report.File
	for _, e := range inside {
		// Files that it names are those of the pod that mounts it.
		f, _ := judged(name, e.data)
		f.Key, f.Errors, f.Warnings = e.key, e.place(f.Errors), e.place(f.Warnings)
		files = append(files, f)
	}
	return files
}

// judged is what is to say about one configuration, which is nil when it is not
// valid.
func judged(name string, data []byte) (report.File, *config.Loaded) {
	f := report.File{Name: name}
	l, err := loadFile(name, data)
	var invalid config.Errors
	switch {
	case errors.As(err, &invalid):
		f.Errors = invalid
		return f, nil
	case err != nil:
		f.Failed = err
		return f, nil
	}
	f.Hash, f.Warnings = l.Hash, warnings(l)
	return f, l
}

// warnings are those of the loader and of the lint rules, each with its place.
func warnings(l *config.Loaded) []config.Problem {
	var list []config.Problem
	for _, w := range l.Warnings {
		if w.Line == 0 && w.Flag == "" {
			w = l.Locate(w)
		}
		list = append(list, w)
	}
	return append(list, doubts(l)...)
}

// openable says why a file or folder cannot be read.
func openable(path string) error {
	f, err := os.Open(path)
	if err != nil {
		var at *os.PathError
		if errors.As(err, &at) {
			return at.Err // the path is told beside it
		}
		return err
	}
	return f.Close()
}

// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/pkg/catalog"
	"github.com/kube-live/kube-controller-manager/pkg/config"
)

// program is the name of the executable in manifests.
const program = "kube-controller-manager"

func migrateCommand() *cobra.Command {
	var manifest string
	cmd := &cobra.Command{
		Use:   "migrate -- FLAGS...",
		Short: "Write flags as a configuration file",
		Long: "migrate prints the configuration file that means the same as flags of this program\n" +
			"or of upstream's, or as those in the manifest of a pod. It has only what differs from\n" +
			"the defaults. With --config or --config-dir among the flags those files are\n" +
			"included.\n\n" +
			"Relative file names become absolute: with flags from this folder, with a manifest\n" +
			"from the container's working directory.",
		Example: "  kube-controller-manager migrate -- --leader-elect=true --controllers='*,tokencleaner'\n" +
			"  kube-controller-manager migrate --from-manifest /etc/kubernetes/manifests/kube-controller-manager.yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			folder, err := os.Getwd()
			if manifest != "" {
				if len(args) > 0 {
					return errors.New("flags come from the manifest or from the command line, not from both")
				}
				var data []byte
				if data, err = read(manifest, cmd.InOrStdin()); err == nil {
					args, folder, err = flagsOf(data)
				}
			}
			if err != nil {
				return err
			}
			in, err := inputOf(args, folder)
			if err != nil {
				return err
			}
			in.Implemented = catalog.Implemented()
			return migrate(cmd.OutOrStdout(), cmd.ErrOrStderr(), in, folder)
		},
	}
	cmd.Flags().StringVar(&manifest, "from-manifest", "", "file with a Pod whose command has the flags; - is the standard input")
	return cmd
}

// migrate writes the configuration that flags make. Relative paths belong to the
// folder. A controller that this program does not have is not enabled: flags may
// name it, with a warning, but a file must not.
func migrate(out, notes io.Writer, in config.Input, folder string) error {
	l, err := config.Load(in)
	if err != nil {
		return err
	}
	warn(notes, l.Warnings)
	tags.Walk(l.Config, func(f tags.Field) {
		name, isSwitch := strings.CutSuffix(strings.TrimPrefix(f.Path, "controllers."), ".enabled")
		on, isBool := f.Value.Interface().(*bool)
		switch {
		case isSwitch && isBool && on != nil && *on && in.Implemented != nil && !in.Implemented(name):
			f.Value.SetZero()
		case f.Tag.Get("path") != "" && f.Value.String() != "" && !filepath.IsAbs(f.Value.String()):
			f.Value.SetString(filepath.Join(folder, f.Value.String()))
		}
	})
	data, err := config.Minimal(l.Config)
	if err != nil {
		return err
	}
	_, err = out.Write(data)
	return err
}

// inputOf understands the flags of a command line.
func inputOf(args []string, folder string) (config.Input, error) {
	var paths config.Paths
	flags := pflag.NewFlagSet(program, pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	filesFlags(flags, &paths)
	s := newSettings(flags)
	if err := flags.Parse(args); err != nil {
		return config.Input{}, err
	}
	for _, a := range flags.Args() {
		if a != "" {
			return config.Input{}, fmt.Errorf("%q is not a flag", a)
		}
	}
	for _, p := range []*string{&paths.File, &paths.Dir} {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(folder, *p)
		}
	}
	c := paths.Read()
	in := config.Input{File: paths.File, Data: c.Data, DropIns: c.DropIns, Flags: s.given, Names: catalog.Names()}
	return in, c.Err
}

// flagsOf finds the flags in the manifest of a Pod, and the folder it works in.
func flagsOf(manifest []byte) (args []string, folder string, err error) {
	var pod corev1.Pod
	if err := yaml.Unmarshal(bytes.TrimSpace(manifest), &pod); err != nil {
		return nil, "", fmt.Errorf("the manifest: %w", err)
	}
	for _, c := range pod.Spec.Containers {
		if args, found := afterProgram(append(slices.Clone(c.Command), c.Args...)); found {
			folder := c.WorkingDir
			if folder == "" {
				folder = "/"
			}
			return args, folder, nil
		}
	}
	return nil, "", fmt.Errorf("the manifest has no container that runs %s", program)
}

// afterProgram are the words behind the program's name, which may itself be
// behind a wrapper, or in the script of a shell.
func afterProgram(words []string) ([]string, bool) {
	for i, w := range words {
		if filepath.Base(w) == program && !strings.ContainsAny(w, " =") {
			return words[i+1:], true
		}
	}
	for _, w := range words {
		script := strings.Fields(w)
		if len(script) < 2 {
			continue
		}
		if args, found := afterProgram(script); found {
			end := slices.IndexFunc(args, func(a string) bool { return strings.ContainsAny(a[:1], "<>|&;12") })
			if end >= 0 {
				args = args[:end]
			}
			for i := range args {
				args[i] = strings.NewReplacer(`"`, "", `'`, "").Replace(args[i])
			}
			return args, true
		}
	}
	return nil, false
}

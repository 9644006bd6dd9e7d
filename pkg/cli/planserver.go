// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"k8s.io/component-base/version"
	"sigs.k8s.io/yaml"

	"github.com/kube-live/kube-controller-manager/pkg/catalog"
	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/plan"
	"github.com/kube-live/kube-controller-manager/pkg/report"
	"github.com/kube-live/kube-controller-manager/pkg/status"
)

// runningUse is how plan is called with a running manager.
const runningUse = "plan FILE [FOLDER] --server URL"

// planRunning is what the files would do to a running manager: its effective
// configuration is compared with what they make together with its own flags.
func planRunning(cmd *cobra.Command, from *running, args []string) (plan.Plan, error) {
	paths, err := pathsOfAll(args)
	if err != nil {
		return plan.Plan{}, err
	}
	c, err := from.connect()
	if err != nil {
		return plan.Plan{}, err
	}
	var r status.Running
	if err := c.get(cmd.Context(), status.ConfigurationPath, &r); err != nil {
		return plan.Plan{}, err
	}
	if r.Dir != "" && paths.Dir == "" {
		return plan.Plan{}, fmt.Errorf("the running manager also reads the folder %s; say what it will have there: %s", r.Dir, runningUse)
	}
	old, err := loadRunning(r)
	if err != nil {
		return plan.Plan{}, err
	}
	now, err := loadFor(cmd, paths, r)
	if err != nil {
		return plan.Plan{}, err
	}
	return plan.Compute(catalog.All(), &plan.Setup{Config: old.Config, Gates: old.Gates}, &plan.Setup{Config: now.Config, Gates: now.Gates}), nil
}

// pathsOfAll is one file, one folder, or one of each.
func pathsOfAll(args []string) (config.Paths, error) {
	var all config.Paths
	for _, name := range args {
		p := pathsOf(name)
		if p.File != "" && all.File != "" || p.Dir != "" && all.Dir != "" {
			return all, fmt.Errorf("%s and %s: one file and one folder at most can be compared with a running manager", cmp.Or(all.File, all.Dir), name)
		}
		all.File, all.Dir = cmp.Or(all.File, p.File), cmp.Or(all.Dir, p.Dir)
	}
	if all == (config.Paths{}) {
		return all, errors.New("--server needs the file that the manager would be given: " + runningUse)
	}
	return all, nil
}

// loadRunning takes the effective configuration the way of every other: what
// this version does not know is an error with its path.
func loadRunning(r status.Running) (*config.Loaded, error) {
	data, err := yaml.Marshal(r.Configuration)
	if err != nil {
		return nil, err
	}
	in := input("", config.Content{DropIns: []config.Source{{Name: "running configuration", Data: data}}})
	in.Implemented = nil // a flag may have enabled what is not there
	l, err := config.Load(in)
	if err != nil {
		return nil, fmt.Errorf("the running manager, version %s, has a configuration that version %s does not take: %w", r.Version, version.Get().GitVersion, err)
	}
	return l, nil
}

// loadFor loads files as the running manager would: with its flags, and with
// relative paths where its own files are. Mistakes are those of the files as they
// are named here.
func loadFor(cmd *cobra.Command, paths config.Paths, r status.Running) (*config.Loaded, error) {
	var content config.Content
	if paths.File == "-" {
		content = (config.Paths{Dir: paths.Dir}).Read()
		if content.Err == nil {
			content.Data, content.Err = read("-", cmd.InOrStdin())
		}
	} else {
		content = paths.Read()
	}
	if content.Err != nil {
		return nil, content.Err
	}
	in := input(paths.File, content)
	in.Flags = r.Flags
	l, err := config.Load(in)
	if problems, wrong := invalidity(err); wrong {
		invalid := report.Report{Files: byFile(paths, nil, problems, nil)}
		if err := invalid.Write(cmd.ErrOrStderr(), "text", version.Get().GitVersion, rules()); err != nil {
			return nil, err
		}
		return nil, &ExitError{Code: 1}
	}
	if err != nil {
		return nil, err
	}
	tellMasked(cmd.ErrOrStderr(), l)
	if r.File == "" || paths.File == "" {
		return l, nil
	}
	in.File = r.File
	return config.Load(in)
}

// tellMasked says which values of the files a flag of the running manager hides:
// they are no part of the plan.
func tellMasked(w io.Writer, now *config.Loaded) {
	for _, p := range now.Warnings {
		if p.Rule == config.RuleOverruled {
			_, _ = fmt.Fprintf(w, "note: %s\n", p.String())
		}
	}
}

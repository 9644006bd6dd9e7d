// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"io"
	"os"
	"slices"

	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/report"
)

// pathsOf is where a name leads to: a folder has drop-ins alone.
func pathsOf(name string) config.Paths {
	if info, err := os.Stat(name); name != "-" && err == nil && info.IsDir() {
		return config.Paths{Dir: name}
	}
	return config.Paths{File: name}
}

// loadPaths is the configuration that all files make, as the running manager loads
// it, but without flags. The file may be - for the standard input.
func loadPaths(paths config.Paths, stdin io.Reader) (*config.Loaded, error) {
	var c config.Content
	if paths.File != "-" {
		c = paths.Read()
	} else if c = (config.Paths{Dir: paths.Dir}).Read(); c.Err == nil {
		c.Data, c.Err = read("-", stdin)
	}
	if c.Err != nil {
		return nil, c.Err
	}
	return config.Load(input(paths.File, c))
}

// mergedName is the name of what a file and a folder make together.
func mergedName(paths config.Paths) string {
	switch "" {
	case paths.Dir:
		return paths.File
	case paths.File:
		return paths.Dir
	}
	return paths.File + " with " + paths.Dir
}

// byFile is what was found in a configuration of several files, by file. What is
// valid has a last entry for the whole.
func byFile(paths config.Paths, l *config.Loaded, mistakes, warnings []config.Problem) []report.File {
	whole := report.File{Name: mergedName(paths)}
	var files []report.File
	in := func(p config.Problem) *report.File {
		if p.File == "" {
			return &whole
		}
		i := slices.IndexFunc(files, func(f report.File) bool { return f.Name == p.File })
		if i < 0 {
			i = len(files)
			files = append(files, report.File{Name: p.File})
		}
		return &files[i]
	}
	for _, p := range mistakes {
		f := in(p)
		f.Errors = append(f.Errors, p)
	}
	for _, p := range warnings {
		f := in(p)
		f.Warnings = append(f.Warnings, p)
	}
	if l != nil {
		whole.Hash = l.Hash
	}
	if l != nil || len(whole.Errors) > 0 {
		files = append(files, whole)
	}
	return files
}

// invalidity are the problems of an invalid configuration, if the error is that.
func invalidity(err error) (config.Errors, bool) {
	var invalid config.Errors
	is := errors.As(err, &invalid)
	return invalid, is
}

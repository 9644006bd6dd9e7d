// SPDX-License-Identifier: Apache-2.0

// Package lastgood keeps the last configuration that proved itself in a file, so
// that a manager which is started on a broken one can go on with it. What is kept
// are the files as they were: one text that people can read, and from which they
// can copy.
package lastgood

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/kube-live/kube-controller-manager/pkg/config"
)

// Mode is that of the file: what names key files concerns nobody else.
const Mode = 0o600

const (
	title = "# The last good configuration of kube-controller-manager, written by itself.\n"
	// A configuration is one document, so none of its lines can begin like this.
	base   = "--- # file: "
	dropIn = "--- # drop-in: "
)

// ErrNone means that nothing was kept yet.
var ErrNone = errors.New("no configuration was kept yet")

// Store is the file. The zero value keeps nothing.
type Store struct {
	// Path of the file; its folder must exist. "": nothing is kept.
	Path string
}

// Save replaces the file as a whole: a reader, or the next start after a crash,
// finds the old content or the new one. The name of the base file is empty when
// there are only drop-ins.
func (s Store) Save(name string, c config.Content) error {
	if s.Path == "" {
		return nil
	}
	text := encode(name, c)
	if old, err := os.ReadFile(s.Path); err == nil && bytes.Equal(old, text) {
		return os.Chmod(s.Path, Mode)
	}
	f, err := os.CreateTemp(filepath.Dir(s.Path), "."+filepath.Base(s.Path)+".") // 0600
	if err != nil {
		return fmt.Errorf("keep the last good configuration: %w", err)
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), s.Path)
	}
	if err != nil {
		return fmt.Errorf("keep the last good configuration: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return syncFolder(filepath.Dir(s.Path))
}

// syncFolder makes a rename survive a crash of the machine.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("keep the last good configuration: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}

// Load reads what was kept. The error is ErrNone when there is nothing.
func (s Store) Load() (name string, c config.Content, err error) {
	text, err := os.ReadFile(s.Path)
	switch {
	case s.Path == "" || errors.Is(err, fs.ErrNotExist):
		return "", c, ErrNone
	case err != nil:
		return "", c, err
	}
	return decode(s.Path, string(text))
}

func encode(name string, c config.Content) []byte {
	var b bytes.Buffer
	b.WriteString(title)
	part := func(mark, name string, data []byte) {
		fmt.Fprintf(&b, "%s%q\n%s", mark, name, data)
		if len(data) > 0 && data[len(data)-1] != '\n' {
			b.WriteString("\n")
		}
	}
	if name != "" {
		part(base, name, c.Data)
	}
	for _, d := range c.DropIns {
		part(dropIn, d.Name, d.Data)
	}
	return b.Bytes()
}

func decode(path, text string) (name string, c config.Content, err error) {
	rest, ok := strings.CutPrefix(text, title)
	if !ok {
		return "", c, fmt.Errorf("%s is not a file that kube-controller-manager wrote: its first line is another", path)
	}
	var into *[]byte
	for line := range strings.Lines(rest) {
		switch {
		case strings.HasPrefix(line, base):
			name, err = unquote(line, base)
			into = &c.Data
		case strings.HasPrefix(line, dropIn):
			var n string
			n, err = unquote(line, dropIn)
			c.DropIns = append(c.DropIns, config.Source{Name: n})
			into = &c.DropIns[len(c.DropIns)-1].Data
		case into == nil:
			err = errors.New("text before the first file")
		default:
			*into = append(*into, line...)
		}
		if err != nil {
			return "", config.Content{}, fmt.Errorf("%s: %w", path, err)
		}
	}
	return name, c, nil
}

func unquote(line, mark string) (name string, err error) {
	if _, err := fmt.Sscanf(strings.TrimPrefix(line, mark), "%q", &name); err != nil {
		return "", fmt.Errorf("%q does not name a file: %w", strings.TrimSpace(line), err)
	}
	return name, nil
}

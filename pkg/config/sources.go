// SPDX-License-Identifier: Apache-2.0

package config

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Source is one file of a configuration.
type Source struct {
	// Name is the file's name, for messages and relative paths.
	Name string
	Data []byte
}

// sources are all files, the lowest first.
func (in Input) sources() []Source {
	if in.File == "" {
		return in.DropIns
	}
	return append([]Source{{in.File, in.Data}}, in.DropIns...)
}

// Hash identifies the content of files that make a configuration. For one file it
// is the first 16 hex digits of its SHA-256, as sha256sum prints. For several it
// is that of what sha256sum prints about them: for each file in the order in
// which they are laid over each other a line with its whole SHA-256, two spaces,
// and its name without folders. So a change, a rename, and another file change
// it, another folder does not.
func Hash(files []Source) string {
	var content []byte
	if len(files) == 1 {
		content = files[0].Data
	} else {
		for _, f := range files {
			content = fmt.Appendf(content, "%x  %s\n", sha256.Sum256(f.Data), filepath.Base(f.Name))
		}
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])[:16]
}

// Paths are where a configuration is read from. The zero value is nowhere.
type Paths struct {
	// File is the configuration; "": there is none.
	File string
	// Dir is a folder of drop-ins: its *.yaml files in alphabetical order, apart
	// from File, hidden files, and what is in folders below. "": there is none.
	Dir string
}

// Read reads all files, as far as a configuration may be long: what is longer is
// cut off behind that length, so that it is refused without being held in memory.
// The content's error names all that cannot be read.
func (p Paths) Read() Content {
	var c Content
	var wrong []error
	left := int64(MaxBytes + 1)
	read := func(name string) []byte {
		data, err := readSome(name, left)
		if err != nil {
			wrong = append(wrong, err)
		}
		left -= int64(len(data))
		return data
	}
	if p.File != "" {
		c.Data = read(p.File)
	}
	names, err := p.dropIns()
	if err != nil {
		wrong = append(wrong, err)
	}
	for _, name := range names {
		if left > 0 {
			c.DropIns = append(c.DropIns, Source{Name: name, Data: read(name)})
		}
	}
	if len(wrong) > 0 {
		return Content{Err: errors.Join(wrong...)}
	}
	return c
}

func readSome(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, most))
}

// dropIns are the names of the files in the folder that count.
func (p Paths) dropIns() ([]string, error) {
	if p.Dir == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(p.Dir) // sorted
	if err != nil {
		return nil, fmt.Errorf("folder of drop-ins: %w", err)
	}
	var names []string
	for _, e := range entries {
		name := filepath.Join(p.Dir, e.Name())
		if strings.HasPrefix(e.Name(), ".") || filepath.Ext(name) != ".yaml" || samePath(name, p.File) {
			continue
		}
		// A link is what it leads to; reading tells what is wrong with it.
		if info, err := os.Stat(name); err != nil || !info.IsDir() {
			names = append(names, name)
		}
	}
	return names, nil
}

func samePath(a, b string) bool {
	if b == "" {
		return false
	}
	absA, errA := filepath.Abs(a)
	absB, errB := filepath.Abs(b)
	return errA == nil && errB == nil && absA == absB
}

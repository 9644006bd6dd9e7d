// SPDX-License-Identifier: Apache-2.0

package config

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHash(t *testing.T) {
	one, two := Source{"/a/1.yaml", []byte("one")}, Source{"/b/2.yaml", []byte("two")}
	short := func(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text)))[:16] }
	lines := fmt.Sprintf("%x  1.yaml\n%x  2.yaml\n", sha256.Sum256(one.Data), sha256.Sum256(two.Data))
	for want, files := range map[string][]Source{short(""): nil, short("one"): {one}, short(lines): {one, two}} {
		if got := Hash(files); got != want {
			t.Errorf("%d files: %s, want %s", len(files), got, want)
		}
	}
	if Hash([]Source{two, one}) == Hash([]Source{one, two}) {
		t.Error("the order does not matter")
	}
}

func TestReadFolder(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	for name, content := range map[string]string{"20.yaml": "b", "10.yaml": "a", ".hidden.yaml": "x", "c.yml": "x", "d.txt": "x", "base.yaml": "base", "e.yaml~": "x"} {
		write(t, filepath.Join(dir, name), content)
	}
	write(t, filepath.Join(other, "real"), "linked")
	do(t, os.Mkdir(filepath.Join(dir, "sub.yaml"), 0o700))
	do(t, os.Symlink(filepath.Join(other, "real"), filepath.Join(dir, "30.yaml")))
	do(t, os.Symlink(other, filepath.Join(dir, "folder.yaml")))
	c := Paths{File: dir + "/./base.yaml", Dir: dir}.Read()
	want := Content{Data: []byte("base"), DropIns: []Source{
		{filepath.Join(dir, "10.yaml"), []byte("a")}, {filepath.Join(dir, "20.yaml"), []byte("b")}, {filepath.Join(dir, "30.yaml"), []byte("linked")}}}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if c := (Paths{Dir: t.TempDir()}).Read(); c.Err != nil || len(c.DropIns) > 0 {
		t.Errorf("an empty folder: %+v", c)
	}
	do(t, os.Remove(filepath.Join(other, "real")))
	c = Paths{File: dir + "/none.yaml", Dir: dir}.Read()
	for _, missing := range []string{"none.yaml", "30.yaml"} {
		if c.Err == nil || !strings.Contains(c.Err.Error(), missing) {
			t.Errorf("%s is missing, and the error is %v", missing, c.Err)
		}
	}
	if c := (Paths{Dir: dir + "/none"}).Read(); c.Err == nil || !strings.Contains(c.Err.Error(), dir+"/none") {
		t.Errorf("a missing folder: %v", c.Err)
	}
}

// What is read of endless files is bounded.
func TestReadIsBounded(t *testing.T) {
	dir := t.TempDir()
	for i := range 4 {
		write(t, filepath.Join(dir, fmt.Sprint(i, ".yaml")), strings.Repeat("#", MaxBytes-10))
	}
	total := 0
	for _, s := range (Paths{Dir: dir}).Read().DropIns {
		total += len(s.Data)
	}
	if total != MaxBytes+1 {
		t.Errorf("%d bytes, want %d", total, MaxBytes+1)
	}
}

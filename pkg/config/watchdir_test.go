// SPDX-License-Identifier: Apache-2.0

package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// seen are the contents in one line: the file, then NAME=CONTENT of each drop-in.
func seen(c Content) string {
	words := []string{string(c.Data)}
	for _, s := range c.DropIns {
		words = append(words, filepath.Base(s.Name)+"="+string(s.Data))
	}
	return strings.Join(words, " ")
}

func expectAll(t *testing.T, out <-chan Content, want string) {
	t.Helper()
	last := "nothing"
	for {
		select {
		case c := <-out:
			if last = seen(c); last == want && c.Err == nil {
				return
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%q was not noticed, the last was %q", want, last)
		}
	}
}

func TestWatchFileAndFolderAsOne(t *testing.T) {
	root := t.TempDir()
	base, dir := filepath.Join(root, "base", "c.yaml"), filepath.Join(root, "kcm.d")
	do(t, os.MkdirAll(filepath.Dir(base), 0o700))
	do(t, os.Mkdir(dir, 0o700))
	write(t, base, "one")
	_, out := watchAll(t, Paths{File: base, Dir: dir}, never)
	in := func(name string) string { return filepath.Join(dir, name) }

	write(t, in("b.yaml"), "b")
	expectAll(t, out, "one b.yaml=b")
	write(t, in("a.yaml.new"), "a")
	do(t, os.Rename(in("a.yaml.new"), in("a.yaml")))
	expectAll(t, out, "one a.yaml=a b.yaml=b")
	write(t, base, "two")
	expectAll(t, out, "two a.yaml=a b.yaml=b")
	do(t, os.Rename(in("a.yaml"), in("c.yaml")))
	expectAll(t, out, "two b.yaml=b c.yaml=a")
	write(t, in("b.yaml"), "changed")
	expectAll(t, out, "two b.yaml=changed c.yaml=a")
	do(t, os.Rename(in("c.yaml"), in(".c.yaml")))
	expectAll(t, out, "two b.yaml=changed")
	do(t, os.Remove(in("b.yaml")))
	expectAll(t, out, "two")
	do(t, os.Remove(base))
	expectGone(t, out)
}

// The folder is a ConfigMap volume: its links stay, ..data becomes another one,
// and keys come and go.
func TestWatchFolderConfigMapSwap(t *testing.T) {
	dir := t.TempDir()
	version := func(name string, files map[string]string) {
		do(t, os.Mkdir(filepath.Join(dir, name), 0o700))
		for file, content := range files {
			write(t, filepath.Join(dir, name, file), content)
		}
		do(t, os.Symlink(name, filepath.Join(dir, "..tmp")))
		do(t, os.Rename(filepath.Join(dir, "..tmp"), filepath.Join(dir, "..data")))
	}
	link := func(file string) {
		do(t, os.Symlink(filepath.Join("..data", file), filepath.Join(dir, file)))
	}
	version("..1", map[string]string{"a.yaml": "one"})
	link("a.yaml")
	_, out := watchAll(t, Paths{Dir: dir}, never)
	version("..2", map[string]string{"a.yaml": "two", "b.yaml": "new"})
	link("b.yaml")
	do(t, os.RemoveAll(filepath.Join(dir, "..1")))
	expectAll(t, out, " a.yaml=two b.yaml=new")
	version("..3", map[string]string{"b.yaml": "last"})
	do(t, os.Remove(filepath.Join(dir, "a.yaml")))
	do(t, os.RemoveAll(filepath.Join(dir, "..2")))
	expectAll(t, out, " b.yaml=last")
}

// The folder is itself a link through ..data, as a key with a folder in its path
// is mounted.
func TestWatchFolderBehindALink(t *testing.T) {
	root := t.TempDir()
	version := func(name, content string) {
		do(t, os.MkdirAll(filepath.Join(root, name, "kcm.d"), 0o700))
		write(t, filepath.Join(root, name, "kcm.d", "a.yaml"), content)
		do(t, os.Symlink(name, filepath.Join(root, "..tmp")))
		do(t, os.Rename(filepath.Join(root, "..tmp"), filepath.Join(root, "..data")))
	}
	version("..1", "one")
	do(t, os.Symlink("..data/kcm.d", filepath.Join(root, "kcm.d")))
	_, out := watchAll(t, Paths{Dir: filepath.Join(root, "kcm.d")}, never)
	for name, content := range map[string]string{"..2": "two", "..3": "three"} {
		version(name, content)
		expectAll(t, out, " a.yaml="+content)
	}
}

func TestWatchFolderIsReplaced(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "kcm.d")
	do(t, os.Mkdir(dir, 0o700))
	write(t, filepath.Join(dir, "a.yaml"), "one")
	_, out := watchAll(t, Paths{Dir: dir}, never)
	do(t, os.Rename(dir, dir+".old"))
	expectGone(t, out)
	do(t, os.Mkdir(dir, 0o700))
	write(t, filepath.Join(dir, "a.yaml"), "two")
	expectAll(t, out, " a.yaml=two")
	write(t, filepath.Join(dir, "a.yaml"), "three")
	expectAll(t, out, " a.yaml=three")
}

func TestWatchFolderIgnoresOthers(t *testing.T) {
	dir := t.TempDir()
	w, out := watchAll(t, Paths{Dir: dir}, never)
	for _, name := range []string{".a.yaml", "a.yml", "a.yaml.swp", "..data"} {
		write(t, filepath.Join(dir, name), "x")
	}
	do(t, os.Mkdir(filepath.Join(dir, "sub.yaml"), 0o700))
	w.Look()
	write(t, filepath.Join(dir, "a.yaml"), "one")
	select {
	case c := <-out:
		if got := seen(c); !strings.HasPrefix(got, " a.yaml=") {
			t.Errorf("%q was reported", got)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the change was not noticed")
	}
}

// Without any event: the folder's inode is another one, and so is its parent's.
func TestWatchFolderIntervalIsTheGuarantee(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "etc", "kcm.d")
	do(t, os.MkdirAll(dir, 0o700))
	w, out := watchAll(t, Paths{Dir: dir}, never)
	do(t, os.Rename(filepath.Join(root, "etc"), filepath.Join(root, "old")))
	do(t, os.MkdirAll(dir, 0o700))
	write(t, filepath.Join(dir, "a.yaml"), "one")
	w.SetPoll(10 * time.Millisecond)
	expectAll(t, out, " a.yaml=one")
}

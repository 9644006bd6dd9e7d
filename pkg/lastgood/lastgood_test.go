// SPDX-License-Identifier: Apache-2.0

package lastgood_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/lastgood"
)

func TestWhatIsKeptComesBack(t *testing.T) {
	s := lastgood.Store{Path: filepath.Join(t.TempDir(), "last-good.yaml")}
	if _, _, err := s.Load(); !errors.Is(err, lastgood.ErrNone) {
		t.Fatalf("before the first: %v", err)
	}
	for _, tc := range []struct {
		name string
		c    config.Content
	}{
		{"/etc/kcm.yaml", config.Content{Data: []byte("a: 1\n# file: x\nb: |\n  text\n")}},
		{"", config.Content{DropIns: []config.Source{{Name: `/d/10 "odd"` + "\n.yaml", Data: []byte("a: 2\n")}}}},
		{"c.yaml", config.Content{Data: []byte("a: 1\n"), DropIns: []config.Source{{Name: "/d/1.yaml", Data: []byte("b: 2\n")}, {Name: "/d/2.yaml"}}}},
	} {
		if err := s.Save(tc.name, tc.c); err != nil {
			t.Fatal(err)
		}
		name, c, err := s.Load()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tc.c, c); diff != "" || name != tc.name {
			t.Errorf("%q came back as %q (-want +got)\n%s", tc.name, name, diff)
		}
		info, err := os.Stat(s.Path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != lastgood.Mode {
			t.Errorf("mode %v", info.Mode())
		}
		if left, err := filepath.Glob(filepath.Join(filepath.Dir(s.Path), ".*")); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v %v", left, err)
		}
	}
	if err := os.Chmod(s.Path, 0o644); err != nil {
		t.Fatal(err)
	}
	name, c, err := s.Load()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Save(name, c); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(s.Path); err != nil || info.Mode().Perm() != lastgood.Mode {
		t.Errorf("the same content left mode %v: %v", info.Mode(), err)
	}
}

func TestFilesOfOthersAreRefused(t *testing.T) {
	s := lastgood.Store{Path: filepath.Join(t.TempDir(), "x")}
	for content, want := range map[string]string{
		"":      "its first line is another",
		"a: 1":  "its first line is another",
		"--- #": "its first line is another",
		"# The last good configuration of kube-controller-manager, written by itself.\na: 1\n":            "before the first file",
		"# The last good configuration of kube-controller-manager, written by itself.\n--- # file: x y\n": "does not name a file",
	} {
		if err := os.WriteFile(s.Path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.Load(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", content, err, want)
		}
	}
}

func TestAFolderThatIsNotThere(t *testing.T) {
	s := lastgood.Store{Path: filepath.Join(t.TempDir(), "none", "x")}
	if err := s.Save("a", config.Content{}); err == nil {
		t.Error("saved into a folder that does not exist")
	}
	if err := (lastgood.Store{}).Save("a", config.Content{}); err != nil {
		t.Error(err)
	}
}

func FuzzEveryContentComesBack(f *testing.F) {
	f.Add("c.yaml", "a: 1\n", "d", "b: 2\n")
	f.Fuzz(func(t *testing.T, name, data, dropIn, more string) {
		whole := func(s string) []byte {
			if s == "" || strings.HasPrefix(s, "--- #") || strings.Contains(s, "\n--- #") {
				return nil
			}
			return []byte(strings.TrimSuffix(s, "\n") + "\n")
		}
		if name == "" {
			name = "c"
		}
		in := config.Content{Data: whole(data), DropIns: []config.Source{{Name: dropIn, Data: whole(more)}}}
		s := lastgood.Store{Path: filepath.Join(t.TempDir(), "x")}
		if err := s.Save(name, in); err != nil {
			t.Fatal(err)
		}
		got, out, err := s.Load()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(in, out); diff != "" || got != name {
			t.Errorf("%q came back as %q (-want +got)\n%s", name, got, diff)
		}
	})
}

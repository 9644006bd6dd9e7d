// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// update is registered in test binaries only: a program that links this package
// keeps its own flags.
var update = func() *bool {
	if testing.Testing() && flag.Lookup("update") == nil {
		return flag.Bool("update", false, "write golden files instead of comparing with them")
	}
	return new(bool)
}()

// Golden compares got with the file at path, relative to the package's folder.
// With the flag -update, or UPDATE_GOLDEN=1 for many packages at once, it writes
// the file instead.
func Golden[T ~string | ~[]byte](t testing.TB, path string, got T) {
	t.Helper()
	if *update || os.Getenv("UPDATE_GOLDEN") == "1" {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (UPDATE_GOLDEN=1 writes it)", err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got; UPDATE_GOLDEN=1 accepts it):\n%s", path, diff)
	}
}

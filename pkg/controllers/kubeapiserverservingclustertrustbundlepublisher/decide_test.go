// SPDX-License-Identifier: Apache-2.0

package kubeapiserverservingclustertrustbundlepublisher

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNameOf(t *testing.T) {
	// printf abc | sha256sum
	if got := nameOf(signer, []byte("abc")); got != "kubernetes.io:kube-apiserver-serving:ba7816bf8f01cfea414140de" {
		t.Error(got)
	}
	if got := nameOf("a/b/c", nil); got != "a:b:c:e3b0c44298fc1c149afbf4c8" {
		t.Error(got)
	}
}

func TestOthers(t *testing.T) {
	names := []string{"c", "a", "b"}
	if diff := cmp.Diff([]string{"a", "c"}, others(names, "b")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"c", "a", "b"}, names); diff != "" {
		t.Errorf("the names were changed (-want +got):\n%s", diff)
	}
	if got := others([]string{"a"}, "a"); len(got) != 0 {
		t.Error(got)
	}
}

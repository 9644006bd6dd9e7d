// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCommittedDocsAreUpToDate(t *testing.T) {
	const folder = "../../../apis/config/v1beta1"
	want, err := generate(folder)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(folder + "/docs.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("run: go generate ./apis/...\n(-want +got)\n%s", diff)
	}
}

func TestSentence(t *testing.T) {
	got := sentence("RetryPeriod is short,\nunlike RenewDeadlines and RenewDeadline.\n\nMore.\n",
		map[string]string{"RetryPeriod": "retryPeriod", "RenewDeadline": "renewDeadline", "Hidden": ""})
	want := "retryPeriod is short, unlike RenewDeadlines and renewDeadline.\n\nMore."
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

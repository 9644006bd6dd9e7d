// SPDX-License-Identifier: Apache-2.0

// Command man writes the manual pages of the program and its commands.
//
//	man FOLDER
package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra/doc"
	"k8s.io/component-base/version"

	"github.com/kube-live/kube-controller-manager/pkg/cli"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: man FOLDER")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

func write(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	root := cli.Root()
	root.DisableAutoGenTag = true // no line that tells the day
	return doc.GenManTree(root, &doc.GenManHeader{Section: "8", Source: "Kubernetes " + version.Get().GitVersion, Manual: "Kubernetes"}, folder)
}

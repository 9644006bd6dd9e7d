// SPDX-License-Identifier: Apache-2.0

// Command kube-controller-manager runs the controllers of Kubernetes.
package main

import (
	"fmt"
	"os"

	// Metrics that client-go keeps globally.
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"

	"github.com/kube-live/kube-controller-manager/pkg/cli"
)

func main() {
	if err := cli.Root().Execute(); err != nil {
		fmt.Fprintf(os.Stderr, "Error: %v\n", err)
		os.Exit(1)
	}
}

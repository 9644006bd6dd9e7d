// SPDX-License-Identifier: Apache-2.0

// Command kube-controller-manager runs the controllers of Kubernetes.
package main

import (
	"os"

	// Metrics that client-go keeps globally. Those of work queues are not among
	// them: each run of a controller has its own.
	_ "k8s.io/component-base/metrics/prometheus/clientgo/fifo"
	_ "k8s.io/component-base/metrics/prometheus/clientgo/leaderelection"
	_ "k8s.io/component-base/metrics/prometheus/restclient"
	_ "k8s.io/component-base/metrics/prometheus/version"

	"github.com/kube-live/kube-controller-manager/pkg/cli"
)

func main() {
	os.Exit(cli.Exit(os.Stderr, cli.Root().Execute()))
}

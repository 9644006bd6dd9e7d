// SPDX-License-Identifier: Apache-2.0

package main

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

//go:embed hint.txt
var builtinHint string

// hint returns the text that is shown when all is ready.
func (c *cluster) hint(plane *testkit.Plane) (string, error) {
	text := builtinHint
	if c.hintFile != "" {
		data, err := os.ReadFile(c.hintFile)
		if err != nil {
			return "", err
		}
		text = string(data)
	}
	values := placeholders(plane)
	values["setup"] = setup(plane)
	return expand([]string{text}, values)[0], nil
}

// setup is what makes kubectl work in another terminal.
func setup(plane *testkit.Plane) string {
	text := fmt.Sprintf("export KUBECONFIG=%q", plane.AdminKubeconfig)
	if _, err := exec.LookPath(testkit.Kubectl); err != nil && plane.Binaries.Kubectl != "" {
		text += fmt.Sprintf("\n  alias kubectl=%q", plane.Binaries.Kubectl)
	}
	return text
}

func placeholders(plane *testkit.Plane) map[string]string {
	kubectl := plane.Binaries.Kubectl
	if kubectl == "" {
		kubectl = testkit.Kubectl
	}
	return map[string]string{
		"admin":   plane.AdminKubeconfig,
		"manager": plane.ManagerKubeconfig,
		"dir":     plane.Dir,
		"kubectl": kubectl,
	}
}

// expand replaces {name} by its value; braces around anything else stay.
func expand(texts []string, values map[string]string) []string {
	var pairs []string
	for name, value := range values {
		pairs = append(pairs, "{"+name+"}", value)
	}
	replacer := strings.NewReplacer(pairs...)
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = replacer.Replace(text)
	}
	return out
}

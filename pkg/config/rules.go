// SPDX-License-Identifier: Apache-2.0

package config

import (
	"crypto/tls"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/version"

	"github.com/kube-live/kube-controller-manager/pkg/feature"
)

// oldestEmulated is the oldest version that upstream can emulate, as its minor.
const oldestEmulated = 34

// rules are the project's own validation tags: what a text must fulfil.
func rules() map[string]func(string) bool {
	metric := regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`)
	label := regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*,[a-zA-Z_][a-zA-Z0-9_]*$`)
	return map[string]func(string) bool{
		"allow_path":        func(s string) bool { return !strings.Contains(strings.TrimSuffix(s, "*"), "*") },
		"cipher_suite":      knownCipherSuite,
		"component_version": knownVersion,
		"dns_label":         func(s string) bool { return len(validation.IsDNS1123Label(s)) == 0 },
		"metric_label":      label.MatchString,
		"metric_name":       metric.MatchString,
	}
}

// broken says each of them in words, for texts that do not fulfil it.
func broken() map[string]string {
	return map[string]string{
		"allow_path":        "only one * is allowed, at the end",
		"cipher_suite":      "must be the name of a cipher suite such as TLS_AES_128_GCM_SHA256",
		"component_version": "must be kube=MAJOR.MINOR, from 1.34 to " + feature.EmulationVersion,
		"dns_label":         "must be lower case letters, digits and - inside, at most 63, as the name of a namespace",
		"metric_label":      "must be METRIC,LABEL",
		"metric_name":       "must be the full name of a metric",
	}
}

func knownCipherSuite(name string) bool {
	named := func(c *tls.CipherSuite) bool { return c.Name == name }
	return slices.ContainsFunc(tls.CipherSuites(), named) || slices.ContainsFunc(tls.InsecureCipherSuites(), named)
}

func knownVersion(text string) bool {
	component, number, found := strings.Cut(text, "=")
	if !found {
		component, number = "kube", text
	}
	v, err := version.ParseMajorMinor(number)
	if err != nil || component != "kube" || strings.Count(number, ".") != 1 {
		return false
	}
	return v.Major() == 1 && v.Minor() >= oldestEmulated && v.Minor() <= version.MustParse(feature.EmulationVersion).Minor()
}

// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"k8s.io/component-base/version"
)

// version does what --version asks for. Done says that it was printed and the
// program has nothing else to do. The error says which values there are, or why
// the given version cannot be that of this build.
func (s *settings) version(out io.Writer) (done bool, err error) {
	text, ok := s.given["version"]
	if !ok {
		return false, nil
	}
	switch {
	case text == "raw":
		_, err = fmt.Fprintf(out, "%#v\n", version.Get())
		return true, err
	case strings.HasPrefix(text, "v"):
		return false, version.SetDynamicVersion(text)
	}
	asked, err := strconv.ParseBool(text)
	if err != nil {
		return false, fmt.Errorf("--version: %q is neither true, false, raw nor a version such as v1.37.2", text)
	}
	if asked {
		_, err = fmt.Fprintf(out, "Kubernetes %s\n", version.Get().GitVersion)
	}
	return asked, err
}

// SPDX-License-Identifier: Apache-2.0

package kubeapiserverservingclustertrustbundlepublisher

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// hashBytes is how much of a CA's hash is in the name of its bundle.
const hashBytes = 12

// nameOf is the name of the bundle with which a signer publishes a CA. Another CA
// has another name, so that the new bundle is there before the old one goes.
func nameOf(signer string, ca []byte) string {
	sum := sha256.Sum256(ca)
	return strings.ReplaceAll(signer, "/", ":") + ":" + hex.EncodeToString(sum[:hashBytes])
}

// others are the names but this one, sorted.
func others(names []string, name string) []string {
	names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == name })
	slices.Sort(names)
	return names
}

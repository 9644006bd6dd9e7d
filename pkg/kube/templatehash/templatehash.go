// SPDX-License-Identifier: Apache-2.0

// Package templatehash names pod templates by their content, the way every
// Kubernetes cluster does, so that objects keep their names when one controller
// manager replaces another.
package templatehash

import (
	"encoding/binary"
	"hash/fnv"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/utils/dump"
)

// Of is the hash of a template, 1 to 10 characters that are valid in a name and
// in a label. A collision count tells apart owners of equal hashes; nil is a
// count of its own, other than 0.
//
// The hash covers the names of all Go types and fields of the template, those
// that are not set included: another minor version of k8s.io/api gives other
// hashes. The template must be as it was decoded, because quantities remember
// that they were formatted, and the hash would show it.
func Of(template *corev1.PodTemplateSpec, collisions *int32) string {
	h := fnv.New32a()
	// A hash never fails to be written to.
	_, _ = h.Write([]byte(dump.ForHash(*template)))
	if collisions != nil {
		_, _ = h.Write(binary.LittleEndian.AppendUint64(nil, uint64(uint32(*collisions))))
	}
	return rand.SafeEncodeString(strconv.FormatUint(uint64(h.Sum32()), 10))
}

// SPDX-License-Identifier: Apache-2.0

package announce

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Annotations on the Lease.
const (
	// AnnotationGeneration is the generation of the leader's configuration in
	// effect, a number from 1.
	AnnotationGeneration = "kubecontrollermanager.config.k8s.io/generation"
	// AnnotationHash is the hash of that configuration's content.
	AnnotationHash = "kubecontrollermanager.config.k8s.io/config-hash"
	// AnnotationPrefix begins the names of verdicts: one for each process, which
	// ends with a hash of its identity. The value is an Entry in JSON.
	AnnotationPrefix = "verdict.kubecontrollermanager.config.k8s.io/"
)

const (
	// kept is how many verdicts an object has at most; the oldest go first.
	kept = 16
	// stale is the age at which the verdict of a process that does not renew it
	// is removed.
	stale = 30 * time.Minute
	// renewed is the age at which a living process renews its verdict.
	renewed = 10 * time.Minute
	// longest is the number of bytes of a message.
	longest = 512
)

// Entry is one process's verdict in an annotation.
type Entry struct {
	Identity string `json:"identity"`
	// Role is "leader" or "standby".
	Role    string  `json:"role"`
	Outcome Outcome `json:"verdict"`
	// Hash of the configuration that was judged, Generation of the one in effect
	// in that process.
	Hash       string `json:"hash,omitempty"`
	Generation int    `json:"generation"`
	Message    string `json:"message,omitempty"`
	// Time the process last said so.
	Time time.Time `json:"time"`
}

// Key is the name of the annotation of a process.
func Key(identity string) string {
	sum := sha256.Sum256([]byte(identity))
	return AnnotationPrefix + hex.EncodeToString(sum[:])[:16]
}

// Entries are the verdicts in an object's annotations, the newest first. What is
// none is left out.
func Entries(annotations map[string]string) []Entry {
	var list []Entry
	for key, value := range annotations {
		if e, ok := parse(key, value); ok {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b Entry) int {
		return cmp.Or(b.Time.Compare(a.Time), strings.Compare(a.Identity, b.Identity))
	})
	return list
}

func parse(key, value string) (e Entry, ok bool) {
	if !strings.HasPrefix(key, AnnotationPrefix) {
		return e, false
	}
	err := json.Unmarshal([]byte(value), &e)
	return e, err == nil && e.Identity != "" && Key(e.Identity) == key
}

// annotate is the annotations with an entry in them, and without those that are
// old or too many. The leader's have the configuration in effect, too. It says
// whether anything is worth a write; the map that was given stays as it is.
func annotate(old map[string]string, own Entry, effect string) (map[string]string, bool) {
	now := maps.Clone(old)
	if now == nil {
		now = map[string]string{}
	}
	key := Key(own.Identity)
	if before, ok := parse(key, old[key]); ok && own.Time.Sub(before.Time) < renewed {
		same := own
		same.Time = before.Time
		if same == before {
			own = before
		}
	}
	if data, err := json.Marshal(own); err == nil {
		now[key] = string(data)
	}
	if own.Role == roleLeader {
		now[AnnotationGeneration], now[AnnotationHash] = strconv.Itoa(own.Generation), effect
	}
	prune(now, own)
	return now, !maps.Equal(old, now)
}

func prune(annotations map[string]string, own Entry) {
	var others []Entry
	for key, value := range annotations {
		e, ok := parse(key, value)
		switch {
		case strings.HasPrefix(key, AnnotationPrefix) && (!ok || own.Time.Sub(e.Time) > stale):
			delete(annotations, key)
		case ok && e.Identity != own.Identity:
			others = append(others, e)
		}
	}
	slices.SortFunc(others, func(a, b Entry) int { return b.Time.Compare(a.Time) })
	for i, e := range others {
		if i >= kept-1 {
			delete(annotations, Key(e.Identity))
		}
	}
}

// brief is the first line of a message, cut to what an annotation should have.
func brief(message string) string {
	message, _, _ = strings.Cut(message, "\n")
	if len(message) <= longest {
		return message
	}
	return strings.ToValidUTF8(message[:longest-3], "") + "..."
}

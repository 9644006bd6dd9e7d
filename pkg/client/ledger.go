// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/resourceversion"
)

// Ledger remembers, over the runs of one controller, the newest resource
// version that the controller's own writes produced, for each resource. A new
// run compares it with its caches: one that is behind still shows the world
// before those writes, and acting on it would repeat them.
type Ledger struct {
	mu      sync.Mutex
	written map[schema.GroupResource]string
	unknown map[schema.GroupResource]bool
	// buffers hold answers until they are closed.
	buffers sync.Pool
}

// NewLedger is an empty ledger.
func NewLedger() *Ledger {
	return &Ledger{written: map[schema.GroupResource]string{}, unknown: map[schema.GroupResource]bool{}}
}

// Written is the newest version written of a resource, or "".
func (l *Ledger) Written(r schema.GroupResource) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.written[r]
}

// Unknown says whether a write of the resource ended without an answer, so that
// the server may or may not have done it.
func (l *Ledger) Unknown(r schema.GroupResource) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.unknown[r]
}

// Settle records a version read from the server after an unknown outcome.
func (l *Ledger) Settle(r schema.GroupResource, version string) {
	l.record(r, version)
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.unknown, r)
}

func (l *Ledger) record(r schema.GroupResource, version string) {
	if version == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	old, seen := l.written[r]
	if !seen {
		l.written[r] = version
		return
	}
	if cmp, err := resourceversion.CompareResourceVersion(old, version); err == nil && cmp < 0 {
		l.written[r] = version
	}
}

func (l *Ledger) doubt(r schema.GroupResource) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.unknown[r] = true
}

// recorder is the transport that fills the ledger from the answers to writes,
// so that no controller can forget to.
type recorder struct {
	next   http.RoundTripper
	ledger *Ledger
}

func (t recorder) RoundTrip(r *http.Request) (*http.Response, error) {
	resource, ok := written(r)
	if !ok {
		return t.next.RoundTrip(r)
	}
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		t.ledger.doubt(resource)
		return nil, err
	}
	if resp.StatusCode >= http.StatusInternalServerError {
		t.ledger.doubt(resource)
	}
	if resp.StatusCode/100 != 2 || resp.Body == nil {
		return resp, nil
	}
	body := t.ledger.buffer()
	_, err = body.ReadFrom(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		t.ledger.doubt(resource)
		return nil, err
	}
	t.ledger.record(resource, versionOf(resp.Header.Get("Content-Type"), body.Bytes()))
	resp.Body = &buffered{Reader: bytes.NewReader(body.Bytes()), buffer: body, ledger: t.ledger}
	return resp, nil
}

// buffered is a body that was read already.
type buffered struct {
	*bytes.Reader
	buffer *bytes.Buffer
	ledger *Ledger
}

// maxKept bounds the buffers that are used again.
const maxKept = 256 << 10

func (l *Ledger) buffer() *bytes.Buffer {
	if b, ok := l.buffers.Get().(*bytes.Buffer); ok {
		b.Reset()
		return b
	}
	return &bytes.Buffer{}
}

// Close gives the buffer back; nothing can be read any more.
func (b *buffered) Close() error {
	if b.buffer != nil && b.buffer.Cap() <= maxKept {
		b.ledger.buffers.Put(b.buffer)
	}
	b.buffer, b.Reader = nil, bytes.NewReader(nil)
	return nil
}

// written is the resource a request writes. Reviews and token requests are
// creations that store nothing, but harmless to look at.
func written(r *http.Request) (schema.GroupResource, bool) {
	switch r.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return schema.GroupResource{}, false
	}
	return resourceOf(r.URL.Path)
}

// resourceOf reads the resource out of an API path such as
// /apis/apps/v1/namespaces/ns/replicasets/name/status.
func resourceOf(path string) (schema.GroupResource, bool) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	var group string
	switch {
	case len(parts) >= 3 && parts[0] == "api":
		parts = parts[2:]
	case len(parts) >= 4 && parts[0] == "apis":
		group, parts = parts[1], parts[3:]
	default:
		return schema.GroupResource{}, false
	}
	// A namespace itself, with or without a subresource, is not a scope.
	subresource := len(parts) == 3 && (parts[2] == "status" || parts[2] == "finalize")
	if len(parts) >= 3 && parts[0] == "namespaces" && !subresource {
		parts = parts[2:]
	}
	return schema.GroupResource{Group: group, Resource: parts[0]}, true
}

// versionOf is metadata.resourceVersion of an encoded object, or "".
func versionOf(contentType string, body []byte) string {
	if strings.HasPrefix(contentType, "application/vnd.kubernetes.protobuf") {
		raw := field(bytes.TrimPrefix(body, []byte("k8s\x00")), 2) // runtime.Unknown.raw
		meta := field(raw, 1)                                      // metadata is the first field of every API type
		return string(field(meta, 6))                              // ObjectMeta.resourceVersion
	}
	var obj struct {
		Metadata struct {
			ResourceVersion string `json:"resourceVersion"`
		} `json:"metadata"`
	}
	if json.Unmarshal(body, &obj) != nil {
		return ""
	}
	return obj.Metadata.ResourceVersion
}

// field is the first length-delimited field of that number in a protobuf
// message, or nil.
func field(message []byte, number protowire.Number) []byte {
	for len(message) > 0 {
		n, kind, size := protowire.ConsumeTag(message)
		if size < 0 {
			return nil
		}
		message = message[size:]
		if n == number && kind == protowire.BytesType {
			value, size := protowire.ConsumeBytes(message)
			if size < 0 {
				return nil
			}
			return value
		}
		size = protowire.ConsumeFieldValue(n, kind, message)
		if size < 0 {
			return nil
		}
		message = message[size:]
	}
	return nil
}

// SPDX-License-Identifier: Apache-2.0

package validatingadmissionpolicystatus

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/cel/openapi/resolver"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

const (
	// reference begins a reference to another schema of the same document.
	reference = "#/components/schemas/"
	// kindsOf is the extension in which a schema says what kinds it is of.
	kindsOf = "x-kubernetes-group-version-kind"
	// keep is how many documents are at hand at most.
	keep = 8
)

// documents are the schema documents that were read since there was last nothing to
// do. They are large, and most of the time there is nothing to do.
type documents struct {
	mu    sync.Mutex
	syncs int
	byURL map[string]*document
}

func newDocuments() *documents { return &documents{byURL: map[string]*document{}} }

// open says that a sync begins.
func (d *documents) open() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.syncs++
}

// close says that a sync has ended, and whether more wait.
func (d *documents) close(more bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.syncs--; d.syncs == 0 && !more {
		clear(d.byURL)
	}
}

// get is the document of that address, or nil.
func (d *documents) get(url string) *document {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.byURL[url]
}

// put keeps a document whose address names its content, so that it is never out of
// date.
func (d *documents) put(url string, content *document) {
	if !strings.Contains(url, "hash=") {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.byURL) >= keep {
		clear(d.byURL)
	}
	d.byURL[url] = content
}

// document is the schemas of one group version. It is never changed.
type document struct {
	schemas map[string]*spec.Schema
	names   map[schema.GroupVersionKind]string
}

// parse reads a document in JSON.
func parse(content []byte) (*document, error) {
	var raw struct {
		Components struct {
			Schemas map[string]*spec.Schema `json:"schemas"`
		} `json:"components"`
	}
	if err := json.Unmarshal(content, &raw); err != nil {
		return nil, fmt.Errorf("schema document: %w", err)
	}
	d := &document{schemas: raw.Components.Schemas, names: map[schema.GroupVersionKind]string{}}
	for name, s := range d.schemas {
		if s == nil {
			return nil, fmt.Errorf("schema document: %s is null", name)
		}
		var of []schema.GroupVersionKind
		if err := s.Extensions.GetObject(kindsOf, &of); err != nil {
			return nil, fmt.Errorf("schema document: %s: %s: %w", name, kindsOf, err)
		}
		for _, kind := range of {
			// Names make the choice the same each time, should two claim a kind.
			if other, taken := d.names[kind]; !taken || name < other {
				d.names[kind] = name
			}
		}
	}
	return d, nil
}

// schema of a kind, with all references replaced by what they refer to.
func (d *document) schema(kind schema.GroupVersionKind) (*spec.Schema, error) {
	name, found := d.names[kind]
	if !found {
		return nil, resolver.ErrSchemaNotFound
	}
	return resolver.PopulateRefs(func(ref string) (*spec.Schema, bool) {
		s, found := d.schemas[strings.TrimPrefix(ref, reference)]
		return s, found
	}, name)
}

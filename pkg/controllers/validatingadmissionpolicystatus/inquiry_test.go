// SPDX-License-Identifier: Apache-2.0

package validatingadmissionpolicystatus

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/cel/openapi/resolver"
	"k8s.io/client-go/openapi"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/kube-live/kube-controller-manager/pkg/client"
)

// served is an OpenAPI client: contents of documents by path. Some contents are
// errors, and the path "panic" is more than that.
type served map[string]string

// PathsWithContext is part of openapi.ClientWithContext.
func (s served) PathsWithContext(context.Context) (map[string]openapi.GroupVersionWithContext, error) {
	all := map[string]openapi.GroupVersionWithContext{}
	for p, content := range s {
		if p == "panic" {
			panic(content)
		}
		all[p] = one{p, content}
	}
	return all, nil
}

type one struct{ path, content string }

// ServerRelativeURL is part of openapi.GroupVersionWithContext.
func (o one) ServerRelativeURL() string { return "/openapi/v3/" + o.path + "?hash=1" }

// SchemaWithContext is part of openapi.GroupVersionWithContext.
func (o one) SchemaWithContext(context.Context, string) ([]byte, error) {
	switch o.content {
	case "error":
		return nil, errors.New("broken")
	case "stopping":
		return nil, fmt.Errorf("read: %w", client.ErrStopping)
	}
	return []byte(o.content), nil
}

func kind(s string) schema.GroupVersionKind {
	gv, err := schema.ParseGroupVersion(s[:strings.LastIndex(s, "/")])
	if err != nil {
		panic(err)
	}
	return gv.WithKind(s[strings.LastIndex(s, "/")+1:])
}

// one schema refers to another, and to itself.
const content = `{"components":{"schemas":{
	"b.Widget":{"type":"object","properties":{"spec":{"$ref":"#/components/schemas/b.Spec"}},
		"x-kubernetes-group-version-kind":[{"group":"b","version":"v1","kind":"Widget"},{"group":"b","version":"v1","kind":"Alias"}]},
	"b.Spec":{"type":"object","properties":{"size":{"type":"integer"},"again":{"$ref":"#/components/schemas/b.Spec"}}},
	"b.Dangling":{"type":"object","properties":{"spec":{"$ref":"#/components/schemas/b.Nothing"}},
		"x-kubernetes-group-version-kind":[{"group":"b","version":"v1","kind":"Dangling"}]}}}}`

func TestResolveSchema(t *testing.T) {
	api := served{"api/v1": "{}", "apis/b/v1": content, "apis/c/v1": "error", "apis/d/v1": "<html>", "apis/e/v1": "stopping"}
	for name, c := range map[string]struct {
		kind           string
		found          bool
		unread, failed string
	}{
		"there":                      {kind: "b/v1/Widget", found: true},
		"by its other name":          {kind: "b/v1/Alias", found: true},
		"no such kind":               {kind: "b/v1/Gadget"},
		"no such version":            {kind: "b/v2/Widget"},
		"no such group":              {kind: "x/v1/Widget"},
		"core":                       {kind: "v1/Pod"},
		"refers to nothing":          {kind: "b/v1/Dangling"},
		"document cannot be read":    {kind: "c/v1/Widget", unread: "schema of c/v1, Kind=Widget: broken"},
		"document is something else": {kind: "d/v1/Widget", unread: "schema of d/v1, Kind=Widget: schema document: "},
		"the run is being stopped":   {kind: "e/v1/Widget", failed: "controller is stopping"},
	} {
		t.Run(name, func(t *testing.T) {
			q := &inquiry{ctx: t.Context(), documents: newDocuments(), openapi: api}
			s, err := q.ResolveSchema(kind(c.kind))
			if (s != nil) != c.found || (err == nil) != c.found || err != nil && !errors.Is(err, resolver.ErrSchemaNotFound) {
				t.Errorf("got %v, %v", s, err)
			}
			for what, pair := range map[string]struct {
				got  error
				want string
			}{"unread": {q.unread, c.unread}, "failed": {q.failed, c.failed}} {
				if (pair.got == nil) != (pair.want == "") || pair.got != nil && !strings.Contains(pair.got.Error(), pair.want) {
					t.Errorf("%s is %v, want %q", what, pair.got, pair.want)
				}
			}
		})
	}
}

func TestReferencesAreReplaced(t *testing.T) {
	q := &inquiry{ctx: t.Context(), documents: newDocuments(), openapi: served{"apis/b/v1": content}}
	s, err := q.ResolveSchema(kind("b/v1/Widget"))
	if err != nil {
		t.Fatal(err)
	}
	spec := s.Properties["spec"]
	if diff := cmp.Diff([]string{"integer"}, []string(spec.Properties["size"].Type)); diff != "" {
		t.Error(diff)
	}
	if again := spec.Properties["again"]; len(again.Properties) > 0 || again.Type[0] != "object" {
		t.Errorf("a type within itself is %v, want any object", again)
	}
}

func TestDocumentsAreKeptWhileThereIsWork(t *testing.T) {
	d := newDocuments()
	d.open()
	d.open()
	kept := &document{}
	d.put("/a?hash=1", kept)
	d.put("/unnamed", &document{})
	if d.get("/a?hash=1") != kept || d.get("/a?hash=2") != nil {
		t.Error("not kept by content")
	}
	if d.get("/unnamed") != nil {
		t.Error("a document was kept that may be out of date")
	}
	d.close(false)
	d.open()
	d.close(true)
	d.close(true)
	if d.get("/a?hash=1") == nil {
		t.Error("not kept while keys wait")
	}
	for i := range 3 * keep {
		d.put(fmt.Sprintf("/%d?hash=1", i), kept)
		if n := len(d.byURL); n > keep {
			t.Fatalf("%d documents are kept", n)
		}
	}
	d.open()
	d.close(false)
	if len(d.byURL) != 0 {
		t.Error("kept without work")
	}
}

// known answers from a mapper, without discovery.
func known(all ...string) *kinds {
	m := meta.NewDefaultRESTMapper(nil)
	for _, k := range all {
		m.Add(kind(k), meta.RESTScopeNamespace)
	}
	now := time.Now()
	return &kinds{mapper: m, asked: now, clock: clocktesting.NewFakeClock(now)}
}

func TestAPanicIsAnErrorOfThePolicy(t *testing.T) {
	c := &checker{kinds: known("b/v1/Widget"), documents: newDocuments(), openapi: func(context.Context) openapi.ClientWithContext {
		return served{"panic": "a schema like no other"}
	}}
	_, _, err := c.check(t.Context(), policy([]string{"true"}, rule("b", "v1", "widgets")))
	if err == nil || !strings.Contains(err.Error(), "a schema like no other") {
		t.Errorf("got %v, want the panic", err)
	}
}

func TestACheckEndsWithItsContext(t *testing.T) {
	c := &checker{kinds: known("b/v1/Widget"), documents: newDocuments(), openapi: func(context.Context) openapi.ClientWithContext {
		return served{"apis/b/v1": content}
	}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := c.check(ctx, policy([]string{"true"}, rule("b", "v1", "widgets")))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
}

func TestSchemasThatSayLittle(t *testing.T) {
	for name, schema := range map[string]string{
		"nothing":  `{"x-kubernetes-group-version-kind":[{"group":"b","version":"v1","kind":"Widget"}]}`,
		"any type": `{"type":"object","properties":{"any":{"type":"object","additionalProperties":true},"none":{}},"x-kubernetes-group-version-kind":[{"group":"b","version":"v1","kind":"Widget"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			c := &checker{kinds: known("b/v1/Widget"), documents: newDocuments(), openapi: func(context.Context) openapi.ClientWithContext {
				return served{"apis/b/v1": `{"components":{"schemas":{"b.Widget":` + schema + `}}}`}
			}}
			p := policy([]string{"object != null && params != null"}, rule("b", "v1", "widgets"))
			p.Spec.ParamKind = &admissionv1.ParamKind{APIVersion: "b/v1", Kind: "Widget"}
			if got, unread, err := c.check(t.Context(), p); len(got) > 0 || unread != nil || err != nil {
				t.Errorf("got %v, %v, %v, want nothing to warn of", got, unread, err)
			}
		})
	}
}

func TestAtMostTenTypes(t *testing.T) {
	var names, resources, schemas []string
	for i := range 12 {
		k := fmt.Sprintf("K%02d", i)
		names = append(names, "b/v1/"+k)
		resources = append(resources, strings.ToLower(k)+"s")
		schemas = append(schemas, `"`+k+`":{"type":"object","x-kubernetes-group-version-kind":[{"group":"b","version":"v1","kind":"`+k+`"}]}`)
	}
	c := &checker{kinds: known(names...), documents: newDocuments(), openapi: func(context.Context) openapi.ClientWithContext {
		return served{"apis/b/v1": `{"components":{"schemas":{` + strings.Join(schemas, ",") + `}}}`}
	}}
	got, unread, err := c.check(t.Context(), policy([]string{"object.foo == 1"}, rule("b", "v1", resources...)))
	if unread != nil || err != nil || len(got) != 1 {
		t.Fatal(got, unread, err)
	}
	if n := strings.Count(got[0].Warning, "undefined field"); n != 10 || strings.Contains(got[0].Warning, "Kind=K10") {
		t.Errorf("%d types, want the first 10: %s", n, got[0].Warning)
	}
}

func TestDelays(t *testing.T) {
	d := newDelays()
	count := func(name string, generation int64) (n int) {
		for d.another(name, generation) {
			n++
		}
		return n
	}
	if n := count("a", 1); n != patience {
		t.Errorf("put off %d times, want %d", n, patience)
	}
	if n := count("a", 1); n != 0 {
		t.Errorf("put off %d times more", n)
	}
	if n := count("b", 1); n != patience {
		t.Errorf("another policy was put off %d times, want %d", n, patience)
	}
	if n := count("a", 2); n != patience {
		t.Errorf("a new generation was put off %d times, want %d", n, patience)
	}
	d.forget("a")
	if n := count("a", 2); n != patience {
		t.Errorf("after all it was put off %d times, want %d", n, patience)
	}
}

// Whatever a server sends is a document or an error.
func FuzzParse(f *testing.F) {
	f.Add([]byte(content))
	f.Add([]byte(`{}`))
	f.Add([]byte(`{"components":{"schemas":{"a":null}}}`))
	f.Add([]byte(`{"components":{"schemas":{"a":{"x-kubernetes-group-version-kind":"b"}}}}`))
	f.Add([]byte(`{"components":{"schemas":{"a":{"allOf":[{"$ref":"#/components/schemas/a"}],"x-kubernetes-group-version-kind":[{"kind":"K"}]}}}}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		d, err := parse(content)
		if err != nil {
			return
		}
		for k := range d.names {
			if s, err := d.schema(k); (s == nil) == (err == nil) {
				t.Errorf("%v: got %v, %v", k, s, err)
			}
		}
	})
}

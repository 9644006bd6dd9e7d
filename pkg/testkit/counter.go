// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// A Counter counts the requests of clients by verb and resource. It answers the
// question what an action cost the API server:
//
//	var counter testkit.Counter
//	config.Wrap(counter.Wrap)
//	...
//	if n := counter.Count("list", "pods"); n != 1 { ... }
//
// A subresource counts apart, as "pods/status"; a path that is not a resource
// counts under the method and the path, as "get" and "/readyz".
type Counter struct {
	mu     sync.Mutex
	counts map[string]int
}

// Wrap returns a transport that counts and passes on; give it to rest.Config.Wrap.
func (c *Counter) Wrap(next http.RoundTripper) http.RoundTripper {
	return RoundTripper(func(r *http.Request) (*http.Response, error) {
		verb, resource := classify(r)
		c.mu.Lock()
		if c.counts == nil {
			c.counts = map[string]int{}
		}
		c.counts[verb+" "+resource]++
		c.mu.Unlock()
		return next.RoundTrip(r)
	})
}

// RoundTripper is a transport that a test puts between a client and the API server.
type RoundTripper func(*http.Request) (*http.Response, error)

// RoundTrip is part of http.RoundTripper.
func (f RoundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Count returns the number of requests of a verb on a resource. An empty verb or
// resource stands for all.
func (c *Counter) Count(verb, resource string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	sum := 0
	for key, n := range c.counts {
		v, r, _ := strings.Cut(key, " ")
		if (verb == "" || v == verb) && (resource == "" || r == resource) {
			sum += n
		}
	}
	return sum
}

// Total returns the number of all requests.
func (c *Counter) Total() int { return c.Count("", "") }

// Reset starts to count anew.
func (c *Counter) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts = nil
}

// String lists all counts, one a line and sorted.
func (c *Counter) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out strings.Builder
	for _, key := range slices.Sorted(maps.Keys(c.counts)) {
		fmt.Fprintf(&out, "%6d %s\n", c.counts[key], key)
	}
	return out.String()
}

// classify names the verb and the resource of a request, as RBAC would.
func classify(r *http.Request) (verb, resource string) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	method := strings.ToLower(r.Method)
	switch {
	case parts[0] == "api" && len(parts) > 2:
		parts = parts[2:]
	case parts[0] == "apis" && len(parts) > 3:
		parts = parts[3:]
	default:
		return method, r.URL.Path
	}
	// A namespace is a prefix of the path, unless it is the object itself.
	if parts[0] == "namespaces" && len(parts) > 2 && parts[2] != "status" && parts[2] != "finalize" {
		parts = parts[2:]
	}
	resource = parts[0]
	named := len(parts) > 1
	if len(parts) > 2 {
		resource += "/" + parts[2]
	}
	query := r.URL.Query()
	switch {
	case method == "get" && (query.Get("watch") == "true" || query.Get("watch") == "1"):
		return "watch", resource
	case method == "get" && !named:
		return "list", resource
	case method == "delete" && !named:
		return "deletecollection", resource
	case method == "post":
		return "create", resource
	case method == "put":
		return "update", resource
	}
	return method, resource
}

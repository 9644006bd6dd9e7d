// SPDX-License-Identifier: Apache-2.0

package garbagecollector

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
)

// Debug serves the graph at /graph, in the language of Graphviz. The parameter
// uid, which may be repeated, limits it to what is connected with these objects.
func (c *collector) Debug() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/graph", func(w http.ResponseWriter, r *http.Request) {
		var uids []types.UID
		for _, uid := range r.URL.Query()["uid"] {
			uids = append(uids, types.UID(uid))
		}
		w.Header().Set("Content-Type", "text/vnd.graphviz")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if err := writeDOT(w, c.graph.drawing(uids)); err != nil {
			c.logger.V(4).Info("Writing the graph failed", "err", err)
		}
	})
	return mux
}

// vertex is a node in a drawing.
type vertex struct {
	view
	// missing owners are referred to, but known to be gone.
	missing bool
	owners  []types.UID
}

// drawing is a copy of the graph, sorted by UID: of all that is owned or owns,
// or of what is connected with these objects.
func (g *graph) drawing(uids []types.UID) []vertex {
	g.mu.RLock()
	defer g.mu.RUnlock()
	drawn := map[types.UID]vertex{}
	if len(uids) == 0 {
		for uid := range g.nodes {
			g.draw(uid, drawn)
		}
	}
	for len(uids) > 0 {
		uid := uids[0]
		uids = uids[1:]
		if _, seen := drawn[uid]; seen || g.nodes[uid] == nil {
			continue
		}
		uids = append(uids, g.draw(uid, drawn)...)
	}
	maps.DeleteFunc(drawn, func(_ types.UID, v vertex) bool {
		return !v.missing && !v.hasDependents && len(v.owners) == 0
	})
	return slices.SortedFunc(maps.Values(drawn), func(a, b vertex) int { return cmp.Compare(a.uid, b.uid) })
}

// draw adds a node, and the owners it has lost, to a drawing, and returns its
// neighbours.
func (g *graph) draw(uid types.UID, drawn map[types.UID]vertex) []types.UID {
	n := g.nodes[uid]
	v := vertex{view: n.view()}
	for _, ref := range n.owners {
		v.owners = append(v.owners, ref.UID)
		if g.nodes[ref.UID] == nil {
			drawn[ref.UID] = vertex{view: view{identity: identityOf(ref, n.namespace)}, missing: true}
		}
	}
	drawn[uid] = v
	return slices.AppendSeq(slices.Clone(v.owners), maps.Keys(n.dependents))
}

func writeDOT(to io.Writer, list []vertex) error {
	w := bufio.NewWriter(to)
	fmt.Fprint(w, "strict digraph full {\n  // Node definitions.\n")
	for _, v := range list {
		gv, err := schema.ParseGroupVersion(v.apiVersion)
		if err != nil {
			gv.Version = v.apiVersion
		}
		fmt.Fprintf(w, "  %q [\n", v.uid)
		for _, a := range [][2]string{
			{"label", fmt.Sprintf("uid=%s\nnamespace=%s\nname=%s\n%s", v.uid, v.namespace, v.name, gv.WithKind(v.kind).GroupKind())},
			{"group", gv.Group},
			{"version", gv.Version},
			{"kind", v.kind},
			{"namespace", v.namespace},
			{"name", v.name},
			{"uid", string(v.uid)},
			{"missing", fmt.Sprint(v.missing)},
			{"beingDeleted", fmt.Sprint(v.beingDeleted)},
			{"deletingDependents", fmt.Sprint(v.deletingDependents)},
			{"virtual", fmt.Sprint(v.virtual)},
		} {
			fmt.Fprintf(w, "    %s=%q\n", a[0], a[1])
		}
		fmt.Fprint(w, "  ];\n")
	}
	fmt.Fprint(w, "\n  // Edge definitions.\n")
	for _, v := range list {
		for _, owner := range v.owners {
			fmt.Fprintf(w, "  %q -> %q;\n", v.uid, owner)
		}
	}
	fmt.Fprint(w, "}\n")
	return w.Flush()
}

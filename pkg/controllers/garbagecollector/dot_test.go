// SPDX-License-Identifier: Apache-2.0

package garbagecollector

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	"github.com/google/go-cmp/cmp"
)

func TestDrawing(t *testing.T) {
	g := newGraph()
	for _, c := range []change{
		see("n/alone"),
		see("n/owner").deleting(deletion{}, deletion{foreground: true}), see("n/child", to("owner")),
		see("n/other", to("unseen")),
		see("n/lost"), see("n/loser", to("lost")), &gone{id("n/lost")},
	} {
		g.apply(c)
	}
	for _, test := range []struct {
		uids []types.UID
		want string
	}{
		{nil, "child loser lost other owner unseen"},
		{[]types.UID{"owner"}, "child owner"},
		{[]types.UID{"child", "loser"}, "child loser lost owner"},
		{[]types.UID{"alone"}, ""},
		{[]types.UID{"unknown"}, ""},
	} {
		var got []string
		for _, v := range g.drawing(test.uids) {
			got = append(got, string(v.uid))
		}
		if diff := cmp.Diff(test.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%v (-want +got):\n%s", test.uids, diff)
		}
	}
	var b strings.Builder
	if err := writeDOT(&b, g.drawing([]types.UID{"child"})); err != nil {
		t.Fatal(err)
	}
	const want = `strict digraph full {
  // Node definitions.
  "child" [
    label="uid=child\nnamespace=n\nname=child\nA"
    group=""
    version="v1"
    kind="A"
    namespace="n"
    name="child"
    uid="child"
    missing="false"
    beingDeleted="false"
    deletingDependents="false"
    virtual="false"
  ];
  "owner" [
    label="uid=owner\nnamespace=n\nname=owner\nA"
    group=""
    version="v1"
    kind="A"
    namespace="n"
    name="owner"
    uid="owner"
    missing="false"
    beingDeleted="true"
    deletingDependents="true"
    virtual="false"
  ];

  // Edge definitions.
  "child" -> "owner";
}
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("graph (-want +got):\n%s", diff)
	}
}

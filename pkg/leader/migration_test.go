// SPDX-License-Identifier: Apache-2.0

package leader

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const migrationHead = "apiVersion: controllermanager.config.k8s.io/v1\nkind: LeaderMigrationConfiguration\n"

func TestMigrationFiles(t *testing.T) {
	for name, tc := range map[string]struct{ data, want string }{
		"v1":            {data: migrationHead + "leaderName: m\ncontrollerLeaders: [{name: a, component: '*'}]"},
		"older":         {data: strings.Replace(migrationHead, "/v1", "/v1alpha1", 1) + "leaderName: m\nresourceLock: leases"},
		"endpoints":     {data: strings.Replace(migrationHead, "/v1", "/v1beta1", 1) + "leaderName: m\nresourceLock: endpoints", want: "do not exist any more"},
		"lock in v1":    {data: migrationHead + "leaderName: m\nresourceLock: leases", want: "v1 has no such field"},
		"no lock":       {data: strings.Replace(migrationHead, "/v1", "/v1beta1", 1) + "leaderName: m", want: "must be leases"},
		"no name":       {data: migrationHead, want: "leaderName: is missing"},
		"half a leader": {data: migrationHead + "leaderName: m\ncontrollerLeaders: [{name: a}, {component: b}]", want: "controllerLeaders[0].component: is missing\ncontrollerLeaders[1].name"},
		"unknown field": {data: migrationHead + "leaderName: m\nlock: x", want: "lock"},
		"other kind":    {data: "apiVersion: v1\nkind: Pod", want: `"v1" is not supported`},
		"nothing":       {want: "is not supported"},
	} {
		_, err := ParseMigration([]byte(tc.data))
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
	}
}

func FuzzMigration(f *testing.F) {
	f.Add([]byte(migrationHead + "leaderName: m\ncontrollerLeaders: [{name: a, component: '*'}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseMigration(data)
		if err == nil && (m.LeaderName == "" || m.Of(Tokens) != Main) {
			t.Errorf("%q: %+v", data, m)
		}
	})
}

func TestSharesOfAMigration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "migration.yaml")
	do(t, os.WriteFile(path, []byte(migrationHead+`leaderName: m
controllerLeaders:
- {name: ours, component: kube-controller-manager}
- {name: anybodys, component: "*"}
- {name: theirs, component: cloud-controller-manager}
- {name: `+Tokens+`, component: cloud-controller-manager}
`), 0o600))
	le := onLease("x")
	le.Migration.ConfigFile = path
	if m, err := Migrations(le); m != nil || err != nil {
		t.Errorf("not enabled: %v, %v", m, err)
	}
	le.Migration.Enabled = true
	m, err := Migrations(le)
	do(t, err)
	got := map[string]Share{}
	for _, name := range []string{"ours", "anybodys", "theirs", "others", Tokens} {
		got[name] = m.Of(name)
	}
	if diff := cmp.Diff(map[string]Share{"ours": Migrated, "anybodys": Migrated, "theirs": Foreign, "others": Main, Tokens: Main}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, tc := range []struct {
		name        string
		second, run bool
	}{{"ours", false, false}, {"ours", true, true}, {"theirs", true, false}, {"others", false, true}} {
		if ok, why := m.Allows(tc.name, tc.second); ok != tc.run || ok != (why == "") {
			t.Errorf("%s with the second lock %v: %v, %q", tc.name, tc.second, ok, why)
		}
	}
	if !m.Any([]string{"others", "ours"}) || m.Any([]string{"others", "theirs"}) {
		t.Error("who needs the second lock")
	}
	le.Migration.ConfigFile = ""
	if m, err = Migrations(le); err != nil || m.LeaderName != "cloud-provider-extraction-migration" || m.Any([]string{"ours", Tokens}) {
		t.Errorf("built in: %+v, %v", m, err)
	}
	le.Migration.ConfigFile = path + ".missing"
	if err := Check(le); err == nil || !strings.Contains(err.Error(), path+".missing") {
		t.Errorf("a missing file: %v", err)
	}
}

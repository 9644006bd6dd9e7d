// SPDX-License-Identifier: Apache-2.0

package leader

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"sigs.k8s.io/yaml"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

// Component is the name of this program in a migration file.
const Component = "kube-controller-manager"

// The built-in migration, which has no controller that this program still has.
const builtInName = "cloud-provider-extraction-migration"

// Tokens is the one controller that never migrates: others need what it makes.
const Tokens = "serviceaccount-token-controller"

// Share is what a migration decides about one controller.
type Share int

// Shares.
const (
	Main     Share = iota // it runs under the main lock, as all do without a migration
	Migrated              // it runs under the main lock and the migration's
	Foreign               // another program runs it
)

// Migration says which controllers need the second lock.
type Migration struct {
	// LeaderName is the name of the second lock.
	LeaderName string
	// runs tells, for the controllers that are listed, whether they run here.
	runs map[string]bool
}

// migrationFile is a LeaderMigrationConfiguration.
type migrationFile struct {
	Kind         string `json:"kind"`
	APIVersion   string `json:"apiVersion"`
	LeaderName   string `json:"leaderName"`
	ResourceLock string `json:"resourceLock"`
	Leaders      []struct {
		Name      string `json:"name"`
		Component string `json:"component"`
	} `json:"controllerLeaders"`
}

// Migrations is the migration that an election asks for, or nil when it asks for
// none. Errors are about the file.
func Migrations(le v1beta1.LeaderElection) (*Migration, error) {
	if !le.LeaderElect || !le.Migration.Enabled {
		return nil, nil
	}
	if le.Migration.ConfigFile == "" {
		return &Migration{LeaderName: builtInName}, nil
	}
	data, err := os.ReadFile(le.Migration.ConfigFile)
	if err != nil {
		return nil, fmt.Errorf("leader migration: %w", err)
	}
	m, err := ParseMigration(data)
	if err != nil {
		return nil, fmt.Errorf("failed to parse leader migration configuration: %s: %w", le.Migration.ConfigFile, err)
	}
	return m, nil
}

// ParseMigration reads a LeaderMigrationConfiguration, strictly: a field that is
// not known is an error. All that is wrong with the values is reported at once.
func ParseMigration(data []byte) (*Migration, error) {
	var f migrationFile
	if err := yaml.UnmarshalStrict(data, &f); err != nil {
		return nil, err
	}
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	versions := []string{"v1", "v1beta1", "v1alpha1"}
	const group = "controllermanager.config.k8s.io/"
	if !slices.ContainsFunc(versions, func(v string) bool { return f.APIVersion == group+v }) {
		problem("apiVersion: %q is not supported, use %sv1", f.APIVersion, group)
	}
	if f.Kind != "LeaderMigrationConfiguration" {
		problem("kind: %q is not supported, use LeaderMigrationConfiguration", f.Kind)
	}
	if f.LeaderName == "" {
		problem("leaderName: is missing")
	}
	switch v1 := f.APIVersion == group+"v1"; {
	case v1 && f.ResourceLock != "":
		problem("resourceLock: %q: v1 has no such field, the lock is a Lease", f.ResourceLock)
	case !v1 && f.ResourceLock == "endpoints":
		problem("resourceLock: endpoints: such locks do not exist any more, use leases")
	case !v1 && f.ResourceLock != "leases":
		problem("resourceLock: %q: must be leases", f.ResourceLock)
	}
	m := &Migration{LeaderName: f.LeaderName, runs: map[string]bool{}}
	for i, c := range f.Leaders {
		if c.Name == "" {
			problem("controllerLeaders[%d].name: is missing", i)
		}
		if c.Component == "" {
			problem("controllerLeaders[%d].component: is missing", i)
		}
		m.runs[c.Name] = c.Component == Component || c.Component == "*"
	}
	return m, errors.Join(problems...)
}

// Of is what the migration decides about a controller, by its canonical name.
func (m *Migration) Of(controller string) Share {
	if m == nil || controller == Tokens {
		return Main
	}
	switch here, listed := m.runs[controller]; {
	case !listed:
		return Main
	case here:
		return Migrated
	}
	return Foreign
}

// Any says whether one of the controllers needs the second lock.
func (m *Migration) Any(controllers []string) bool {
	return slices.ContainsFunc(controllers, func(c string) bool { return m.Of(c) == Migrated })
}

// Allows says whether a controller may run, and if not, why: this process leads,
// and may hold the second lock, too.
func (m *Migration) Allows(controller string, second bool) (bool, string) {
	switch m.Of(controller) {
	case Foreign:
		return false, "the leader migration gives it to another program"
	case Migrated:
		if !second {
			return false, "another process holds the lock " + m.LeaderName
		}
	}
	return true, ""
}

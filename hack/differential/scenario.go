// SPDX-License-Identifier: Apache-2.0

package differential

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// Scenario is a file of steps. ${namespace} in it stands for the namespace that
// the scenario has for itself, and ${uid of Kind/name} in what is applied for the
// UID of an object that is there by then, and ${in 5s} for the time five seconds
// later.
type Scenario struct {
	// Name is the path of the file without its ending.
	Name string `json:"-"`
	// Apart says that runs in namespaces of different names are compared, so that
	// hashes of templates that have the name in them differ.
	Apart bool `json:"-"`
	// About says in a sentence what is compared.
	About string `json:"about"`
	// Steps are taken one after the other.
	Steps []Step `json:"steps"`
	// Cluster names objects outside the namespace that are compared too, as
	// Kind/name, Kind.group/name or, in another namespace, Kind/namespace/name.
	Cluster []string `json:"cluster,omitempty"`
	// Nodes says that it is part of the result on which nodes pods are.
	Nodes bool `json:"nodes,omitempty"`
	// Events are compared whole ("", the default), by reason ("reasons"), when the order of
	// what happens is up to chance, or not at all ("none").
	Events string `json:"events,omitempty"`
	// Created is "any" when chance decides how many pods are made; otherwise
	// all runs must make equally many.
	Created string `json:"created,omitempty"`
	// Undisturbed says why the scenario is not run again while the program is
	// killed or reconfigured; empty: it is.
	Undisturbed string `json:"undisturbed,omitempty"`
	// Differences are known and wanted.
	Differences []Difference `json:"differences,omitempty"`
}

// Difference is one between the programs that is left out of the comparison.
type Difference struct {
	// Kind of the objects; Event for events.
	Kind string `json:"kind"`
	// Field is a path with dots; empty: the whole object.
	Field string `json:"field,omitempty"`
	// Reason chooses events.
	Reason string `json:"reason,omitempty"`
	// Because says why this program differs.
	Because string `json:"because"`
}

// Step is one thing that happens; exactly one field is set.
type Step struct {
	// Apply creates or changes an object, as kubectl apply --server-side does.
	Apply map[string]any `json:"apply,omitempty"`
	// Patch merges into objects.
	Patch *Patch `json:"patch,omitempty"`
	// Delete deletes objects.
	Delete *Delete `json:"delete,omitempty"`
	// Post sends a body to a path of the API, and expects success or a status.
	Post *Post `json:"post,omitempty"`
	// Until waits.
	Until *Until `json:"until,omitempty"`
	// Metrics sets what the metrics APIs say of the namespace: usage of each
	// container by resource, and custom and external metrics by name.
	Metrics map[string]string `json:"metrics,omitempty"`
}

// Selection chooses objects: one by name, or those of a kind that have labels.
type Selection struct {
	// Object is Kind/name, Kind.group/name or, in another namespace,
	// Kind/namespace/name.
	Object string `json:"object,omitempty"`
	// Objects is Kind or Kind.group, and with Kind/namespace those of another one.
	Objects string `json:"objects,omitempty"`
	// Where is a label selector on Objects.
	Where string `json:"where,omitempty"`
	// If is a CEL condition on each of Objects, as self.
	If string `json:"if,omitempty"`
	// First is how many of Objects are taken, in the order of names; 0: all.
	First int `json:"first,omitempty"`
}

// Patch is a JSON merge patch.
type Patch struct {
	Selection `json:",inline"`

	Subresource string         `json:"subresource,omitempty"`
	Merge       map[string]any `json:"merge"`
}

// Delete is a deletion with a propagation policy and a grace period in seconds.
type Delete struct {
	Selection `json:",inline"`

	Propagation string `json:"propagation,omitempty"`
	Grace       *int64 `json:"grace,omitempty"`
}

// Post is a request of its own.
type Post struct {
	Path string         `json:"path"`
	Body map[string]any `json:"body"`
	// Code is the status that must come; 0: any 2xx.
	Code int `json:"code,omitempty"`
	// As is the user who sends it, until it succeeds; "": the administrator.
	As string `json:"as,omitempty"`
	// Groups are those of the user.
	Groups []string `json:"groups,omitempty"`
}

// Until waits for a CEL condition on self, the object, or items, the selected
// objects.
type Until struct {
	Selection `json:",inline"`

	Is string `json:"is"`
}

var (
	variable = regexp.MustCompile(`\$\{[^}]*\}`)
	uidOf    = regexp.MustCompile(`\$\{uid of ([\w.-]+(?:/[\w.-]+){1,2})\}`)
	timeIn   = regexp.MustCompile(`\$\{in (\d+s)\}`)
)

// Load reads all scenarios below a folder, sorted by name.
func Load(dir string) ([]Scenario, error) {
	var list []Scenario
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var s Scenario
		if err := yaml.UnmarshalStrict(data, &s); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, v := range variable.FindAllString(strings.ReplaceAll(string(data), "${namespace}", "namespace"), -1) {
			if !uidOf.MatchString(v) && !timeIn.MatchString(v) {
				return fmt.Errorf("%s: %s is neither ${namespace} nor ${uid of Kind/name} nor ${in 5s}", path, v)
			}
		}
		name, _ := filepath.Rel(dir, path)
		s.Name = strings.TrimSuffix(filepath.ToSlash(name), ".yaml")
		list = append(list, s)
		if err := s.check(); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	})
	slices.SortFunc(list, func(a, b Scenario) int { return strings.Compare(a.Name, b.Name) })
	return list, err
}

func (s *Scenario) check() error {
	var errs []error
	if s.About == "" || len(s.Steps) == 0 {
		errs = append(errs, errors.New("about and steps are required"))
	}
	if !slices.Contains([]string{"", "reasons", "none"}, s.Events) {
		errs = append(errs, fmt.Errorf("events: %q is neither reasons nor none", s.Events))
	}
	if !slices.Contains([]string{"", "any"}, s.Created) {
		errs = append(errs, fmt.Errorf("created: %q is not any", s.Created))
	}
	for i, d := range s.Differences {
		if d.Kind == "" || d.Because == "" {
			errs = append(errs, fmt.Errorf("differences[%d]: kind and because are required", i))
		}
	}
	for i, step := range s.Steps {
		if err := step.check(); err != nil {
			errs = append(errs, fmt.Errorf("steps[%d]: %w", i, err))
		}
	}
	return errors.Join(errs...)
}

func (s Step) check() error {
	set := 0
	var selections []Selection
	var conditions []string
	if s.Apply != nil {
		set++
		if group, _, _ := unstructured.NestedString(s.Apply, "spec", "group"); s.Apply["kind"] == "CustomResourceDefinition" && !strings.HasPrefix(group, "${namespace}.") {
			return fmt.Errorf("apply: the group %q of a definition must begin with ${namespace}", group)
		}
	}
	if s.Patch != nil {
		set++
		selections = append(selections, s.Patch.Selection)
	}
	if s.Delete != nil {
		set++
		selections = append(selections, s.Delete.Selection)
	}
	if s.Post != nil {
		set++
		if (s.Post.As == "") != (len(s.Post.Groups) == 0) || s.Post.As != "" && s.Post.Code != 0 {
			return errors.New("as and groups go together, and without code")
		}
	}
	if s.Until != nil {
		set++
		selections = append(selections, s.Until.Selection)
		conditions = append(conditions, s.Until.Is)
	}
	if s.Metrics != nil {
		set++
	}
	if set != 1 {
		return fmt.Errorf("exactly one of apply, patch, delete, post, until and metrics, not %d", set)
	}
	for _, sel := range selections {
		if (sel.Object == "") == (sel.Objects == "") {
			return errors.New("either object or objects")
		}
		if sel.If != "" {
			conditions = append(conditions, sel.If)
		}
	}
	for _, c := range conditions {
		if _, err := compile(c); err != nil {
			return err
		}
	}
	return nil
}

// In is the scenario with its namespace filled in.
func (s *Scenario) In(namespace string) (*Scenario, error) {
	data, err := yaml.Marshal(s)
	if err != nil {
		return nil, err
	}
	filled := &Scenario{}
	if err := yaml.UnmarshalStrict([]byte(strings.ReplaceAll(string(data), "${namespace}", namespace)), filled); err != nil {
		return nil, err
	}
	filled.Name, filled.Apart = s.Name, s.Apart
	return filled, nil
}

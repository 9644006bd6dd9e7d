// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"sigs.k8s.io/yaml"

	"github.com/kube-live/kube-controller-manager/pkg/reference"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

const examples = "../../config-examples/"

func list(t *testing.T, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(examples + folder + "/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func content(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// unwrapped is the file, or what a ConfigMap in it has inside.
func unwrapped(t *testing.T, file string) []byte {
	t.Helper()
	data := content(t, file)
	var manifest struct {
		Kind string
		Data map[string]string
	}
	if err := yaml.Unmarshal(data, &manifest); err != nil {
		t.Fatal(err)
	}
	if manifest.Kind != "ConfigMap" {
		return data
	}
	return []byte(manifest.Data["config.yaml"])
}

// Every example is valid and good: it loads without a doubt, apart from what
// this program does not implement yet.
func TestValidExamples(t *testing.T) {
	schema := compiledSchema(t)
	files := list(t, "valid")
	if len(files) < 6 {
		t.Fatalf("only %d examples", len(files))
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data := unwrapped(t, file)
			l, err := loadFile(file, data)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range doubts(l) {
				t.Error(p)
			}
			text, err := yaml.YAMLToJSON(data)
			if err != nil {
				t.Fatal(err)
			}
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(value); err != nil {
				t.Errorf("the schema refuses it: %v", err)
			}
		})
	}
}

// This example is made of the defaults, with their explanations.
func TestExampleWithEverything(t *testing.T) {
	testkit.Golden(t, examples+"valid/everything.yaml", "# Every field with its default, as \"kube-controller-manager defaults\" prints it.\n"+
		reference.Tree().Defaults(""))
}

var placeInWant = regexp.MustCompile(`^(\d+:\d+) `)

// Each file tells in "# want:" lines at its top what is wrong with it:
// LINE:COLUMN PATH: REASON.
func TestInvalidExamples(t *testing.T) {
	files := list(t, "invalid")
	if len(files) < 170 {
		t.Fatalf("only %d examples", len(files))
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			var want, got []string
			for _, text := range wants(content(t, file)) {
				want = append(want, placeInWant.ReplaceAllString(text, "$1: "))
			}
			for _, f := range checked(t, file) {
				if f.Failed != nil {
					t.Fatal(f.Failed)
				}
				for _, p := range f.Errors {
					text := strings.TrimPrefix(p.String(), filepath.Base(file)+":")
					got = append(got, strings.TrimPrefix(text, " "))
				}
			}
			if len(want) == 0 {
				t.Error("the file does not say what is wrong with it")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := reference.Tree().Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(reference.SchemaID, doc); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile(reference.SchemaID)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func TestCommittedSchema(t *testing.T) {
	text, err := reference.Tree().Schema()
	if err != nil {
		t.Fatal(err)
	}
	testkit.Golden(t, "../../apis/config/schema/v1beta1.json", text)
}

// What the loader refuses for one field alone, the schema refuses too, so that
// editors show it.
func TestSchemaRefusesWhatTheLoaderRefuses(t *testing.T) {
	schema := compiledSchema(t)
	for _, file := range list(t, "invalid") {
		name := filepath.Base(file)
		kind, _, _ := strings.Cut(name, "-")
		switch kind {
		case "header", "unknown", "case", "type", "range", "enum":
		default:
			continue
		}
		switch name {
		case "type-resource-empty.yaml", "range-poll-too-short.yaml", "range-resync-zero.yaml",
			"range-stop-timeout-zero.yaml", "range-sync-period-zero.yaml":
			continue // JSON Schema does not know how long a duration is
		case "type-yes-for-true.yaml":
			continue // the YAML library of this test takes it for true
		}
		text, err := yaml.YAMLToJSON(content(t, file))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if schema.Validate(value) == nil {
			t.Errorf("the schema accepts %s", name)
		}
	}
}

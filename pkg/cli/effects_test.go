// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"reflect"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/catalog"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/plan"
	"github.com/kube-live/kube-controller-manager/pkg/reference"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

func TestFieldsAreTabled(t *testing.T) {
	testkit.Golden(t, "../../config-examples/FIELDS.md", reference.Table())
}

// another gives a field a value that it does not have. The plan does not judge it.
func another(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(v.Int() + 1)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(v.Float() + 1)
	case reflect.String:
		v.SetString(v.String() + "x")
	case reflect.Struct:
		d, ok := v.Addr().Interface().(*metav1.Duration)
		if !ok {
			return false
		}
		d.Duration += time.Second
	case reflect.Slice:
		one := reflect.New(v.Type().Elem()).Elem()
		if !another(one) {
			return false
		}
		v.Set(reflect.Append(v, one))
	default:
		return false
	}
	return true
}

// What the documentation says about a change of a field is what the plan does.
func TestEffectsAreWhatThePlanDoes(t *testing.T) {
	said := map[string]string{}
	reference.Tree().Walk(func(n *reference.Node) { said[n.Path] = n.Effect })
	standard := func() *v1beta1.KubeControllerManagerConfiguration {
		c := &v1beta1.KubeControllerManagerConfiguration{}
		tags.SetDefaults(c)
		return c
	}
	var paths []string
	tags.Walk(standard(), func(f tags.Field) { paths = append(paths, f.Path) })
	tried := 0
	for _, path := range paths {
		c, changed := standard(), false
		tags.Walk(c, func(f tags.Field) {
			if f.Path == path {
				changed = another(f.Value)
			}
		})
		if !changed || strings.HasSuffix(path, ".enabled") || path == "controllers.baseline" {
			continue
		}
		tried++
		p := plan.Compute(catalog.All(), &plan.Setup{Config: standard(), Gates: feature.Defaults()}, &plan.Setup{Config: c, Gates: feature.Defaults()})
		if got := effectOf(p, path); got != "" && !strings.Contains(said[path], got) {
			t.Errorf("%s: the plan says %q, the documentation %q", path, got, said[path])
		}
		if p.Changed() && strings.Contains(said[path], "nothing happens") {
			t.Errorf("%s: said to have no effect, but %s", path, p.Summary())
		}
	}
	if tried < 150 {
		t.Errorf("only %d fields were tried", tried)
	}
}

// effectOf is a word of the effect that a plan has, or "" when the controller that
// the field is for is not there yet.
func effectOf(p plan.Plan, path string) string {
	restarts, resizes, on := 0, 0, 0
	for _, s := range p.Steps {
		switch s.Action {
		case plan.Restart:
			restarts++
		case plan.Resize:
			resizes++
		case plan.Keep:
		default:
			continue
		}
		on++
	}
	switch {
	case p.Replaces(plan.Caches):
		return "all controllers restart, on new caches"
	case p.Replaces(plan.Clients):
		return "on the caches they had"
	case restarts == 1 && strings.HasPrefix(path, "controllers."):
		return "the controller restarts, on the caches it had"
	case restarts > 0:
		return "the controllers that read it restart"
	case resizes == 1:
		return "new number of workers"
	case p.Replaces(plan.Election):
		return "contends anew"
	case p.Replaces(plan.Serving):
		return "listener"
	case p.Replaces(plan.Logging):
		return "the log changes at once"
	}
	return ""
}

// SPDX-License-Identifier: Apache-2.0

package differential

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/yaml"
)

// Patience bounds the wait for one condition.
const Patience = 90 * time.Second

// Begin makes the namespace, and waits until controllers have made what every
// namespace has.
func (c *Cluster) Begin(ctx context.Context, namespace string) error {
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	if _, err := c.Typed.CoreV1().Namespaces().Create(ctx, ns, metav1.CreateOptions{}); err != nil {
		return err
	}
	return eventually(ctx, func() error {
		if _, err := c.Typed.CoreV1().ServiceAccounts(namespace).Get(ctx, "default", metav1.GetOptions{}); err != nil {
			return err
		}
		_, err := c.Typed.CoreV1().ConfigMaps(namespace).Get(ctx, "kube-root-ca.crt", metav1.GetOptions{})
		return err
	})
}

// End deletes the namespace, and the definitions of its scenario; controllers do
// the rest later.
func (c *Cluster) End(ctx context.Context, namespace string) error {
	for _, d := range c.mirror.defined(namespace) {
		if err := c.Dynamic.Resource(definitions).Delete(ctx, d.GetName(), metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	err := c.Typed.CoreV1().Namespaces().Delete(ctx, namespace, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}

// Run takes all steps. An error names the step.
func (c *Cluster) Run(ctx context.Context, s *Scenario, namespace string, metrics *Metrics) error {
	for i, step := range s.Steps {
		if err := c.step(ctx, step, namespace, metrics); err != nil {
			return fmt.Errorf("%s: steps[%d]: %w", s.Name, i, err)
		}
	}
	return nil
}

func (c *Cluster) step(ctx context.Context, s Step, namespace string, metrics *Metrics) error {
	switch {
	case s.Apply != nil:
		return c.apply(ctx, s.Apply, namespace)
	case s.Patch != nil:
		return c.patch(ctx, s.Patch, namespace)
	case s.Delete != nil:
		return c.delete(ctx, s.Delete, namespace)
	case s.Post != nil:
		return c.post(ctx, s.Post)
	case s.Metrics != nil:
		metrics.Set(namespace, s.Metrics)
		return nil
	default:
		return c.until(ctx, s.Until, namespace)
	}
}

func (c *Cluster) apply(ctx context.Context, object map[string]any, namespace string) error {
	object, err := c.identified(ctx, object, namespace)
	if err != nil {
		return err
	}
	u := &unstructured.Unstructured{Object: object}
	if u.GetNamespace() != "" {
		namespace = u.GetNamespace()
	}
	kind := u.GroupVersionKind().GroupKind().String()
	if u.GroupVersionKind().Group == "" {
		kind = u.GetKind() + "."
	}
	r, err := c.resource(kind, namespace)
	if err != nil {
		return err
	}
	_, err = r.Apply(ctx, u.GetName(), u, metav1.ApplyOptions{FieldManager: "scenario", Force: true})
	return err
}

// identified fills in the UIDs of objects that another one names, and times.
func (c *Cluster) identified(ctx context.Context, object map[string]any, namespace string) (map[string]any, error) {
	data, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	text := string(data)
	for _, m := range uidOf.FindAllStringSubmatch(text, -1) {
		named, err := c.find(ctx, Selection{Object: m[1]}, namespace)
		if err != nil {
			return nil, err
		}
		text = strings.ReplaceAll(text, m[0], string(named[0].GetUID()))
	}
	text = timeIn.ReplaceAllStringFunc(text, func(s string) string {
		d, err := time.ParseDuration(timeIn.FindStringSubmatch(s)[1])
		if err != nil {
			return s
		}
		return time.Now().Add(d).UTC().Format(time.RFC3339)
	})
	filled := map[string]any{}
	err = json.Unmarshal([]byte(text), &filled)
	return filled, err
}

// each does something to all selected objects. One that changes or goes
// meanwhile is tried again.
func (c *Cluster) each(ctx context.Context, s Selection, namespace string, do func(unstructured.Unstructured) error) error {
	return eventually(ctx, func() error {
		list, err := c.find(ctx, s, namespace)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return errors.New("nothing is selected")
		}
		for _, u := range list {
			if err := do(u); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *Cluster) patch(ctx context.Context, p *Patch, namespace string) error {
	data, err := json.Marshal(p.Merge)
	if err != nil {
		return err
	}
	var sub []string
	if p.Subresource != "" {
		sub = []string{p.Subresource}
	}
	return c.each(ctx, p.Selection, namespace, func(u unstructured.Unstructured) error {
		r, err := c.resource(u.GroupVersionKind().GroupKind().String(), u.GetNamespace())
		if err != nil {
			return err
		}
		_, err = r.Patch(ctx, u.GetName(), types.MergePatchType, data, metav1.PatchOptions{FieldManager: "scenario"}, sub...)
		return err
	})
}

func (c *Cluster) delete(ctx context.Context, d *Delete, namespace string) error {
	options := metav1.DeleteOptions{GracePeriodSeconds: d.Grace}
	if d.Propagation != "" {
		policy := metav1.DeletionPropagation(d.Propagation)
		options.PropagationPolicy = &policy
	}
	done := map[types.UID]bool{}
	return c.each(ctx, d.Selection, namespace, func(u unstructured.Unstructured) error {
		if done[u.GetUID()] {
			return nil
		}
		r, err := c.resource(u.GroupVersionKind().GroupKind().String(), u.GetNamespace())
		if err != nil {
			return err
		}
		err = r.Delete(ctx, u.GetName(), options)
		if err == nil || apierrors.IsNotFound(err) {
			done[u.GetUID()] = true
			return nil
		}
		return err
	})
}

func (c *Cluster) post(ctx context.Context, p *Post) error {
	body, err := json.Marshal(p.Body)
	if err != nil {
		return err
	}
	r := c.rest.Post().AbsPath(p.Path).SetHeader("Content-Type", "application/json").Body(body)
	if p.As != "" { // who may do it as soon as the API server knows the permission
		r = r.SetHeader("Impersonate-User", p.As).SetHeader("Impersonate-Group", p.Groups...)
		return eventually(ctx, func() error { return r.Do(ctx).Error() })
	}
	var code int
	err = r.Do(ctx).StatusCode(&code).Error()
	if p.Code == 0 {
		return err
	}
	if code != p.Code {
		return fmt.Errorf("%s answered %d (%w), not %d", p.Path, code, err, p.Code)
	}
	return nil
}

func (c *Cluster) until(ctx context.Context, u *Until, namespace string) error {
	cond, err := compile(u.Is)
	if err != nil {
		return err
	}
	var seen []unstructured.Unstructured
	err = eventually(ctx, func() error {
		list, err := c.find(ctx, u.Selection, namespace)
		if err != nil {
			return fmt.Errorf("%s: %w", u.Is, err)
		}
		seen = list
		items := make([]map[string]any, len(list))
		for i := range list {
			items[i] = list[i].Object
		}
		var self map[string]any
		if u.Object != "" {
			self = items[0]
		}
		return cond.holds(self, items)
	})
	if err != nil {
		return fmt.Errorf("%w\nlast seen:\n%s", err, shown(seen))
	}
	return nil
}

// most is how many objects an error shows.
const most = 3

// shown is what to read about objects that are not as they should be.
func shown(list []unstructured.Unstructured) string {
	var text strings.Builder
	for _, u := range list[:min(len(list), most)] {
		u.SetManagedFields(nil)
		data, err := yaml.Marshal(u.Object)
		if err != nil {
			data = []byte(err.Error())
		}
		fmt.Fprintf(&text, "---\n%s", data)
	}
	if more := len(list) - most; more > 0 {
		fmt.Fprintf(&text, "--- and %d more\n", more)
	}
	return text.String()
}

// eventually polls until check returns nil, and returns its last error when
// Patience is over. An error about the request itself is final.
func eventually(ctx context.Context, check func() error) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, Patience, true, func(context.Context) (bool, error) {
		err := check()
		if err != nil && ctx.Err() != nil && last != nil {
			return false, nil
		}
		if last = err; final(err) {
			return false, err
		}
		return err == nil, nil
	})
	if err != nil && last != nil {
		return fmt.Errorf("still so after %s: %w", Patience, last)
	}
	return err
}

func final(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return false
	}
	switch status.Status().Code {
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusMethodNotAllowed, http.StatusUnsupportedMediaType:
		return true
	}
	return strings.Contains(err.Error(), "field is immutable")
}

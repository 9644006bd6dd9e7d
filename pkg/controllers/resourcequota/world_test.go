// SPDX-License-Identifier: Apache-2.0

package resourcequota

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/kube/quota"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

var shared testkit.Shared

func TestMain(m *testing.M) { os.Exit(shared.Main(m)) }

// quick is the controller with a short pause between two looks at the API.
func quick() controller.Descriptor {
	return describe(timing{period: 200 * time.Millisecond, patience: 30 * time.Second})
}

// often counts everything all the time.
func often(c *v1beta1.Controllers) {
	c.ResourceQuota.SyncPeriod = metav1.Duration{Duration: 200 * time.Millisecond}
}

// list reads "cpu=1 memory=2Gi".
func list(s string) corev1.ResourceList {
	l := corev1.ResourceList{}
	for _, entry := range strings.Fields(s) {
		name, q, _ := strings.Cut(entry, "=")
		l[corev1.ResourceName(name)] = resource.MustParse(q)
	}
	return l
}

// world is a namespace with quotas.
type world struct {
	*harness.Harness
	t  testing.TB
	ns string
}

func newWorld(t testing.TB, h *harness.Harness) *world {
	t.Helper()
	return &world{Harness: h, t: t, ns: h.Namespace()}
}

// at is the world for a subtest.
func (w *world) at(t testing.TB) *world { return &world{Harness: w.Harness, t: t, ns: w.ns} }

// limit creates a quota; hard is such as list reads.
func (w *world) limit(name, hard string, change ...func(*corev1.ResourceQuotaSpec)) {
	w.t.Helper()
	q := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.ResourceQuotaSpec{Hard: list(hard)}}
	for _, f := range change {
		f(&q.Spec)
	}
	if _, err := w.Admin.CoreV1().ResourceQuotas(w.ns).Create(context.Background(), q, metav1.CreateOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) quota(name string) *corev1.ResourceQuota {
	w.t.Helper()
	q, err := w.Admin.CoreV1().ResourceQuotas(w.ns).Get(context.Background(), name, metav1.GetOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	return q
}

// eventually waits until a quota is in force and exactly that is used.
func (w *world) eventually(name, used string) {
	w.t.Helper()
	testkit.Eventually(w.t, harness.Timeout, func() error {
		q, err := w.Admin.CoreV1().ResourceQuotas(w.ns).Get(context.Background(), name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if !quota.Equal(q.Spec.Hard, q.Status.Hard) {
			return fmt.Errorf("limits of %s: %v, in force: %v", name, amounts(q.Spec.Hard), amounts(q.Status.Hard))
		}
		if !quota.Equal(q.Status.Used, list(used)) {
			return fmt.Errorf("used of %s: %v, want %s", name, amounts(q.Status.Used), used)
		}
		return nil
	})
}

func amounts(l corev1.ResourceList) (text []string) {
	for _, name := range quota.Names(l) {
		q := l[name]
		text = append(text, string(name)+"="+q.String())
	}
	return text
}

// pretend writes a usage as if somebody had got it wrong.
func (w *world) pretend(name, used string) {
	w.t.Helper()
	var entries []string
	for n, q := range list(used) {
		entries = append(entries, fmt.Sprintf("%q:%q", n, q.String()))
	}
	body := fmt.Sprintf(`{"status":{"used":{%s}}}`, strings.Join(entries, ","))
	_, err := w.Admin.CoreV1().ResourceQuotas(w.ns).Patch(context.Background(), name, types.MergePatchType, []byte(body), metav1.PatchOptions{}, "status")
	if err != nil {
		w.t.Fatal(err)
	}
}

// settle waits until the controller has dealt with what happened before: a quota
// that was created later is in force.
func (w *world) settle() {
	w.t.Helper()
	later := newWorld(w.t, w.Harness)
	later.limit("later", "count/leases.coordination.k8s.io=1")
	later.eventually("later", "count/leases.coordination.k8s.io=0")
}

// pod creates a pod of one container.
func (w *world) pod(name, requests, limits string, change ...func(*corev1.Pod)) *corev1.Pod {
	w.t.Helper()
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{
			Name: "c", Image: "i", Resources: corev1.ResourceRequirements{Requests: list(requests), Limits: list(limits)},
		}}},
	}
	for _, f := range change {
		f(p)
	}
	p, err := w.Admin.CoreV1().Pods(w.ns).Create(context.Background(), p, metav1.CreateOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) patchPod(name, body string, subresources ...string) {
	w.t.Helper()
	if _, err := w.Admin.CoreV1().Pods(w.ns).Patch(context.Background(), name, types.StrategicMergePatchType, []byte(body), metav1.PatchOptions{}, subresources...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) deletePod(name string) {
	w.t.Helper()
	if err := w.Admin.CoreV1().Pods(w.ns).Delete(context.Background(), name, metav1.DeleteOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

// puts is how many status updates the controller's present run sent.
func (w *world) puts() (n float64) {
	w.t.Helper()
	for _, code := range []string{"2xx", "4xx", "5xx"} {
		v, _ := w.Metric("kube_controller_manager_api_requests_total", map[string]string{"controller": "resourcequota-controller", "verb": "put", "code": code})
		n += v
	}
	return n
}

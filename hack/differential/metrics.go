// SPDX-License-Identifier: Apache-2.0

package differential

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
)

// Metrics serves all metrics APIs of a cluster, as its aggregated part, with
// the values that scenarios set.
type Metrics struct {
	cluster *Cluster
	server  *httptest.Server

	mu     sync.Mutex
	values map[string]map[string]string // by namespace and name
}

var metricsGroups = map[string]string{"metrics.k8s.io": "v1beta1", "custom.metrics.k8s.io": "v1beta2", "external.metrics.k8s.io": "v1beta1"}

// ServeMetrics registers the APIs and waits until the cluster knows them.
func (c *Cluster) ServeMetrics(ctx context.Context) (*Metrics, error) {
	m := &Metrics{cluster: c, values: map[string]map[string]string{}}
	m.server = httptest.NewTLSServer(m)
	address, err := url.Parse(m.server.URL)
	if err != nil {
		return nil, err
	}
	_, text, err := net.SplitHostPort(address.Host)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return nil, err
	}
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "metrics", Namespace: metav1.NamespaceSystem},
		Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "localhost"},
	}
	if _, err := c.Typed.CoreV1().Services(service.Namespace).Create(ctx, service, metav1.CreateOptions{}); err != nil {
		return nil, err
	}
	for group, version := range metricsGroups {
		body, err := json.Marshal(object{
			"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": object{"name": version + "." + group},
			"spec": object{
				"group": group, "version": version, "groupPriorityMinimum": 100, "versionPriority": 100, "insecureSkipTLSVerify": true,
				"service": object{"namespace": service.Namespace, "name": service.Name, "port": port},
			},
		})
		if err != nil {
			return nil, err
		}
		if err := c.rest.Post().AbsPath("/apis/apiregistration.k8s.io/v1/apiservices").SetHeader("Content-Type", "application/json").Body(body).Do(ctx).Error(); err != nil {
			return nil, err
		}
	}
	return m, eventually(ctx, func() error {
		for group, version := range metricsGroups {
			if _, err := c.Typed.Discovery().ServerResourcesForGroupVersion(group + "/" + version); err != nil {
				return err
			}
		}
		return nil
	})
}

// Close ends the server.
func (m *Metrics) Close() { m.server.Close() }

// Set replaces the values of a namespace.
func (m *Metrics) Set(namespace string, values map[string]string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.values[namespace] = values
}

func (m *Metrics) value(namespace, name string) (string, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.values[namespace][name]
	return v, ok
}

// ServeHTTP answers what a metrics server and an adapter would.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(parts) < 3 || metricsGroups[parts[1]] == "" {
		http.NotFound(w, r)
		return
	}
	version := parts[1] + "/" + parts[2]
	answer := object{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": []object{}}
	if len(parts) > 5 {
		items, err := m.items(r.Context(), parts[1], parts[4], parts[5:], r.URL.Query().Get("labelSelector"))
		if err != nil {
			status := apierrors.NewNotFound(corev1.Resource("metrics"), err.Error()).Status()
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusNotFound)
			_ = json.NewEncoder(w).Encode(status)
			return
		}
		kind := map[string]string{"metrics.k8s.io": "PodMetricsList", "custom.metrics.k8s.io": "MetricValueList", "external.metrics.k8s.io": "ExternalMetricValueList"}
		answer = object{"kind": kind[parts[1]], "apiVersion": version, "metadata": object{}, "items": items}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

func (m *Metrics) items(ctx context.Context, group, namespace string, path []string, selector string) ([]object, error) {
	now := time.Now().UTC().Format(time.RFC3339)
	items := []object{}
	switch group {
	case "external.metrics.k8s.io":
		v, ok := m.value(namespace, path[0])
		if !ok {
			return nil, fmt.Errorf("no metric %s", path[0])
		}
		return append(items, object{"metricName": path[0], "timestamp": now, "value": v}), nil
	case "custom.metrics.k8s.io":
		if len(path) == 3 && path[1] != "*" { // of one object
			v, ok := m.value(namespace, path[2])
			if !ok {
				return nil, fmt.Errorf("no metric %s", path[2])
			}
			return append(items, object{"describedObject": object{"name": path[1]}, "metric": object{"name": path[2]}, "timestamp": now, "value": v}), nil
		}
	}
	pods, err := m.cluster.Typed.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{
		LabelSelector: selector, FieldSelector: fields.OneTermEqualSelector("status.phase", string(corev1.PodRunning)).String(),
	})
	if err != nil {
		return nil, err
	}
	for i := range pods.Items {
		p := &pods.Items[i]
		if group == "custom.metrics.k8s.io" {
			if v, ok := m.value(namespace, path[len(path)-1]); ok {
				items = append(items, object{"describedObject": object{"name": p.Name}, "metric": object{"name": path[len(path)-1]}, "timestamp": now, "value": v})
			}
			continue
		}
		usage := object{}
		for _, name := range []string{"cpu", "memory"} {
			if v, ok := m.value(namespace, name); ok {
				usage[name] = v
			}
		}
		if len(usage) == 0 {
			continue
		}
		var containers []object
		for _, c := range p.Spec.Containers {
			containers = append(containers, object{"name": c.Name, "usage": usage})
		}
		items = append(items, object{"metadata": object{"name": p.Name, "namespace": namespace}, "timestamp": now, "window": "15s", "containers": containers})
	}
	return items, nil
}

// SPDX-License-Identifier: Apache-2.0

package horizontalpodautoscaler_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kube-live/kube-controller-manager/pkg/testkit"
	"github.com/kube-live/kube-controller-manager/pkg/testkit/harness"
)

// stub serves all metrics APIs behind the API server, as its aggregated part.
type stub struct {
	mu    sync.Mutex
	value string // of every custom and external metric, and of what containers use
	pods  []string
	paths []string // asked for
}

type object map[string]any

var groups = map[string]string{"metrics.k8s.io": "v1beta1", "custom.metrics.k8s.io": "v1beta2", "external.metrics.k8s.io": "v1beta1"}

func (s *stub) set(value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.value = value
}

func (s *stub) asked(path string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Contains(s.paths, path)
}

// ServeHTTP answers what a metrics server and an adapter would.
func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(parts) < 3 || groups[parts[1]] == "" {
		http.NotFound(w, r)
		return
	}
	version := parts[1] + "/" + parts[2]
	answer := object{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": []object{}}
	now := time.Now().UTC().Format(time.RFC3339)
	if len(parts) > 3 {
		s.paths = append(s.paths, r.URL.Path+"?"+r.URL.Query().Get("labelSelector"))
		answer = object{"apiVersion": version, "metadata": object{}}
		var items []object
		switch parts[1] {
		case "metrics.k8s.io":
			answer["kind"] = "PodMetricsList"
			for _, p := range s.pods {
				items = append(items, object{
					"metadata": object{"name": p, "namespace": parts[4]}, "timestamp": now, "window": "15s",
					"containers": []object{{"name": "main", "usage": object{"cpu": s.value}}},
				})
			}
		case "custom.metrics.k8s.io":
			answer["kind"] = "MetricValueList"
			names := s.pods
			if parts[5] == "services" || parts[5] == "qps" {
				names = []string{"web"}
			}
			for _, n := range names {
				items = append(items, object{"describedObject": object{"name": n}, "metric": object{"name": "qps"}, "timestamp": now, "value": s.value})
			}
		default:
			answer["kind"] = "ExternalMetricValueList"
			items = []object{{"metricName": "depth", "timestamp": now, "value": s.value}}
		}
		answer["items"] = items
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// serve registers the stub with the API server.
func serve(t *testing.T, h *harness.Harness, namespace string) *stub {
	t.Helper()
	s := &stub{value: "1"}
	server := httptest.NewTLSServer(s)
	t.Cleanup(server.Close)
	address, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(address.Port())
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if _, err := h.Admin.CoreV1().Services(namespace).Create(ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "metrics"}, Spec: corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "localhost"},
	}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	client := h.Admin.Discovery().RESTClient()
	for group, version := range groups {
		const path = "/apis/apiregistration.k8s.io/v1/apiservices"
		body, err := json.Marshal(object{
			"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": object{"name": version + "." + group},
			"spec": object{
				"group": group, "version": version, "groupPriorityMinimum": 100, "versionPriority": 100, "insecureSkipTLSVerify": true,
				"service": object{"namespace": namespace, "name": "metrics", "port": port},
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := client.Post().AbsPath(path).SetHeader("Content-Type", "application/json").Body(body).Do(ctx).Error(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = client.Delete().AbsPath(path, version+"."+group).Do(context.Background()).Error()
		})
	}
	testkit.Eventually(t, harness.Timeout, func() error {
		all, err := h.Admin.Discovery().ServerGroups()
		if err != nil {
			return err
		}
		for group, version := range groups {
			if !slices.ContainsFunc(all.Groups, func(g metav1.APIGroup) bool { return g.Name == group }) {
				return fmt.Errorf("%s is not served", group)
			}
			if err := client.Get().AbsPath("/apis", group, version).Do(ctx).Error(); err != nil {
				return err
			}
		}
		return nil
	})
	return s
}

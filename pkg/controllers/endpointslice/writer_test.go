// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"context"
	"errors"
	"fmt"
	"testing"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/component-base/metrics"
	slicemetrics "k8s.io/endpointslice/metrics"

	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/kube/managedslices"
)

func TestRefusalIsRemembered(t *testing.T) {
	requests := map[string]func(w *writer) error{
		"create": func(w *writer) error {
			_, err := w.DiscoveryV1().EndpointSlices("n").Create(context.TODO(), &discoveryv1.EndpointSlice{}, metav1.CreateOptions{})
			return err
		},
		"update": func(w *writer) error {
			_, err := w.DiscoveryV1().EndpointSlices("n").Update(context.TODO(), &discoveryv1.EndpointSlice{}, metav1.UpdateOptions{})
			return err
		},
		"delete": func(w *writer) error {
			return w.DiscoveryV1().EndpointSlices("n").Delete(context.TODO(), "s", metav1.DeleteOptions{})
		},
	}
	for verb, request := range requests {
		for _, test := range []struct {
			err  error
			want bool
		}{
			{errors.New("no"), false},
			{client.ErrStopping, true},
			{fmt.Errorf("wrapped: %w", client.ErrStopping), true},
		} {
			inner := fake.NewClientset()
			inner.PrependReactor(verb, "endpointslices", func(clienttesting.Action) (bool, runtime.Object, error) {
				return true, &discoveryv1.EndpointSlice{}, test.err
			})
			w := &writer{Interface: inner, work: context.Background}
			if err := request(w); !errors.Is(err, test.err) {
				t.Errorf("%s: got %v, want %v", verb, err, test.err)
			}
			if got := w.refused.Load(); got != test.want {
				t.Errorf("%s after %v: refused is %v", verb, test.err, got)
			}
		}
	}
}

func TestEachRunServesTheVectorsEmpty(t *testing.T) {
	for run := range 2 {
		registry := metrics.NewKubeRegistry()
		registerMetrics(registry)
		if families, err := registry.Gather(); err != nil || len(families) != 0 {
			t.Fatalf("run %d begins with %v, %v", run, families, err)
		}
		countSync(nil)
		countSync(managedslices.ErrStale)
		countSync(errors.New("other"))
		slicemetrics.NumEndpointSlices.WithLabelValues().Set(3)
		slicemetrics.EndpointsAddedPerSync.WithLabelValues().Observe(1)
		families, err := registry.Gather()
		if err != nil || len(families) != 3 {
			t.Errorf("run %d: %v, %v", run, families, err)
		}
		for _, f := range families {
			if f.GetName() == "endpoint_slice_controller_syncs" && len(f.GetMetric()) != 3 {
				t.Errorf("run %d: %v", run, f)
			}
		}
		resetMetrics()
	}
}

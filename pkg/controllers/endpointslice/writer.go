// SPDX-License-Identifier: Apache-2.0

package endpointslice

import (
	"context"
	"errors"
	"sync/atomic"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	discoveryclient "k8s.io/client-go/kubernetes/typed/discovery/v1"

	"github.com/kube-live/kube-controller-manager/pkg/client"
)

// writer is the client the library writes through. The library sends its
// requests without a context that ends and wraps some of their errors as mere
// text. So the writer gives each request the context of the run's syncs, and
// remembers when one was refused because the run is stopping: that does not
// pass, so every error after it may be due to it.
type writer struct {
	kubernetes.Interface
	// work is the context of syncs.
	work    func() context.Context
	refused atomic.Bool
}

// DiscoveryV1 is part of kubernetes.Interface.
func (w *writer) DiscoveryV1() discoveryclient.DiscoveryV1Interface {
	return discoveryWriter{w.Interface.DiscoveryV1(), w}
}

func (w *writer) observe(err error) error {
	if errors.Is(err, client.ErrStopping) {
		w.refused.Store(true)
	}
	return err
}

type discoveryWriter struct {
	discoveryclient.DiscoveryV1Interface
	writer *writer
}

// EndpointSlices is part of DiscoveryV1Interface.
func (d discoveryWriter) EndpointSlices(namespace string) discoveryclient.EndpointSliceInterface {
	return sliceWriter{d.DiscoveryV1Interface.EndpointSlices(namespace), d.writer}
}

type sliceWriter struct {
	discoveryclient.EndpointSliceInterface
	writer *writer
}

// Create is part of EndpointSliceInterface, as are the others.
func (s sliceWriter) Create(_ context.Context, slice *discoveryv1.EndpointSlice, opts metav1.CreateOptions) (*discoveryv1.EndpointSlice, error) {
	created, err := s.EndpointSliceInterface.Create(s.writer.work(), slice, opts)
	return created, s.writer.observe(err)
}

func (s sliceWriter) Update(_ context.Context, slice *discoveryv1.EndpointSlice, opts metav1.UpdateOptions) (*discoveryv1.EndpointSlice, error) {
	updated, err := s.EndpointSliceInterface.Update(s.writer.work(), slice, opts)
	return updated, s.writer.observe(err)
}

func (s sliceWriter) Delete(_ context.Context, name string, opts metav1.DeleteOptions) error {
	return s.writer.observe(s.EndpointSliceInterface.Delete(s.writer.work(), name, opts))
}

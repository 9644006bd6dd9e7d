// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"fmt"
	"math/rand/v2"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
)

// Connection is what controllers share of the way to the API server.
type Connection struct {
	Factory  *client.Factory
	Pool     *informer.Pool
	Metadata metadata.Interface
}

// Connect makes the clients of a configuration and an empty pool of informers.
// It sends nothing.
func Connect(c *config.Loaded) (*Connection, error) {
	factory, err := client.NewFactory(c.Config.ClientConnection)
	if err != nil {
		return nil, err
	}
	return NewConnection(factory, c)
}

// NewConnection is Connect for a factory that exists.
func NewConnection(factory *client.Factory, c *config.Loaded) (*Connection, error) {
	// Watches and lists are few; a limit would only delay the start.
	patience := client.NewPatience(klog.Background().WithName("informers"), clock.RealClock{})
	shared := factory.Root("shared-informers")
	shared.QPS = -1
	shared.Wrap(patience.Wrap)
	typed, err := kubernetes.NewForConfig(shared)
	if err != nil {
		return nil, fmt.Errorf("informer client: %w", err)
	}
	light := factory.Root("metadata-informers")
	light.QPS = -1
	light.Wrap(patience.Wrap)
	meta, err := metadata.NewForConfig(light)
	if err != nil {
		return nil, fmt.Errorf("metadata client: %w", err)
	}
	period := c.Config.Informers.MinResyncPeriod.Duration
	pool := informer.NewPool(informer.Clients{Typed: typed, Metadata: meta, Namespace: c.Config.Informers.Namespace}, informer.Options{
		// Drawn, so that several managers' resyncs do not coincide.
		Resync: period + time.Duration(rand.Float64()*float64(period)),
		Linger: c.Config.Informers.Linger.Duration,
	})
	return &Connection{Factory: factory, Pool: pool, Metadata: meta}, nil
}

// Close ends the informers.
func (c *Connection) Close() { c.Pool.Close() }

// SPDX-License-Identifier: Apache-2.0

package server

import (
	"net"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/plan"
)

// limits bound what a caller can hold on to.
type limits struct {
	// header is the time for a handshake and the head of a request, body the
	// time for what follows, idle the time between two requests.
	header, body, idle time.Duration
	// close is what requests under way get when what serves them goes.
	close time.Duration
	// headerBytes is the size of the head of a request.
	headerBytes int
}

// usual are upstream's limits, and one for bodies, which upstream does not limit.
func usual() limits {
	return limits{header: 32 * time.Second, body: 32 * time.Second, idle: 90 * time.Second, close: 2 * time.Second, headerBytes: 1 << 20}
}

// Server is a part of the manager.
type Server struct {
	pages  *Pages
	slis   *slis
	logger klog.Logger
	limits limits
	// delegated are metrics, served with those of the pages.
	delegated *delegated

	mu   sync.Mutex
	live serving
	// draining are fronts that were replaced and finish what they have begun.
	draining sync.WaitGroup
}

// serving is what a configuration has the server do: nothing, or the door with
// the front behind it, and the same once more for diagnostics.
type serving struct {
	main, diagnostics outlet
	// blocking is whether it is recorded where goroutines wait.
	blocking bool
}

// outlet is an open port and what answers there.
type outlet struct {
	door  *door
	front *front
}

// New makes a server that serves nothing yet.
func New(pages Pages, logger klog.Logger) *Server {
	d := newDelegated()
	pages.Metrics = prometheus.Gatherers{pages.Metrics, d.registry}
	return &Server{pages: &pages, slis: newSLIs(), delegated: d, logger: logger, limits: usual()}
}

// Prepare is part of manager.Part. What it opens is not served before the
// commit.
func (s *Server) Prepare(old, now *config.Loaded, p plan.Plan) (commit, discard func(), err error) {
	if old != nil && !p.Replaces(plan.Serving) {
		return nil, nil, nil
	}
	s.mu.Lock()
	live := s.live
	s.mu.Unlock()
	c := now.Config
	next := serving{blocking: c.Serving.Port != 0 && c.Serving.Profiling && c.Serving.ContentionProfiling}
	discard = func() {
		next.main.discard(live.main)
		next.diagnostics.discard(live.diagnostics)
	}
	if err = s.prepareMain(c, live.main, &next.main); err == nil {
		err = s.prepareDiagnostics(c.Serving, live.diagnostics, &next.diagnostics)
	}
	if err != nil {
		discard()
		return nil, nil, err
	}
	return func() { s.replace(next) }, discard, nil
}

func (s *Server) prepareMain(c *v1beta1.KubeControllerManagerConfiguration, live outlet, next *outlet) (err error) {
	if c.Serving.Port == 0 {
		return nil
	}
	if next.front, err = s.secure(c, live.front); err != nil {
		return err
	}
	address := net.JoinHostPort(c.Serving.BindAddress, strconv.Itoa(int(c.Serving.Port)))
	next.door, err = s.doorAt(address, sharing{c.Serving.PermitAddressSharing, c.Serving.PermitPortSharing}, live.door)
	return err
}

// loopback is where diagnostics are served.
const loopback = "127.0.0.1"

func (s *Server) prepareDiagnostics(c v1beta1.Serving, live outlet, next *outlet) (err error) {
	if c.InsecureDiagnosticsPort == 0 {
		return nil
	}
	next.front = s.plain(c)
	next.door, err = s.doorAt(net.JoinHostPort(loopback, strconv.Itoa(int(c.InsecureDiagnosticsPort))), sharing{}, live.door)
	return err
}

// doorAt is the live door where it suits, or a new one.
func (s *Server) doorAt(address string, share sharing, live *door) (*door, error) {
	if live != nil && live.address == address && live.share == share {
		return live, nil
	}
	return open(address, share, live, s.logger)
}

// discard gives up what only a configuration that does not come has.
func (o outlet) discard(live outlet) {
	if o.front != nil {
		o.front.end()
	}
	if o.door != nil && o.door != live.door {
		o.door.close()
	}
}

// replace has next served. A door that stays gets another front without a gap;
// a new one opens before the old one closes.
func (s *Server) replace(next serving) {
	s.mu.Lock()
	live := s.live
	s.live = next
	s.mu.Unlock()
	if live.blocking != next.blocking {
		rate := 0
		if next.blocking {
			rate = 1
		}
		runtime.SetBlockProfileRate(rate)
	}
	s.exchange(live.main, next.main)
	s.exchange(live.diagnostics, next.diagnostics)
	for said, o := range map[string]outlet{"Serving securely": next.main, "Serving diagnostics without protection": next.diagnostics} {
		if o.door != nil && o.door != live.main.door && o.door != live.diagnostics.door {
			s.logger.Info(said, "address", o.door.Addr())
		}
	}
}

func (s *Server) exchange(live, next outlet) {
	if next.front != nil {
		next.front.start()
		next.door.lead(next.front.inlet)
	}
	if live.door != nil && live.door != next.door {
		live.door.close()
	}
	switch {
	case live.front == nil:
	case next.front == nil:
		s.draining.Go(live.front.shutdown)
	default:
		live.front.successor.Store(next.front)
		s.draining.Go(live.front.retire)
	}
}

// Close ends serving. Requests under way get a moment to end.
func (s *Server) Close() {
	s.replace(serving{})
	s.draining.Wait()
}

// Address is where the server listens, or "".
func (s *Server) Address() string { return s.address(func(v serving) *door { return v.main.door }) }

// DiagnosticsAddress is where diagnostics are served without protection, or "".
func (s *Server) DiagnosticsAddress() string {
	return s.address(func(v serving) *door { return v.diagnostics.door })
}

func (s *Server) address(of func(serving) *door) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := of(s.live); d != nil {
		return d.Addr()
	}
	return ""
}

// handler is what every request goes through, and then next.
func (s *Server) handler(next http.Handler) http.Handler {
	return recovered(logged(bounded(next, s.limits.body), s.logger), s.logger)
}

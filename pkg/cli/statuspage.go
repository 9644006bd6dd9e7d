// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"os"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/component-base/version"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/announce"
	"github.com/kube-live/kube-controller-manager/pkg/client"
	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/manager"
	"github.com/kube-live/kube-controller-manager/pkg/status"
)

// statusSource is what the status page and its documents are made of.
func (d *daemon) statusSource(started time.Time) status.Source {
	host, _ := os.Hostname() // the identity has it, too, or there were none
	contenders := &contenders{election: d.election}
	return status.Source{
		Status:     func() manager.Status { return d.manager.Snapshot().Measured() },
		Leadership: contenders.leadership,
		Process:    status.Process{Version: version.Get().GitVersion, Identity: d.election.identity, Host: host, PID: os.Getpid(), Started: started},
		File:       d.paths.File, Dir: d.paths.Dir, Flags: d.settings.given,
		Now: time.Now,
	}
}

const (
	// fresh is how old the list of standbys may be that is shown.
	fresh = 10 * time.Second
	// prompt is how long a reader of the page waits for a newer one.
	prompt = 300 * time.Millisecond
	// lookTimeout bounds the request for it.
	lookTimeout = 5 * time.Second
	// silent is how long a standby may not have told: living ones do so every ten
	// minutes, and others stay in the annotations for a while.
	silent = 12 * time.Minute
)

// contenders reads who else is there from the Lease, when somebody wants to know.
type contenders struct {
	election *election

	mu   sync.Mutex
	list []status.Standby
	// asked is when the list was asked for last; looking is closed when the
	// answer is there, and nil when none is under way.
	asked   time.Time
	looking chan struct{}
	// client belongs to the configuration of.
	of     *config.Loaded
	client kubernetes.Interface
}

func (c *contenders) leadership() status.Leadership {
	now := c.election.inEffect()
	if now == nil || !now.Config.LeaderElection.LeaderElect {
		return status.Leadership{}
	}
	le := now.Config.LeaderElection
	l := status.Leadership{Elect: true, Lock: le.ResourceNamespace + "/" + le.ResourceName, Holder: c.election.holder()}
	if le.ResourceLock == v1beta1.LockFile {
		l.Lock = "a file of this host"
		return l
	}
	for _, s := range c.standbys(now) {
		if s.Identity != l.Holder {
			l.Standbys = append(l.Standbys, s)
		}
	}
	return l
}

// standbys are those of the last look; a new one is had first when it is old and
// the answer comes at once.
func (c *contenders) standbys(now *config.Loaded) []status.Standby {
	c.mu.Lock()
	if c.looking == nil && time.Since(c.asked) > fresh {
		c.asked, c.looking = time.Now(), make(chan struct{})
		go c.look(now, c.looking)
	}
	looking := c.looking
	c.mu.Unlock()
	if looking != nil {
		timer := time.NewTimer(prompt)
		defer timer.Stop()
		select {
		case <-looking:
		case <-timer.C:
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.list
}

func (c *contenders) look(now *config.Loaded, done chan struct{}) {
	list, err := c.read(now)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.election.logger.V(2).Info("The standbys are not known", "err", err)
	} else {
		c.list = list
	}
	c.looking = nil
	close(done)
}

// read is called by one goroutine at a time.
func (c *contenders) read(now *config.Loaded) ([]status.Standby, error) {
	if c.of != now {
		factory, err := client.NewFactory(now.Config.ClientConnection)
		if err != nil {
			return nil, err
		}
		if c.client, err = kubernetes.NewForConfig(factory.Root("leader-election")); err != nil {
			return nil, err
		}
		c.of = now
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookTimeout)
	defer cancel()
	le := now.Config.LeaderElection
	lease, err := c.client.CoordinationV1().Leases(le.ResourceNamespace).Get(ctx, le.ResourceName, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	var list []status.Standby
	for _, e := range announce.Entries(lease.Annotations) {
		if e.Role == "standby" && time.Since(e.Time) < silent {
			list = append(list, status.Standby{Identity: e.Identity, Verdict: string(e.Outcome), Hash: e.Hash, Message: e.Message, Seen: e.Time.UTC()})
		}
	}
	return list, nil
}

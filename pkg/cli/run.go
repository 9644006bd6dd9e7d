// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"k8s.io/client-go/features"
	"k8s.io/client-go/transport"
	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/pkg/catalog"
	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/logging"
	"github.com/kube-live/kube-controller-manager/pkg/manager"
	"github.com/kube-live/kube-controller-manager/pkg/metrics"
	"github.com/kube-live/kube-controller-manager/pkg/server"
	"github.com/kube-live/kube-controller-manager/pkg/trace"
)

// daemon is the running program: a manager, what stands beside it, and the files
// that govern both.
type daemon struct {
	paths    config.Paths
	settings *settings
	log      *logging.Log
	logger   klog.Logger

	manager  *manager.Manager
	server   *server.Server
	election *election
	watcher  *config.Watcher
	// warned are the warnings about the configuration in effect.
	warned map[string]bool

	tracer trace.Tracer
	notify notifier
	resort resort
	// companions are goroutines that end before the manager does.
	companions sync.WaitGroup
	// good is the configuration that proved itself last.
	good   atomic.Pointer[config.Loaded]
	saving sync.WaitGroup
	saveMu sync.Mutex
}

// load makes a configuration of files and the given flags. The base file has the
// name that it had when it was read, for its relative paths.
func (d *daemon) load(base string, c config.Content) (*config.Loaded, error) {
	in := input(base, c)
	in.Flags = d.settings.given
	return config.Load(in)
}

// run works until a signal ends it. The first SIGTERM or SIGINT stops
// everything in order, the second ends the process at once; SIGHUP has the files
// read.
func run(paths config.Paths, s *settings, r resort) error {
	if err := r.check(); err != nil {
		return err
	}
	log := newLog()
	d := &daemon{paths: paths, settings: s, resort: r, log: log, logger: log.Logger(), notify: notifier{log.Logger()}}
	if err := d.assemble(); err != nil {
		return err
	}
	return d.supervise()
}

// certificateRecheck is how often the files of client certificates are looked at.
// One that was renewed after its expiry lets the program go on that soon.
const certificateRecheck = 2 * time.Second

func (d *daemon) assemble() (err error) {
	gates := newClientGates()
	features.ReplaceFeatureGates(gates)
	transport.CertCallbackRefreshDuration = certificateRecheck
	hub := metrics.NewHub()
	if d.election, err = newElection(d.logger.WithName("leader-election"), hub.Process); err != nil {
		return err
	}
	started := time.Now()
	d.server = server.New(server.Pages{
		Metrics: hub, Health: d.health, Live: d.health, Ready: d.ready,
		Configz: d.configz, Flags: d.settings.shown, Effect: d.effect(started), SetVerbosity: d.setVerbosity,
		Debug: func(name string) http.Handler { return d.manager.Debug(name) },
		Extra: d.statusSource(started).Handler(),
	}, d.logger.WithName("server"))
	d.manager = manager.New(manager.Options{
		Catalog: catalog.All(),
		Parts:   []manager.Part{gates, d.server, logPart{d.log}, metricsPart{hub}, tracing{&d.tracer}, d.election},
		Hub:     hub,
		Tracer:  &d.tracer,
		Logger:  d.logger,
		// The cluster is told by the part that knows the lease.
		Announce: d.election.announce,
		Good:     d.keep,
	})
	return nil
}

func (d *daemon) serve(ctx context.Context) error {
	managing, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); d.manager.Run(managing) }()
	defer func() {
		d.server.Close()
		stop()
		<-ended
		d.saving.Wait()
		d.tracer.Close()
	}()
	// Not only a signal ends the program: what runs beside it must not outlive an
	// election that gave up.
	ctx, end := context.WithCancel(ctx)
	defer d.companions.Wait()
	defer end()
	first, content, err := d.start()
	if err != nil {
		return err
	}
	d.notify.ready(d.manager.Status().Hash)
	d.companions.Go(func() { d.notify.watchdog(ctx, func() { d.manager.Status() }) })
	if d.paths != (config.Paths{}) {
		d.companions.Go(func() { d.watch(ctx, first, content) })
	}
	return d.election.run(ctx, d.manager)
}

// watch applies every new content of the files.
func (d *daemon) watch(ctx context.Context, first *config.Loaded, inUse config.Content) {
	d.watcher = config.NewWatcher(d.paths, inUse, d.logger.WithName("config"))
	contents := make(chan config.Content)
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.watcher.Run(ctx, first.Config.Reload.PollPeriod.Duration, contents)
	}()
	defer func() { <-done }()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			d.watcher.Look()
		case c := <-contents:
			d.changed(c)
		}
	}
}

func (d *daemon) changed(c config.Content) {
	d.notify.reloading()
	defer func() { d.notify.ready(d.manager.Status().Hash) }()
	err := c.Err
	var now *config.Loaded
	if err == nil {
		now, err = d.load(d.paths.File, c)
	}
	if err != nil {
		d.manager.Rejected(err)
		d.reject(err)
		return
	}
	d.warn(now)
	if err := d.manager.Apply(now); err != nil {
		d.reject(err)
		return
	}
	d.watcher.SetPoll(now.Config.Reload.PollPeriod.Duration)
}

// reject logs every problem of a configuration, a line each.
func (d *daemon) reject(err error) {
	var problems config.Errors
	if !errors.As(err, &problems) {
		d.logger.Error(err, "Configuration rejected, the last good one stays in effect", "file", d.paths.File, "dir", d.paths.Dir)
		return
	}
	for _, p := range problems {
		d.logger.Error(nil, "Configuration rejected, the last good one stays in effect", "problem", p.String())
	}
}

// warn logs the warnings, with those of the lint rules, that the configuration
// before did not have.
func (d *daemon) warn(c *config.Loaded) {
	warned := map[string]bool{}
	for _, w := range warnings(c) {
		key := w.Path + w.Reason
		if warned[key] = true; !d.warned[key] {
			d.logger.Info("Configuration warning", "problem", w.String())
		}
	}
	d.warned = warned
}

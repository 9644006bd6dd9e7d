// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/client-go/features"
	"k8s.io/component-base/version"
	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/pkg/catalog"
	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/manager"
	"github.com/kube-live/kube-controller-manager/pkg/metrics"
	"github.com/kube-live/kube-controller-manager/pkg/server"
)

// daemon is the running program: a manager, what stands beside it, and the file
// that governs both.
type daemon struct {
	file     string
	settings *settings
	logger   klog.Logger

	manager  *manager.Manager
	server   *server.Server
	election *election
	watcher  *config.Watcher
	// warned are the warnings about the configuration in effect.
	warned map[string]bool
}

func (d *daemon) load(data []byte) (*config.Loaded, error) {
	return config.Load(config.Input{File: d.file, Data: data, Flags: d.settings.given, Names: catalog.Names(), Implemented: catalog.Implemented()})
}

// run works until a signal ends it. The first SIGTERM or SIGINT stops
// everything in order, the second ends the process at once; SIGHUP has the file
// read.
func run(file string, s *settings) error {
	d := &daemon{file: file, settings: s, logger: newLogger()}
	var data []byte
	if file != "" {
		var err error
		if data, err = os.ReadFile(file); err != nil {
			return fmt.Errorf("configuration: %w", err)
		}
	}
	first, err := d.load(data)
	if err != nil {
		return err
	}
	setLogging(first.Config.Logging)
	d.logger.Info("Starting", "version", version.Get().GitVersion, "config", first.Hash, "file", file)
	d.warn(first)
	if err := d.assemble(); err != nil {
		return err
	}
	ctx, stop := signals(d.logger)
	defer stop()
	return d.serve(ctx, first, data)
}

func (d *daemon) assemble() (err error) {
	gates := newClientGates()
	features.ReplaceFeatureGates(gates)
	if d.election, err = newElection(d.logger.WithName("leader-election")); err != nil {
		return err
	}
	hub := metrics.NewHub()
	d.server = server.New(server.Pages{
		Metrics: hub, Health: d.health, Live: d.health, Ready: d.ready,
		Configz: d.configz,
		Debug:   func(name string) http.Handler { return d.manager.Debug(name) },
	}.Routes, d.logger.WithName("server"))
	d.manager = manager.New(manager.Options{
		Catalog: catalog.All(),
		Parts:   []manager.Part{gates, d.server, logging{}, d.election},
		Hub:     hub,
		Logger:  d.logger,
	})
	return nil
}

func (d *daemon) serve(ctx context.Context, first *config.Loaded, data []byte) error {
	managing, end := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); d.manager.Run(managing) }()
	defer func() {
		d.server.Close()
		end()
		<-ended
		klog.Flush()
	}()
	if err := d.manager.Apply(first); err != nil {
		return err
	}
	if d.file != "" {
		// Not only a signal ends the program: the watch must not outlive an
		// election that gave up.
		following, unfollow := context.WithCancel(ctx)
		watching := make(chan struct{})
		go func() { defer close(watching); d.watch(following, first, data) }()
		defer func() { unfollow(); <-watching }()
	}
	err := d.election.run(ctx, d.manager)
	if err == nil {
		d.logger.Info("Stopped")
	}
	return err
}

// watch applies every new content of the file.
func (d *daemon) watch(ctx context.Context, first *config.Loaded, data []byte) {
	d.watcher = config.NewWatcher(d.file, data, d.logger.WithName("config"))
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
	err := c.Err
	var now *config.Loaded
	if err == nil {
		now, err = d.load(c.Data)
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
		d.logger.Error(err, "Configuration rejected, the last good one stays in effect", "file", d.file)
		return
	}
	for _, p := range problems {
		d.logger.Error(nil, "Configuration rejected, the last good one stays in effect", "problem", p.String())
	}
}

// warn logs the warnings that the configuration before did not have.
func (d *daemon) warn(c *config.Loaded) {
	warned := map[string]bool{}
	for _, w := range c.Warnings {
		key := w.Path + w.Reason
		if warned[key] = true; !d.warned[key] {
			d.logger.Info("Configuration warning", "problem", w.String())
		}
	}
	d.warned = warned
}

// signals ends the context at the first signal and the process at the second.
func signals(logger klog.Logger) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	c := make(chan os.Signal, 2)
	signal.Notify(c, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		s := <-c
		logger.Info("Stopping", "signal", s.String())
		cancel()
		<-c
		klog.Flush()
		os.Exit(1)
	}()
	return ctx, func() { signal.Stop(c); cancel() }
}

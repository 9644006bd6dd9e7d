// SPDX-License-Identifier: Apache-2.0

package manager

import (
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/component-base/version"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
	"github.com/kube-live/kube-controller-manager/pkg/informer"
	"github.com/kube-live/kube-controller-manager/pkg/metrics"
)

// collector shows the status as metrics. It keeps nothing, so nothing of what has
// stopped is left.
type collector struct {
	status func() Status
	// stages of the gates, as upstream writes them.
	stages map[feature.Gate]string

	state, restarts, failures, workers, running *prometheus.Desc
	generation, rolledBack, probation, leading  *prometheus.Desc
	gates, versions                             *prometheus.Desc
	objects, bytes, storeVersion                *prometheus.Desc
}

var _ prometheus.Collector = (*collector)(nil)

func newCollector(status func() Status) *collector {
	own := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(metrics.Subsystem+"_"+name, "[ALPHA] "+help, labels, nil)
	}
	cache := []string{"group", "version", "resource", "variant"}
	c := &collector{
		status:     status,
		stages:     map[feature.Gate]string{},
		state:      own("controller_state", "1 for the state that a controller is in. Controllers that are off have none.", "controller", "state"),
		restarts:   own("controller_restarts_total", "Total number of starts of a controller after a failure.", "controller"),
		failures:   own("controller_failures_total", "Total number of runs that ended with an error or a panic.", "controller"),
		workers:    own("controller_workers", "Number of workers of a controller that runs.", "controller"),
		generation: own("config_generation", "How many configurations have taken effect."),
		rolledBack: own("config_rolled_back", "1 while the file has a configuration that was taken back."),
		probation:  own("config_probation_end_timestamp_seconds", "When the configuration in effect counts as good, 0 when it does."),
		leading:    own("leading", "1 while this process runs the controllers."),
		objects:    own("informer_objects", "Number of objects in a cache.", cache...),
		bytes:      own("informer_bytes", "Size of the objects in a cache, encoded as protobuf, estimated from a sample.", cache...),
		running: prometheus.NewDesc("running_managed_controllers", "[BETA] Indicates where instances of a controller are currently running",
			[]string{"manager", "name"}, nil),
		gates: prometheus.NewDesc("kubernetes_feature_enabled",
			"[BETA] This metric records the data about the stage and enablement of a k8s feature.", []string{"name", "stage"}, nil),
		versions: prometheus.NewDesc("version_info", "[ALPHA] Provides the compatibility version info of the component.",
			[]string{"binary", "component", "emulation", "min_compat"}, nil),
		storeVersion: prometheus.NewDesc("informer_store_resource_version",
			"[ALPHA] The 15 least significant digits of the resource version of the store.", []string{"group", "name", "resource", "version"}, nil),
	}
	for _, g := range feature.Describe() {
		if c.stages[g.Name] = strings.ToUpper(g.Stage); g.Stage == "GA" {
			c.stages[g.Name] = ""
		}
	}
	return c
}

// Describe is part of prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		c.state, c.restarts, c.failures, c.workers, c.running, c.generation, c.rolledBack, c.probation, c.leading,
		c.gates, c.versions, c.objects, c.bytes, c.storeVersion,
	} {
		ch <- d
	}
}

// Collect is part of prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	s := c.status()
	p := sender(ch)
	p.gauge(c.versions, 1, strings.TrimPrefix(version.Get().GitVersion, "v"), "kube", feature.EmulationVersion, feature.MinCompatibilityVersion)
	p.gauge(c.generation, float64(s.Generation))
	p.gauge(c.rolledBack, truth(s.Bad != ""))
	p.gauge(c.leading, truth(s.Leading))
	if s.ProbationEnds.IsZero() {
		p.gauge(c.probation, 0)
	} else {
		p.gauge(c.probation, float64(s.ProbationEnds.UnixMilli())/1e3)
	}
	for _, r := range s.Controllers {
		if r.State != controller.Off {
			c.controller(p, r)
		}
	}
	if s.Config != nil {
		for gate, stage := range c.stages {
			p.gauge(c.gates, truth(s.Config.Gates.Enabled(gate)), string(gate), stage)
		}
	}
	if s.pool != nil {
		c.caches(p, s.pool.Stats())
	}
}

func (c *collector) controller(p sender, r ControllerStatus) {
	p.gauge(c.state, 1, r.Name, string(r.State))
	p.counter(c.restarts, float64(r.Restarts), r.Name)
	p.counter(c.failures, float64(r.Failures), r.Name)
	p.gauge(c.running, truth(r.Run > 0), "kube-controller-manager", managed(r.Name))
	if r.Run > 0 {
		p.gauge(c.workers, float64(r.Workers), r.Name)
	}
}

// managed is the name in running_managed_controllers. Upstream has only one
// controller there, under another name than everywhere else.
func managed(name string) string {
	if name == "node-ipam-controller" {
		return "nodeipam"
	}
	return name
}

func (c *collector) caches(p sender, stats []informer.Stat) {
	for _, s := range stats {
		r := s.Resource
		p.gauge(c.objects, float64(s.Objects), r.Group, r.Version, r.Resource, s.Variant)
		p.gauge(c.bytes, float64(s.Bytes), r.Group, r.Version, r.Resource, s.Variant)
	}
	seen := map[string]bool{} // several caches of one resource
	for _, s := range stats {
		digits := s.ResourceVersion[max(len(s.ResourceVersion)-15, 0):]
		number, err := strconv.ParseFloat(digits, 64)
		if key := s.Resource.String(); err == nil && !seen[key] {
			seen[key] = true
			p.gauge(c.storeVersion, number, s.Resource.Group, "kube-controller-manager", s.Resource.Resource, s.Resource.Version)
		}
	}
}

// sender takes metrics that are made on the spot.
type sender chan<- prometheus.Metric

func (s sender) gauge(d *prometheus.Desc, value float64, labels ...string) {
	s <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

func (s sender) counter(d *prometheus.Desc, value float64, labels ...string) {
	s <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, value, labels...)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

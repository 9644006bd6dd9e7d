// SPDX-License-Identifier: Apache-2.0

package lint

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/feature"
)

// Thresholds. Defaults stay clear of all of them.
const (
	// renewals is how many attempts to renew a lease should fit in its deadline.
	renewals = 3
	// longLease is a time without any controller that nobody should plan with.
	longLease = time.Minute
	// gracePeriods is how often a Node is looked at before it counts as silent.
	gracePeriods = 3
	// kubeletLease is how long kubelets take to renew their Lease, at worst,
	// when one renewal failed: they renew every 10 seconds and retry for 40.
	kubeletLease = 40 * time.Second
	// soon is the shortest resync period that makes sense in a small cluster.
	soon = 10 * time.Minute
)

// workersOverBurst looks only at counts that were set: defaults are upstream's.
func workersOverBurst(s subject) (found []config.Problem) {
	burst := s.Config.ClientConnection.Burst
	for path, f := range s.ordered() {
		name, _, _ := strings.Cut(strings.TrimPrefix(path, "controllers."), ".")
		if !f.Resizes() || !s.set(path) || !s.runs(name) || f.Value.Int() <= int64(burst) {
			continue
		}
		found = append(found, problem(path, f.Value.Int(),
			fmt.Sprintf("more workers than the %d requests that the controller may make at once, so most of them wait", burst),
			"raise clientConnection.qps and burst, or use fewer workers"))
	}
	return found
}

func burstBelowQPS(s subject) []config.Problem {
	c := s.Config.ClientConnection
	if float32(c.Burst) >= c.QPS {
		return nil
	}
	return []config.Problem{problem("clientConnection.burst", c.Burst,
		fmt.Sprintf("is less than clientConnection.qps, which is %v: the rate is reached only by requests that are spread evenly", c.QPS),
		"twice the value of qps is usual")}
}

func leaseMargin(s subject) (found []config.Problem) {
	le := s.Config.LeaderElection
	if !le.LeaderElect {
		return nil
	}
	lease, renew, retry := le.LeaseDuration.Duration, le.RenewDeadline.Duration, le.RetryPeriod.Duration
	if renew < renewals*retry {
		found = append(found, problem("leaderElection.renewDeadline", renew,
			fmt.Sprintf("leaves fewer than %d attempts to renew the lease, one each %s: a single slow answer ends the leadership", renewals, retry),
			fmt.Sprintf("use at least %s, or a shorter retryPeriod", renewals*retry)))
	}
	if lease-renew < retry {
		found = append(found, problem("leaderElection.leaseDuration", lease,
			fmt.Sprintf("is only %s longer than renewDeadline: a leader whose clock is slow may still act while another one begins", lease-renew),
			fmt.Sprintf("use at least %s", renew+retry)))
	}
	return found
}

func slowFailover(s subject) []config.Problem {
	le := s.Config.LeaderElection
	if !le.LeaderElect || le.LeaseDuration.Duration <= longLease {
		return nil
	}
	return []config.Problem{problem("leaderElection.leaseDuration", le.LeaseDuration.Duration,
		"after a crash no controller runs anywhere for this long", "15s is usual")}
}

func nodeGrace(s subject) (found []config.Problem) {
	period, _ := s.duration("node-monitor-period")
	grace, path := s.duration("node-monitor-grace-period")
	if path == "" || !s.runs("node-lifecycle-controller") {
		return nil
	}
	if grace < gracePeriods*period {
		found = append(found, problem(path, grace,
			fmt.Sprintf("is less than %d times nodeMonitorPeriod, which is %s: one late look at the Nodes makes healthy ones Unknown", gracePeriods, period),
			fmt.Sprintf("use at least %s", gracePeriods*period)))
	} else if grace < kubeletLease {
		found = append(found, problem(path, grace,
			"kubelets may need 40s to renew their Lease after a failed attempt, so healthy Nodes become Unknown", "use at least 40s; 50s is the default"))
	}
	return found
}

// needs are the controllers without which another one does half its work.
var needs = []struct{ controller, needs, why string }{
	{"deployment-controller", "replicaset-controller", "nobody makes the pods of its ReplicaSets"},
	{"cronjob-controller", "job-controller", "nobody runs the Jobs that it creates"},
	{"ttl-after-finished-controller", "job-controller", "no Job ever finishes"},
	{"statefulset-controller", "persistentvolume-binder-controller", "nobody binds the claims of its pods"},
	{"ephemeral-volume-controller", "persistentvolume-binder-controller", "nobody binds the claims that it creates"},
	{"node-lifecycle-controller", "taint-eviction-controller", "nobody evicts pods from the Nodes that it taints"},
	{"taint-eviction-controller", "node-lifecycle-controller", "nobody taints Nodes that do not report any more"},
	{"certificatesigningrequest-signing-controller", "certificatesigningrequest-approving-controller", "requests of kubelets wait for somebody's approval"},
	{"bootstrap-signer-controller", "token-cleaner-controller", "tokens that expired stay"},
	{"storage-version-migrator-controller", "garbage-collector-controller", "it asks the garbage collector for the resources to migrate"},
	{"deployment-controller", "garbage-collector-controller", "ReplicaSets and pods of deleted Deployments stay"},
	{"job-controller", "garbage-collector-controller", "pods of deleted Jobs stay"},
}

func neededController(s subject) (found []config.Problem) {
	for _, n := range needs {
		_, known := s.fields[enabled(n.needs)]
		off := s.switchOf(n.needs) == "false" || s.switchOf(n.needs) == "" && s.Config.Controllers.Baseline == v1beta1.BaselineNone
		if !known || !off || !s.runs(n.controller) {
			continue
		}
		p := problem(enabled(n.needs), s.switchOf(n.needs), fmt.Sprintf("%s runs without it: %s", n.controller, n.why),
			"enable it, unless another program does its work")
		found = append(found, p)
	}
	return found
}

func gateOfController(s subject) (found []config.Problem) {
	for _, c := range s.controllers {
		if s.switchOf(c.Name) != "true" {
			continue
		}
		for _, g := range c.Required {
			if !s.Gates.Enabled(g) {
				found = append(found, problem(enabled(c.Name), "true",
					fmt.Sprintf("%s does not run while the feature gate %s is off", c.Name, g), fmt.Sprintf("set featureGates.%s: true", g)))
			}
		}
	}
	return found
}

func gateGoesAway(s subject) (found []config.Problem) {
	for _, g := range feature.Describe() {
		if _, set := s.Config.FeatureGates[string(g.Name)]; !set || g.Stage != "GA" && g.Stage != "Deprecated" {
			continue
		}
		reason := "the gate is " + map[bool]string{true: "deprecated", false: "generally available"}[g.Stage == "Deprecated"] +
			" and will be removed; a file that still sets it is invalid then"
		found = append(found, problem(tags.Join("featureGates", string(g.Name)), s.Config.FeatureGates[string(g.Name)], reason, "remove it"))
	}
	return found
}

// idleGate looks only at gates that differ from their defaults: repeating a
// default does no harm.
func idleGate(s subject) (found []config.Problem) {
	read := map[feature.Gate]bool{feature.CoordinatedLeaderElection: true}
	for _, c := range s.controllers {
		for _, g := range append(slices.Clone(c.Required), c.Gates...) {
			read[g] = true
		}
	}
	for _, g := range feature.Describe() {
		if on, set := s.Config.FeatureGates[string(g.Name)]; set && on != g.Default && !read[g.Name] && !g.Client {
			found = append(found, problem(tags.Join("featureGates", string(g.Name)), on, "no controller of this program reads the gate", "remove it"))
		}
	}
	return found
}

func shortResync(s subject) []config.Problem {
	period := s.Config.Informers.MinResyncPeriod.Duration
	if period >= soon {
		return nil
	}
	return []config.Problem{problem("informers.minResyncPeriod", period,
		"every controller looks at every object again this often, whether it changed or not", "12h is the default")}
}

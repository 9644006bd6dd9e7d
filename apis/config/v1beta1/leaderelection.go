// SPDX-License-Identifier: Apache-2.0

package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// LeaderElection keeps exactly one of several managers active. A change makes
// the process contend again with the new settings.
type LeaderElection struct {
	// LeaderElect turns the election on. Off: this process always acts.
	LeaderElect bool `json:"leaderElect" default:"true" validate:"-" flag:"leader-elect" also:"!leader-elect-disable"`
	// ResourceLock is the kind of lock. Only a Lease is supported.
	ResourceLock string `json:"resourceLock" default:"leases" validate:"oneof=leases" flag:"leader-elect-resource-lock"`
	// ResourceName is the name of the Lease.
	ResourceName string `json:"resourceName" default:"kube-controller-manager" validate:"required" flag:"leader-elect-resource-name"`
	// ResourceNamespace is the namespace of the Lease.
	ResourceNamespace string `json:"resourceNamespace" default:"kube-system" validate:"required" flag:"leader-elect-resource-namespace"`
	// LeaseDuration is how long others wait after the last renewal they saw.
	// It must be longer than RenewDeadline.
	LeaseDuration metav1.Duration `json:"leaseDuration" default:"15s" validate:"gt=1s" flag:"leader-elect-lease-duration"`
	// RenewDeadline is how long the leader tries to renew before it gives up, more
	// than 0.
	// It must be longer than 1.2 times RetryPeriod.
	RenewDeadline metav1.Duration `json:"renewDeadline" default:"10s" validate:"gt=0s" flag:"leader-elect-renew-deadline"`
	// RetryPeriod is the pause between attempts to acquire or renew, more than 0.
	RetryPeriod metav1.Duration `json:"retryPeriod" default:"2s" validate:"gt=0s" flag:"leader-elect-retry-period"`
	// Migration moves controllers between programs.
	Migration LeaderMigration `json:"migration"`
}

// LeaderMigration is a second lock under which controllers move between this
// program and another without both running them.
type LeaderMigration struct {
	// Enabled takes that lock too. It has no effect: there is one lock.
	Enabled bool `json:"enabled" default:"false" validate:"-" flag:"enable-leader-migration" inert:"there is one lock"`
	// ConfigFile is a LeaderMigrationConfiguration that says which controllers
	// move. It has no effect: the file is not read.
	ConfigFile string `json:"configFile" default:"" validate:"-" flag:"leader-migration-config" path:"true" inert:"there is one lock"`
}

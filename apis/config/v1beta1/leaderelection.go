// SPDX-License-Identifier: Apache-2.0

package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// LockFile is the value of LeaderElection.ResourceLock that means a file on this
// host.
const LockFile = "file"

// LeaderElection keeps exactly one of several managers active. A change makes
// the process contend again with the new settings.
type LeaderElection struct {
	// LeaderElect turns the election on. Off: this process always acts.
	LeaderElect bool `json:"leaderElect" default:"true" validate:"-" flag:"leader-elect" also:"!leader-elect-disable"`
	// ResourceLock is the kind of lock: leases is a Lease in the cluster, file is
	// a file that several managers on one host share.
	ResourceLock string `json:"resourceLock" default:"leases" validate:"oneof=leases file" flag:"leader-elect-resource-lock"`
	// LockFile is the file of a lock of the kind file. It must be on a local file
	// system of which all the managers have the same view. It is created when it
	// does not exist, in a folder that exists, and is never removed.
	LockFile string `json:"lockFile" default:"/run/kube-controller-manager.lock" validate:"required" path:"made"`
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
	// WarmStandby lets a manager that does not lead fill the caches that it would
	// need, so that it acts at once when it takes over. It costs memory and
	// watches on every such manager.
	WarmStandby bool `json:"warmStandby" default:"false" validate:"-" change:"live"`
	// Migration moves controllers between programs.
	Migration LeaderMigration `json:"migration"`
}

// LeaderMigration is a second lock under which controllers move between this
// program and another without both running them. A file lists controllers with
// the program that runs them: those of kube-controller-manager, or of *, run only
// while this process holds the second lock as well; those of another program do
// not run here; all others are not concerned. It needs an election by leases.
type LeaderMigration struct {
	// Enabled takes that lock too.
	Enabled bool `json:"enabled" default:"false" validate:"-" flag:"enable-leader-migration"`
	// ConfigFile is a LeaderMigrationConfiguration that says which controllers
	// move. Empty: upstream's built-in list, which has no controller of this
	// program, so none moves. It is read when the election begins.
	ConfigFile string `json:"configFile" default:"" validate:"-" flag:"leader-migration-config" path:"true"`
}

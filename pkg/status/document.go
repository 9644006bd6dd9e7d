// SPDX-License-Identifier: Apache-2.0

package status

import (
	"time"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/manager"
	"github.com/kube-live/kube-controller-manager/pkg/plan"
)

// APIVersion is the version of the documents. Within it fields may be added;
// one that changes its meaning makes another version.
const APIVersion = "kubecontrollermanager.status.k8s.io/v1beta1"

// Kinds of the documents.
const (
	Kind              = "ManagerStatus"
	ConfigurationKind = "RunningConfiguration"
)

// Document is the state of one process at one moment.
type Document struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// Time is the moment, by the clock of the process.
	Time          time.Time     `json:"time"`
	Process       Process       `json:"process"`
	Configuration Configuration `json:"configuration"`
	Leadership    Leadership    `json:"leadership"`
	// Controllers are all that the program has, sorted by name, also those that
	// are off.
	Controllers []Controller `json:"controllers"`
	// Diff is what the configuration in effect has other than the one before it.
	// Empty: there was none before it, or only comments differ.
	Diff []Difference `json:"diff"`
	// Gates are the feature gates that differ from their defaults.
	Gates []Gate `json:"gates"`
	// Informers are the caches that run, sorted by resource.
	Informers []Informer `json:"informers"`
	// History has the last 20 configurations that were tried, newest first.
	History []Attempt `json:"history"`
}

// Process identifies the process.
type Process struct {
	// Version of the program, as v1.2.3.
	Version string `json:"version"`
	// Identity is its name among the contenders for the lease: HOST_UUID.
	Identity string `json:"identity"`
	Host     string `json:"host"`
	PID      int    `json:"pid"`
	// Started is when the process did, Uptime the whole seconds since.
	Started time.Time `json:"started"`
	Uptime  int64     `json:"uptimeSeconds"`
}

// Configuration tells which one is in effect.
type Configuration struct {
	// File is the one that is watched, as it was named; "" when flags decide alone.
	File string `json:"file,omitempty"`
	// Dir is the folder whose files are laid over it, or "".
	Dir string `json:"dir,omitempty"`
	// Generation counts the configurations that took effect.
	Generation int `json:"generation"`
	// Hash identifies the content in effect: the first 16 hex digits of its SHA-256.
	Hash    string    `json:"hash"`
	Applied time.Time `json:"applied"`
	// ProbationEnds is when the configuration counts as good. Absent: it does.
	ProbationEnds time.Time `json:"probationEnds,omitzero"`
	// Rejected is why a newer content is not in effect, or "".
	Rejected string `json:"rejected,omitempty"`
	// Bad is the hash of a newer content that was taken back, or "".
	Bad string `json:"bad,omitempty"`
	// Warnings are doubts about the configuration in effect.
	Warnings []string `json:"warnings,omitempty"`
}

// Leadership tells who acts.
type Leadership struct {
	// Leading says whether this process does.
	Leading bool `json:"leading"`
	// Elect is false when there is no election and every process leads.
	Elect bool `json:"elect"`
	// Lock is what is contended for, as NAMESPACE/NAME; "" without an election.
	Lock string `json:"lock,omitempty"`
	// Holder is the identity of the leader, as this process saw it last; "" when
	// nobody is known to lead.
	Holder string `json:"holder,omitempty"`
	// Standbys are the other contenders that are known.
	Standbys []Standby `json:"standbys,omitempty"`
}

// Standby is a process that would lead.
type Standby struct {
	Identity string `json:"identity"`
	// Verdict is what became of the configuration that it tried last: Applied,
	// when it would lead with it, Rejected, or RolledBack; "" when it did not tell.
	Verdict string `json:"verdict,omitempty"`
	// Hash is that of the configuration, Message why it was rejected or what it does.
	Hash    string `json:"hash,omitempty"`
	Message string `json:"message,omitempty"`
	// Seen is when it last told; a living one does so every ten minutes.
	Seen time.Time `json:"seen,omitzero"`
}

// Controller is the state of one controller.
type Controller struct {
	Name  string           `json:"name"`
	State controller.State `json:"state"`
	// Reason tells why it is not running, or works badly; "" when all is well.
	Reason string `json:"reason,omitempty"`
	// Problem says that somebody should look: it failed, is stuck, or says of
	// itself that it does not work well.
	Problem bool `json:"problem,omitempty"`
	// Since is when the state last changed.
	Since time.Time `json:"since"`
	// LastError ended the last run that failed, or "".
	LastError string `json:"lastError,omitempty"`
	// Workers is the count of a running controller; 0 otherwise.
	Workers int `json:"workers"`
	// Run counts its runs in this process, Restarts those after a failure.
	Run      int `json:"run"`
	Restarts int `json:"restarts"`
	// Queue is how many keys wait now.
	Queue int `json:"queue"`
	// SyncsPerMinute is the average over the last three minutes.
	SyncsPerMinute float64 `json:"syncsPerMinute"`
	// Syncs, Errors and Retries count since the present run began: syncs, syncs that
	// failed, and keys that were queued for later, also as planned.
	Syncs   int64 `json:"syncs"`
	Errors  int64 `json:"errors"`
	Retries int64 `json:"retries"`
}

// Difference is a field with two values, in text form; "" is none.
type Difference struct {
	Path string `json:"path"`
	Old  string `json:"old"`
	New  string `json:"new"`
	// Origin is where the new value comes from, FILE:LINE or --FLAG; "" is the
	// default.
	Origin string `json:"origin,omitempty"`
}

// Gate is a feature gate with a value of its own.
type Gate struct {
	Name  string `json:"name"`
	Value bool   `json:"value"`
	Stage string `json:"stage"`
}

// Informer is one cache.
type Informer struct {
	// Resource as NAME or NAME.GROUP, and behind a slash the variant of the cache:
	// what part of objects, or which of them, it has.
	Resource string `json:"resource"`
	Objects  int    `json:"objects"`
	// Users is how many controllers read it; 0 while it lingers.
	Users  int  `json:"users"`
	Synced bool `json:"synced"`
}

// Attempt is the trial of one configuration.
type Attempt struct {
	Time    time.Time       `json:"time"`
	Outcome manager.Outcome `json:"outcome"`
	Hash    string          `json:"hash,omitempty"`
	// Generation is the one in effect after the attempt.
	Generation int `json:"generation"`
	// Reason is why it is not in effect, or "".
	Reason string `json:"reason,omitempty"`
	// Leading says whether the process led, so that the steps were carried out.
	Leading bool          `json:"leading"`
	Changes []plan.Change `json:"changes,omitempty"`
	// Steps are those of controllers that do not just go on, Kept counts the
	// others that ran.
	Steps []plan.Step `json:"steps,omitempty"`
	Kept  int         `json:"kept"`
}

// Running is the effective configuration with all that is needed to tell what
// another file would do.
type Running struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// Version of the program.
	Version string `json:"version"`
	// File, Dir, Generation and Hash are as in Document.
	File       string `json:"file,omitempty"`
	Dir        string `json:"dir,omitempty"`
	Generation int    `json:"generation"`
	Hash       string `json:"hash"`
	// Flags are those that were given; they win over any file.
	Flags map[string]string `json:"flags,omitempty"`
	// Origins tells where values that are not defaults come from: FILE:LINE or
	// --FLAG, by their paths.
	Origins map[string]string `json:"origins,omitempty"`
	// Configuration has every field, defaults too.
	Configuration *v1beta1.KubeControllerManagerConfiguration `json:"configuration"`
}

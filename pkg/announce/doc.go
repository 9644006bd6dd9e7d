// SPDX-License-Identifier: Apache-2.0

// Package announce tells the cluster what this process thinks of its
// configuration, whether it leads or stands by: so a bad file shows before the
// leader changes hands, and one look at the Lease proves which configuration runs.
//
// A verdict goes to three places. The metric
// kube_controller_manager_config_verdict has the last one. The Lease has an
// annotation for each process, and the leader's generation and hash of the
// configuration in effect; with coordinated election the process's LeaseCandidate
// has its verdict, too. And an Event about the Lease tells of each attempt.
//
// Upstream's roles let the manager get and update Leases and LeaseCandidates of
// its namespace, but not patch them. So annotations are written by an update that
// changes nothing else and fails when somebody was faster; then it is tried anew.
// The holder, should it lose such a race, reads its Lease again and renews.
package announce

// SPDX-License-Identifier: Apache-2.0

// Package leader contends for the lock that keeps one of several managers
// active: a Lease in the cluster, alone or with a candidacy that the control
// plane judges, or a file that the processes of one host share. The election is
// client-go's; around it, this package makes sure that the lock is kept until
// the work under it has really ended, and is given up only then, so that a
// successor never overlaps; and that a successor notices at once.
package leader

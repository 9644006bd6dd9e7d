// SPDX-License-Identifier: Apache-2.0

// Package manager carries out plans: it builds, starts, resizes and stops
// controllers, keeps them up, and takes a change back that did not work. It
// knows no single controller.
//
// All of it happens in one goroutine, the one of Manager.Run: whoever wants
// something posts it there. A change of configuration is a transaction: every
// new part is built first, and a failure up to then changes nothing; then the
// leavers are stopped, and the joiners started. A controller's next run starts
// only after its last one has returned; one that does not return in time is
// Stuck and never replaced.
package manager

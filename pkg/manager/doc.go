// SPDX-License-Identifier: Apache-2.0

// Package manager carries out plans: it builds, starts, resizes and stops
// controllers, keeps them up, and takes a change back that did not work. It
// knows no single controller.
//
// All of it happens in one goroutine, the one of Manager.Run: whoever wants
// something posts it there. A change of configuration is a transaction: every
// new part is built first, and a failure up to then changes nothing. Then the
// leavers are told to stop and the joiners start, and nobody waits for another:
// a controller's next run starts as soon as its last one has returned. One that
// does not return in time is Stuck and never replaced.
//
// A change whose runs fail, or call themselves unhealthy, during the probation
// time is taken back as a whole. The contexts of all runs come from the term of
// Manager.Lead, so the end of the term reaches them at once, whatever the
// manager is waiting for.
package manager

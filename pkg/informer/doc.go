// SPDX-License-Identifier: Apache-2.0

// Package informer lends shared caches to controllers. A Kind says what can be
// cached; a Pool keeps one informer per Kind for as long as somebody holds a
// Lease on it. The last lease that is released ends the watch and frees the
// cache, after a short linger so that a quick stop and start of a controller
// lists nothing anew.
//
// Indexes and trimming belong to the Kind and are fixed when its informer is
// made, so it does not matter who leases first. Cached objects are shared: they
// must not be changed, and one of a Kind that trims must not be written back.
package informer

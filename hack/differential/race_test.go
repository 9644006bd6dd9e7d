// SPDX-License-Identifier: Apache-2.0

//go:build race

package differential_test

// every is 1 in so many scenarios that runs: the race detector makes this
// program several times slower, and all of them run without it.
const every = 60

// SPDX-License-Identifier: Apache-2.0

//go:build race

package model_test

// The numbers are smaller here: the race detector makes all this several times
// slower, and the full numbers are reached without it.
const (
	defaultWalks = 50
	cycles       = 100
)

// SPDX-License-Identifier: Apache-2.0

//go:build race

package model_test

// defaultWalks is smaller here: the race detector makes walks several times
// slower, and the full number is made without it.
const defaultWalks = 50

// SPDX-License-Identifier: Apache-2.0

// Package model has the model test of live reconfiguration: however a manager came
// to its configuration, over whatever changes, mistakes, crashes, lost terms and
// bad connections, it must be as if it had just been started with it.
package model

// SPDX-License-Identifier: Apache-2.0

// Package differential runs scenarios on this program and on upstream's, each on
// a control plane of its own, and compares what they leave behind. Then it runs
// them again while the program is killed, or while its controllers are stopped
// and started live: the end must be the same.
package differential

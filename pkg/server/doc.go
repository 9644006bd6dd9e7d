// SPDX-License-Identifier: Apache-2.0

// Package server serves the manager's health, metrics and configuration over
// HTTPS. Who a caller is and what it may see is decided by the API server, as
// for every component. A change of the configuration replaces the listener, the
// certificates and the rules without a gap: the new ones stand before the old
// ones go.
package server

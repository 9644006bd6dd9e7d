// SPDX-License-Identifier: Apache-2.0

// Package status tells people and programs what the running manager does: one
// document, as JSON at /api/v1/status and as a page at /, both made from the same
// values; and the effective configuration at /api/v1/config, from which a plan
// can be made elsewhere. Only what is in the configuration is shown, never what
// files that it names contain.
package status

// SPDX-License-Identifier: Apache-2.0

package v1beta1

// Logging is the form and amount of the log, which goes to standard error. A
// change touches nothing else.
type Logging struct {
	// Format is text or json.
	Format string `json:"format" default:"text" validate:"oneof=text json" flag:"logging-format"`
	// Verbosity is how much is logged; 0 is for operators, 4 for debugging.
	Verbosity int32 `json:"verbosity" default:"0" validate:"gte=0" flag:"v"`
}

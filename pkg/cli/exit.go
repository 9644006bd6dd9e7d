// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"io"
)

// ExitError ends the program with a code of its own.
type ExitError struct {
	// Code is the exit status, 1 to 255.
	Code int
	// Err says why; nil: what has to be said is printed already.
	Err error
}

// Error is part of error.
func (e *ExitError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit status %d", e.Code)
	}
	return e.Err.Error()
}

// Unwrap gives errors.Is and errors.As the reason.
func (e *ExitError) Unwrap() error { return e.Err }

// Exit writes why the program ends, if that was not said yet, and returns the
// exit status: 0 without an error, 1 for errors that ask for no other.
func Exit(w io.Writer, err error) int {
	var wanted *ExitError
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &wanted):
		wanted = &ExitError{Code: 1, Err: err}
	}
	if wanted.Err != nil {
		_, _ = fmt.Fprintf(w, "Error: %v\n", wanted.Err)
	}
	return wanted.Code
}

// exitStatus is the exit status of an error.
func exitStatus(err error) int { return Exit(io.Discard, err) }

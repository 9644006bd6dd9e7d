// SPDX-License-Identifier: Apache-2.0

// Package logging is the log of the process: its loggers follow every change of
// format, verbosity and streams while they are in use, and no line is lost by
// one.
package logging

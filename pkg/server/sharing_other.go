// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package server

import (
	"errors"
	"syscall"
)

// set refuses what the system does not have.
func (s sharing) set(syscall.RawConn) error {
	if s.port {
		return errors.New("this system cannot share a port")
	}
	return nil
}

// SPDX-License-Identifier: Apache-2.0

//go:build unix

package server

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// set applies the options to a socket, before or after it is bound. The address
// is shared in any case, as Go does, so that a port is free at once after a
// restart.
func (s sharing) set(conn syscall.RawConn) error {
	var err error
	failed := conn.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
		port := 0
		if s.port {
			port = 1
		}
		err = errors.Join(err, unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, port))
	})
	return errors.Join(failed, err)
}

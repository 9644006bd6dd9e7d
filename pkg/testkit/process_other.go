// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package testkit

import "syscall"

// Only Linux can tie a child's life to its parent's: elsewhere a test that is
// killed leaves its components behind.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

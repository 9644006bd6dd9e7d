// SPDX-License-Identifier: Apache-2.0

//go:build !race

package differential_test

const every = 1

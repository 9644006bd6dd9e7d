// SPDX-License-Identifier: Apache-2.0

package logging_test

import "github.com/go-logr/logr"

// sayHere logs from another file.
func sayHere(l logr.Logger) { l.V(3).Info("elsewhere") }

// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports come from below the range from which kernels take the local ports of
// outgoing connections. From inside it, a connection of any program could take a
// port between its choice and its use, or while an API server is down for a
// restart - even a client that retries on that very port, and so meets itself.
const portFrom, portTo = 20000, 30000

// freePorts returns n ports that were free a moment ago, all different. Another
// program may still be quicker: whoever starts a server retries with new ones.
func freePorts(n int) ([]int, error) {
	var ports []int
	for range 50 * n {
		if len(ports) == n {
			return ports, nil
		}
		port := portFrom + rand.IntN(portTo-portFrom)
		l, err := net.Listen("tcp", loopback(port))
		if err != nil {
			continue
		}
		defer l.Close() //nolint:errcheck // open until all are chosen, so that none comes twice
		ports = append(ports, port)
	}
	return nil, errors.New("no free loopback ports")
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// FreePort returns a loopback port that was free a moment ago.
func FreePort() (int, error) {
	ports, err := freePorts(1)
	if err != nil {
		return 0, err
	}
	return ports[0], nil
}

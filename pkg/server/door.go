// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"k8s.io/klog/v2"
)

// keepAlive is how often the kernel asks whether a silent caller is there.
const keepAlive = 3 * time.Minute

// sharing says which sockets may have the same address or port.
type sharing struct{ address, port bool }

// door is an open port. It hands connections to the inlet of the front that is
// there at the time, so that a front is exchanged while the port stays open.
type door struct {
	address  string
	share    sharing
	listener *net.TCPListener
	logger   klog.Logger

	current atomic.Pointer[inlet]
	once    sync.Once
	closing chan struct{}
	done    chan struct{}
}

// open binds an address; callers wait until there is a front. A live door at the
// same port, on another address or with another sharing, does not stand in the
// way: both share the port until one of them closes.
func open(address string, share sharing, live *door, logger klog.Logger) (*door, error) {
	l, err := listen(address, share)
	if errors.Is(err, syscall.EADDRINUSE) && live != nil && live.port() == portOf(address) {
		l, err = beside(address, share, live)
	}
	if err != nil {
		return nil, fmt.Errorf("failed to create listener: failed to listen on %s: %w", address, err)
	}
	return &door{address: address, share: share, listener: l, logger: logger, closing: make(chan struct{}), done: make(chan struct{})}, nil
}

func listen(address string, share sharing) (*net.TCPListener, error) {
	c := net.ListenConfig{KeepAlive: keepAlive, Control: func(_, _ string, conn syscall.RawConn) error { return share.set(conn) }}
	l, err := c.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, err
	}
	return l.(*net.TCPListener), nil
}

// beside binds an address that a live door is in the way of.
func beside(address string, share sharing, live *door) (*net.TCPListener, error) {
	old, err := live.listener.SyscallConn()
	if err != nil {
		return nil, err
	}
	if err := (sharing{live.share.address, true}).set(old); err != nil {
		return nil, err
	}
	defer func() { _ = live.share.set(old) }()
	l, err := listen(address, sharing{share.address, true})
	if err != nil {
		return nil, err
	}
	now, err := l.SyscallConn()
	if err == nil {
		err = share.set(now)
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

func (d *door) port() string { return portOf(d.address) }

func portOf(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}

// Addr is the address in use.
func (d *door) Addr() string { return d.listener.Addr().String() }

// lead hands every further connection to an inlet.
func (d *door) lead(in *inlet) {
	if d.current.Swap(in) == nil {
		go d.run()
	}
}

func (d *door) run() {
	defer close(d.done)
	var pause time.Duration
	for {
		c, err := d.listener.Accept()
		switch {
		case err == nil:
			pause = 0
			d.hand(c)
		case errors.Is(err, net.ErrClosed):
			return
		default:
			// Too many open files, mostly: this passes.
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			d.logger.Error(err, "A connection could not be accepted", "address", d.address, "retry", pause)
			select {
			case <-time.After(pause):
			case <-d.closing:
			}
		}
	}
}

func (d *door) hand(c net.Conn) {
	for {
		in := d.current.Load()
		select {
		case in.conns <- c:
			return
		case <-in.closed:
			if d.current.Load() == in {
				c.Close()
				return
			}
		}
	}
}

// close ends listening; connections that were handed on stay.
func (d *door) close() {
	d.once.Do(func() { close(d.closing) })
	_ = d.listener.Close()
	if d.current.Load() != nil {
		<-d.done
	}
}

// inlet is the listener of one front.
type inlet struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func newInlet() *inlet { return &inlet{conns: make(chan net.Conn), closed: make(chan struct{})} }

// Accept is part of net.Listener, as are the others.
func (in *inlet) Accept() (net.Conn, error) {
	select {
	case c := <-in.conns:
		return c, nil
	case <-in.closed:
		return nil, net.ErrClosed
	}
}

func (in *inlet) Close() error {
	in.once.Do(func() { close(in.closed) })
	return nil
}

func (in *inlet) Addr() net.Addr { return &net.TCPAddr{} }

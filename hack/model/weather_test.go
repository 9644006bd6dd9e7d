// SPDX-License-Identifier: Apache-2.0

package model_test

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// weather is the way to the API server: a proxy that can be slow, or cut as when
// the server restarts.
type weather struct {
	target string
	l      net.Listener
	delay  atomic.Int64 // of each piece of an answer
	down   atomic.Bool

	mu    sync.Mutex
	conns map[net.Conn]bool
	wg    sync.WaitGroup
}

func newWeather(t *testing.T, target string) *weather {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &weather{target: target, l: l, conns: map[net.Conn]bool{}}
	w.wg.Go(w.accept)
	t.Cleanup(func() {
		_ = l.Close()
		w.cut()
		w.wg.Wait()
	})
	return w
}

func (w *weather) accept() {
	for {
		c, err := w.l.Accept()
		if err != nil {
			return
		}
		if w.down.Load() {
			_ = c.Close()
			continue
		}
		w.wg.Go(func() { w.carry(c) })
	}
}

func (w *weather) carry(c net.Conn) {
	defer c.Close()
	s, err := net.Dial("tcp", w.target)
	if err != nil {
		return
	}
	defer s.Close()
	w.mu.Lock()
	w.conns[c], w.conns[s] = true, true
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.conns, c)
		delete(w.conns, s)
	}()
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(s, c); _ = s.Close() })
	both.Go(func() { _, _ = io.Copy(c, late{s, &w.delay}); _ = c.Close() })
	both.Wait()
}

// late reads with a delay.
type late struct {
	io.Reader
	delay *atomic.Int64
}

// Read is part of io.Reader.
func (l late) Read(b []byte) (int, error) {
	n, err := l.Reader.Read(b)
	if d := l.delay.Load(); d > 0 {
		<-time.After(time.Duration(d))
	}
	return n, err
}

// cut ends all connections, as the end of the server does.
func (w *weather) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.conns {
		_ = c.Close()
	}
}

func (w *weather) slow(d time.Duration) { w.delay.Store(int64(d)) }

func (w *weather) outage(on bool) {
	w.down.Store(on)
	if on {
		w.cut()
	}
}

func (w *weather) fair() {
	w.slow(0)
	w.outage(false)
}

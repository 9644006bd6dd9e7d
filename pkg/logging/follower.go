// SPDX-License-Identifier: Apache-2.0

package logging

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"

	"github.com/go-logr/logr"
)

// follower is a log sink that looks up the present form of the log at each
// message, so that loggers made before a change follow it.
type follower struct {
	log    *Log
	names  []string
	values []any
	depth  int
	filter logr.LogSink
	// ready is the sink for the form of the log at the last message.
	ready atomic.Pointer[ready]
}

// ready is a sink that has the names and values of a follower.
type ready struct {
	from *output
	sink logr.LogSink
}

func newFollower(l *Log, names []string, values []any, depth int) *follower {
	// One more frame: the follower's own.
	return &follower{log: l, names: names, values: values, depth: depth, filter: deeper(l.filter, depth+1)}
}

func deeper(s logr.LogSink, depth int) logr.LogSink {
	if d, ok := s.(logr.CallDepthLogSink); ok {
		return d.WithCallDepth(depth)
	}
	return s
}

func (f *follower) sink() logr.LogSink {
	now := f.log.output.Load()
	if r := f.ready.Load(); r != nil && r.from == now {
		return r.sink
	}
	s := now.sink
	for _, n := range f.names {
		s = s.WithName(n)
	}
	if len(f.values) > 0 {
		s = s.WithValues(f.values...)
	}
	s = deeper(s, f.depth+1)
	f.ready.Store(&ready{from: now, sink: s})
	return s
}

// secret says whether a message of client-go has the body of a request or an
// answer, which at high verbosity may be a Secret or a token. No log may have those.
func secret(msg string) bool { return msg == "Request Body" || msg == "Response Body" }

// givenUp says whether a message of client-go is about a request whose sender gave
// it up while its answer was on the way. That is how every orderly end looks.
func givenUp(err error, msg string) bool {
	return msg == "Unexpected error when reading response body" && errors.Is(err, context.Canceled)
}

// Init is part of logr.LogSink, as are the others.
func (f *follower) Init(logr.RuntimeInfo) {}

func (f *follower) Enabled(level int) bool { return f.filter.Enabled(level) }

func (f *follower) Info(level int, msg string, keysAndValues ...any) {
	if secret(msg) {
		return
	}
	f.sink().Info(level, msg, keysAndValues...)
}

func (f *follower) Error(err error, msg string, keysAndValues ...any) {
	if givenUp(err, msg) {
		return
	}
	f.sink().Error(err, msg, keysAndValues...)
}

func (f *follower) WithValues(keysAndValues ...any) logr.LogSink {
	return newFollower(f.log, f.names, append(slices.Clip(f.values), keysAndValues...), f.depth)
}

func (f *follower) WithName(name string) logr.LogSink {
	return newFollower(f.log, append(slices.Clip(f.names), name), f.values, f.depth)
}

func (f *follower) WithCallDepth(depth int) logr.LogSink {
	return newFollower(f.log, f.names, f.values, f.depth+depth)
}

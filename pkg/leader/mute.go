// SPDX-License-Identifier: Apache-2.0

package leader

import (
	"sync/atomic"

	"github.com/go-logr/logr"
)

// mute is a switch in a log. client-go's elector reports the end of its context
// as a failure to renew; when this package ended it, that is no news.
type mute struct{ on atomic.Bool }

func (m *mute) set() { m.on.Store(true) }

// logger is a logger that says nothing once the switch is set.
func (m *mute) logger(l logr.Logger) logr.Logger {
	if l.GetSink() == nil {
		return l
	}
	return logr.New(muted{sink: l.WithCallDepth(1).GetSink(), m: m}).V(l.GetV())
}

// muted is a logr.LogSink behind the switch.
type muted struct {
	sink logr.LogSink
	m    *mute
}

func (s muted) Init(logr.RuntimeInfo) {}

func (s muted) Enabled(level int) bool { return !s.m.on.Load() && s.sink.Enabled(level) }

func (s muted) Info(level int, msg string, keysAndValues ...any) {
	s.sink.Info(level, msg, keysAndValues...)
}

func (s muted) Error(err error, msg string, keysAndValues ...any) {
	if !s.m.on.Load() {
		s.sink.Error(err, msg, keysAndValues...)
	}
}

func (s muted) WithValues(keysAndValues ...any) logr.LogSink {
	return muted{sink: s.sink.WithValues(keysAndValues...), m: s.m}
}

func (s muted) WithName(name string) logr.LogSink {
	return muted{sink: s.sink.WithName(name), m: s.m}
}

func (s muted) WithCallDepth(depth int) logr.LogSink {
	if d, ok := s.sink.(logr.CallDepthLogSink); ok {
		return muted{sink: d.WithCallDepth(depth), m: s.m}
	}
	return s
}

// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"os"
	"strconv"

	"github.com/go-logr/logr"
	"go.uber.org/zap/zapcore"
	logsjson "k8s.io/component-base/logs/json"
	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/config"
	"github.com/kube-live/kube-controller-manager/pkg/plan"
)

// logging is the part of the manager that sets up the log.
type logging struct{}

// Prepare is part of manager.Part.
func (logging) Prepare(old, now *config.Loaded, p plan.Plan) (commit, discard func(), err error) {
	if old != nil && !p.Replaces(plan.Logging) {
		return nil, nil, nil
	}
	return func() { setLogging(now.Config.Logging) }, nil, nil
}

func setLogging(l v1beta1.Logging) {
	var level klog.Level
	// A number always parses.
	_ = level.Set(strconv.Itoa(int(l.Verbosity)))
	if l.Format != "json" {
		klog.ClearLogger()
		return
	}
	stream := zapcore.Lock(zapcore.AddSync(os.Stderr))
	logger, control := logsjson.NewJSONLogger(0, stream, stream, nil)
	if control.SetVerbosityLevel != nil {
		_ = control.SetVerbosityLevel(uint32(l.Verbosity))
	}
	klog.SetLoggerWithOptions(logger, klog.ContextualLogger(true), klog.FlushLogger(control.Flush))
}

// follower is a log sink that looks up the current logger at each message, so
// that loggers made before a change of the format follow it.
type follower struct {
	names  []string
	values []any
	depth  int
}

func newLogger() logr.Logger { return logr.New(&follower{depth: 1}) }

func (f *follower) current() logr.Logger {
	l := klog.Background()
	for _, n := range f.names {
		l = l.WithName(n)
	}
	return l.WithValues(f.values...).WithCallDepth(f.depth + 1)
}

// Init is part of logr.LogSink, as are the others.
func (f *follower) Init(logr.RuntimeInfo) {}

func (f *follower) Enabled(level int) bool { return klog.V(klog.Level(level)).Enabled() }

func (f *follower) Info(level int, msg string, keysAndValues ...any) {
	f.current().V(level).Info(msg, keysAndValues...)
}

func (f *follower) Error(err error, msg string, keysAndValues ...any) {
	f.current().Error(err, msg, keysAndValues...)
}

func (f *follower) WithValues(keysAndValues ...any) logr.LogSink {
	c := *f
	c.values = append(append([]any{}, f.values...), keysAndValues...)
	return &c
}

func (f *follower) WithName(name string) logr.LogSink {
	c := *f
	c.names = append(append([]string{}, f.names...), name)
	return &c
}

func (f *follower) WithCallDepth(depth int) logr.LogSink {
	c := *f
	c.depth += depth
	return &c
}

// SPDX-License-Identifier: Apache-2.0

package logging

import (
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/api/resource"
	logsjson "k8s.io/component-base/logs/json"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/textlogger"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

// Log is where messages go. Its settings may change at any time.
type Log struct {
	infos, errors *stream
	output        atomic.Pointer[output]

	// filter decides which messages are logged; verbosity and modules are its
	// settings, and those of messages that are logged through klog's functions.
	filter              logr.LogSink
	verbosity, modules  flag.Value
	klevel, klogModules flag.Value
}

// output is the present form of the log.
type output struct{ sink logr.LogSink }

// New makes a log in the format text at verbosity 0. Messages go to stderr, or
// those that are no errors to stdout when the settings say so.
func New(stdout, stderr io.Writer) *Log {
	filter := textlogger.NewConfig()
	flags := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(flags)
	l := &Log{
		infos: &stream{out: stdout}, errors: &stream{out: stderr},
		filter:    textlogger.NewLogger(filter).GetSink(),
		verbosity: filter.Verbosity(), modules: filter.VModule(),
		klevel: flags.Lookup("v").Value, klogModules: flags.Lookup("vmodule").Value,
	}
	l.output.Store(l.text(l.errors))
	return l
}

// Install makes the log the one of klog and slog, which libraries use. It must be
// called before they do, and only once.
func (l *Log) Install() {
	logger := l.Logger()
	klog.SetLoggerWithOptions(logger, klog.ContextualLogger(true), klog.FlushLogger(l.Flush))
	slog.SetDefault(slog.New(logr.ToSlogHandler(logger)))
}

// Logger is a logger that follows all changes, as do those made from it.
func (l *Log) Logger() logr.Logger { return logr.New(newFollower(l, nil, nil, 0)) }

// Set changes the settings. What was logged before has been written when it
// returns.
func (l *Log) Set(c v1beta1.Logging) {
	split, size := c.TextSplitStream, c.TextInfoBufferSize
	if c.Format == "json" {
		split, size = c.JSONSplitStream, c.JSONInfoBufferSize
	}
	infos := l.errors
	if split {
		infos = l.infos
	} else {
		size = "0"
	}
	if c.Format == "json" {
		l.output.Store(l.json(infos))
	} else {
		l.output.Store(l.text(infos))
	}
	l.infos.resize(bytes(size))
	l.SetVerbosity(uint32(c.Verbosity))
	var modules []string
	for _, m := range c.VModule {
		modules = append(modules, fmt.Sprintf("%s=%d", m.Pattern, m.Level))
	}
	for _, v := range []flag.Value{l.modules, l.klogModules} {
		// What a valid configuration has always parses, as do levels.
		_ = v.Set(strings.Join(modules, ","))
	}
	klog.StartFlushDaemon(c.FlushFrequency.Duration)
}

// SetVerbosity changes how much is logged, and nothing else.
func (l *Log) SetVerbosity(level uint32) {
	for _, v := range []flag.Value{l.verbosity, l.klevel} {
		_ = v.Set(strconv.FormatUint(uint64(min(level, math.MaxInt32)), 10))
	}
}

// Flush writes what has gathered.
func (l *Log) Flush() { _ = l.infos.Sync() }

// mostBuffered is the limit of a buffer, as upstream.
const mostBuffered = 2 << 30

// bytes is a size of a valid configuration.
func bytes(size v1beta1.Size) int {
	q, err := resource.ParseQuantity(string(size))
	if err != nil {
		return 0
	}
	return int(min(max(q.Value(), 0), mostBuffered))
}

func (l *Log) text(infos io.Writer) *output {
	c := textlogger.NewConfig(textlogger.Output(router{infos: infos, errors: l.errors}))
	return &output{sink: textlogger.NewLogger(c).GetSink()}
}

// allLevels lets every message pass: those that are not wanted do not come here.
const allLevels = math.MaxInt8

func (l *Log) json(infos *stream) *output {
	logger, control := logsjson.NewJSONLogger(0, infos, l.errors, nil)
	_ = control.SetVerbosityLevel(allLevels)
	return &output{sink: logger.GetSink()}
}

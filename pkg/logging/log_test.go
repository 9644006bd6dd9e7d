// SPDX-License-Identifier: Apache-2.0

package logging_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/klog/v2"

	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
	"github.com/kube-live/kube-controller-manager/pkg/logging"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

// pipe is a stream that may be read while it is written.
type pipe struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (p *pipe) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.Write(b)
}

// take is what has been written since the last time.
func (p *pipe) take() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	defer p.b.Reset()
	return p.b.String()
}

func settings(change func(*v1beta1.Logging)) v1beta1.Logging {
	c := v1beta1.Logging{Format: "text", FlushFrequency: metav1.Duration{Duration: time.Hour}, TextInfoBufferSize: "0", JSONInfoBufferSize: "0"}
	if change != nil {
		change(&c)
	}
	return c
}

var (
	header = regexp.MustCompile(`(?m)^([IE])\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ `)
	line   = regexp.MustCompile(`go:\d+`)
	stamp  = regexp.MustCompile(`"ts":[\d.]+,`)
)

// plain leaves out what differs each time.
func plain(s string) string {
	return stamp.ReplaceAllString(line.ReplaceAllString(header.ReplaceAllString(s, "$1 "), "go:N"), "")
}

// say logs one message of each kind.
func say(l logr.Logger) {
	l.Info("hello", "n", 1)
	l.V(2).Info("detail")
	l.Error(errors.New("broken"), "sorry")
}

func TestFormatsAndStreams(t *testing.T) {
	const (
		info     = "I log_test.go:N] \"hello\" logger=\"a.b\" k=\"v\" n=1\n"
		failure  = "E log_test.go:N] \"sorry\" err=\"broken\" logger=\"a.b\" k=\"v\"\n"
		jinfo    = `{"logger":"a.b","caller":"logging/log_test.go:N","msg":"hello","k":"v","v":0,"n":1}` + "\n"
		jfailure = `{"logger":"a.b","caller":"logging/log_test.go:N","msg":"sorry","k":"v","err":"broken"}` + "\n"
	)
	for name, c := range map[string]struct {
		change      func(*v1beta1.Logging)
		out, errors string
	}{
		"text":  {nil, "", info + failure},
		"split": {func(c *v1beta1.Logging) { c.TextSplitStream = true }, info, failure},
		"json":  {func(c *v1beta1.Logging) { c.Format = "json" }, "", jinfo + jfailure},
		"json, split": {func(c *v1beta1.Logging) {
			c.Format, c.JSONSplitStream = "json", true
		}, jinfo, jfailure},
		"the other format's streams do not matter": {func(c *v1beta1.Logging) {
			c.JSONSplitStream, c.JSONInfoBufferSize, c.TextInfoBufferSize = true, "1Mi", "1Mi"
		}, "", info + failure},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr pipe
			l := logging.New(&stdout, &stderr)
			logger := l.Logger().WithName("a").WithName("b").WithValues("k", "v")
			say(logger) // in the format before
			stderr.take()
			l.Set(settings(c.change))
			say(logger)
			if diff := cmp.Diff([]string{c.out, c.errors}, []string{plain(stdout.take()), plain(stderr.take())}); diff != "" {
				t.Errorf("standard output and error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBufferWaitsForItsSizeOrTheFlush(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			var stdout, stderr pipe
			l := logging.New(&stdout, &stderr)
			set := func(size v1beta1.Size) {
				l.Set(settings(func(c *v1beta1.Logging) {
					c.Format, c.TextSplitStream, c.JSONSplitStream, c.TextInfoBufferSize, c.JSONInfoBufferSize = format, true, true, size, size
				}))
			}
			set("1Ki")
			logger := l.Logger()
			logger.Info("waits")
			logger.Error(nil, "does not wait")
			if out := stdout.take(); out != "" {
				t.Errorf("written at once: %s", out)
			}
			if got := stderr.take(); !strings.Contains(got, "does not wait") {
				t.Errorf("standard error has %q", got)
			}
			logger.Info("long", "text", strings.Repeat("x", 2000))
			if out := stdout.take(); !strings.Contains(out, "waits") || strings.Count(out, "\n") != 2 {
				t.Errorf("after a line longer than the buffer: %q", out)
			}
			logger.Info("flushed")
			l.Flush()
			if out := stdout.take(); !strings.Contains(out, "flushed") {
				t.Errorf("after the flush: %q", out)
			}
			logger.Info("resized")
			set("0")
			if out := stdout.take(); !strings.Contains(out, "resized") {
				t.Errorf("after the change of the size: %q", out)
			}
		})
	}
}

func TestFlushFrequency(t *testing.T) {
	var stdout, stderr pipe
	l := logging.New(&stdout, &stderr)
	l.Install()
	t.Cleanup(klog.ClearLogger)
	change := func(every time.Duration) {
		l.Set(settings(func(c *v1beta1.Logging) {
			c.TextSplitStream, c.TextInfoBufferSize, c.FlushFrequency.Duration = true, "1Mi", every
		}))
	}
	change(time.Hour)
	l.Logger().Info("an hour")
	if out := stdout.take(); out != "" {
		t.Errorf("written at once: %s", out)
	}
	change(time.Millisecond)
	stdout.take()
	klog.Background().Info("a moment")
	testkit.Eventually(t, 10*time.Second, func() error {
		if out := stdout.take(); !strings.Contains(out, "a moment") {
			return fmt.Errorf("standard output has %q", out)
		}
		return nil
	})
	change(time.Hour)
}

// The level of a file holds for every way to log from it, and nowhere else.
func TestModulesHaveLevelsOfTheirOwn(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			var stdout, stderr pipe
			l := logging.New(&stdout, &stderr)
			l.Install()
			t.Cleanup(klog.ClearLogger)
			logger := l.Logger()
			helper := logger.WithCallDepth(1)
			all := func() string {
				stderr.take()
				logger.V(3).Info("direct")
				func() { helper.V(3).Info("helped") }()
				klog.V(3).InfoS("global")
				klog.Background().WithName("x").V(3).Info("background")
				if klog.V(3).Enabled() {
					klog.V(3).Infof("unstructured %d", 1)
				}
				sayHere(logger)
				var said []string
				for _, word := range []string{"direct", "helped", "global", "background", "unstructured 1", "elsewhere"} {
					if strings.Contains(stderr.b.String(), word) {
						said = append(said, word)
					}
				}
				return strings.Join(said, ",")
			}
			const here = "direct,helped,global,background,unstructured 1"
			for _, step := range []struct {
				verbosity int32
				modules   []v1beta1.ModuleLevel
				want      string
			}{
				{0, nil, ""},
				{0, []v1beta1.ModuleLevel{{Pattern: "log_test", Level: 3}}, here},
				{0, []v1beta1.ModuleLevel{{Pattern: "other*", Level: 9}, {Pattern: "say_t*", Level: 3}}, "elsewhere"},
				{2, []v1beta1.ModuleLevel{{Pattern: "log_test", Level: 2}}, ""},
				{3, nil, here + ",elsewhere"},
				{0, nil, ""},
			} {
				l.Set(settings(func(c *v1beta1.Logging) { c.Format, c.Verbosity, c.VModule = format, step.verbosity, step.modules }))
				if got := all(); got != step.want {
					t.Errorf("verbosity %d, modules %v: logged %q, want %q", step.verbosity, step.modules, got, step.want)
				}
			}
			l.SetVerbosity(3)
			if got := all(); got != here+",elsewhere" {
				t.Errorf("after the verbosity was set: %q", got)
			}
			l.SetVerbosity(0)
		})
	}
}

// Everything changes all the time while much is logged.
func TestChangesLoseNoLine(t *testing.T) {
	var stdout, stderr pipe
	l := logging.New(&stdout, &stderr)
	const writers, messages = 4, 500
	var writing, changing sync.WaitGroup
	done := make(chan struct{})
	changing.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			default:
			}
			l.Set(settings(func(c *v1beta1.Logging) {
				c.Format = []string{"text", "json"}[i%2]
				c.TextSplitStream, c.JSONSplitStream = i%3 == 0, i%5 == 0
				c.TextInfoBufferSize, c.JSONInfoBufferSize = []v1beta1.Size{"0", "100", "4Ki"}[i%3], "1Ki"
				c.Verbosity, c.VModule = int32(i%4), []v1beta1.ModuleLevel{{Pattern: "nothing", Level: 4}}
			}))
		}
	})
	for w := range writers {
		logger := l.Logger().WithName(fmt.Sprint("w", w))
		writing.Go(func() {
			for i := range messages {
				if i%10 == 0 {
					logger.Error(nil, fmt.Sprintf("message %d.%d.", w, i))
				} else {
					logger.Info(fmt.Sprintf("message %d.%d.", w, i))
				}
			}
		})
	}
	writing.Wait()
	close(done)
	changing.Wait()
	l.Flush()
	lines := strings.Split(strings.TrimSuffix(stdout.take()+stderr.take(), "\n"), "\n")
	seen := map[string]int{}
	for _, text := range lines {
		if strings.HasPrefix(text, "{") && !json.Valid([]byte(text)) || !strings.HasPrefix(text, "{") && !header.MatchString(text) {
			t.Errorf("broken line %q", text)
		}
		seen[regexp.MustCompile(`message \d+\.\d+\.`).FindString(text)]++
	}
	if len(seen) != writers*messages || len(lines) != writers*messages {
		t.Errorf("%d lines with %d messages, want %d", len(lines), len(seen), writers*messages)
	}
}

// At high verbosity client-go logs what it sends and receives.
func TestBodiesAreNotLogged(t *testing.T) {
	var stdout, stderr pipe
	l := logging.New(&stdout, &stderr)
	l.Set(settings(func(c *v1beta1.Logging) { c.Verbosity = 10 }))
	for _, msg := range []string{"Request Body", "Response Body"} {
		l.Logger().V(8).Info(msg, "body", "token: hunter2")
	}
	l.Logger().V(8).Info("Request", "url", "/api")
	l.Flush()
	if got := stdout.take() + stderr.take(); strings.Contains(got, "hunter2") || !strings.Contains(got, "/api") {
		t.Errorf("logged:\n%s", got)
	}
}

// An orderly end gives up requests, which client-go calls an unexpected error.
func TestGivenUpRequestsAreNotLogged(t *testing.T) {
	var stdout, stderr pipe
	l := logging.New(&stdout, &stderr)
	const msg = "Unexpected error when reading response body"
	l.Logger().Error(fmt.Errorf("reading: %w", context.Canceled), msg)
	l.Logger().Error(errors.New("connection reset"), msg)
	l.Logger().Error(context.Canceled, "another message")
	l.Flush()
	if got := stdout.take() + stderr.take(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "connection reset") || !strings.Contains(got, "another message") {
		t.Errorf("logged:\n%s", got)
	}
}

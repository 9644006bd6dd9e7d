// SPDX-License-Identifier: Apache-2.0

package status_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// patience bounds every wait for the browser.
const patience = time.Minute

// browser is a headless Chromium that is spoken to by the DevTools protocol,
// over two pipes: messages are JSON, each with a zero byte behind it.
type browser struct {
	t  *testing.T
	to io.Writer

	mu      sync.Mutex
	last    int
	waiting map[int]chan message
	events  map[string][]func(json.RawMessage) // by session and method
	gone    chan struct{}
}

type message struct {
	ID     int             `json:"id,omitempty"`
	Method string          `json:"method,omitempty"`
	Params json.RawMessage `json:"params,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
	Session string `json:"sessionId,omitempty"`
}

// startBrowser skips the test without a browser, or fails it where one must be.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI_REQUIRE_BROWSER") != "" {
			t.Fatal("CI_REQUIRE_BROWSER is set and there is no chromium")
		}
		t.Skip("no chromium; Debian's package has it")
	}
	toRead, to := pipe(t)
	from, toWrite := pipe(t)
	cmd := exec.Command(program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--hide-scrollbars", "--remote-debugging-pipe",
		"--user-data-dir="+t.TempDir(), "about:blank")
	cmd.ExtraFiles = []*os.File{toRead, toWrite} // file descriptors 3 and 4
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = toRead.Close(), toWrite.Close()
	b := &browser{t: t, to: to, waiting: map[int]chan message{}, events: map[string][]func(json.RawMessage){}, gone: make(chan struct{})}
	go b.listen(from)
	t.Cleanup(func() {
		_ = to.Close()
		b.endOf(cmd)
		<-b.gone
	})
	return b
}

// endOf waits for the browser, which goes when its pipe is closed.
func (b *browser) endOf(cmd *exec.Cmd) {
	late := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	_ = cmd.Wait()
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	return r, w
}

func (b *browser) listen(from *os.File) {
	defer close(b.gone)
	defer from.Close()
	for in := bufio.NewReader(from); ; {
		line, err := in.ReadBytes(0)
		if err != nil {
			return
		}
		var m message
		if err := json.Unmarshal(bytes.TrimSuffix(line, []byte{0}), &m); err != nil {
			continue
		}
		b.mu.Lock()
		answer, handlers := b.waiting[m.ID], b.events[m.Session+" "+m.Method]
		delete(b.waiting, m.ID)
		b.mu.Unlock()
		if answer != nil {
			answer <- m
		}
		for _, h := range handlers {
			h(m.Params)
		}
	}
}

func (b *browser) call(session, method string, params, result any) {
	b.t.Helper()
	raw, err := json.Marshal(params)
	if err != nil {
		b.t.Fatal(err)
	}
	b.mu.Lock()
	b.last++
	m := message{ID: b.last, Method: method, Params: raw, Session: session}
	answer := make(chan message, 1)
	b.waiting[m.ID] = answer
	out, err := json.Marshal(m)
	if err == nil {
		_, err = b.to.Write(append(out, 0))
	}
	b.mu.Unlock()
	if err != nil {
		b.t.Fatal(err)
	}
	select {
	case m = <-answer:
	case <-b.gone:
		b.t.Fatalf("%s: the browser has ended", method)
	case <-time.After(patience):
		b.t.Fatalf("%s: no answer", method)
	}
	if m.Error != nil {
		b.t.Fatalf("%s: %s", method, m.Error.Message)
	}
	if result != nil {
		if err := json.Unmarshal(m.Result, result); err != nil {
			b.t.Fatalf("%s: %v", method, err)
		}
	}
}

// tab is one page with nothing in common with others.
type tab struct {
	*browser
	session string

	mu sync.Mutex
	// complaints are what the console was told and exceptions; requests are the
	// addresses of all requests.
	complaints, requests []string
}

type object map[string]any

func (b *browser) open(width, height int) *tab {
	b.t.Helper()
	var context struct {
		ID string `json:"browserContextId"`
	}
	b.call("", "Target.createBrowserContext", object{}, &context)
	var target struct {
		ID string `json:"targetId"`
	}
	b.call("", "Target.createTarget", object{"url": "about:blank", "browserContextId": context.ID}, &target)
	var attached struct {
		Session string `json:"sessionId"`
	}
	b.call("", "Target.attachToTarget", object{"targetId": target.ID, "flatten": true}, &attached)
	p := &tab{browser: b, session: attached.Session}
	p.follow()
	for _, domain := range []string{"Page", "Runtime", "Log", "Network", "Accessibility"} {
		p.do(domain+".enable", object{}, nil)
	}
	p.do("Emulation.setDeviceMetricsOverride", object{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}, nil)
	return p
}

// follow notes what a page must not do.
func (p *tab) follow() {
	on := func(method string, note func(params json.RawMessage)) {
		p.browser.mu.Lock()
		defer p.browser.mu.Unlock()
		key := p.session + " " + method
		p.events[key] = append(p.events[key], func(params json.RawMessage) { p.mu.Lock(); defer p.mu.Unlock(); note(params) })
	}
	complain := func(params json.RawMessage) { p.complaints = append(p.complaints, string(params)) }
	on("Runtime.consoleAPICalled", complain)
	on("Runtime.exceptionThrown", complain)
	on("Log.entryAdded", complain)
	on("Network.requestWillBeSent", func(params json.RawMessage) {
		var sent struct {
			Request struct {
				URL string `json:"url"`
			} `json:"request"`
		}
		_ = json.Unmarshal(params, &sent)
		p.requests = append(p.requests, sent.Request.URL)
	})
}

func (p *tab) do(method string, params, result any) {
	p.t.Helper()
	p.call(p.session, method, params, result)
}

func (p *tab) visit(url string) {
	p.t.Helper()
	loaded := make(chan struct{}, 8)
	p.browser.mu.Lock()
	p.events[p.session+" Page.loadEventFired"] = []func(json.RawMessage){func(json.RawMessage) { loaded <- struct{}{} }}
	p.browser.mu.Unlock()
	p.do("Page.navigate", object{"url": url}, nil)
	select {
	case <-loaded:
	case <-time.After(patience):
		p.t.Fatalf("%s has not loaded", url)
	}
}

// eval is the value of an expression; it may be a promise.
func (p *tab) eval(expression string, into any) {
	p.t.Helper()
	var r struct {
		Result struct {
			Value json.RawMessage `json:"value"`
		} `json:"result"`
		Exception json.RawMessage `json:"exceptionDetails"`
	}
	p.do("Runtime.evaluate", object{"expression": expression, "returnByValue": true, "awaitPromise": true}, &r)
	if r.Exception != nil {
		p.t.Fatalf("%s: %s", expression, r.Exception)
	}
	if into != nil {
		if err := json.Unmarshal(r.Result.Value, into); err != nil {
			p.t.Fatalf("%s: %v", expression, err)
		}
	}
}

func (p *tab) text(expression string) (s string) {
	p.t.Helper()
	p.eval(expression, &s)
	return s
}

func (p *tab) press(key string, code int) {
	p.t.Helper()
	for _, kind := range []string{"keyDown", "keyUp"} {
		p.do("Input.dispatchKeyEvent", object{"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code}, nil)
	}
}

func (p *tab) prefer(scheme string) {
	p.t.Helper()
	p.do("Emulation.setEmulatedMedia", object{"features": []object{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
}

// screenshot is a PNG of the whole page.
func (p *tab) screenshot(file string) {
	p.t.Helper()
	var shot struct {
		Data string `json:"data"`
	}
	p.do("Page.captureScreenshot", object{"captureBeyondViewport": true, "optimizeForSpeed": false}, &shot)
	data, err := base64.StdEncoding.DecodeString(shot.Data)
	if err == nil {
		err = os.WriteFile(file, data, 0o600)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *tab) heard() (complaints, requests []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string{}, p.complaints...), append([]string{}, p.requests...)
}

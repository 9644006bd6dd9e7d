// SPDX-License-Identifier: Apache-2.0

package status_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
	"github.com/kube-live/kube-controller-manager/pkg/manager"
	"github.com/kube-live/kube-controller-manager/pkg/testkit"
)

// show has the page of a world in a browser.
func show(t *testing.T, width, height int) (*tab, *world, string) {
	t.Helper()
	w := sample(t)
	s := httptest.NewServer(w.source().Handler())
	t.Cleanup(s.Close)
	return startBrowser(t).open(width, height), w, s.URL
}

// quiet fails the test when the page complained or asked somebody else.
func (p *tab) quiet(url string) {
	p.t.Helper()
	complaints, requests := p.heard()
	for _, c := range complaints {
		p.t.Errorf("the page complains: %s", c)
	}
	for _, r := range requests {
		if !strings.HasPrefix(r, url+"/") && !strings.HasPrefix(r, "data:") {
			p.t.Errorf("the page asked for %s", r)
		}
	}
	if len(requests) == 0 {
		p.t.Error("no request was seen")
	}
}

const cellsOf = `Array.from(document.getElementById("c-%s").children).map(c => c.innerText.trim())`

func TestPageInABrowser(t *testing.T) {
	p, _, url := show(t, 1280, 900)
	p.visit(url)
	var cells []string
	p.eval(fmt.Sprintf(cellsOf, "deployment-controller"), &cells)
	if diff := cmp.Diff([]string{"deployment-controller", "Running", "", "12", "17", "248", "3", "0", "4 min ago"}, cells); diff != "" {
		t.Errorf("the row (-want +got):\n%s", diff)
	}
	if title := p.text("document.title"); title != "3 problems · kube-controller-manager on control-plane-1" {
		t.Errorf("the title is %q", title)
	}
	p.quiet(url)
	for _, width := range []int{1280, 900, 390, 320} {
		p.do("Emulation.setDeviceMetricsOverride", object{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false}, nil)
		var wide int
		if p.eval("document.documentElement.scrollWidth", &wide); wide > width {
			t.Errorf("the page is %d wide in a window of %d", wide, width)
		}
	}
	if dir := os.Getenv("SCREENSHOTS"); dir != "" {
		for _, scheme := range []string{"light", "dark"} {
			p.prefer(scheme)
			for name, width := range map[string]int{"": 1280, "-phone": 390} {
				p.do("Emulation.setDeviceMetricsOverride", object{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false}, nil)
				p.screenshot(filepath.Join(dir, "status-"+scheme+name+".png"))
			}
		}
	}
}

func TestPageWithoutJavaScript(t *testing.T) {
	p, _, url := show(t, 1280, 900)
	p.do("Emulation.setScriptExecutionDisabled", object{"value": true}, nil)
	p.visit(url + "/?show=off")
	var cells []string
	p.eval(`Array.from(document.querySelectorAll("#rows tr th")).map(c => c.innerText)`, &cells)
	if diff := cmp.Diff([]string{"ttl-after-finished-controller"}, cells); diff != "" {
		t.Errorf("the rows (-want +got):\n%s", diff)
	}
	var seen []bool
	p.eval(`["#pause", "form button"].map(s => document.querySelector(s).checkVisibility())`, &seen)
	if diff := cmp.Diff([]bool{false, true}, seen); diff != "" {
		t.Errorf("only the button that works may be there (-want +got):\n%s", diff)
	}
	p.quiet(url)
}

func TestLiveUpdate(t *testing.T) {
	p, w, url := show(t, 800, 500)
	p.visit(url)
	// What a reader does must survive: focus, a half-typed text, an opened detail,
	// and where the window is.
	p.eval(`(() => { for (const d of document.querySelectorAll("details")) d.open = true; const q = document.getElementById("q");
		q.focus({preventScroll: true}); window.row = document.getElementById("c-job-controller"); window.scrollTo(0, 180); return 0 })()`, nil)
	w.change(func(s *manager.Status) {
		s.Controllers[3].State, s.Controllers[3].Reason = controller.Failed, "lost its way"
		s.Rejected = ""
	})
	testkit.Eventually(t, patience, func() error {
		if got := p.text(`document.getElementById("c-job-controller").innerText`); !strings.Contains(got, "Failed") || !strings.Contains(got, "lost its way") {
			return fmt.Errorf("the row is %q", got)
		}
		return nil
	})
	if said := p.text(`document.getElementById("said").innerText`); said != "job-controller is Failed." {
		t.Errorf("said %q", said)
	}
	var kept map[string]bool
	p.eval(`({focus: document.activeElement.id === "q", details: Array.from(document.querySelectorAll("details")).every(d => d.open),
		same: window.row === document.getElementById("c-job-controller"), gone: document.getElementById("rejected") === null, scrolled: window.scrollY > 0})`, &kept)
	for what, ok := range kept {
		if !ok {
			t.Errorf("not so: %s", what)
		}
	}

	p.do("Input.insertText", object{"text": "job"}, nil)
	testkit.Eventually(t, patience, func() error {
		var names []string
		p.eval(`Array.from(document.querySelectorAll("#rows th")).map(c => c.innerText)`, &names)
		if !slices.Equal(names, []string{"job-controller"}) || p.text("location.search") != "?q=job" {
			return fmt.Errorf("rows %v at %s", names, p.text("location.search"))
		}
		return nil
	})
	p.eval(`document.querySelector('a.sort[href*="queue"]').click()`, nil)
	testkit.Eventually(t, patience, func() error {
		if got := p.text(`document.querySelector("[aria-sort]").innerText + location.search`); got != "Queue?q=job&sort=queue" {
			return fmt.Errorf("sorted by %s", got)
		}
		return nil
	})
	p.quiet(url)
}

func TestLostConnectionIsTold(t *testing.T) {
	p, _, url := show(t, 800, 500)
	p.visit(url)
	p.do("Network.emulateNetworkConditions", object{"offline": true, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}, nil)
	told := func(want string) {
		t.Helper()
		testkit.Eventually(t, patience, func() error {
			if said := p.text(`document.getElementById("said").innerText`); !strings.Contains(said, want) {
				return fmt.Errorf("said %q", said)
			}
			return nil
		})
	}
	told("not reachable. What is shown is old.")
	p.do("Network.emulateNetworkConditions", object{"offline": false, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}, nil)
	told("Connected again.")
}

func TestKeyboard(t *testing.T) {
	p, _, url := show(t, 1280, 900)
	p.visit(url)
	var order []string
	const focused = `(() => { const e = document.activeElement; return (e.id || e.className || e.tagName) + (e.matches(":focus-visible") ? "" : " unseen") })()`
	for range 8 {
		p.press("Tab", 9)
		order = append(order, p.text(focused))
	}
	if diff := cmp.Diff([]string{"skip", "pause", "PRE", "q", "show", "sort", "sort", "sort"}, order); diff != "" {
		t.Errorf("the order of Tab (-want +got):\n%s", diff)
	}
	for last := ""; !strings.HasPrefix(last, "SUMMARY"); last = p.text(focused) {
		if strings.HasPrefix(last, "BODY") {
			t.Fatal("Tab does not reach the reloads")
		}
		p.press("Tab", 9)
	}
	p.do("Input.dispatchKeyEvent", object{"type": "keyDown", "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}, nil)
	var open bool
	if p.eval("document.activeElement.parentElement.open", &open); !open {
		t.Error("Enter does not open a reload")
	}
	p.eval(`document.getElementById("pause").focus()`, nil)
	p.do("Input.dispatchKeyEvent", object{"type": "keyDown", "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}, nil)
	if got := p.text(`document.getElementById("pause").getAttribute("aria-pressed")`); got != "true" {
		t.Errorf("the pause button is pressed: %s", got)
	}
}

// contrast is computed as WCAG has it, for every element with text of its own.
const contrast = `(() => {
	const parse = c => { const m = c.match(/[\d.]+/g).map(Number); return {r: m[0], g: m[1], b: m[2], a: m.length > 3 ? m[3] : 1} };
	const light = c => { const f = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; return 0.2126 * f(c.r) + 0.7152 * f(c.g) + 0.0722 * f(c.b) };
	const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.a === 1) return c } return {r: 255, g: 255, b: 255, a: 1} };
	const bad = [];
	let seen = 0;
	for (const e of document.body.querySelectorAll("*")) {
		if (!Array.from(e.childNodes).some(n => n.nodeType === 3 && n.nodeValue.trim()) || !e.checkVisibility() || e.closest("script")) continue;
		seen++;
		const a = light(parse(getComputedStyle(e).color)), b = light(ground(e));
		const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
		if (ratio < 4.5) bad.push(e.tagName + "." + e.className + " " + e.innerText.slice(0, 30) + ": " + ratio.toFixed(2));
	}
	return seen < 100 ? ["only " + seen + " texts"] : bad;
})()`

func TestContrast(t *testing.T) {
	p, w, url := show(t, 1280, 900)
	w.change(func(s *manager.Status) { s.ProbationEnds = w.now.Add(9e9) })
	for _, scheme := range []string{"light", "dark"} {
		p.prefer(scheme)
		p.visit(url)
		p.eval(`(() => { for (const d of document.querySelectorAll("details")) d.open = true; return 0 })()`, nil)
		var bad []string
		p.eval(contrast, &bad)
		for _, b := range bad {
			t.Errorf("%s: %s", scheme, b)
		}
		if got := p.text("getComputedStyle(document.body).backgroundColor"); (got == "rgb(244, 245, 247)") != (scheme == "light") {
			t.Errorf("%s: the ground is %s", scheme, got)
		}
	}
}

// node is one of the accessibility tree.
type node struct {
	Ignored bool                   `json:"ignored"`
	Role    struct{ Value string } `json:"role"`
	Name    struct{ Value string } `json:"name"`
}

// At each width a screen reader finds the same: landmarks, headings, tables with
// their headers, and a name on everything that can be used.
func TestAccessibilityTree(t *testing.T) {
	p, _, url := show(t, 1280, 900)
	for _, width := range []int{1280, 390} {
		p.do("Emulation.setDeviceMetricsOverride", object{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false}, nil)
		p.visit(url)
		var tree struct {
			Nodes []node `json:"nodes"`
		}
		p.do("Accessibility.getFullAXTree", object{}, &tree)
		count := map[string]int{}
		for _, n := range tree.Nodes {
			if n.Ignored {
				continue
			}
			count[n.Role.Value]++
			count[n.Role.Value+" "+n.Name.Value]++
			needsName := slices.Contains([]string{"button", "link", "searchbox", "combobox", "form", "search", "region", "heading", "table", "columnheader", "rowheader"}, n.Role.Value)
			if needsName && strings.TrimSpace(n.Name.Value) == "" {
				t.Errorf("%d px: a %s without a name", width, n.Role.Value)
			}
		}
		for what, want := range map[string]int{"banner": 1, "main": 1, "contentinfo": 1, "search Controllers": 1, "searchbox Name": 1, "combobox Show": 1,
			"button Pause updates": 1, "region Controllers": 1, "region Reloads": 1, "region Leadership": 1, "heading Controllers": 1,
			"table 8 of 8, those that need a look first": 1, "columnheader Queue": 1, "rowheader deployment-controller": 1, "status": 1} {
			if count[what] != want {
				t.Errorf("%d px: %d of %q, want %d", width, count[what], what, want)
			}
		}
	}
}

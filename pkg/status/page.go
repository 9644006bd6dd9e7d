// SPDX-License-Identifier: Apache-2.0

package status

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strings"

	"github.com/kube-live/kube-controller-manager/pkg/controller"
)

//go:embed assets/page.html
var pageHTML string

//go:embed assets/style.css
var pageCSS string

//go:embed assets/page.js
var pageJS string

// policy allows the page its own style and script, by their hashes, and nothing
// from elsewhere.
func policy() string {
	hash := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return fmt.Sprintf("default-src 'none'; style-src %s; script-src %s; img-src data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		hash(pageCSS), hash(pageJS))
}

// view is what the reader of the page asked for.
type view struct {
	// Query is a part of names.
	Query string
	// Show is "", problems, running or off.
	Show string
	// Sort is the name of a column, or "" for urgency.
	Sort string
}

func viewOf(q url.Values) view {
	return view{Query: q.Get("q"), Show: q.Get("show"), Sort: q.Get("sort")}
}

// query is the view as a query, sorted by another column.
func (v view) query(sort string) string {
	q := url.Values{}
	for name, value := range map[string]string{"q": v.Query, "show": v.Show, "sort": sort} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return "/?" + q.Encode()
}

func (v view) wants(c Controller) bool {
	if !strings.Contains(c.Name, strings.ToLower(strings.TrimSpace(v.Query))) {
		return false
	}
	switch v.Show {
	case "problems":
		return c.Problem || c.Errors > 0 || c.Restarts > 0
	case "running":
		return c.State == controller.Running
	case "off":
		return c.State == controller.Off
	}
	return true
}

type column struct {
	Text   string
	Number bool
	Link   string
	Order  string // value of aria-sort

	name string
	less func(a, b Controller) int
	down bool
}

func columns() []column {
	return []column{
		{Text: "Controller", name: "name", less: func(a, b Controller) int { return strings.Compare(a.Name, b.Name) }},
		{Text: "State", name: "", less: ByUrgency},
		{Text: "Reason"},
		{Text: "Workers", Number: true, name: "workers", down: true, less: func(a, b Controller) int { return cmp.Compare(b.Workers, a.Workers) }},
		{Text: "Queue", Number: true, name: "queue", down: true, less: func(a, b Controller) int { return cmp.Compare(b.Queue, a.Queue) }},
		{Text: "Syncs/min", Number: true, name: "syncs", down: true, less: func(a, b Controller) int { return cmp.Compare(b.SyncsPerMinute, a.SyncsPerMinute) }},
		{Text: "Errors", Number: true, name: "errors", down: true, less: func(a, b Controller) int { return cmp.Compare(b.Errors, a.Errors) }},
		{Text: "Restarts", Number: true, name: "restarts", down: true, less: func(a, b Controller) int { return cmp.Compare(b.Restarts, a.Restarts) }},
		{Text: "Last change", name: "since", down: true, less: func(a, b Controller) int { return b.Since.Compare(a.Since) }},
	}
}

type choice struct {
	Value, Text string
	Chosen      bool
}

// row is a controller as the page shows it.
type row struct {
	Controller
	// Mark is the class of the state's sign.
	Mark string
	// Ill says that it runs and works badly.
	Ill bool
	// Past is the last error of a controller that runs again.
	Past string
}

func rowOf(c Controller) row {
	r := row{Controller: c}
	switch c.State {
	case controller.Running:
		r.Mark = "good"
	case controller.Starting, controller.Syncing, controller.Stopping:
		r.Mark = "busy"
	case controller.Failed, controller.Stuck:
		r.Mark = "bad"
	default:
		r.Mark = "idle"
	}
	if r.Mark != "bad" && c.Problem {
		r.Mark, r.Ill = "warn", true
	}
	if c.LastError != c.Reason {
		r.Past = c.LastError
	}
	return r
}

// largest is how many caches are shown at once.
const largest = 12

// content is all that the page is made of.
type content struct {
	Doc      Document
	View     view
	Rows     []row
	Columns  []column
	Choices  []choice
	Caption  string
	Problems bool

	// Wanted controllers are not off; of them, so many work.
	Working, Wanted int
	Others          string
	Alarm           string
	Leader          string
	Standbys        string
	Uptime          string
	Rate            float64
	Waiting         int
	Objects         int
	// Caches are the largest ones, More the others.
	Caches, More []Informer
	CSS          template.CSS
	JS           template.JS
}

func contentOf(d Document, v view) content {
	c := content{Doc: d, View: v, Uptime: long(d.Process.Uptime), CSS: template.CSS(pageCSS), JS: template.JS(pageJS)} //nolint:gosec // they are constants
	c.arrange()
	c.sum()
	c.lead()
	for _, o := range []choice{{Value: "", Text: "All"}, {Value: "problems", Text: "Problems"}, {Value: "running", Text: "Running"}, {Value: "off", Text: "Off"}} {
		o.Chosen = o.Value == v.Show
		c.Choices = append(c.Choices, o)
	}
	return c
}

// arrange picks and sorts the rows.
func (c *content) arrange() {
	list := slices.Clone(c.Doc.Controllers)
	list = slices.DeleteFunc(list, func(x Controller) bool { return !c.View.wants(x) })
	slices.SortFunc(list, ByUrgency)
	c.Columns = columns()
	by := slices.IndexFunc(c.Columns, func(k column) bool { return k.name == c.View.Sort && k.less != nil })
	if by < 0 {
		by, c.View.Sort = 1, ""
	}
	slices.SortStableFunc(list, c.Columns[by].less)
	for i := range c.Columns {
		k := &c.Columns[i]
		if k.less != nil {
			k.Link = c.View.query(k.name)
		}
		if i == by {
			k.Order = "ascending"
			if k.down {
				k.Order = "descending"
			}
		}
	}
	for _, x := range list {
		c.Rows = append(c.Rows, rowOf(x))
	}
	c.Caption = fmt.Sprintf("%d of %d, sorted by %s", len(c.Rows), len(c.Doc.Controllers), strings.ToLower(c.Columns[by].Text))
	if by == 1 {
		c.Caption = fmt.Sprintf("%d of %d, those that need a look first", len(c.Rows), len(c.Doc.Controllers))
	}
}

// sum counts for the summary.
func (c *content) sum() {
	states := map[controller.State]int{}
	for _, x := range c.Doc.Controllers {
		states[x.State]++
		c.Rate += x.SyncsPerMinute
		c.Waiting += x.Queue
		c.Problems = c.Problems || x.Problem
	}
	c.Working, c.Wanted = states[controller.Running], len(c.Doc.Controllers)-states[controller.Off]
	var others []string
	for _, s := range []controller.State{controller.Stuck, controller.Failed, controller.Stopping, controller.Starting, controller.Syncing, controller.Waiting, controller.Off} {
		if n := states[s]; n > 0 {
			others = append(others, fmt.Sprintf("%d %s", n, strings.ToLower(string(s))))
		}
	}
	c.Others = cmp.Or(strings.Join(others, ", "), "all that there are")
	if n := len(c.Doc.Problems()); n > 0 {
		c.Alarm = count(n, "problem", "problems")
	}
	for _, i := range c.Doc.Informers {
		c.Objects += i.Objects
	}
	c.Caches = slices.Clone(c.Doc.Informers)
	slices.SortStableFunc(c.Caches, func(a, b Informer) int { return cmp.Compare(b.Objects, a.Objects) })
	if len(c.Caches) > largest {
		c.Caches, c.More = c.Caches[:largest-2], c.Caches[largest-2:]
	}
}

func (c *content) lead() {
	l := c.Doc.Leadership
	switch {
	case l.Leading:
		c.Leader = "This process"
	case l.Holder != "":
		c.Leader, _, _ = strings.Cut(l.Holder, "_")
	default:
		c.Leader = "Nobody known"
	}
	switch {
	case !l.Elect:
		c.Standbys = "without an election"
	case len(l.Standbys) > 0:
		c.Standbys = count(len(l.Standbys), "standby", "standbys")
	case l.Leading:
		c.Standbys = "no standby is known"
	default:
		c.Standbys = "this process stands by"
	}
}

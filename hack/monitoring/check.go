// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

// checker judges expressions by what managers serve.
type checker struct {
	parser parser.Parser
	engine *promql.Engine
	world  world
}

func newChecker(w world) *checker {
	p := parser.NewParser(parser.Options{})
	return &checker{parser: p, world: w, engine: promql.NewEngine(promql.EngineOpts{
		MaxSamples: 50_000_000, Timeout: time.Minute, EnableAtModifier: true, EnableNegativeOffset: true, Parser: p,
	})}
}

// expression parses an expression, looks for what its selectors name, and
// evaluates it over the hour.
func (c *checker) expression(text string) []error {
	parsed, err := c.parser.ParseExpr(text)
	if err != nil {
		return []error{err}
	}
	problems := c.names(parsed)
	result, err := c.evaluate(c.world, text)
	if err != nil {
		return append(problems, err)
	}
	for _, warning := range result.Warnings.AsErrors() {
		problems = append(problems, warning)
	}
	return problems
}

// names looks for metrics and labels that no manager has.
func (c *checker) names(e parser.Expr) (problems []error) {
	known := map[string]bool{}
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		s, ok := n.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		found, has := false, map[string]bool{}
		for _, series := range c.world {
			if series.labels.Get(labels.MetricName) == s.Name {
				found = true
				for _, name := range names(series.labels) {
					known[name], has[name] = true, true
				}
			}
		}
		if !found {
			problems = append(problems, fmt.Errorf("no manager serves %s", s.Name))
			return nil
		}
		for _, m := range s.LabelMatchers {
			if !has[m.Name] {
				problems = append(problems, fmt.Errorf("%s has no label %s", s.Name, m.Name))
			}
		}
		return nil
	})
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		var used []string
		switch n := n.(type) {
		case *parser.AggregateExpr:
			used = n.Grouping
		case *parser.BinaryExpr:
			if n.VectorMatching != nil {
				used = slices.Concat(n.VectorMatching.MatchingLabels, n.VectorMatching.Include)
			}
		}
		for _, name := range used {
			if !known[name] {
				problems = append(problems, fmt.Errorf("none of the metrics has a label %s", name))
			}
		}
		return nil
	})
	return problems
}

func (c *checker) evaluate(w world, text string) (*promql.Result, error) {
	q, err := c.engine.NewRangeQuery(context.Background(), w, nil, text, time.UnixMilli(0), time.UnixMilli(length), interval*time.Millisecond)
	if err != nil {
		return nil, err
	}
	result := q.Exec(context.Background())
	return result, result.Err
}

// fires says whether an alert fires at some time: its expression has a value for
// as long as it must.
func (c *checker) fires(w world, text string, pending time.Duration) (bool, error) {
	result, err := c.evaluate(w, text)
	if err != nil {
		return false, err
	}
	matrix, err := result.Matrix()
	if err != nil {
		return false, err
	}
	for _, s := range matrix {
		var since, last int64 = -1, -1
		for _, point := range s.Floats {
			if last < 0 || point.T > last+interval {
				since = point.T
			}
			if last = point.T; time.Duration(last-since)*time.Millisecond >= pending {
				return true, nil
			}
		}
	}
	return false, nil
}

// SPDX-License-Identifier: Apache-2.0

// Command monitoring checks the dashboard and the alerting rules in
// config-examples/monitoring against what managers really serve: every metric and
// label that an expression names must be there, every expression must evaluate
// with Prometheus' own engine, and in each scenario exactly the alerts fire that it
// names. Its arguments are files with the answers of /metrics of the replicas.
//
// It is a module of its own so that Prometheus stays out of the manager's
// dependencies.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"go.yaml.in/yaml/v3"
)

// examples is where the files are, from this folder.
const examples = "../../config-examples/monitoring"

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: monitoring FILE...; the files have the answers of /metrics, one for each replica")
		os.Exit(2)
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(scrapes []string) error {
	w, err := load(scrapes)
	if err != nil {
		return err
	}
	c := newChecker(w)
	rules, problems := c.rules(filepath.Join(examples, "alerts.yaml"))
	problems = append(problems, c.dashboard(filepath.Join(examples, "dashboard.json"))...)
	problems = append(problems, c.scenarios(filepath.Join(examples, "alerts-test.yaml"), rules)...)
	return errors.Join(problems...)
}

// rules checks a file of alerting rules and returns them.
func (c *checker) rules(file string) (rules []rulefmt.Rule, problems []error) {
	groups, errs := rulefmt.ParseFile(file, false, model.UTF8Validation, c.parser, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if len(errs) > 0 {
		return nil, errs
	}
	for _, g := range groups.Groups {
		for _, r := range g.Rules {
			for _, err := range c.expression(r.Expr) {
				problems = append(problems, fmt.Errorf("%s: %s: %w", file, r.Alert, err))
			}
			for _, text := range []string{"summary", "description", "runbook"} {
				if r.Annotations[text] == "" {
					problems = append(problems, fmt.Errorf("%s: %s: has no annotation %s", file, r.Alert, text))
				}
			}
			rules = append(rules, r)
		}
	}
	return rules, problems
}

// dashboard checks the queries of a Grafana dashboard.
func (c *checker) dashboard(file string) (problems []error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return []error{err}
	}
	var d struct {
		Panels []struct {
			Title   string
			Type    string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(data, &d); err != nil {
		return []error{fmt.Errorf("%s: %w", file, err)}
	}
	variables := strings.NewReplacer("$__rate_interval", "5m", "$__range", "1h", "$job", job, "$controller", ".+", "$instance", ".+")
	queries := 0
	for _, p := range d.Panels {
		for _, t := range p.Targets {
			queries++
			for _, err := range c.expression(variables.Replace(t.Expr)) {
				problems = append(problems, fmt.Errorf("%s: panel %q: %s: %w", file, p.Title, t.Expr, err))
			}
		}
	}
	if queries == 0 {
		problems = append(problems, fmt.Errorf("%s: no query was found", file))
	}
	return problems
}

// scenario is a story and the alerts that tell it.
type scenario struct {
	Name   string   `yaml:"name"`
	Series []string `yaml:"series"`
	Firing []string `yaml:"firing"`
}

// scenarios checks that in every story just the right alerts fire, and that each
// alert has one.
func (c *checker) scenarios(file string, rules []rulefmt.Rule) (problems []error) {
	f, err := os.Open(file)
	if err != nil {
		return []error{err}
	}
	defer f.Close()
	var list []scenario
	d := yaml.NewDecoder(f)
	d.KnownFields(true)
	if err := d.Decode(&list); err != nil {
		return []error{fmt.Errorf("%s: %w", file, err)}
	}
	told := map[string]bool{}
	for _, s := range list {
		firing, err := c.play(s, rules)
		slices.Sort(s.Firing)
		switch {
		case err != nil:
			problems = append(problems, fmt.Errorf("%s: %s: %w", file, s.Name, err))
		case !slices.Equal(firing, s.Firing):
			problems = append(problems, fmt.Errorf("%s: %s: firing %q, want %q", file, s.Name, firing, s.Firing))
		}
		for _, name := range firing {
			told[name] = true
		}
	}
	for _, r := range rules {
		if !told[r.Alert] {
			problems = append(problems, fmt.Errorf("%s: in no scenario %s fires", file, r.Alert))
		}
	}
	return problems
}

func (c *checker) play(s scenario, rules []rulefmt.Rule) (firing []string, err error) {
	w, err := c.world.with(c.parser, s.Series)
	if err != nil {
		return nil, err
	}
	for _, r := range rules {
		on, err := c.fires(w, r.Expr, time.Duration(r.For))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Alert, err)
		}
		if on {
			firing = append(firing, r.Alert)
		}
	}
	slices.Sort(firing)
	return firing, nil
}

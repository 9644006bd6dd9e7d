// SPDX-License-Identifier: Apache-2.0

package report

import (
	"io"
	"net/url"
	"path/filepath"
	"strings"
)

const (
	sarifSchema  = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
	sarifVersion = "2.1.0"
)

type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool        sarifTool         `json:"tool"`
	Invocations []sarifInvocation `json:"invocations"`
	ColumnKind  string            `json:"columnKind"`
	Results     []sarifResult     `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name           string      `json:"name"`
	InformationURI string      `json:"informationUri"`
	Version        string      `json:"version"`
	Rules          []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID               string    `json:"id"`
	Name             string    `json:"name"`
	ShortDescription sarifText `json:"shortDescription"`
	Help             sarifText `json:"help"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifInvocation struct {
	ExecutionSuccessful bool                `json:"executionSuccessful"`
	Notifications       []sarifNotification `json:"toolExecutionNotifications,omitempty"`
}

type sarifNotification struct {
	Level   string    `json:"level"`
	Message sarifText `json:"message"`
}

type sarifResult struct {
	RuleID     string            `json:"ruleId"`
	RuleIndex  int               `json:"ruleIndex"`
	Level      Severity          `json:"level"`
	Message    sarifText         `json:"message"`
	Locations  []sarifLocation   `json:"locations,omitempty"`
	Properties map[string]string `json:"properties,omitempty"`
}

type sarifLocation struct {
	Physical *sarifPhysical `json:"physicalLocation,omitempty"`
	Logical  []sarifLogical `json:"logicalLocations,omitempty"`
}

type sarifPhysical struct {
	Artifact sarifArtifact `json:"artifactLocation"`
	Region   *sarifRegion  `json:"region,omitempty"`
}

type sarifArtifact struct {
	URI string `json:"uri"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn,omitempty"`
}

type sarifLogical struct {
	Name string `json:"fullyQualifiedName"`
}

func (r Report) sarif(w io.Writer, version string, rules []Rule) error {
	run := sarifRun{
		Tool: sarifTool{Driver: sarifDriver{
			Name: "kube-controller-manager", Version: version,
			InformationURI: "https://github.com/kube-live/kube-controller-manager",
		}},
		ColumnKind: "unicodeCodePoints", Results: []sarifResult{},
	}
	index := map[string]int{}
	for i, rule := range rules {
		index[rule.ID] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{rule.ID, rule.Name, sarifText{rule.Summary}, sarifText{rule.Help}})
	}
	done := sarifInvocation{ExecutionSuccessful: true}
	for _, f := range r.Files {
		if f.Failed != nil {
			done.ExecutionSuccessful = false
			done.Notifications = append(done.Notifications, sarifNotification{"error", sarifText{f.shown() + ": " + f.Failed.Error()}})
		}
		if f.Skipped != "" {
			done.Notifications = append(done.Notifications, sarifNotification{"note", sarifText{f.shown() + " " + f.Skipped}})
		}
		for _, p := range f.Findings() {
			rule, known := index[p.Rule]
			if !known {
				rule = -1
			}
			run.Results = append(run.Results, p.sarif(f.Name, rule))
		}
	}
	run.Invocations = []sarifInvocation{done}
	return encode(w, sarifLog{Schema: sarifSchema, Version: sarifVersion, Runs: []sarifRun{run}})
}

func (f Finding) sarif(file string, rule int) sarifResult {
	result := sarifResult{RuleID: f.Rule, RuleIndex: rule, Level: f.Severity, Message: sarifText{f.sentence()}}
	var at sarifLocation
	if f.Flag == "" {
		at.Physical = &sarifPhysical{Artifact: sarifArtifact{address(file)}}
		if f.Line > 0 {
			at.Physical.Region = &sarifRegion{f.Line, f.Column}
		}
	}
	if f.Path != "" {
		at.Logical = []sarifLogical{{f.Path}}
	}
	if at.Physical != nil || at.Logical != nil {
		result.Locations = []sarifLocation{at}
	}
	for name, value := range map[string]string{"path": f.Path, "value": f.Value, "hint": f.Hint} {
		if value != "" {
			if result.Properties == nil {
				result.Properties = map[string]string{}
			}
			result.Properties[name] = value
		}
	}
	return result
}

// address is a file's name as a URI reference.
func address(file string) string {
	if file == "-" {
		return "stdin"
	}
	file = filepath.ToSlash(file)
	if filepath.IsAbs(file) {
		return (&url.URL{Scheme: "file", Path: file}).String()
	}
	return (&url.URL{Path: strings.TrimPrefix(file, "./")}).String()
}

// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"encoding/json"
	"io"
)

type jsonReport struct {
	Valid    bool       `json:"valid"`
	Errors   int        `json:"errors"`
	Warnings int        `json:"warnings"`
	Files    []jsonFile `json:"files"`
}

type jsonFile struct {
	File     string        `json:"file"`
	Key      string        `json:"key,omitempty"`
	Valid    bool          `json:"valid"`
	Hash     string        `json:"hash,omitempty"`
	Failed   string        `json:"failed,omitempty"`
	Skipped  string        `json:"skipped,omitempty"`
	Problems []jsonProblem `json:"problems"`
}

type jsonProblem struct {
	Severity Severity `json:"severity"`
	Rule     string   `json:"rule"`
	Line     int      `json:"line,omitempty"`
	Column   int      `json:"column,omitempty"`
	Flag     string   `json:"flag,omitempty"`
	Path     string   `json:"path,omitempty"`
	Value    string   `json:"value,omitempty"`
	Reason   string   `json:"reason"`
	Hint     string   `json:"hint,omitempty"`
}

func (r Report) json(w io.Writer) error {
	n := r.Count()
	out := jsonReport{Valid: n.Errors+n.Failed == 0, Errors: n.Errors, Warnings: n.Warnings, Files: []jsonFile{}}
	for _, f := range r.Files {
		one := jsonFile{File: f.Name, Key: f.Key, Valid: len(f.Errors) == 0 && f.Failed == nil && f.Skipped == "", Hash: f.Hash, Skipped: f.Skipped, Problems: []jsonProblem{}}
		if f.Failed != nil {
			one.Failed = f.Failed.Error()
		}
		for _, p := range f.Findings() {
			one.Problems = append(one.Problems, jsonProblem{
				Severity: p.Severity, Rule: p.Rule, Line: p.Line, Column: p.Column,
				Flag: p.Flag, Path: p.Path, Value: p.Value, Reason: p.Reason, Hint: p.Hint,
			})
		}
		out.Files = append(out.Files, one)
	}
	return encode(w, out)
}

// encode writes indented JSON in which <, > and & stand for themselves.
func encode(w io.Writer, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

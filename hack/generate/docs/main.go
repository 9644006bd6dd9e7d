// SPDX-License-Identifier: Apache-2.0

// Command docs writes the comments of a configuration package's types and
// fields to a JSON file that the package embeds, so that the program can print
// them. Names of Go fields in the sentences become the names in the file.
//
//	docs FOLDER OUT
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: docs FOLDER OUT")
		os.Exit(2)
	}
	out, err := generate(os.Args[1])
	if err == nil {
		err = os.WriteFile(os.Args[2], out, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "Error:", err)
		os.Exit(1)
	}
}

// generate is the JSON object from "Type" and "Type.Field" to the comment.
func generate(folder string) ([]byte, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	docs, set := map[string]string{}, token.NewFileSet()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range f.Decls {
			if decl, ok := d.(*ast.GenDecl); ok && decl.Tok == token.TYPE {
				types(decl, docs)
			}
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b) // sorts the keys
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err = e.Encode(docs)
	return b.Bytes(), err
}

func types(decl *ast.GenDecl, docs map[string]string) {
	for _, s := range decl.Specs {
		t := s.(*ast.TypeSpec)
		structure, ok := t.Type.(*ast.StructType)
		if !ok || !t.Name.IsExported() {
			continue
		}
		doc := t.Doc
		if doc == nil {
			doc = decl.Doc
		}
		names := jsonNames(structure)
		docs[t.Name.Name] = sentence(doc.Text(), names)
		for _, f := range structure.Fields.List {
			for _, n := range f.Names {
				if text := f.Doc.Text(); text != "" && n.IsExported() {
					if rest, own := strings.CutPrefix(text, n.Name+" "); own {
						text = names[n.Name] + " " + rest
					}
					docs[t.Name.Name+"."+n.Name] = sentence(text, names)
				}
			}
		}
	}
}

func jsonNames(s *ast.StructType) map[string]string {
	names := map[string]string{}
	for _, f := range s.Fields.List {
		if f.Tag == nil {
			continue
		}
		tag, err := strconv.Unquote(f.Tag.Value)
		if err != nil {
			continue // the compiler reports it
		}
		name, _, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
		for _, n := range f.Names {
			names[n.Name] = name
		}
	}
	return names
}

var word = regexp.MustCompile(`\b[A-Z]\w*\b`)

// sentence is the comment with the lines of each paragraph joined. Only names that
// differ in their capitals alone are replaced: others are words, too.
func sentence(text string, names map[string]string) string {
	text = word.ReplaceAllStringFunc(text, func(w string) string {
		if name := names[w]; strings.EqualFold(name, w) {
			return name
		}
		return w
	})
	paragraphs := strings.Split(strings.TrimSpace(text), "\n\n")
	for i, p := range paragraphs {
		paragraphs[i] = strings.Join(strings.Fields(p), " ")
	}
	return strings.Join(paragraphs, "\n\n")
}

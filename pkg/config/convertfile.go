// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/kube-live/kube-controller-manager/apis/config/conversion"
	"github.com/kube-live/kube-controller-manager/apis/config/tags"
	"github.com/kube-live/kube-controller-manager/apis/config/v1alpha1"
	"github.com/kube-live/kube-controller-manager/apis/config/v1beta1"
)

// Versions are the versions that Convert can write.
func Versions() []string { return []string{"v1alpha1", "v1beta1"} }

// Converted is a file in another version.
type Converted struct {
	// Data is the file: what the old one sets, and its comments. Relative paths
	// stay as they are, so it belongs beside the old one.
	Data []byte
	// Lost are the settings that the version cannot express; they are not in Data.
	Lost []Problem
	// Warnings are those of the old file.
	Warnings []Problem
}

// Convert writes a valid file in another version, one of Versions; with drop-ins,
// all in one. The error is that of Load, or names a version that is none.
func Convert(in Input, version string) (*Converted, error) {
	loaded, err := Load(Input{File: in.File, Data: in.Data, DropIns: in.DropIns, Names: in.Names})
	if err != nil {
		return nil, err
	}
	l, d := open(in)
	out := &Converted{Warnings: loaded.Warnings}
	w := &writer{comments: commentsOf(in.sources()), places: map[string]place{}}
	switch version {
	case "v1beta1":
		w.places = d.places
		w.standard = conversion.Fields(conversion.NewHub())
		out.Data, err = w.write(v1beta1.APIVersion, l.Config)
	case "v1alpha1":
		old, lost := v1alpha1.FromV1beta1(l.Config, in.Names)
		for _, loss := range lost {
			p := Problem{Path: loss.Path, Value: loss.Value, Reason: "v1alpha1 has no field for it"}
			if loss.Flag != "" {
				p.Hint = fmt.Sprintf("set it with --%s instead", loss.Flag)
			}
			out.Lost = append(out.Lost, loaded.Locate(p))
		}
		w.placesOfV1alpha1(old, d.places)
		w.standard = conversion.Fields(v1alpha1.New())
		out.Data, err = w.write(v1alpha1.APIVersion, old)
	default:
		err = fmt.Errorf("version %q is none of %v", version, Versions())
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Minimal writes a configuration as a file of the current version that has only
// what differs from the defaults.
func Minimal(c *v1beta1.KubeControllerManagerConfiguration) ([]byte, error) {
	w := &writer{comments: &comments{}, standard: conversion.Fields(conversion.NewHub())}
	return w.write(v1beta1.APIVersion, c)
}

// placesOfV1alpha1 gives the fields of v1alpha1 the places of those of the hub.
func (w *writer) placesOfV1alpha1(c any, hub map[string]place) {
	tags.Walk(c, func(f tags.Field) {
		for _, to := range conversion.Targets(f) {
			if at, set := hub[to]; set {
				w.places[f.Path] = at
			}
		}
		if f.Path == v1alpha1.ControllersPath {
			if at, set := hub["controllers.baseline"]; set {
				w.places[f.Path] = at
			}
		}
	})
}

// commentsOf finds the comments of files by the places of the values that they
// are about. The comment of a section is about its first value.
func commentsOf(files []Source) *comments {
	c := &comments{by: map[place]comment{}}
	for _, f := range files {
		var doc yaml.Node
		if yaml.Unmarshal(f.Data, &doc) != nil || len(doc.Content) == 0 {
			continue
		}
		c.file = f.Name
		c.head = joined(c.head, doc.HeadComment, doc.Content[0].HeadComment)
		c.foot = joined(c.foot, doc.Content[0].FootComment, doc.FootComment)
		c.collect(doc.Content[0], "", true)
	}
	return c
}

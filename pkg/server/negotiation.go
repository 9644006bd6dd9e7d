// SPDX-License-Identifier: Apache-2.0

package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/munnerz/goautoneg"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// zpagesGroup is the API group of /flagz and /statusz.
const zpagesGroup = "config.k8s.io"

// Forms of a zpage, in upstream's order of preference.
const (
	formJSON = "application/json"
	formYAML = "application/yaml"
	formText = "text/plain"
)

// negotiate finds the form of a zpage that a caller accepts: text, or JSON or
// YAML of one version of the kind, which must then be asked for by its full
// name. ok is false when no such form is accepted.
func negotiate(accept, kind string) (form, version string, ok bool) {
	if strings.TrimSpace(accept) == "" {
		return formText, "", true
	}
	for _, clause := range goautoneg.ParseAccept(accept) {
		for _, form := range []string{formJSON, formYAML, formText} {
			major, minor, _ := strings.Cut(form, "/")
			if (clause.Type != "*" && clause.Type != major) || (clause.SubType != "*" && clause.SubType != minor) {
				continue
			}
			as, group, version := clause.Params["as"], clause.Params["g"], clause.Params["v"]
			named := as != "" || group != "" || version != ""
			switch {
			case form == formText && !named:
				return form, "", true
			case form != formText && as == kind && group == zpagesGroup && (version == "v1beta1" || version == "v1alpha1"):
				return form, version, true
			}
		}
	}
	return "", "", false
}

// zpage answers in the form that the caller accepts. Object is called with the
// head of a structured answer.
func zpage(w http.ResponseWriter, r *http.Request, kind string, text func() string, object func(head) any) {
	form, version, ok := negotiate(r.Header.Get("Accept"), kind)
	if !ok {
		refuse(w, http.StatusNotAcceptable, metav1.StatusReasonNotAcceptable,
			"only the following media types are accepted: "+strings.Join([]string{formJSON, formYAML, formText}, ", "))
		return
	}
	if form == formText {
		content(w, "text/plain; charset=utf-8", []byte(redacted(text())))
		return
	}
	if version == "v1alpha1" {
		w.Header().Set("Warning", fmt.Sprintf(`299 - "This version of the %s endpoint is deprecated. Please use a newer version."`, strings.ToLower(kind)))
	}
	h := head{Kind: kind, APIVersion: zpagesGroup + "/" + version}
	h.Metadata.Name = component
	encode := json.Marshal
	if form == formYAML {
		encode = func(v any) ([]byte, error) { return yaml.Marshal(v) }
	}
	body, err := encode(object(h))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	content(w, form, []byte(redacted(string(body))))
}

// head begins every structured answer.
type head struct {
	Kind       string `json:"kind"`
	APIVersion string `json:"apiVersion"`
	Metadata   struct {
		Name string `json:"name"`
	} `json:"metadata"`
}

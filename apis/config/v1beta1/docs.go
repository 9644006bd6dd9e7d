// SPDX-License-Identifier: Apache-2.0

package v1beta1

import (
	_ "embed"
	"encoding/json"
)

//go:generate go run ../../../hack/generate/docs . docs.json

//go:embed docs.json
var docs []byte

// Docs are the comments of this package's types and their fields, by "Type" and
// "Type.Field", with fields called as they are in a file.
func Docs() map[string]string {
	m := map[string]string{}
	if err := json.Unmarshal(docs, &m); err != nil {
		panic(err) // the generator writes JSON
	}
	return m
}

// SPDX-License-Identifier: Apache-2.0

package tags

import (
	"encoding/csv"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// setMap reads KEY=VALUE pairs. One pair on a line may have commas in key and
// value; several on a line are separated by commas and quoted as in CSV.
func setMap(v reflect.Value, text string) error {
	m := reflect.MakeMap(v.Type())
	for line := range strings.SplitSeq(text, "\n") {
		pairs, err := pairsOf(line)
		if err != nil {
			return err
		}
		for _, pair := range pairs {
			key, value, found := strings.Cut(pair, "=")
			if !found {
				return fmt.Errorf("%q is not KEY=VALUE", pair)
			}
			item := reflect.New(v.Type().Elem()).Elem()
			if err := SetText(item, value); err != nil {
				return err
			}
			m.SetMapIndex(reflect.ValueOf(key), item)
		}
	}
	v.Set(m)
	return nil
}

func pairsOf(line string) ([]string, error) {
	switch strings.Count(line, "=") {
	case 0:
		if line == "" {
			return nil, nil
		}
		return nil, fmt.Errorf("%q is not KEY=VALUE", line)
	case 1:
		return []string{strings.Trim(line, `"`)}, nil
	}
	pairs, err := csv.NewReader(strings.NewReader(line)).Read()
	if err != nil {
		return nil, fmt.Errorf("%q is not a list of KEY=VALUE: %w", line, err)
	}
	return pairs, nil
}

func mapText(v reflect.Value) string {
	var lines []string
	for iter := v.MapRange(); iter.Next(); {
		lines = append(lines, fmt.Sprint(iter.Key())+"="+Text(iter.Value()))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// SPDX-License-Identifier: Apache-2.0

package differential

import (
	"fmt"

	"github.com/google/cel-go/cel"
)

// condition is a compiled CEL expression.
type condition struct {
	text    string
	program cel.Program
}

func compile(text string) (*condition, error) {
	env, err := cel.NewEnv(cel.Variable("self", cel.DynType), cel.Variable("items", cel.ListType(cel.DynType)), cel.CrossTypeNumericComparisons(true))
	if err != nil {
		return nil, err
	}
	ast, issues := env.Compile(text)
	if issues.Err() != nil {
		return nil, fmt.Errorf("condition %q: %w", text, issues.Err())
	}
	program, err := env.Program(ast)
	if err != nil {
		return nil, fmt.Errorf("condition %q: %w", text, err)
	}
	return &condition{text: text, program: program}, nil
}

// holds evaluates it. A field that is missing is an error, with the field's name.
func (c *condition) holds(self map[string]any, items []map[string]any) error {
	list := make([]any, len(items))
	for i := range items {
		list[i] = items[i]
	}
	out, _, err := c.program.Eval(map[string]any{"self": self, "items": list})
	if err != nil {
		return fmt.Errorf("%s: %w", c.text, err)
	}
	if out.Value() != true {
		return fmt.Errorf("%s: not so", c.text)
	}
	return nil
}

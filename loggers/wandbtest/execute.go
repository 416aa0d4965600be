package wandbtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// object is what a query selects fields of. A value may be a resolver. Its type is
// under "__typename".
type object map[string]any

// resolver is a field with arguments.
type resolver struct {
	args    []string // that the field has
	resolve func(args arguments) (any, error)
}

type arguments map[string]any

// text returns an argument that is a string; it is empty if null.
func (a arguments) text(name string) string {
	switch v := a[name].(type) {
	case string:
		return v
	case enum:
		return string(v)
	}
	return ""
}

func (a arguments) object(name string) arguments {
	m, _ := a[name].(map[string]any)
	return m
}

// trouble is an error of the server with its status.
type trouble struct {
	status  int
	message string
	path    string
	code    string
}

func (t *trouble) Error() string { return t.message }

func badRequest(format string, args ...any) *trouble {
	return &trouble{status: http.StatusBadRequest, message: fmt.Sprintf(format, args...)}
}

// execution answers one operation.
type execution struct {
	document  document
	variables map[string]any
}

// execute runs the operation that is named, or the only one, from a root.
func execute(query, name string, variables map[string]any, root object) (object, error) {
	d, err := parse(query)
	if err != nil {
		return nil, badRequest("%s", err)
	}
	at := slices.IndexFunc(d.operations, func(o operation) bool { return o.name == name })
	if name == "" && len(d.operations) == 1 {
		at = 0
	}
	if at < 0 {
		return nil, badRequest("Unknown operation named %q.", name)
	}
	o := d.operations[at]
	x := execution{d, map[string]any{}}
	for _, v := range o.variables {
		value, given := variables[v.name]
		if !given && v.given {
			value = v.fallback
		}
		if err := suits(v.kind, value); err != nil {
			return nil, badRequest("Variable \"$%s\" got invalid value: %s", v.name, err)
		}
		x.variables[v.name] = value
	}
	return x.selection(o.selection, root)
}

// suits says whether a value is of a type.
func suits(kind string, value any) error {
	inner, needed := strings.CutSuffix(kind, "!")
	if value == nil {
		if needed {
			return fmt.Errorf("Expected non-nullable type %s not to be null.", kind) //nolint:staticcheck // the words of a server
		}
		return nil
	}
	ok := true
	switch inner {
	case "String", "ID", "JSONString":
		_, ok = value.(string)
	case "Int", "Int64", "Float", "Duration":
		_, ok = value.(float64)
	case "Boolean":
		_, ok = value.(bool)
	}
	if of, isList := strings.CutPrefix(inner, "["); isList {
		var list []any
		if list, ok = value.([]any); ok {
			for _, item := range list {
				if err := suits(strings.TrimSuffix(of, "]"), item); err != nil {
					return err
				}
			}
		}
	}
	if !ok {
		return fmt.Errorf("%s cannot represent %.100v", inner, value)
	}
	return nil
}

func (x execution) selection(fields []selected, from object) (object, error) {
	out := object{}
	kind, _ := from["__typename"].(string)
	for _, f := range fields {
		skip, err := x.skipped(f)
		if err != nil {
			return nil, err
		}
		if skip {
			continue
		}
		if f.name == "" {
			err = x.fragment(f, from, kind, out)
		} else {
			out[f.alias], err = x.field(f, from, kind)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (x execution) skipped(f selected) (bool, error) {
	for _, d := range f.directives {
		v, err := x.value(d.args["if"])
		if err != nil {
			return false, err
		}
		if (d.name == "include") != (v == true) {
			return true, nil
		}
	}
	return false, nil
}

func (x execution) fragment(f selected, from object, kind string, out object) error {
	part := fragment{f.on, f.selection}
	if f.spread != "" {
		var known bool
		if part, known = x.document.fragments[f.spread]; !known {
			return badRequest("Unknown fragment %q.", f.spread)
		}
	}
	if part.on != "" && part.on != kind && !slices.Contains(interfaces[kind], part.on) {
		return nil
	}
	more, err := x.selection(part.selection, from)
	for name, value := range more {
		out[name] = value
	}
	return err
}

// interfaces are the types that a type also is.
var interfaces = map[string][]string{"ArtifactSequence": {"ArtifactCollection"}}

func (x execution) field(f selected, from object, kind string) (any, error) {
	value, known := from[f.name]
	if !known {
		return nil, badRequest("Cannot query field %q on type %q.", f.name, kind)
	}
	args := arguments{}
	for name, v := range f.args {
		got, err := x.value(v)
		if err != nil {
			return nil, err
		}
		args[name] = got
	}
	r, resolves := value.(resolver)
	for name := range args {
		if !resolves || !slices.Contains(r.args, name) {
			return nil, badRequest("Unknown argument %q on field %q of type %q.", name, f.name, kind)
		}
	}
	if resolves {
		var err error
		if value, err = r.resolve(args); err != nil {
			return nil, err
		}
	}
	return x.complete(f, value)
}

// complete selects from what a field holds.
func (x execution) complete(f selected, value any) (any, error) {
	switch v := value.(type) {
	case object:
		if v == nil {
			return nil, nil
		}
		if len(f.selection) == 0 {
			return nil, badRequest("Field %q of type %q must have a selection of subfields.", f.name, v["__typename"])
		}
		return x.selection(f.selection, v)
	case []object:
		list := make([]any, len(v))
		for i := range v {
			var err error
			if list[i], err = x.complete(f, v[i]); err != nil {
				return nil, err
			}
		}
		return list, nil
	case nil:
		return nil, nil
	}
	if len(f.selection) > 0 {
		return nil, badRequest("Field %q must not have a selection since it has no subfields.", f.name)
	}
	return value, nil
}

// value puts variables in their places.
func (x execution) value(v any) (any, error) {
	switch v := v.(type) {
	case reference:
		value, known := x.variables[string(v)]
		if !known {
			return nil, badRequest("Variable \"$%s\" is not defined.", v)
		}
		return value, nil
	case map[string]any:
		out := map[string]any{}
		for name, part := range v {
			value, err := x.value(part)
			if err != nil {
				return nil, err
			}
			out[name] = value
		}
		return out, nil
	case []any:
		out := make([]any, len(v))
		for i, part := range v {
			value, err := x.value(part)
			if err != nil {
				return nil, err
			}
			out[i] = value
		}
		return out, nil
	}
	return v, nil
}

// inputOf returns the argument "input" of a mutation after looking for fields that
// its type does not have, and for those that it must have.
func inputOf(kind string, args arguments) (arguments, error) {
	input, fields := args.object("input"), inputTypes[kind]
	for name := range input {
		if !slices.Contains(fields, name) && !slices.Contains(fields, name+"!") {
			return nil, badRequest("Field %q is not defined by type %q.", name, kind)
		}
	}
	for _, f := range fields {
		if name, needed := strings.CutSuffix(f, "!"); needed && input[name] == nil {
			return nil, badRequest("Field %q of required type was not provided for %q.", name, kind)
		}
	}
	return input, nil
}

// isJSON says whether a JSONString holds an object.
func isJSON(text string) bool {
	return json.Unmarshal([]byte(extended(text)), &struct{}{}) == nil && strings.TrimSpace(text) != "null"
}

package fingerprint

import (
	"fmt"
	"reflect"

	"github.com/actually-robust-training/art/train"
)

// Held is data that a step holds itself, beside that of the recipe.
type Held struct {
	// Where it is: "Source", "Variants[1].Training".
	Where string
	train.Data
}

// HeldBy finds the data and the sources in the exported fields of a step, in
// order. A nil source, and data without training rows, is left out.
func HeldBy(step any) []Held {
	var found []Held
	holders(reflect.ValueOf(step), "", &found, 0)
	return found
}

// deep ends the search in values that hold themselves.
const deep = 8

func holders(v reflect.Value, where string, found *[]Held, depth int) {
	if !v.IsValid() || depth > deep || !v.CanInterface() {
		return
	}
	switch x := v.Interface().(type) {
	case train.Data:
		if x.Training != nil {
			*found = append(*found, Held{where, x})
		}
		return
	case train.Source:
		if x != nil {
			*found = append(*found, Held{where, train.Data{Name: where, Training: x}})
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		holders(v.Elem(), where, found, depth+1)
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			holders(v.Index(i), fmt.Sprintf("%s[%d]", where, i), found, depth+1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			name := f.Name
			if where != "" {
				name = where + "." + name
			}
			holders(v.Field(i), name, found, depth+1)
		}
	}
}

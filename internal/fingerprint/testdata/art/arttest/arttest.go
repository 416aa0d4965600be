// Package arttest stands for the real one in tests of fingerprints: it prints
// what each step's fingerprint is made of.
package arttest

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/actually-robust-training/art/internal/fingerprint"
	"github.com/actually-robust-training/art/train"
)

type Check struct {
	Name  string
	Judge func() bool
}

type Recipe struct {
	Name       string
	Data       train.Data
	Seed       uint64
	Decorators []train.Decorator
}

type R struct {
	t      *testing.T
	recipe Recipe
	reader *fingerprint.Reader
	call   fingerprint.Call
	done   []fingerprint.Ingredient
}

type Stepper interface {
	Name() string
	Settings() map[string]string
	Network() *train.Model
}

func New(t *testing.T, recipe Recipe) *R {
	reader, err := fingerprint.NewReader()
	if err != nil {
		t.Fatal(err)
	}
	return &R{t: t, recipe: recipe, reader: reader, call: fingerprint.Caller(0)}
}

// Step prints the fingerprint of a step. Checks are left out: they judge what is
// recorded and train nothing.
func Step(r *R, s Stepper, checks ...Check) {
	var p fingerprint.Print
	p.Add(r.done...)
	p.Add(fingerprint.Settings(s.Name(), s.Settings())...)
	p.Add(fingerprint.Seed(r.recipe.Seed))
	add := func(in []fingerprint.Ingredient, err error) {
		if err != nil {
			r.t.Fatal(err)
		}
		p.Add(in...)
	}
	add(r.reader.Engine())
	add(fingerprint.Data(context.Background(), "data", r.recipe.Data, r.recipe.Seed))
	if m := s.Network(); m != nil {
		l, err := m.Build(r.recipe.Data, r.recipe.Data.Training, r.recipe.Seed)
		if err != nil {
			r.t.Fatal(err)
		}
		p.Add(fingerprint.Structure(m.Name, l))
	}
	add(r.reader.Code([]fingerprint.Site{
		{Call: r.call, First: 1, Last: -1},
		{Call: fingerprint.Caller(0), First: 1, Last: 1},
	}, s, r.recipe.Decorators))
	text, err := json.Marshal(p)
	if err != nil {
		r.t.Fatal(err)
	}
	fmt.Printf("PRINT %s %s\n", s.Name(), text)
	r.done = append(r.done, fingerprint.Upstream(s.Name(), p.Sum()))
}

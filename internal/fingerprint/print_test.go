package fingerprint_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/internal/fingerprint"
	"github.com/actually-robust-training/art/train"
)

func TestPrint(t *testing.T) {
	var p fingerprint.Print
	p.Add(fingerprint.Settings("overfit", map[string]string{"epochs": "60", "model": "mlp"})...)
	p.Add(fingerprint.Seed(1), fingerprint.Upstream("explore", "0123456789abcdef"))
	assert.Len(t, p.Sum(), 64)
	assert.Equal(t, p.Sum()[:12], p.Short())

	turned := fingerprint.Print{Ingredients: slices.Clone(p.Ingredients)}
	slices.Reverse(turned.Ingredients)
	assert.Equal(t, p.Sum(), turned.Sum(), "order")
	assert.Empty(t, fingerprint.Diff(p, turned))

	moved := fingerprint.Print{Ingredients: slices.Clone(p.Ingredients)}
	moved.Ingredients[0].Shown = "elsewhere"
	assert.Equal(t, p.Sum(), moved.Sum(), "what is shown does not count")

	text, err := json.Marshal(p)
	require.NoError(t, err)
	var back fingerprint.Print
	require.NoError(t, json.Unmarshal(text, &back))
	assert.Empty(t, cmp.Diff(p, back))
	for i := range p.Ingredients {
		less := fingerprint.Print{Ingredients: slices.Delete(slices.Clone(p.Ingredients), i, i+1)}
		assert.NotEqual(t, p.Sum(), less.Sum())
		assert.Len(t, fingerprint.Diff(p, less), 1)
	}
}

func TestDiff(t *testing.T) {
	in := func(name, digest, shown string) fingerprint.Ingredient {
		return fingerprint.Ingredient{Name: name, Digest: digest, Shown: shown}
	}
	old := fingerprint.Print{Ingredients: []fingerprint.Ingredient{
		in("code models.Build", "1", "model.go:14"), in("code models.head", "1", "model.go:20"), in("seed", "1", "1"),
		in("setting epochs", "1", "60"), in("setting dropout", "1", "0.1"), in("data training", "1", "iris, 120 rows"),
		in("twice", "1", "a"), in("twice", "2", "b"), in("part", "1", "x"),
	}}
	new := fingerprint.Print{Ingredients: []fingerprint.Ingredient{
		in("code models.Build", "2", "model.go:15"), in("code models.tail", "1", "tail.go:3"), in("seed", "1", "1"),
		in("setting epochs", "2", "80"), in("setting decay", "1", "0.01"), in("data training", "2", "iris, 120 rows"),
		in("twice", "2", "a"), in("twice", "1", "b"), in("part", "1", "y"),
	}}
	var got []string
	for _, c := range fingerprint.Diff(old, new) {
		got = append(got, c.Text)
	}
	assert.Equal(t, []string{
		"models.Build changed (model.go:15)",
		"models.head is no longer used (it was in model.go:20)",
		"models.tail is used now (tail.go:3)",
		"data training changed (iris, 120 rows)",
		"setting decay is new: 0.01",
		"setting dropout is gone: it was 0.1",
		"setting epochs: 60 became 80",
	}, got)
}

// memory is data in memory, of which tests change one thing at a time.
type memory struct {
	rows    [][]float32
	targets []float32
	err     error
}

func (m *memory) source(p train.Pass) iter.Seq2[train.Batch, error] {
	return func(yield func(train.Batch, error) bool) {
		for i := 0; i < len(m.rows); i += p.BatchSize {
			n := min(p.BatchSize, len(m.rows)-i)
			b := train.Batch{Inputs: train.NewTensor(n, len(m.rows[0])), Targets: train.NewTensor(n)}
			for j := range n {
				copy(b.Inputs.Row(j), m.rows[i+j])
				b.Targets.Data[j] = m.targets[i+j]
			}
			if !yield(b, m.err) {
				return
			}
		}
	}
}

func TestData(t *testing.T) {
	make := func() (*memory, train.Data) {
		m := &memory{targets: make([]float32, 3000)}
		for i := range m.targets {
			m.rows = append(m.rows, []float32{float32(i), 1, 2})
		}
		return m, train.Data{Name: "m", Training: m.source, Validation: m.source, Classes: []string{"a", "b"}, Features: []string{"x", "y", "z"}, BatchSize: 32}
	}
	digest := func(d train.Data) string {
		in, err := fingerprint.Data(t.Context(), "data", d, 1)
		require.NoError(t, err)
		p := fingerprint.Print{Ingredients: in}
		return p.Sum()
	}
	m, base := make()
	want := digest(base)
	again := base
	again.Name, again.Sizes = "other name", map[string]int{"training": 3000}
	assert.Equal(t, want, digest(again))

	for name, change := range map[string]func(m *memory, d *train.Data){
		"one value in one row": func(m *memory, d *train.Data) { m.rows[2999][2] = 2.0000002 },
		"one target":           func(m *memory, d *train.Data) { m.targets[0] = 1 },
		"two rows swapped":     func(m *memory, d *train.Data) { m.rows[1], m.rows[2] = m.rows[2], m.rows[1] },
		"a row less":           func(m *memory, d *train.Data) { m.rows = m.rows[:2999] },
		"class name":           func(m *memory, d *train.Data) { d.Classes = []string{"a", "c"} },
		"classes joined":       func(m *memory, d *train.Data) { d.Classes = []string{"ab", ""} },
		"feature name":         func(m *memory, d *train.Data) { d.Features[0] = "q" },
		"no validation":        func(m *memory, d *train.Data) { d.Validation = nil },
		"stages swapped":       func(m *memory, d *train.Data) { d.Test, d.Validation = d.Validation, nil },
		"batch size":           func(m *memory, d *train.Data) { d.BatchSize = 16 },
		"tokens":               func(m *memory, d *train.Data) { d.Tokens = 5 },
		"digest":               func(m *memory, d *train.Data) { d.Digest = "x" },
	} {
		m, d := make()
		change(m, &d)
		assert.NotEqual(t, want, digest(d), name)
	}
	base.Digest = "known"
	known := digest(base)
	m.rows[0][0] = 7
	assert.Equal(t, known, digest(base), "a digest is believed, and nothing is read")
	base.Digest = "other"
	assert.NotEqual(t, known, digest(base))

	base.Digest, m.err = "", errors.New("disk on fire")
	_, err := fingerprint.Data(t.Context(), "data", base, 1)
	assert.EqualError(t, err, `fingerprint of the training data of "m": disk on fire`)
	m.err = nil
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = fingerprint.Data(ctx, "data", base, 1)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestHeldBy(t *testing.T) {
	m := &memory{}
	type variant struct {
		Name     string
		Training train.Source
	}
	step := struct {
		Source   train.Data
		Empty    train.Data
		Variants []variant
		Pointer  *train.Data
		Any      any
		hidden   train.Data
	}{
		Source:   train.Data{Name: "digits", Training: m.source},
		Variants: []variant{{Name: "a"}, {Name: "b", Training: m.source}},
		Any:      train.Data{Training: m.source},
		hidden:   train.Data{Training: m.source},
	}
	var where []string
	for _, h := range fingerprint.HeldBy(step) {
		where = append(where, h.Where)
		require.NotNil(t, h.Training)
	}
	assert.Equal(t, []string{"Source", "Variants[1].Training", "Any"}, where)
	assert.NotNil(t, step.hidden.Training)
	assert.Empty(t, fingerprint.HeldBy(nil))
}

// learner is a network that is only looked at.
type learner struct {
	train.Learner
	params []train.Param
}

func (l learner) Params() []train.Param { return l.params }

type described struct {
	learner
	text string
}

func (d described) Structure() string { return d.text }

func TestStructure(t *testing.T) {
	base := func() learner {
		return learner{params: []train.Param{
			{Name: "w", Shape: []int{2, 2}, Value: []float32{1, 2, 3, 4}, Grad: make([]float32, 4), Decays: true},
			{Name: "mean", Shape: []int{2}, Value: []float32{0, 0}},
		}}
	}
	want := fingerprint.Structure("m", base())
	assert.Equal(t, "structure of model m", want.Name)
	assert.Equal(t, "4 parameters", want.Shown)
	assert.Equal(t, want, fingerprint.Structure("m", base()))
	for name, change := range map[string]func(p []train.Param){
		"name":    func(p []train.Param) { p[0].Name = "v" },
		"shape":   func(p []train.Param) { p[0].Shape = []int{4, 1} },
		"value":   func(p []train.Param) { p[0].Value[3] = 5 },
		"frozen":  func(p []train.Param) { p[0].Frozen = true },
		"decay":   func(p []train.Param) { p[0].Decays = false },
		"trained": func(p []train.Param) { p[1].Grad = make([]float32, 2) },
	} {
		l := base()
		change(l.params)
		assert.NotEqual(t, want.Digest, fingerprint.Structure("m", l).Digest, name)
	}
	a, b := described{base(), "relu"}, described{base(), "tanh"}
	assert.NotEqual(t, fingerprint.Structure("m", a), fingerprint.Structure("m", b))
}

func TestEngine(t *testing.T) {
	r, err := fingerprint.NewReader()
	require.NoError(t, err)
	in, err := r.Engine()
	require.NoError(t, err)
	found := map[string]string{}
	for _, i := range in {
		found[i.Name] = i.Shown
	}
	assert.Equal(t, "v0.9.18", found["module gorgonia.org/gorgonia"])
	if found["test binary"] == "" { // it stands there when a file was edited since the build
		assert.Contains(t, found["module github.com/actually-robust-training/art"], "in development")
	}
	assert.NotContains(t, found, "module github.com/stretchr/testify")
	for _, name := range []string{"Go", "architecture", "build setting GOARCH"} {
		assert.NotEmpty(t, found[name], name)
	}
}

func ExampleDiff() {
	var before, after fingerprint.Print
	before.Add(fingerprint.Settings("overfit", map[string]string{"epochs": "60"})...)
	after.Add(fingerprint.Settings("overfit", map[string]string{"epochs": "80"})...)
	for _, c := range fingerprint.Diff(before, after) {
		fmt.Println(c.Text)
	}
	// Output: setting epochs: 60 became 80
}

package fingerprint_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/internal/fingerprint"
)

// What follows is looked at by TestFunctions, as source.

const gain = 3

func activation(x float64) float64 { return scaled(x) }

func scaled(x float64) float64 { return gain * x }

func generic[T any](v T) func() T { return func() T { return v } }

func maker(width int) func() int {
	wide := width * gain
	return func() int {
		return wide
	}
}

func useMaker() func() int { return maker(offset()) }

func offset() int { return 17 }

type layer struct{ width int }

func (l layer) Forward(x int) int { return x * l.width }

func (l *layer) Grow() { l.width = offset() }

var table = map[string]func(float64) float64{"a": func(x float64) float64 { return scaled(x) }, "b": math.Tanh}

type holder struct {
	Name   string
	hidden []any
	self   *holder
}

// codeOf lists the names of the code in the values, without package.
func codeOf(t *testing.T, values ...any) []string {
	t.Helper()
	r, err := fingerprint.NewReader()
	require.NoError(t, err)
	in, err := r.Code(nil, values...)
	require.NoError(t, err)
	names := []string{}
	for _, i := range in {
		require.NotEqual(t, "test binary", i.Name, i.Shown)
		if name, ok := strings.CutPrefix(i.Name, "code art/internal/fingerprint."); ok {
			names = append(names, name)
		}
	}
	return names
}

// TestFunctions finds what function values in values can reach.
func TestFunctions(t *testing.T) {
	leaf := func() func(float64) float64 {
		return func(x float64) float64 { return scaled(x) }
	}
	captured := offset()
	capturing := func() int { return captured }
	cyclic := &holder{Name: "x", hidden: []any{activation}}
	cyclic.self = cyclic
	reached := []string{"gain", "scaled"}
	tests := []struct {
		name  string
		value any
		want  []string
	}{
		{"nothing", 3, nil},
		{"function", activation, []string{"activation", "gain", "scaled"}},
		{"function of the standard library", math.Tanh, nil},
		{"function of the engine", fingerprint.Diff, nil},
		{"literal", func(x float64) float64 { return scaled(x) }, append(reached, "TestFunctions (part)")},
		{"literal that calls nothing", leaf, append(reached, "TestFunctions (part)")},
		{"literal in a literal", leaf(), append(reached, "TestFunctions (part)")},
		{"captured variable", capturing, []string{"offset", "TestFunctions (part)"}},
		{"captured parameter", useMaker(), []string{"gain", "maker", "offset", "useMaker (part)"}},
		{"in a variable", table, append(reached, "table")},
		{"unexported field, cycle", cyclic, []string{"activation", "gain", "holder", "scaled"}},
		{"type", layer{1}, []string{"(layer).Forward", "(layer).Grow", "layer", "offset"}},
		{"method value", layer{1}.Forward, []string{"(layer).Forward", "(layer).Grow", "layer", "offset"}},
		{"method expression", layer.Forward, []string{"(layer).Forward", "layer"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := codeOf(t, tt.value)
			for _, name := range tt.want {
				assert.Contains(t, got, name)
			}
			if tt.want == nil {
				assert.Empty(t, got)
			}
		})
	}
	assert.Contains(t, codeOf(t, generic("x")), "generic")
	assert.Equal(t, []string{"activation", "gain", "scaled"}, codeOf(t, activation), "no more than is reached")
}

// valueDigest is what the plain data in a value hashes to.
func valueDigest(t *testing.T, v any) string {
	t.Helper()
	r, err := fingerprint.NewReader()
	require.NoError(t, err)
	in, err := r.Code(nil, v)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(in[0].Name, "fields of "))
	return in[0].Digest
}

func TestValues(t *testing.T) {
	type inner struct {
		A int
		b []float64
		m map[string]any
		p *int
		f func(float64) float64
	}
	one, two := 1, 1
	base := func() inner {
		return inner{A: 1, b: []float64{1, math.NaN()}, m: map[string]any{"x": 1, "y": "z", "w": []int{1}}, p: &one, f: math.Tanh}
	}
	same := base()
	same.p = &two // another pointer to an equal value
	assert.Equal(t, valueDigest(t, base()), valueDigest(t, same))
	for range 20 {
		assert.Equal(t, valueDigest(t, base()), valueDigest(t, base()), "order of a map")
	}
	three := 3
	for name, change := range map[string]func(*inner){
		"number":           func(i *inner) { i.A = 2 },
		"hidden element":   func(i *inner) { i.b[1] = 2 },
		"order":            func(i *inner) { i.b[0], i.b[1] = i.b[1], i.b[0] },
		"length":           func(i *inner) { i.b = i.b[:1] },
		"nil":              func(i *inner) { i.b = nil },
		"negative zero":    func(i *inner) { i.b[0] = math.Copysign(0, -1) },
		"map value":        func(i *inner) { i.m["x"] = 2 },
		"map key":          func(i *inner) { delete(i.m, "x"); i.m["q"] = 1 },
		"type in a map":    func(i *inner) { i.m["x"] = int64(1) },
		"nested in a map":  func(i *inner) { i.m["w"].([]int)[0] = 2 },
		"pointer's target": func(i *inner) { i.p = &three },
		"nil pointer":      func(i *inner) { i.p = nil },
		"function":         func(i *inner) { i.f = math.Sin },
		"nil function":     func(i *inner) { i.f = nil },
	} {
		v := base()
		change(&v)
		assert.NotEqual(t, valueDigest(t, base()), valueDigest(t, v), name)
	}
	assert.Equal(t, valueDigest(t, t), valueDigest(t, &testing.T{}), "the state of the test does not count")
}

// TestOrder: what a reader found before does not count.
func TestOrder(t *testing.T) {
	values := []any{activation, useMaker(), table, layer{1}, layer{2}.Forward, generic(1), func() int { return offset() }}
	sums := func(order []int, fresh bool) []string {
		r, err := fingerprint.NewReader()
		require.NoError(t, err)
		found := make([]string, len(values))
		for _, i := range order {
			if fresh {
				r, err = fingerprint.NewReader()
				require.NoError(t, err)
			}
			in, err := r.Code(nil, values[i])
			require.NoError(t, err)
			p := fingerprint.Print{Ingredients: in}
			found[i] = p.Sum()
		}
		return found
	}
	want := sums([]int{0, 1, 2, 3, 4, 5, 6}, true)
	for seed := range uint64(5) {
		assert.Equal(t, want, sums(rand.New(rand.NewPCG(seed, 1)).Perm(len(values)), false))
	}
}

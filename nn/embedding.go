package nn

import (
	"fmt"
	"slices"

	"github.com/actually-robust-training/art/internal/kernel"
	"github.com/actually-robust-training/art/train"
)

// Embedding looks up a vector for each id: rows [positions] become [positions,
// features]. The weight is [vocabulary, features].
type Embedding struct {
	// Vocabulary is the number of ids, which are 0 to Vocabulary-1.
	Vocabulary int
	// Features is the length of a vector.
	Features int
	// Init of the weight. Default normal with deviation 1, as in PyTorch.
	Init Init
}

// Embedding appends an embedding of ids.
func (x Node) Embedding(name string, vocabulary, features int) Node {
	return x.Apply(name, Embedding{Vocabulary: vocabulary, Features: features})
}

// Build implements Layer.
func (e Embedding) Build(x Node) Node {
	if x.inert() {
		return x
	}
	in := x.shape()
	switch {
	case e.Vocabulary < 1 || e.Features < 1:
		return x.wrong("embedding", "a vocabulary and features of at least 1", fmt.Sprintf("a vocabulary of %d and %d features", e.Vocabulary, e.Features), "set both")
	case x.id != 0:
		return x.wrong("embedding", "ids, as they are in the input", "the output of another layer", "use it first in the network")
	case len(in) > 1:
		return x.wrong("embedding", "rows [positions] of ids", fmt.Sprintf("rows of shape %v", in), "use rows of one axis")
	}
	op32 := &embedding[float32]{vocabulary: e.Vocabulary, features: e.Features, positions: train.Size(in)}
	op64 := &embedding[float64]{vocabulary: e.Vocabulary, features: e.Features, positions: train.Size(in)}
	return x.add(&layer{
		kind: "embedding", shape: append(slices.Clone(in), e.Features), discrete: true,
		params: []paramSpec{{suffix: "weight", shape: []int{e.Vocabulary, e.Features}, init: orInit(e.Init, Normal(0, 1)), decays: true}},
		ops:    opPair{op32, op64},
	})
}

type embedding[F kernel.Float] struct {
	vocabulary, features, positions int
	ids                             []int
}

func (e *embedding[F]) forward(p *pass[F], a *args[F]) {
	x, w, y := a.in[0].data, a.in[1].data, a.out.resize(p.rows)
	e.ids = grow(e.ids, len(x))
	for i, v := range x {
		id := int(v)
		if id < 0 || id >= e.vocabulary || F(id) != v {
			remedy := ""
			if F(id) != v {
				remedy = "; they look normalised: a data set whose Tokens is set keeps its ids"
			}
			panic(mistake(fmt.Sprintf("row %d, position %d has the id %v, but the vocabulary has %d: ids are 0 to %d%s",
				i/e.positions, i%e.positions, v, e.vocabulary, e.vocabulary-1, remedy)))
		}
		e.ids[i] = id
	}
	d := e.features
	for i, id := range e.ids {
		copy(y[i*d:(i+1)*d], w[id*d:])
	}
}

func (e *embedding[F]) backward(_ *pass[F], a *args[F]) {
	dw, dy, d := a.din[1].data, a.dout.data, e.features
	clear(dw)
	for i, id := range e.ids {
		row := dw[id*d : (id+1)*d]
		for k, v := range dy[i*d : (i+1)*d] {
			row[k] += v
		}
	}
}

// Positions adds a vector of its own to each position of a sequence [positions,
// features], as without it attention cannot tell their order.
type Positions struct {
	// Init of the weight [positions, features]. Default normal with deviation
	// 0.02 (Radford et al. 2018).
	Init Init
}

// Positions appends learned positions.
func (x Node) Positions(name string) Node { return x.Apply(name, Positions{}) }

// Build implements Layer.
func (l Positions) Build(x Node) Node {
	if x.inert() {
		return x
	}
	in := x.shape()
	if len(in) != 2 {
		return x.wrong("positions", "sequences [positions, features]", fmt.Sprintf("rows of shape %v", in), "use it after an Embedding")
	}
	return x.add(&layer{
		kind: "positions", shape: x.Shape(), flops: train.Size(in),
		params: []paramSpec{{suffix: "weight", shape: slices.Clone(in), init: orInit(l.Init, Normal(0, 0.02))}},
		ops:    opPair{positions[float32]{}, positions[float64]{}},
	})
}

type positions[F kernel.Float] struct{}

func (positions[F]) forward(p *pass[F], a *args[F]) {
	w := a.in[1].data
	kernel.AddRow(a.out.resize(p.rows), a.in[0].data, w, p.rows, len(w))
}

func (positions[F]) backward(p *pass[F], a *args[F]) {
	if a.din[0] != nil {
		a.din[0].data = a.dout.data
	}
	if dw := a.din[1]; dw != nil {
		kernel.ColSums(&p.ws, dw.data, a.dout.data, p.rows, len(dw.data))
	}
}

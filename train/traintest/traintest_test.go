package traintest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/actually-robust-training/art/train"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLearners(t *testing.T) {
	regression := MLP(5)
	regression.Loss = train.Loss{Kind: train.MSE}
	decayed := MLP(5)
	decayed.Optimizer.WeightDecay = 0.1
	for name, c := range map[string]Case{
		"parabola":       {Model: Parabola(1, -2, 3), Data: Plane(1, 40, 0.1, 1, 2, 3)},
		"classifier":     {Model: MLP(6), Data: Blobs(1, 60, 3)},
		"regression":     {Model: regression, Data: Plane(2, 40, 0.1, 1, 2, -3, 0.5)},
		"weight-decay":   {Model: decayed, Data: Blobs(2, 30, 2), BatchSize: 16, Seed: 9},
		"few-iterations": {Model: MLP(3), Data: Blobs(2, 30, 4), Iterations: 1},
	} {
		t.Run(name, func(t *testing.T) { TestLearner(t, c) })
	}
}

// broken is a learner that breaks one promise.
type broken struct {
	*mlp
	forward func(*mlp, train.Batch, int) (float64, error)
	update  func(*mlp, float64) error
	predict func(*mlp, train.Batch) (train.Prediction, error)
	params  func(*mlp) []train.Param
	freeze  func(*mlp, func(string) bool) error
	pull    func(*mlp, train.Batch, train.Tensor, string) (train.Tensor, error)
	state   func(*mlp) []train.Named
	tensors []string
}

func (l *broken) Forward(b train.Batch, i int) (float64, error) {
	if l.forward != nil {
		return l.forward(l.mlp, b, i)
	}
	return l.mlp.Forward(b, i)
}

func (l *broken) Update(rate float64) error {
	if l.update != nil {
		return l.update(l.mlp, rate)
	}
	return l.mlp.Update(rate)
}

func (l *broken) Predict(b train.Batch) (train.Prediction, error) {
	if l.predict != nil {
		return l.predict(l.mlp, b)
	}
	return l.mlp.Predict(b)
}

func (l *broken) Params() []train.Param {
	if l.params != nil {
		return l.params(l.mlp)
	}
	return l.mlp.Params()
}

func (l *broken) Freeze(frozen func(string) bool) error {
	if l.freeze != nil {
		return l.freeze(l.mlp, frozen)
	}
	return l.mlp.Freeze(frozen)
}

func (l *broken) Pullback(b train.Batch, c train.Tensor, name string) (train.Tensor, error) {
	if l.pull != nil {
		return l.pull(l.mlp, b, c, name)
	}
	return l.mlp.Pullback(b, c, name)
}

func (l *broken) State() []train.Named {
	if l.state != nil {
		return l.state(l.mlp)
	}
	return l.mlp.State()
}

func (l *broken) Tensors() []string {
	if l.tensors != nil {
		return l.tensors
	}
	return l.mlp.Tensors()
}

// TestBrokenLearners proves that each promise can be broken: a suite that
// passes everything would prove nothing.
func TestBrokenLearners(t *testing.T) {
	calls := 0 // state shared by all learners: what a global random source is
	tested := map[string]bool{}
	for _, c := range []struct {
		name    string
		promise string
		broken  broken
	}{
		{"duplicate names", "params-are-well-formed", broken{params: func(m *mlp) []train.Param {
			p := m.Params()
			p[1].Name = p[0].Name
			return p
		}}},
		{"shape does not fit", "params-are-well-formed", broken{params: func(m *mlp) []train.Param {
			p := m.Params()
			p[0].Shape = []int{3}
			return p
		}}},
		{"no gradients", "params-are-well-formed", broken{params: func(m *mlp) []train.Param {
			p := m.Params()
			for i := range p {
				p[i].Grad = nil
			}
			return p
		}}},
		{"global randomness", "same-seed-same-bits", broken{forward: func(m *mlp, b train.Batch, i int) (float64, error) {
			calls++
			m.layers[0].weight[0] += float32(calls) * 1e-3
			return m.Forward(b, i)
		}}},
		{"global randomness", "interleaved-same-bits", broken{forward: func(m *mlp, b train.Batch, i int) (float64, error) {
			calls++
			m.layers[0].weight[0] += float32(calls) * 1e-3
			return m.Forward(b, i)
		}}},
		{"global randomness", "processors-same-bits", broken{forward: func(m *mlp, b train.Batch, i int) (float64, error) {
			calls++
			m.layers[0].weight[0] += float32(calls) * 1e-3
			return m.Forward(b, i)
		}}},
		{"predict trains", "predict-changes-nothing", broken{predict: func(m *mlp, b train.Batch) (train.Prediction, error) {
			m.layers[1].bias[0] += 0.01
			return m.Predict(b)
		}}},
		{"predict writes gradients", "predict-changes-nothing", broken{predict: func(m *mlp, b train.Batch) (train.Prediction, error) {
			m.layers[1].dBias[0] = 0
			return m.Predict(b)
		}}},
		{"dropout from a counter", "forward-repeats", broken{forward: func(m *mlp, b train.Batch, i int) (float64, error) {
			calls++
			loss, err := m.Forward(b, i)
			return loss + float64(calls), err
		}}},
		{"gradients pile up", "forwards-replace", broken{forward: func(m *mlp, b train.Batch, i int) (float64, error) {
			old := slices.Clone(m.layers[0].dWeight)
			loss, err := m.Forward(b, i)
			for k, v := range old {
				m.layers[0].dWeight[k] += v
			}
			return loss, err
		}}},
		{"writes to the batch", "batches-stay-as-they-are", broken{forward: func(m *mlp, b train.Batch, i int) (float64, error) {
			loss, err := m.Forward(b, i)
			b.Inputs.Data[0] *= 2
			return loss, err
		}}},
		{"gradient of another loss", "gradients-fit-the-loss", broken{forward: func(m *mlp, b train.Batch, i int) (float64, error) {
			loss, err := m.Forward(b, i)
			return loss * 1.1, err
		}}},
		{"gradient of one layer missing", "gradients-fit-the-loss", broken{forward: func(m *mlp, b train.Batch, i int) (float64, error) {
			loss, err := m.Forward(b, i)
			clear(m.layers[0].dWeight[:6])
			return loss, err
		}}},
		{"uphill", "update-goes-downhill", broken{update: func(m *mlp, rate float64) error { return m.Update(-rate) }}},
		{"moves at rate 0", "learning-rate-0-changes-nothing", broken{update: func(m *mlp, rate float64) error { return m.Update(rate + 1e-3) }}},
		{"refuses one row", "any-number-of-rows", broken{forward: func(m *mlp, b train.Batch, i int) (float64, error) {
			if b.Len() == 1 {
				return 0, errors.New("one row has no variance")
			}
			return m.Forward(b, i)
		}}},
		{"unbiased variance of one row", "any-number-of-rows", broken{forward: func(m *mlp, b train.Batch, i int) (float64, error) {
			loss, err := m.Forward(b, i)
			if b.Len() == 1 {
				m.layers[0].bias[0] = float32(math.NaN())
			}
			return loss, err
		}}},
		{"loss summed", "whole-set-in-any-batches", broken{predict: func(m *mlp, b train.Batch) (train.Prediction, error) {
			p, err := m.Predict(b)
			p.Loss *= float64(b.Len())
			return p, err
		}}},
		{"rows see each other", "whole-set-in-any-batches", broken{predict: func(m *mlp, b train.Batch) (train.Prediction, error) {
			p, err := m.Predict(b)
			p.Outputs.Data[0] += float32(b.Len())
			return p, err
		}}},
		{"a weight that is not listed", "params-are-the-network", broken{params: func(m *mlp) []train.Param { return m.Params()[1:] }}},
		{"probabilities do not sum to 1", "predictions-are-well-formed", broken{predict: func(m *mlp, b train.Batch) (train.Prediction, error) {
			p, err := m.Predict(b)
			if err == nil {
				p.Probabilities.Data[0] /= 2
			}
			return p, err
		}}},
		{"logits for probabilities", "predictions-are-well-formed", broken{predict: func(m *mlp, b train.Batch) (train.Prediction, error) {
			p, err := m.Predict(b)
			p.Probabilities = p.Outputs
			return p, err
		}}},
		{"panics on a wrong shape", "wrong-batches-are-errors", broken{forward: func(m *mlp, b train.Batch, i int) (float64, error) {
			m.init.Example = b
			return m.Forward(b, i)
		}}},
		{"error without shapes", "wrong-batches-are-errors", broken{forward: func(m *mlp, b train.Batch, i int) (float64, error) {
			loss, err := m.Forward(b, i)
			if err != nil {
				err = errors.New("wrong shape")
			}
			return loss, err
		}}},
		{"frozen in name only", "frozen-params-stay", broken{freeze: func(m *mlp, frozen func(string) bool) error { return nil }}},
		{"weight decay on frozen", "frozen-params-stay", broken{update: func(m *mlp, rate float64) error {
			m.layers[0].weight[0] *= 0.999
			return m.Update(rate)
		}}},
		{"never thaws", "frozen-params-stay", broken{freeze: func(m *mlp, frozen func(string) bool) error {
			was := m.layers[0].frozenB
			err := m.Freeze(frozen)
			m.layers[0].frozenB = m.layers[0].frozenB || was
			return err
		}}},
		{"state is no copy", "state-round-trip", broken{state: func(m *mlp) []train.Named {
			s := m.State()
			s[0].Data = m.layers[0].vWeight
			return s
		}}},
		{"state is incomplete", "state-round-trip", broken{state: func(m *mlp) []train.Named {
			s := m.State()
			clear(s[2].Data)
			return s
		}}},
		{"tensors in another order", "tensors-inside", broken{tensors: []string{"hidden", "input", "output"}}},
		{"tensor that cannot be read", "tensors-inside", broken{tensors: []string{"input", "conv1", "output"}}},
		{"pullback to what enters tanh", "pullback", broken{pull: func(m *mlp, b train.Batch, c train.Tensor, name string) (train.Tensor, error) {
			r, err := m.Pullback(b, c, name)
			if name == "input" && err == nil {
				r.Data[0] = 0
				r.Data[1] *= 2
			}
			return r, err
		}}},
	} {
		t.Run(c.promise+"/"+c.name, func(t *testing.T) {
			model := MLP(6)
			model.New = func(init train.Init) (train.Learner, error) {
				l, err := newMLP(6, init)
				b := c.broken
				b.mlp, _ = l.(*mlp)
				return &b, err
			}
			s, err := Case{Model: model, Data: Blobs(1, 60, 3)}.prepare()
			require.NoError(t, err)
			tested[c.promise] = true
			i := slices.IndexFunc(promises, func(p promise) bool { return p.name == c.promise })
			require.GreaterOrEqual(t, i, 0)
			err = promises[i].check(s)
			require.Error(t, err)
			require.NotErrorIs(t, err, errNotApplicable)
			t.Log(err)
		})
	}
	if len(tested) > 1 { // not cut down by -run
		for _, p := range promises {
			assert.True(t, tested[p.name], "no learner breaks the promise %s", p.name)
		}
	}
}

func TestParabolaHasItsClosedForm(t *testing.T) {
	d := Plane(1, 20, 0, 0, 1)
	l, err := Parabola(2, -4).Build(d, d.Training, 1)
	require.NoError(t, err)
	loop := train.Loop{Learner: l, Source: d.Training, Optimizer: train.SGD(0.25, 0), Iterations: 10, Pass: train.Pass{BatchSize: 3}}
	_, err = loop.Run(context.Background())
	require.NoError(t, err)
	share := 1 - math.Pow(0.75, 10)
	assert.InDelta(t, 2*share, l.Params()[0].Value[0], 1e-6)
	assert.InDelta(t, -4*share, l.Params()[0].Value[1], 1e-6)
}

func TestMLPLearnsBlobs(t *testing.T) {
	d := Blobs(3, 90, 3)
	l, err := MLP(8).Build(d, d.Training, 1)
	require.NoError(t, err)
	loop := train.Loop{Learner: l, Source: d.Training, Pass: train.Pass{Seed: 1, Shuffle: true, BatchSize: 10}, Optimizer: train.SGD(0.1, 0.9), Epochs: 10}
	_, err = loop.Run(context.Background())
	require.NoError(t, err)
	scores, err := train.Evaluate(context.Background(), l, d.Validation, train.Pass{}, d.Classes)
	require.NoError(t, err)
	assert.Less(t, scores[0].Value, 0.05)
}

func TestBugs(t *testing.T) {
	d := Blobs(3, 30, 3)
	run := func(m train.Model) (train.Learner, train.Result, error) {
		l, err := m.Build(d, d.Training, 1)
		require.NoError(t, err)
		result, err := (&train.Loop{Learner: l, Source: d.Training, Pass: train.Pass{BatchSize: 10}, Optimizer: m.Optimizer, Iterations: 6}).Run(context.Background())
		return l, result, err
	}
	t.Run("stuck", func(t *testing.T) {
		m := Stuck(MLP(4), func(p string) bool { return p == "fc1/weight" })
		fresh, err := m.Build(d, d.Training, 1)
		require.NoError(t, err)
		l, _, err := run(m)
		require.NoError(t, err)
		for i, p := range l.Params() {
			assert.Equal(t, p.Name == "fc1/weight", slices.Equal(p.Value, fresh.Params()[i].Value), p.Name)
		}
	})
	t.Run("panic", func(t *testing.T) {
		_, result, err := run(PanicAt(MLP(4), 4))
		assert.ErrorContains(t, err, "iteration 4")
		assert.ErrorContains(t, err, "planted")
		assert.Equal(t, 4, result.Iterations)
	})
	t.Run("nan", func(t *testing.T) {
		_, result, err := run(NaNAt(MLP(4), 4))
		assert.NoError(t, err)
		assert.True(t, math.IsNaN(result.Loss))
		assert.Contains(t, result.Stopped, "NaN at iteration 4")
	})
	t.Run("error", func(t *testing.T) {
		planted := errors.New("planted")
		_, _, err := run(ErrorAt(MLP(4), 2, planted))
		assert.ErrorIs(t, err, planted)
	})
	t.Run("uphill", func(t *testing.T) {
		_, result, err := run(Uphill(MLP(4)))
		assert.NoError(t, err)
		assert.Greater(t, result.Loss, math.Log(3))
	})
}

func TestCaseThatIsTooSmall(t *testing.T) {
	_, err := Case{Model: MLP(2), Data: Blobs(1, 8, 2)}.prepare()
	assert.ErrorContains(t, err, "8 rows")
	_, err = Case{Model: MLP(2)}.prepare()
	assert.ErrorContains(t, err, "no training data")
}

func TestBlobs(t *testing.T) {
	d := Blobs(7, 20, 4)
	again := Blobs(7, 20, 4)
	pass := train.Pass{Seed: 5, Epoch: 1, Shuffle: true, BatchSize: 6}
	a, err := gather(d.Training, pass, 1000)
	require.NoError(t, err)
	b, err := gather(again.Training, pass, 1000)
	require.NoError(t, err)
	assert.Equal(t, a, b)
	assert.Equal(t, 20, a.Len())
	rows := slices.Clone(a.Rows)
	assert.NotEqual(t, indices(20), rows, "not shuffled")
	slices.Sort(rows)
	assert.Equal(t, indices(20), rows)
	pass.Epoch = 2
	c, err := gather(d.Training, pass, 1000)
	require.NoError(t, err)
	assert.NotEqual(t, a.Rows, c.Rows, "every epoch in the same order")
	v, err := gather(d.Validation, train.Pass{}, 1000)
	require.NoError(t, err)
	assert.NotEqual(t, v.Inputs, a.Inputs)
	sizes := ""
	for b, err := range d.Training(pass) {
		require.NoError(t, err)
		sizes += fmt.Sprint(b.Len(), " ")
	}
	assert.Equal(t, "6 6 6 2 ", sizes)
}

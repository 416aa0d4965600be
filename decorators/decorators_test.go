package decorators_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/decorators"
	"github.com/actually-robust-training/art/internal/tensorfile"
	"github.com/actually-robust-training/art/train"
	"github.com/actually-robust-training/art/train/traintest"
)

// run is what a loop left behind.
type run struct {
	learner train.Learner
	logged  map[string]map[int]float64 // by name and iteration
	files   map[string][]byte
	result  train.Result
}

// values are what was logged under a name, in order.
func (r run) values(name string) []float64 {
	var v []float64
	for i := range r.result.Iterations {
		if x, ok := r.logged[name][i]; ok {
			v = append(v, x)
		}
	}
	return v
}

type problem struct {
	model      train.Model
	data       train.Data
	iterations int
	bare       bool // the loop has nowhere to save or log
	draws      bool // PNG too, which takes long
}

func mlp() problem {
	return problem{model: traintest.MLP(8), data: traintest.Blobs(1, 60, 3), iterations: 35}
}

func (p problem) try(d ...train.Decorator) (run, error) {
	r := run{logged: map[string]map[int]float64{}, files: map[string][]byte{}}
	l, err := p.model.Build(p.data, p.data.Training, 1)
	if err != nil {
		return r, err
	}
	r.learner = l
	loop := train.Loop{
		Learner: l, Source: p.data.Training, Pass: train.Pass{Seed: 1, BatchSize: 16, Shuffle: true},
		Optimizer: p.model.Optimizer, Iterations: p.iterations, Decorators: d,
	}
	if !p.bare {
		loop.Log = func(s *train.State, name string, value float64) {
			if r.logged[name] == nil {
				r.logged[name] = map[int]float64{}
			}
			r.logged[name][s.Iteration] = value
		}
		loop.Save = func(name string, write func(io.Writer) error) error {
			var b bytes.Buffer
			if r.files[name] != nil {
				return fmt.Errorf("%s was saved twice", name)
			}
			if strings.HasSuffix(name, ".png") && !p.draws {
				r.files[name] = []byte("not drawn")
				return nil
			}
			err := write(&b)
			r.files[name] = b.Bytes()
			return err
		}
	}
	r.result, err = loop.Run(context.Background())
	return r, err
}

func (p problem) run(t testing.TB, d ...train.Decorator) run {
	t.Helper()
	r, err := p.try(d...)
	require.NoError(t, err)
	return r
}

// all are the decorators of the package, looking at every iteration.
func all() map[string]train.Decorator {
	return map[string]train.Decorator{
		"BatchSaver":      decorators.BatchSaver{First: 5}.Decorate,
		"InputStats":      decorators.InputStats{Every: 1}.Decorate,
		"EvolutionSaver":  decorators.EvolutionSaver{Every: 1}.Decorate,
		"GradientStats":   decorators.GradientStats{Every: 1}.Decorate,
		"WeightStats":     decorators.WeightStats{Every: 1}.Decorate,
		"ActivationStats": decorators.ActivationStats{Every: 1}.Decorate,
	}
}

func weights(l train.Learner) [][]uint32 {
	var bits [][]uint32
	for _, p := range l.Params() {
		var b []uint32
		for _, v := range p.Value {
			b = append(b, math.Float32bits(v))
		}
		bits = append(bits, b)
	}
	return bits
}

func TestTrainingIsTheSameBitForBit(t *testing.T) {
	plain := mlp().run(t)
	var together []train.Decorator
	for name, d := range all() {
		together = append(together, d)
		t.Run(name, func(t *testing.T) {
			got := mlp().run(t, d)
			assert.Equal(t, weights(plain.learner), weights(got.learner))
			assert.Equal(t, plain.values("loss"), got.values("loss"))
		})
	}
	t.Run("together", func(t *testing.T) {
		assert.Equal(t, weights(plain.learner), weights(mlp().run(t, together...).learner))
		slices.Reverse(together)
		assert.Equal(t, weights(plain.learner), weights(mlp().run(t, together...).learner))
	})
}

// What a decorator sees must not depend on others around it.
func TestOrderDoesNotMatter(t *testing.T) {
	names := []string{"ActivationStats", "BatchSaver", "EvolutionSaver", "GradientStats", "InputStats", "WeightStats"}
	var ds []train.Decorator
	for _, name := range names {
		ds = append(ds, all()[name])
	}
	want := mlp().run(t, ds...)
	slices.Reverse(ds)
	got := mlp().run(t, ds...)
	assert.Equal(t, want.logged, got.logged)
	assert.Equal(t, want.files, got.files)
}

func TestOneValueDecoratesLoopsInParallel(t *testing.T) {
	ds := []train.Decorator{}
	for _, d := range all() {
		ds = append(ds, d)
	}
	want := mlp().run(t, ds...)
	var wait sync.WaitGroup
	runs := make([]run, 4)
	for i := range runs {
		wait.Go(func() { runs[i], _ = mlp().try(ds...) })
	}
	wait.Wait()
	for _, got := range runs {
		assert.Equal(t, want.logged, got.logged)
		assert.Equal(t, want.files, got.files)
	}
}

func TestLoopsWithoutLogAndFiles(t *testing.T) {
	p := mlp()
	p.bare = true
	for name, d := range all() {
		_, err := p.try(d)
		assert.NoError(t, err, name)
	}
}

// learnerWithoutGradients hides gradients, activations and all that is optional.
type learnerWithoutGradients struct{ train.Learner }

func (l learnerWithoutGradients) Params() []train.Param {
	params := slices.Clone(l.Learner.Params())
	for i := range params {
		params[i].Grad = nil
	}
	return params
}

func withoutGradients(m train.Model) train.Model {
	build := m.New
	m.New = func(i train.Init) (train.Learner, error) {
		l, err := build(i)
		return learnerWithoutGradients{l}, err
	}
	return m
}

func TestLearnersWithoutGradients(t *testing.T) {
	p := mlp()
	p.model = withoutGradients(p.model)
	got := p.run(t, decorators.GradientStats{Every: 1}.Decorate, decorators.WeightStats{Every: 1}.Decorate,
		decorators.EvolutionSaver{}.Decorate, decorators.InputStats{}.Decorate, decorators.BatchSaver{}.Decorate)
	assert.Empty(t, got.values("gradient-norm"))
	assert.NotContains(t, got.files, "gradients.svg")
	assert.Len(t, got.values("update-ratio/fc1/weight"), p.iterations)
}

func TestFailingSavesFailTheLoop(t *testing.T) {
	full := errors.New("disk full")
	for name, d := range all() {
		p := mlp()
		l, err := p.model.Build(p.data, p.data.Training, 1)
		require.NoError(t, err)
		loop := train.Loop{Learner: l, Source: p.data.Training, Iterations: 3, Optimizer: p.model.Optimizer, Decorators: []train.Decorator{d},
			Save: func(string, func(io.Writer) error) error { return full }}
		_, err = loop.Run(t.Context())
		assert.ErrorIs(t, err, full, name)
	}
}

func TestEvery(t *testing.T) {
	var seen []int
	watch := func(next train.UpdateFunc) train.UpdateFunc {
		return func(ctx context.Context, s *train.State) error {
			seen = append(seen, s.Iteration)
			return next(ctx, s)
		}
	}
	for _, c := range []struct {
		n    int
		want []int
	}{{4, []int{0, 4, 8}}, {1, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}}, {0, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}}, {100, []int{0}}} {
		seen = nil
		p := mlp()
		p.iterations = 10
		got := p.run(t, decorators.Every(c.n, watch))
		assert.Equal(t, c.want, seen)
		assert.Equal(t, weights(p.run(t).learner), weights(got.learner), "every update must happen once")
	}
}

func TestBatchSaverSavesWhatEnters(t *testing.T) {
	p := mlp()
	var entered []train.Batch
	watch := func(next train.UpdateFunc) train.UpdateFunc {
		return func(ctx context.Context, s *train.State) error {
			entered = append(entered, s.Batch.Clone())
			return next(ctx, s)
		}
	}
	for _, c := range []struct {
		saver decorators.BatchSaver
		want  []int
	}{
		{decorators.BatchSaver{}, []int{0, 1}},
		{decorators.BatchSaver{First: 3}, []int{0, 1, 2}},
		{decorators.BatchSaver{Iterations: []int{7, 20}}, []int{7, 20}},
		{decorators.BatchSaver{First: 1, Iterations: []int{4}, Name: "seen"}, []int{0, 4}},
	} {
		entered = nil
		got := p.run(t, watch, c.saver.Decorate)
		folder := c.saver.Name
		if folder == "" {
			folder = "batches"
		}
		require.Len(t, got.files, 2*len(c.want))
		for _, i := range c.want {
			for name, want := range map[string]train.Tensor{"inputs": entered[i].Inputs, "targets": entered[i].Targets} {
				a, err := tensorfile.ReadNPY(bytes.NewReader(got.files[fmt.Sprintf("%s/%06d/%s.npy", folder, i, name)]))
				require.NoError(t, err)
				values, err := a.Float32()
				require.NoError(t, err)
				assert.Equal(t, want.Shape, a.Shape)
				assert.Equal(t, want.Data, values)
			}
		}
	}
}

// pictures are random ones of 3 channels, flattened by nobody: the model is a parabola.
func pictures(channels int) problem {
	r := train.Rand(1, "pictures")
	b := train.Batch{Inputs: train.NewTensor(6, channels, 5, 4), Targets: train.NewTensor(6, 1)}
	for i := range b.Inputs.Data {
		b.Inputs.Data[i] = r.Float32()
	}
	return problem{model: traintest.Parabola(1), data: train.Data{Name: "pictures", Training: traintest.Rows(b)}, iterations: 3}
}

func TestBatchSaverDrawsPictures(t *testing.T) {
	for channels, drawn := range map[int]bool{1: true, 2: false, 3: true} {
		p := pictures(channels)
		p.draws = true
		files := p.run(t, decorators.BatchSaver{First: 1}.Decorate).files
		png, ok := files["batches/000000/inputs.png"]
		assert.Equal(t, drawn, ok, "%d channels", channels)
		assert.Equal(t, drawn, bytes.HasPrefix(png, []byte("\x89PNG")))
	}
}

func TestInputStatsDescribeTheBatch(t *testing.T) {
	nan := float32(math.NaN())
	b := train.Batch{
		Inputs:  train.Tensor{Shape: []int{2, 3}, Data: []float32{1, 0, nan, 3, 0, 4}},
		Targets: train.Tensor{Shape: []int{2, 1}, Data: []float32{5, 7}},
	}
	p := problem{model: traintest.Parabola(1), data: train.Data{Name: "two", Training: train.Repeat(b)}, iterations: 12}
	got := p.run(t, decorators.InputStats{}.Decorate)
	assert.Equal(t, []float64{1.6, 1.6}, got.values("input-mean"), "iterations 0 and 10")
	assert.InDelta(t, math.Sqrt(2.64), got.values("input-std")[0], 1e-12)
	assert.Equal(t, 0., got.values("input-min")[0])
	assert.Equal(t, 4., got.values("input-max")[0])
	assert.Equal(t, 1., got.values("input-not-finite")[0])
	assert.InDelta(t, 2./6, got.values("input-zeros")[0], 1e-12)
	assert.Equal(t, 6., got.values("target-mean")[0])
	lines := strings.Split(strings.TrimSpace(string(got.files["input-stats.txt"])), "\n")
	require.Len(t, lines, 5)
	assert.Equal(t, []string{"0", "input", "[2", "3]", "1.6", "1.6248", "0", "4", "1", "33.3", "%"}, strings.Fields(lines[1]))
}

func TestGradientStatsOfAParabola(t *testing.T) {
	p := problem{model: traintest.Parabola(3, 4), data: traintest.Plane(1, 16, 0, 0, 1, 1), iterations: 5}
	got := p.run(t, decorators.GradientStats{Every: 2}.Decorate)
	for i, v := range got.values("gradient-norm") {
		assert.InEpsilon(t, 5*math.Pow(0.9, float64(2*i)), v, 1e-5) // w−minimum shrinks by 1−0.1 an update
	}
	assert.Equal(t, got.values("gradient-norm"), got.values("gradient-norm/w"))
	assert.Len(t, got.values("gradient-norm"), 3)
	assert.Contains(t, string(got.files["gradients.svg"]), "<svg")
}

func TestPlotsAreDrawn(t *testing.T) {
	p := mlp()
	p.draws = true
	plots := 0
	for name, file := range p.run(t, all()["GradientStats"], all()["WeightStats"], all()["ActivationStats"], all()["EvolutionSaver"]).files {
		switch {
		case strings.HasSuffix(name, ".svg"):
			plots++
			assert.Contains(t, string(file), "<svg", name)
		case strings.HasSuffix(name, ".png"):
			plots++
			assert.True(t, bytes.HasPrefix(file, []byte("\x89PNG")), name)
		}
	}
	assert.Equal(t, 12, plots)
}

func TestWeightStatsOfAParabola(t *testing.T) {
	p := problem{model: traintest.Parabola(3, 4), data: traintest.Plane(1, 16, 0, 0, 1, 1), iterations: 5}
	got := p.run(t, decorators.WeightStats{Every: 1}.Decorate)
	norms, ratios := got.values("weight-norm/w"), got.values("update-ratio/w")
	require.Len(t, norms, 5)
	require.Len(t, ratios, 4, "the ratio to a weight of zero is left out")
	for i := range norms {
		assert.InDelta(t, 5*(1-math.Pow(0.9, float64(i))), norms[i], 1e-5)
	}
	for i := range ratios {
		n := float64(i + 1)
		assert.InDelta(t, math.Log10(0.1*math.Pow(0.9, n)/(1-math.Pow(0.9, n))), ratios[i], 1e-5)
	}
	assert.ElementsMatch(t, []string{"weights-norm.svg", "weights-norm.png", "weights-update.svg", "weights-update.png"}, keys(got.files))
}

func TestWeightStatsShowWhatDoesNotMove(t *testing.T) {
	p := mlp()
	p.model = traintest.Stuck(p.model, func(name string) bool { return strings.HasPrefix(name, "fc1") })
	got := p.run(t, decorators.WeightStats{}.Decorate)
	for _, v := range got.values("update-ratio/fc1/weight") {
		assert.True(t, math.IsInf(v, -1))
	}
	for _, v := range got.values("update-ratio/fc2/weight") {
		assert.Greater(t, v, -6.)
	}
}

func keys(files map[string][]byte) []string {
	var names []string
	for name := range files {
		names = append(names, name)
	}
	return names
}

func TestFrozenParametersAreLeftOut(t *testing.T) {
	p := mlp()
	build := p.model.New
	p.model.New = func(i train.Init) (train.Learner, error) {
		l, err := build(i)
		if err != nil {
			return nil, err
		}
		return l, l.(train.Freezer).Freeze(func(name string) bool { return name == "fc1/weight" })
	}
	got := p.run(t, decorators.WeightStats{}.Decorate, decorators.GradientStats{}.Decorate)
	assert.Empty(t, got.values("weight-norm/fc1/weight"))
	assert.Empty(t, got.values("gradient-norm/fc1/weight"))
	assert.NotEmpty(t, got.values("weight-norm/fc2/weight"))
}

func TestEvolutionFollowsPredictions(t *testing.T) {
	p := mlp()
	fixed, err := train.First(p.data.Validation, train.Pass{BatchSize: 6})
	require.NoError(t, err)
	got := p.run(t, decorators.EvolutionSaver{Every: 17, Batch: fixed, Rows: 5}.Decorate)
	archive := got.files["evolution.npz"]
	arrays, err := tensorfile.ReadNPZ(bytes.NewReader(archive), int64(len(archive)))
	require.NoError(t, err)
	read := map[string][]float32{}
	for _, a := range arrays {
		read[a.Name], err = a.Float32()
		require.NoError(t, err)
		if a.Name == "predictions" {
			assert.Equal(t, []int{3, 5, 3}, a.Shape)
		}
	}
	assert.Equal(t, []float32{0, 17, 34}, read["iteration"])
	assert.Equal(t, fixed.Inputs.Data[:10], read["inputs"])
	assert.Equal(t, fixed.Targets.Data[:5], read["targets"])
	last, err := got.learner.Predict(fixed.Slice(0, 5))
	require.NoError(t, err)
	assert.Equal(t, last.Probabilities.Data, read["predictions"][30:], "iteration 34 is the last: its update is in the prediction")
	changes := got.values("prediction-change")
	require.Len(t, changes, 2)
	sum := 0.
	for i := range 15 {
		sum += math.Abs(float64(read["predictions"][15+i]) - float64(read["predictions"][i]))
	}
	assert.InEpsilon(t, sum/15, changes[0], 1e-9)
	assert.Contains(t, string(got.files["evolution.svg"]), "class")
}

// A source may use the memory of a batch again for the next.
func TestEvolutionKeepsItsOwnBatch(t *testing.T) {
	p := mlp()
	first, err := train.First(p.data.Training, train.Pass{Seed: 1, BatchSize: 16, Shuffle: true})
	require.NoError(t, err)
	src := p.data.Training
	p.data.Training = func(pass train.Pass) iter.Seq2[train.Batch, error] {
		return func(yield func(train.Batch, error) bool) {
			buffer := train.NewTensor(60, 2)
			for b, err := range src(pass) {
				buffer.Shape = b.Inputs.Shape
				buffer.Data = buffer.Data[:copy(buffer.Data[:cap(buffer.Data)], b.Inputs.Data)]
				if b.Inputs = buffer; !yield(b, err) {
					return
				}
			}
		}
	}
	archive := p.run(t, decorators.EvolutionSaver{Rows: 4}.Decorate).files["evolution.npz"]
	arrays, err := tensorfile.ReadNPZ(bytes.NewReader(archive), int64(len(archive)))
	require.NoError(t, err)
	inputs, err := arrays[2].Float32()
	require.NoError(t, err)
	assert.Equal(t, first.Inputs.Data[:8], inputs)
}

func TestEvolutionOfARegression(t *testing.T) {
	p := problem{model: traintest.Parabola(2), data: traintest.Plane(1, 16, 0, 0, 1), iterations: 3}
	got := p.run(t, decorators.EvolutionSaver{Every: 1, Rows: 2}.Decorate)
	assert.Contains(t, keys(got.files), "evolution.npz")
	assert.InEpsilon(t, 0.18, got.values("prediction-change")[0], 1e-5) // 0.2, then 0.38
}

func TestEvolutionRefusesABatchWithoutTargets(t *testing.T) {
	_, err := mlp().try(decorators.EvolutionSaver{Batch: train.Batch{Inputs: train.NewTensor(3, 2)}}.Decorate)
	require.ErrorContains(t, err, "the field Batch: 3 rows of inputs but 0 of targets")
}

func TestActivationStatsNeedAnInspector(t *testing.T) {
	p := mlp()
	p.model = traintest.Stuck(p.model, func(string) bool { return false })
	_, err := p.try(decorators.ActivationStats{}.Decorate)
	require.ErrorContains(t, err, "take the decorator away")
	require.ErrorContains(t, err, "train.Inspector")

	_, err = mlp().try(decorators.ActivationStats{Tensors: []string{"conv9"}}.Decorate)
	require.ErrorContains(t, err, `["input" "hidden" "output"]`)
}

// shows is a learner with activations that are known.
type shows struct {
	train.Learner
	tensors map[string]train.Tensor
}

func (s shows) Tensors() []string { return []string{"input", "a", "b", "c", "d", "output"} }
func (s shows) Activation(name string) (train.Tensor, error) {
	return s.tensors[name], nil
}

func TestActivationStatsOfKnownTensors(t *testing.T) {
	p := mlp()
	build := p.model.New
	p.model.New = func(i train.Init) (train.Learner, error) {
		l, err := build(i)
		return shows{l, map[string]train.Tensor{
			"a":      {Shape: []int{2, 4}, Data: []float32{0, 2, 0, 0, 0, 0, 4, 0}},       // relu: 2 of 4 dead
			"b":      {Shape: []int{2, 2}, Data: []float32{-1, 0.5, 0.995, 0}},            // tanh: 2 of 4 saturated
			"c":      {Shape: []int{2, 2}, Data: []float32{0.001, 0.5, 0.2, 0.7}},         // sigmoid: 1 of 4
			"d":      {Shape: []int{1, 2, 2, 2}, Data: []float32{0, 0, 0, 0, 0, 0, 0, 5}}, // channels: 1 of 2 dead
			"output": {Shape: []int{2, 1}, Data: []float32{float32(math.Inf(1)), 3}},
		}}, err
	}
	got := p.run(t, decorators.ActivationStats{}.Decorate)
	for name, want := range map[string]float64{
		"activation-dead/a": 0.5, "activation-zeros/a": 0.75, "activation-mean/a": 0.75, "activation-saturated/a": 0,
		"activation-saturated/b": 0.5, "activation-dead/b": 0, "activation-saturated/c": 0.25,
		"activation-dead/d": 0.5, "activation-mean/output": 3, "activation-std/output": 0,
	} {
		require.Len(t, got.values(name), 4, name)
		assert.Equal(t, want, got.values(name)[0], name)
	}
	assert.Empty(t, got.values("activation-mean/input"), "the input is left to InputStats")
	assert.ElementsMatch(t, []string{"activations.txt", "activations-std.svg", "activations-std.png",
		"activations-dead.svg", "activations-dead.png"}, keys(got.files))
	assert.Contains(t, string(got.files["activations.txt"]), "dead units")
}

func TestLongLoopsKeepFewPoints(t *testing.T) {
	p := problem{model: traintest.Parabola(1), data: traintest.Plane(1, 1, 0, 0, 1), iterations: 9000}
	got := p.run(t, decorators.EvolutionSaver{Every: 1, Rows: 1}.Decorate, decorators.GradientStats{Every: 1}.Decorate)
	archive := got.files["evolution.npz"]
	arrays, err := tensorfile.ReadNPZ(bytes.NewReader(archive), int64(len(archive)))
	require.NoError(t, err)
	steps, err := arrays[0].Float32()
	require.NoError(t, err)
	assert.LessOrEqual(t, len(steps), 1001)
	assert.True(t, slices.IsSorted(steps))
	for i := range steps[1:] {
		assert.LessOrEqual(t, steps[i+1]-steps[i], float32(16), "no stretch is lost whole")
	}
	assert.Equal(t, []float32{0, 8999}, []float32{steps[0], steps[len(steps)-1]})
	assert.Len(t, got.values("gradient-norm"), 9000, "the log has all")
}

// The cost of a look is that of the decorator alone, the update being nothing;
// "skipped" is an iteration at which it does not look. "Iteration" is what a whole
// iteration of the same network costs without any.
func BenchmarkDecorator(b *testing.B) {
	data := traintest.Blobs(1, 32, 3)
	p := problem{model: traintest.MLP(32), data: data}
	l, err := p.model.Build(data, data.Training, 1)
	require.NoError(b, err)
	batch, err := train.First(data.Training, train.Pass{})
	require.NoError(b, err)
	b.Run("Iteration", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			_, err := l.Forward(batch, i)
			require.NoError(b, err)
			require.NoError(b, l.Update(0.001))
		}
	})
	nothing := func(context.Context, *train.State) error { return nil }
	names := keys(nil)
	for name := range all() {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, look := range []struct {
			name string
			d    train.Decorator
		}{{name, all()[name]}, {name + "-skipped", decorators.Every(1<<30, all()[name])}} {
			b.Run(look.name, func(b *testing.B) {
				update := look.d(nothing)
				s := &train.State{Learner: l, Batch: batch, LearningRate: 0.001}
				b.ReportAllocs()
				for s.Iteration = 1; b.Loop(); s.Iteration++ {
					if err := update(b.Context(), s); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

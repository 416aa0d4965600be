package baselines_test

import (
	"context"
	"math"
	"testing"

	"github.com/actually-robust-training/art/baselines"
	"github.com/actually-robust-training/art/train"
	"github.com/actually-robust-training/art/train/traintest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var blobs, plane = traintest.Blobs(1, 61, 3), traintest.Plane(1, 50, 0.3, 1, 2, -1, 0.5)

func TestLearners(t *testing.T) {
	positions := data([]string{"a", "b", "c"}, []int{20, 4}, make([]float32, 80), []int{20, 2}, repeat(40, 0, 1, 2, 1, -1))
	pictures := data([]string{"a", "b"}, []int{20, 1, 2, 2}, noise(80), []int{20}, repeat(20, 0, 1, 1))
	many := data(nil, []int{20, 3}, noise(60), []int{20, 2}, noise(40))
	flat := data(nil, []int{20, 3}, noise(60), []int{20}, noise(20))
	weighted := baselines.Prior
	weighted.Loss = train.Loss{Kind: train.CrossEntropy, ClassWeights: []float64{1, 2, 0.5}, Smoothing: 0.1}
	huber := baselines.Ridge(0.1)
	huber.Loss = train.Loss{Kind: train.Huber, Delta: 0.5}
	for name, c := range map[string]traintest.Case{
		"majority":           {Model: baselines.Majority, Data: blobs},
		"majority-positions": {Model: baselines.Majority, Data: positions},
		"prior":              {Model: baselines.Prior, Data: blobs},
		"prior-positions":    {Model: baselines.Prior, Data: positions},
		"prior-weighted":     {Model: weighted, Data: blobs},
		"mean":               {Model: baselines.Mean, Data: plane},
		"mean-flat":          {Model: baselines.Mean, Data: flat},
		"median":             {Model: baselines.Median, Data: many},
		"linear":             {Model: baselines.Linear, Data: plane},
		"linear-many":        {Model: baselines.Linear, Data: many},
		"ridge-huber":        {Model: huber, Data: plane},
		"logistic":           {Model: baselines.Logistic, Data: blobs},
		"logistic-pictures":  {Model: baselines.Logistic, Data: pictures},
		"knn-classes":        {Model: baselines.KNN(3), Data: blobs},
		"knn-values":         {Model: baselines.KNN(3), Data: plane},
	} {
		t.Run(name, func(t *testing.T) {
			c.ClosedForm = true
			c.Iterations = 6
			traintest.TestLearner(t, c)
		})
	}
}

func data(classes []string, inputShape []int, inputs []float32, targetShape []int, targets []float32) train.Data {
	return train.Data{
		Name: "test", Classes: classes,
		Training: traintest.Rows(train.Batch{
			Inputs:  train.Tensor{Shape: inputShape, Data: inputs},
			Targets: train.Tensor{Shape: targetShape, Data: targets},
		}),
	}
}

func column(values ...float32) (shape []int, v []float32) { return []int{len(values), 1}, values }

func ids(values ...float32) (shape []int, v []float32) { return []int{len(values)}, values }

func noise(n int) []float32 {
	r := train.Rand(1, "noise")
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

func repeat(n int, values ...float32) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = values[i%len(values)]
	}
	return x
}

// fit trains a baseline as a step does.
func fit(t *testing.T, m train.Model, d train.Data, batchSize, epochs int) train.Learner {
	t.Helper()
	l, err := m.Build(d, d.Training, 1)
	require.NoError(t, err)
	loop := train.Loop{Learner: l, Source: d.Training, Optimizer: m.Optimizer, Epochs: epochs, Pass: train.Pass{BatchSize: batchSize}}
	result, err := loop.Run(context.Background())
	require.NoError(t, err)
	require.Empty(t, result.Stopped)
	return l
}

func loss(t *testing.T, l train.Learner, d train.Data) float64 {
	t.Helper()
	scores, err := train.Evaluate(context.Background(), l, d.Training, train.Pass{BatchSize: 7}, d.Classes)
	require.NoError(t, err)
	return scores[0].Value
}

func TestClosedForms(t *testing.T) {
	inputShape, inputs := column(repeat(10, 1, 2, 3)...)
	classShape, classes := ids(2, 0, 2, 1, 2, 0, 2, 0, -1, -1)
	abc := data([]string{"a", "b", "c"}, inputShape, inputs, classShape, classes) // 3, 1, 4 and 2 without class
	valueShape, values := column(1, 2, 3, 4, 5, 6, 7, 8, 9, 105)
	numbers := data(nil, inputShape, inputs, valueShape, values)
	for _, c := range []struct {
		name   string
		model  train.Model
		data   train.Data
		values []float64 // of the only parameter, exp of logits
		loss   float64
	}{
		{"majority", baselines.Majority, abc, []float64{0.25, 0.25, 0.5}, -(4*math.Log(0.5) + 4*math.Log(0.25)) / 8},
		{"prior", baselines.Prior, abc, []float64{3. / 8, 1. / 8, 4. / 8},
			-(3*math.Log(3./8) + math.Log(1./8) + 4*math.Log(4./8)) / 8},
		{"mean", baselines.Mean, numbers, []float64{15}, 906},
		{"median", baselines.Median, numbers, []float64{5.5}, (4.5 + 3.5 + 2.5 + 1.5 + 0.5 + 0.5 + 1.5 + 2.5 + 3.5 + 99.5) / 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, size := range []int{1, 3, 10} {
				l := fit(t, c.model, c.data, size, 1)
				for i, v := range l.Params()[0].Value {
					got := float64(v)
					if c.data.Classes != nil {
						got = math.Exp(got)
					}
					assert.InDelta(t, c.values[i], got, 1e-6*max(1, c.values[i]), "batches of %d", size)
				}
				assert.InEpsilon(t, c.loss, loss(t, l, c.data), 1e-6)
			}
		})
	}
}

func TestAbsentClasses(t *testing.T) {
	inputShape, inputs := column(1, 2, 3, 4)
	for name, targets := range map[string][]float32{"one class": {1, 1, 1, 1}, "no class": {-1, -1, -1, -1}} {
		classShape, classes := ids(targets...)
		d := data([]string{"a", "b", "c"}, inputShape, inputs, classShape, classes)
		for _, m := range []train.Model{baselines.Majority, baselines.Prior, baselines.Logistic, baselines.KNN(2)} {
			t.Run(name+"/"+m.Name, func(t *testing.T) {
				p, err := fit(t, m, d, 2, 1).Predict(train.Batch{
					Inputs: train.Tensor{Shape: []int{2, 1}, Data: []float32{1, 9}}, Targets: train.NewTensor(2),
				})
				require.NoError(t, err)
				assert.False(t, math.IsInf(p.Loss, 0) || math.IsNaN(p.Loss), "loss %v", p.Loss)
				if name == "one class" {
					assert.Greater(t, p.Probabilities.Data[1], float32(0.7))
				} else {
					assert.InDelta(t, 1./3, p.Probabilities.Data[1], 1e-6)
				}
			})
		}
	}
}

func TestMajorityTie(t *testing.T) {
	inputShape, inputs := column(1, 2, 3, 4)
	classShape, classes := ids(2, 1, 1, 2)
	d := data([]string{"a", "b", "c"}, inputShape, inputs, classShape, classes)
	v := fit(t, baselines.Majority, d, 2, 1).Params()[0].Value
	assert.Greater(t, v[1], v[2], "the lowest id wins")
}

// TestLinearIsExact: without noise, least squares finds the plane, also when
// features depend on each other, do not change, or lie far from 0.
func TestLinearIsExact(t *testing.T) {
	var inputs, targets []float32
	r := train.Rand(3, "exact")
	for range 40 {
		a, b := float32(r.NormFloat64()), float32(1e4+r.NormFloat64())
		inputs = append(inputs, a, b, 2*a, 7)
		targets = append(targets, 3*a+0.5*(b-1e4)+1)
	}
	d := data(nil, []int{40, 4}, inputs, []int{40, 1}, targets)
	l := fit(t, baselines.Linear, d, 7, 1)
	assert.Less(t, loss(t, l, d), 1e-5)
	w := l.Params()[0].Value
	assert.InDelta(t, 0.5, w[1], 1e-3)
	assert.InDelta(t, 3, w[0]+2*w[2], 1e-3)
	assert.Zero(t, w[3], "a constant feature has no weight")
}

func TestOneEpochIsEnough(t *testing.T) {
	classShape, classes := ids(repeat(30, 0, 1, 1, 0, 1, 2, 0)...)
	mixed := data([]string{"a", "b", "c", "d"}, []int{30, 2}, noise(60), classShape, classes)
	for _, m := range []train.Model{baselines.Prior, baselines.Logistic, baselines.KNN(5)} {
		one, five := fit(t, m, mixed, 8, 1), fit(t, m, mixed, 8, 5)
		assert.Equal(t, loss(t, one, mixed), loss(t, five, mixed), m.Name)
	}
}

// TestLoadedParameters: what was read from a file is what Forward and Predict use.
func TestLoadedParameters(t *testing.T) {
	trained := fit(t, baselines.Logistic, blobs, 8, 1)
	fresh, err := baselines.Logistic.Build(blobs, blobs.Training, 1)
	require.NoError(t, err)
	for i, p := range fresh.Params() {
		copy(p.Value, trained.Params()[i].Value)
	}
	b, err := train.First(blobs.Training, train.Pass{})
	require.NoError(t, err)
	want, err := trained.Predict(b)
	require.NoError(t, err)
	got, err := fresh.Forward(b, 0)
	require.NoError(t, err)
	assert.Equal(t, want.Loss, got)
}

func TestLogisticSeparates(t *testing.T) {
	l := fit(t, baselines.Logistic, blobs, 8, 1)
	assert.Less(t, loss(t, l, blobs), 0.05)
	free := baselines.Logistic
	free.Optimizer.WeightDecay = 0
	assert.Less(t, loss(t, fit(t, free, blobs, 8, 1), blobs), 1e-4, "no penalty and separable classes: ever nearer to 0")
}

func TestWrongData(t *testing.T) {
	inputShape, inputs := column(1, 2, 3, 4)
	classes := func(v ...float32) train.Data {
		shape, v := ids(v...)
		return data([]string{"a", "b"}, inputShape, inputs, shape, v)
	}
	positions := data([]string{"a", "b"}, inputShape, inputs, []int{4, 2}, make([]float32, 8))
	gap := data(nil, []int{4, 1}, []float32{1, float32(math.NaN()), 3, 4}, []int{4, 1}, make([]float32, 4))
	mse := baselines.Prior
	mse.Loss = train.Loss{Kind: train.MSE}
	entropy := baselines.Mean
	entropy.Loss = train.Loss{Kind: train.CrossEntropy}
	weights := baselines.Prior
	weights.Loss.ClassWeights = []float64{1, 2, 3}
	for _, c := range []struct {
		name  string
		model train.Model
		data  train.Data
		want  []string
	}{
		{"classes from values", baselines.Majority, plane, []string{`"majority"`, "train.Data.Classes", "baselines.Mean"}},
		{"classes from values", baselines.Logistic, plane, []string{`"logistic"`, "baselines.Linear"}},
		{"values from classes", baselines.Mean, blobs, []string{`"mean"`, "3 classes", "baselines.Prior"}},
		{"values from classes", baselines.Linear, blobs, []string{"baselines.Logistic"}},
		{"positions", baselines.Logistic, positions, []string{"[4 2]", "baselines.Prior"}},
		{"positions", baselines.KNN(1), positions, []string{"[4 2]", "baselines.Prior"}},
		{"no neighbours", baselines.KNN(0), blobs, []string{"0 neighbours"}},
		{"id too large", baselines.Prior, classes(0, 1, 2, 0), []string{"row 2", "is 2", "below 2"}},
		{"id is no whole number", baselines.Prior, classes(0, 1, 0.5, 0), []string{"0.5"}},
		{"NaN input", baselines.Linear, gap, []string{"row 1", "NaN"}},
		{"loss", mse, blobs, []string{"mse", "cross-entropy"}},
		{"loss", entropy, plane, []string{"cross-entropy", "huber"}},
		{"class weights", weights, classes(0, 1, 0, 1), []string{"3 class weights for 2"}},
		{"human without scores", baselines.Human(), blobs, []string{"baselines.Human("}},
		{"human without metric", baselines.Human(train.Score{Value: 1}), blobs, []string{"train.Score.Name"}},
	} {
		t.Run(c.name+"/"+c.model.Name, func(t *testing.T) {
			_, err := c.model.Build(c.data, c.data.Training, 1)
			for _, w := range c.want {
				assert.ErrorContains(t, err, w)
			}
		})
	}
}

// TestNaNInputIsSeen: a prediction from NaN is NaN, never a class.
func TestNaNInputIsSeen(t *testing.T) {
	for _, m := range []train.Model{baselines.Logistic, baselines.KNN(2)} {
		l := fit(t, m, blobs, 8, 1)
		p, err := l.Predict(train.Batch{
			Inputs: train.Tensor{Shape: []int{1, 2}, Data: []float32{1, float32(math.NaN())}}, Targets: train.NewTensor(1),
		})
		require.NoError(t, err)
		assert.True(t, math.IsNaN(float64(p.Probabilities.Data[0])), m.Name)
		assert.True(t, math.IsNaN(p.Loss), m.Name)
	}
}

func TestHuman(t *testing.T) {
	l, err := baselines.Human(train.Score{Name: "accuracy", Value: 0.97, Rows: 200}).Build(blobs, blobs.Training, 1)
	require.NoError(t, err)
	s, ok := l.(interface{ Stated() []train.Score })
	require.True(t, ok)
	assert.Equal(t, []train.Score{{Name: "accuracy", Value: 0.97, Rows: 200}}, s.Stated())
	_, err = l.Predict(train.Batch{})
	assert.ErrorContains(t, err, "stated, not computed")
	_, err = l.Forward(train.Batch{}, 0)
	assert.ErrorContains(t, err, "stated, not computed")
}

func TestNearestTie(t *testing.T) {
	inputShape, inputs := column(-1, 1, 1, -1)
	classShape, classes := ids(2, 0, 1, 0)
	d := data([]string{"a", "b", "c"}, inputShape, inputs, classShape, classes)
	p := predict(t, baselines.KNN(1), d, [][]float32{{0}})[0]
	assert.Greater(t, p[2], 0.5, "of rows equally far the earliest counts")
}

package metrics_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/actually-robust-training/art/metrics"
	"github.com/actually-robust-training/art/train"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var ofClasses = metrics.Set{
	metrics.Accuracy, metrics.BalancedAccuracy, metrics.Precision, metrics.Recall, metrics.F1,
	metrics.PrecisionMicro, metrics.RecallMicro, metrics.F1Micro, metrics.MCC, metrics.Kappa,
	metrics.CrossEntropy, metrics.ECE, metrics.ROCAUC, metrics.AveragePrecision, metrics.ConfusionMatrix,
}

var ofValues = metrics.Set{metrics.MSE, metrics.RMSE, metrics.MAE, metrics.R2}

// golden holds scores by scikit-learn; testdata/golden.py writes it.
type golden struct {
	Classes map[string]struct {
		Targets               []float32
		Logits, Probabilities [][]float32
		Scores                map[string]*float64 // nil for NaN
		Parts                 map[string][]*float64
		Matrix                [][]float64
	}
	Values map[string]struct {
		Targets, Outputs [][]float32
		Scores           map[string]*float64
	}
}

func readGolden(t *testing.T) golden {
	t.Helper()
	file, err := os.ReadFile("testdata/golden.json")
	require.NoError(t, err)
	var g golden
	require.NoError(t, json.Unmarshal(file, &g))
	return g
}

// set is predictions on a data set.
type set struct {
	classes                         []string
	targets, outputs, probabilities train.Tensor
}

func tensor(rows [][]float32) train.Tensor {
	return train.Tensor{Shape: []int{len(rows), len(rows[0])}, Data: slices.Concat(rows...)}
}

func classified(targets []float32, logits, probabilities [][]float32) set {
	s := set{targets: train.Tensor{Shape: []int{len(targets)}, Data: targets}, outputs: tensor(logits), probabilities: tensor(probabilities)}
	for i := range probabilities[0] {
		s.classes = append(s.classes, fmt.Sprint("c", i))
	}
	return s
}

// part is the rows in order, cut out of the set.
func part(t train.Tensor, order []int) train.Tensor {
	if len(t.Shape) == 0 {
		return t
	}
	p := train.NewTensor(append([]int{len(order)}, t.Shape[1:]...)...)
	for i, row := range order {
		copy(p.Row(i), t.Row(row))
	}
	return p
}

// score computes a metric over the rows of a set in an order, in batches of a size.
func (s set) score(t *testing.T, m train.Metric, order []int, size int) train.Score {
	t.Helper()
	a, err := m.New(s.classes)
	require.NoError(t, err, m.Name)
	for rows := range slices.Chunk(order, size) {
		b := train.Batch{Inputs: train.NewTensor(len(rows), 1), Targets: part(s.targets, rows)}
		require.NoError(t, a.Add(b, train.Prediction{Outputs: part(s.outputs, rows), Probabilities: part(s.probabilities, rows)}), m.Name)
	}
	return a.Score()
}

func (s set) order() []int {
	order := make([]int, s.targets.Rows())
	for i := range order {
		order[i] = i
	}
	return order
}

func same(t *testing.T, want *float64, got, delta float64, what string) {
	t.Helper()
	if want == nil {
		assert.True(t, math.IsNaN(got), "%s: want NaN, got %v", what, got)
		return
	}
	assert.InDelta(t, *want, got, delta*max(1, math.Abs(*want)), what)
}

func TestClassesAgainstScikitLearn(t *testing.T) {
	for name, g := range readGolden(t).Classes {
		t.Run(name, func(t *testing.T) {
			s := classified(g.Targets, g.Logits, g.Probabilities)
			all := slices.Clone(ofClasses)
			for k := 2; k < len(s.classes); k++ {
				all = append(all, metrics.TopK(k))
			}
			compared := 0
			for _, m := range all {
				got := s.score(t, m, s.order(), 7)
				assert.Equal(t, len(g.Targets), got.Rows, m.Name)
				if m.Name == "confusion-matrix" {
					assert.Equal(t, g.Matrix, got.Matrix)
					same(t, g.Scores["accuracy"], got.Value, 1e-12, m.Name)
					continue
				}
				want, ok := g.Scores[m.Name]
				if !ok && strings.HasPrefix(m.Name, "top-") {
					continue // ties, see golden.py
				}
				require.True(t, ok, m.Name)
				same(t, want, got.Value, 1e-6, m.Name)
				compared++
				for i, p := range got.Parts {
					assert.Equal(t, s.classes[i], p.Name)
					if want, ok := g.Parts[m.Name]; ok && !math.IsNaN(p.Value) {
						same(t, want[i], p.Value, 1e-6, m.Name+" of "+p.Name)
					}
				}
			}
			assert.Equal(t, len(g.Scores), compared, "scores without a metric")
		})
	}
}

func TestValuesAgainstScikitLearn(t *testing.T) {
	for name, g := range readGolden(t).Values {
		t.Run(name, func(t *testing.T) {
			s := set{targets: tensor(g.Targets), outputs: tensor(g.Outputs)}
			for _, m := range ofValues {
				got := s.score(t, m, s.order(), 7)
				assert.Equal(t, len(g.Targets), got.Rows)
				same(t, g.Scores[m.Name], got.Value, 1e-9, m.Name)
			}
			assert.Len(t, g.Scores, len(ofValues))
		})
	}
}

// TestBatchesAndOrder: the sizes of batches change no bit of a score, the order of
// rows none that matters.
func TestBatchesAndOrder(t *testing.T) {
	g := readGolden(t)
	five, three := g.Classes["five"], g.Values["three"]
	for _, c := range []struct {
		set     set
		metrics metrics.Set
	}{
		{classified(five.Targets, five.Logits, five.Probabilities), append(slices.Clone(ofClasses), metrics.TopK(2))},
		{set{targets: tensor(three.Targets), outputs: tensor(three.Outputs)}, ofValues},
	} {
		for _, m := range c.metrics {
			t.Run(m.Name, func(t *testing.T) {
				whole := c.set.score(t, m, c.set.order(), 1000)
				for _, size := range []int{1, 7, 32} {
					assert.Equal(t, whole, c.set.score(t, m, c.set.order(), size), "batches of %d", size)
				}
				for seed := range uint64(5) {
					order := train.Rand(seed, "order").Perm(c.set.targets.Rows())
					got := c.set.score(t, m, order, 7)
					assert.InDelta(t, whole.Value, got.Value, 1e-12)
					assert.Equal(t, whole.Matrix, got.Matrix)
				}
			})
		}
	}
}

// TestLargeNumbers: targets far from 0 lose no digits.
func TestLargeNumbers(t *testing.T) {
	s := set{targets: train.NewTensor(1000, 1), outputs: train.NewTensor(1000, 1)}
	for i := range 1000 {
		s.targets.Data[i] = float32(1<<23 + i%2)
		s.outputs.Data[i] = float32(1 << 23)
	}
	assert.Equal(t, 0.5, s.score(t, metrics.MSE, s.order(), 32).Value)
	assert.InDelta(t, -1, s.score(t, metrics.R2, s.order(), 32).Value, 1e-12)
}

// TestPositions: [rows, positions] is scored as its positions one by one, and
// negative targets are left out, whatever is predicted there.
func TestPositions(t *testing.T) {
	g := readGolden(t).Classes["five"]
	flat := classified(g.Targets, g.Logits, g.Probabilities)
	nested := set{classes: flat.classes, targets: train.NewTensor(30, 5), outputs: train.NewTensor(30, 5, 5), probabilities: train.NewTensor(30, 5, 5)}
	for i := range 150 { // every fifth position counts for nothing
		row := i - i/5 - 1
		if i%5 == 0 {
			nested.targets.Data[i] = -1
			nested.probabilities.Data[5*i] = float32(math.NaN())
			continue
		}
		nested.targets.Data[i] = flat.targets.Data[row]
		copy(nested.outputs.Data[5*i:5*i+5], flat.outputs.Row(row))
		copy(nested.probabilities.Data[5*i:5*i+5], flat.probabilities.Row(row))
	}
	for _, m := range append(slices.Clone(ofClasses), metrics.TopK(3)) {
		assert.Equal(t, flat.score(t, m, flat.order(), 7), nested.score(t, m, nested.order(), 4), m.Name)
	}
}

// TestOneLogit: a classifier with one logit is scored as one with two.
func TestOneLogit(t *testing.T) {
	g := readGolden(t).Classes["two"]
	s := classified(g.Targets, g.Logits, g.Probabilities)
	one := s
	one.outputs = train.NewTensor(len(g.Targets), 1)
	for i := range g.Targets {
		one.outputs.Data[i] = g.Logits[i][1] - g.Logits[i][0]
	}
	for _, m := range ofClasses {
		assert.InDelta(t, s.score(t, m, s.order(), 9).Value, one.score(t, m, s.order(), 9).Value, 1e-6, m.Name)
	}
}

func TestProbabilitiesWithoutLogits(t *testing.T) {
	s := classified([]float32{0, 1}, [][]float32{{0}, {0}}, [][]float32{{0.5, 0.3, 0.2}, {0, 0, 1}})
	s.outputs = train.Tensor{}
	assert.Equal(t, math.Inf(1), s.score(t, metrics.CrossEntropy, s.order(), 1).Value)
	assert.InDelta(t, math.Log(2), s.score(t, metrics.CrossEntropy, []int{0}, 1).Value, 1e-7)
}

// TestNaNIsNeverRight: one prediction of NaN makes every score NaN.
func TestNaNIsNeverRight(t *testing.T) {
	nan := float32(math.NaN())
	g := readGolden(t)
	five, three := g.Classes["five"], g.Values["three"]
	for _, at := range []int{0, 1, 4} {
		s := classified(slices.Clone(five.Targets), five.Logits, five.Probabilities)
		s.outputs.Row(50)[at], s.probabilities.Row(50)[at] = nan, nan
		for _, m := range append(slices.Clone(ofClasses), metrics.TopK(2)) {
			got := s.score(t, m, s.order(), 32)
			assert.True(t, math.IsNaN(got.Value), "%s is %v", m.Name, got.Value)
			for _, p := range got.Parts {
				assert.True(t, math.IsNaN(p.Value), "%s of %s is %v", m.Name, p.Name, p.Value)
			}
		}
	}
	s := set{targets: tensor(three.Targets), outputs: tensor(three.Outputs)}
	s.outputs.Row(3)[1] = nan
	constant := set{targets: train.NewTensor(4, 1), outputs: train.NewTensor(4, 1)}
	constant.outputs.Data[2] = nan
	for _, m := range ofValues {
		for _, s := range []set{s, constant} {
			assert.True(t, math.IsNaN(s.score(t, m, s.order(), 32).Value), m.Name)
		}
	}
}

func TestNothingCounts(t *testing.T) {
	s := classified([]float32{-1, -1}, [][]float32{{1, 0, 2}, {1, 0, 2}}, [][]float32{{0.5, 0.3, 0.2}, {0, 0, 1}})
	for _, m := range append(slices.Clone(ofClasses), metrics.TopK(2)) {
		got := s.score(t, m, s.order(), 32)
		assert.True(t, math.IsNaN(got.Value), m.Name)
		assert.Zero(t, got.Rows)
	}
	for _, m := range ofValues {
		assert.True(t, math.IsNaN(set{}.score(t, m, nil, 1).Value), m.Name)
	}
}

func TestTies(t *testing.T) {
	s := classified([]float32{0, 1, 2}, [][]float32{{1, 1, 1}, {1, 1, 1}, {1, 1, 1}},
		[][]float32{{0.25, 0.25, 0.25}, {0.25, 0.25, 0.25}, {0.25, 0.25, 0.25}})
	assert.InDelta(t, 1./3, s.score(t, metrics.Accuracy, s.order(), 1).Value, 1e-12, "the lowest id")
	assert.Equal(t, 1., s.score(t, metrics.Accuracy, []int{0}, 1).Value)
	assert.InDelta(t, 2./3, s.score(t, metrics.TopK(2), s.order(), 1).Value, 1e-12, "the two lowest ids")
	assert.Equal(t, 1., s.score(t, metrics.TopK(2), []int{0, 1}, 1).Value)
	assert.Equal(t, 0.5, s.score(t, metrics.ROCAUC, s.order(), 1).Value)
}

// TestECEBins: a probability on a border belongs to the bin below it.
func TestECEBins(t *testing.T) {
	// Confidences 1 (bin 15) and 0.95 (bin 15), 0.9 (bin 14).
	s := classified([]float32{0, 0, 1}, [][]float32{{0, 0}, {0, 0}, {0, 0}}, [][]float32{{1, 0}, {0.95, 0.05}, {0.9, 0.1}})
	// Bin 15: two hits, confidences sum to 1.95. Bin 14: a miss at 0.9.
	assert.InDelta(t, (0.05+0.9)/3, s.score(t, metrics.ECE, s.order(), 2).Value, 1e-7)
}

func TestAbsentClassParts(t *testing.T) {
	g := readGolden(t).Classes["never-predicted"]
	s := classified(g.Targets, g.Logits, g.Probabilities)
	precision := s.score(t, metrics.Precision, s.order(), 8)
	assert.Zero(t, precision.Parts[2].Value, "it occurs and is never predicted")
	one := readGolden(t).Classes["one-class-of-two"]
	s = classified(one.Targets, one.Logits, one.Probabilities)
	recall := s.score(t, metrics.BalancedAccuracy, s.order(), 8)
	assert.True(t, math.IsNaN(recall.Parts[0].Value), "it does not occur")
	absent := classified([]float32{0, 1}, [][]float32{{3, 0, 0}, {0, 3, 0}}, [][]float32{{0.9, 0.1, 0}, {0.1, 0.9, 0}})
	for _, m := range []train.Metric{metrics.Precision, metrics.Recall, metrics.F1} {
		got := absent.score(t, m, absent.order(), 8)
		assert.Equal(t, 1., got.Value, "%s: a class that neither occurs nor is predicted is left out", m.Name)
		assert.True(t, math.IsNaN(got.Parts[2].Value), m.Name)
	}
}

func TestScoreMayBeAskedTwice(t *testing.T) {
	g := readGolden(t).Classes["five"]
	s := classified(g.Targets, g.Logits, g.Probabilities)
	for _, m := range ofClasses {
		a, err := m.New(s.classes)
		require.NoError(t, err)
		b := train.Batch{Inputs: train.NewTensor(s.targets.Rows(), 1), Targets: s.targets}
		require.NoError(t, a.Add(b, train.Prediction{Outputs: s.outputs, Probabilities: s.probabilities}))
		first := a.Score()
		assert.Equal(t, first, a.Score(), m.Name)
	}
}

func TestMetricsThatDoNotFit(t *testing.T) {
	for _, m := range append(slices.Clone(ofClasses), metrics.TopK(1)) {
		_, err := m.New(nil)
		assert.ErrorContains(t, err, "train.Data.Classes", m.Name)
		assert.ErrorContains(t, err, "metrics.RMSE", m.Name)
	}
	for _, m := range ofValues {
		_, err := m.New([]string{"a", "b"})
		assert.ErrorContains(t, err, "2 classes", m.Name)
		assert.ErrorContains(t, err, "metrics.Accuracy", m.Name)
	}
	for _, k := range []int{0, 3, 5} {
		_, err := metrics.TopK(k).New([]string{"a", "b", "c"})
		assert.ErrorContains(t, err, fmt.Sprintf("the first %d of 3 classes", k))
	}
}

func TestPredictionsThatDoNotFit(t *testing.T) {
	classes := []string{"a", "b", "c"}
	for name, c := range map[string]struct {
		metric  train.Metric
		classes []string
		targets train.Tensor
		p       train.Prediction
		want    string
	}{
		"no probabilities": {metrics.Accuracy, classes, train.NewTensor(2), train.Prediction{Outputs: train.NewTensor(2, 3)}, "no probabilities"},
		"other number":     {metrics.F1, classes, train.NewTensor(2), train.Prediction{Probabilities: train.NewTensor(2, 2)}, "[2 2]"},
		"class id":         {metrics.ECE, classes, train.Tensor{Shape: []int{1}, Data: []float32{3}}, train.Prediction{Probabilities: train.NewTensor(1, 3)}, "target 0 is 3"},
		"fraction":         {metrics.ROCAUC, classes, train.Tensor{Shape: []int{1}, Data: []float32{0.5}}, train.Prediction{Probabilities: train.NewTensor(1, 3)}, "0.5"},
		"NaN target":       {metrics.MCC, classes, train.Tensor{Shape: []int{1}, Data: []float32{float32(math.NaN())}}, train.Prediction{Probabilities: train.NewTensor(1, 3)}, "NaN"},
		"values":           {metrics.MSE, nil, train.NewTensor(2, 1), train.Prediction{Outputs: train.NewTensor(2, 3)}, "[2 3]"},
		"rows":             {metrics.MAE, nil, train.NewTensor(2, 3), train.Prediction{Outputs: train.NewTensor(3, 2)}, "[3 2]"},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := c.metric.New(c.classes)
			require.NoError(t, err)
			err = a.Add(train.Batch{Inputs: train.NewTensor(c.targets.Rows(), 1), Targets: c.targets}, c.p)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestSet(t *testing.T) {
	s := metrics.Set{metrics.CrossEntropy, metrics.Accuracy, metrics.F1}
	require.NoError(t, s.Check())
	m, err := s.Lookup("accuracy")
	require.NoError(t, err)
	assert.Equal(t, "accuracy", m.Name)
	for name, want := range map[string]string{
		"acuracy":       `did you mean "accuracy"`,
		"Accuracy":      `did you mean "accuracy"`,
		"crossentropy":  `did you mean "cross-entropy"`,
		"cross_entropy": `did you mean "cross-entropy"`,
		"f2":            `did you mean "f1"`,
		"r2-squared":    "there are cross-entropy, accuracy, f1",
		"":              "there are cross-entropy, accuracy, f1",
	} {
		_, err := s.Lookup(name)
		assert.ErrorContains(t, err, want, name)
		assert.ErrorContains(t, err, fmt.Sprintf("%q", name))
	}
	_, err = metrics.Set{}.Lookup("f1")
	assert.ErrorContains(t, err, "there are none")
	assert.ErrorContains(t, metrics.Set{metrics.F1, metrics.F1}.Check(), `two metrics are named "f1"`)
	assert.ErrorContains(t, metrics.Set{{Name: "mine"}}.Check(), `"mine"`)
	assert.ErrorContains(t, metrics.Set{{Name: "loss", New: metrics.F1.New}}.Check(), "loss")
}

func TestNames(t *testing.T) {
	all := append(append(slices.Clone(ofClasses), metrics.TopK(2), metrics.TopK(5)), ofValues...)
	require.NoError(t, all.Check())
	lower := map[string]bool{"cross-entropy": true, "ece": true, "mse": true, "rmse": true, "mae": true}
	for _, m := range all {
		assert.Equal(t, lower[m.Name], m.LowerIsBetter, m.Name)
		assert.Equal(t, strings.ToLower(strings.ReplaceAll(m.Name, " ", "-")), m.Name)
	}
}

package train_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/actually-robust-training/art/train"
	"github.com/stretchr/testify/assert"
)

// The wanted numbers come from the closed forms of PyTorch's StepLR,
// CosineAnnealingLR and OneCycleLR, computed outside Go.
func TestSchedules(t *testing.T) {
	for _, c := range []struct {
		name     string
		schedule train.Schedule
		total    int
		at       []int
		want     []float64
	}{
		{"constant", train.Schedule{}, 10, []int{0, 5, 9}, []float64{1, 1, 1}},
		{"decay(every 4, 0.5)", train.Decay(4, 0.5), 0, []int{0, 3, 4, 7, 8, 99}, []float64{1, 1, 0.5, 0.5, 0.25, math.Pow(2, -24)}},
		{"cosine(0.1)", train.Cosine(0.1), 10, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, []float64{
			1, 0.9779754323328191, 0.9140576474687263, 0.8145033635316129, 0.6890576474687263, 0.55,
			0.4109423525312737, 0.28549663646838713, 0.1859423525312737, 0.12202456766718091, 0.1, 0.1,
		}},
		{"one-cycle", train.OneCycle(), 10, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, []float64{
			0.04, 0.52, 1, 0.9504846320134737, 0.8117456539497631, 0.6112620219362893, 0.38874197806371075,
			0.18825834605023697, 0.049519367986526286, 4e-06, 4e-06,
		}},
		{"one-cycle", train.OneCycle(), 100, []int{0, 11, 22, 33, 44, 55, 66, 77, 88, 99}, []float64{
			0.04, 0.34233368543684106, 0.8684778361231027, 0.9919648264401376, 0.89091617757105, 0.6965137297768985,
			0.4551825248269011, 0.2245546110679117, 0.05970599526269471, 4e-06,
		}},
		{"one-cycle", train.OneCycle(), 5, []int{0, 1, 2, 3, 4}, []float64{
			0.04, 0.9504846320134737, 0.6112620219362893, 0.18825834605023697, 4e-06,
		}},
		{"one-cycle", train.OneCycle(), 3, []int{0, 1, 2}, []float64{0.9944154354509117, 0.46263710266697505, 4e-06}},
		{"one-cycle", train.OneCycle(), 1, []int{0}, []float64{4e-06}},
		{"warm-up(4, constant)", train.WarmUp(4, train.Schedule{}), 9, []int{0, 1, 2, 3, 4, 8}, []float64{0.25, 0.5, 0.75, 1, 1, 1}},
		{"warm-up(2, cosine(0))", train.WarmUp(2, train.Cosine(0)), 12, []int{0, 1, 2, 7, 12}, []float64{0.5, 1, 1, 0.5, 0}},
		{"warm-up(9, cosine(0))", train.WarmUp(9, train.Cosine(0)), 3, []int{0, 8, 9}, []float64{1. / 9, 1, 1}},
		{"decay(every 0, 0.5)", train.Decay(0, 0.5), 3, []int{0, 1}, []float64{1, 0.5}},
	} {
		t.Run(fmt.Sprintf("%s of %d", c.name, c.total), func(t *testing.T) {
			assert.Equal(t, c.name, c.schedule.String())
			for i, at := range c.at {
				assert.InDelta(t, c.want[i], c.schedule.At(at, c.total), 1e-12, "iteration %d", at)
			}
		})
	}
}

func TestOptimizerDefaults(t *testing.T) {
	full := train.Optimizer{
		Method: train.MethodAdam, LearningRate: 1e-3, Beta1: 0.9, Beta2: 0.999, Rho: 0.99, Epsilon: 1e-8,
	}
	assert.Equal(t, full, train.Optimizer{}.WithDefaults())
	assert.Equal(t, full, full.WithDefaults())
	assert.Equal(t, 1e-2, train.Optimizer{Method: train.MethodSGD}.WithDefaults().LearningRate)
	assert.Equal(t, 0.5, train.SGD(0.5, 0).WithDefaults().LearningRate)
	assert.Equal(t, train.Optimizer{Method: "adamw", LearningRate: 2, WeightDecay: 3}, train.AdamW(2, 3))
	assert.Equal(t, train.Optimizer{Method: "rmsprop", LearningRate: 2}, train.RMSProp(2))
	assert.Equal(t, train.Optimizer{Method: "adam", LearningRate: 2}, train.Adam(2))
	assert.Equal(t, train.Optimizer{Method: "sgd", LearningRate: 2, Momentum: 0.9}, train.SGD(2, 0.9))
}

func TestOptimizerCheck(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, good := range []train.Optimizer{
		{}, train.Adam(0.1), train.AdamW(1e-3, 0.1), train.SGD(0.1, 0.9), train.RMSProp(1e-4),
		{Method: train.MethodSGD, Momentum: 0.9, Nesterov: true}, {ClipNorm: 1, ClipValue: 2},
	} {
		assert.NoError(t, good.Check(), "%+v", good)
	}
	for want, bad := range map[string]train.Optimizer{
		`no method "adagrad": use adam, adamw, sgd or rmsprop`:  {Method: "adagrad"},
		"learning rate is -1, it must be a number of 0 or more": train.Adam(-1),
		"rmsprop: Nesterov is of sgd only":                      {Method: train.MethodRMSProp, Momentum: 0.9, Nesterov: true},
		"adam: momentum is 0.9, but only sgd and rmsprop":       {Momentum: 0.9},
		"learning rate is NaN":                                  train.Adam(nan),
		"learning rate is +Inf":                                 train.SGD(inf, 0),
		"momentum is 1, it must be in [0, 1)":                   train.SGD(0.1, 1),
		"momentum is -0.1":                                      train.SGD(0.1, -0.1),
		"momentum is NaN":                                       train.SGD(0.1, nan),
		"beta1 is 1":                                            {Beta1: 1},
		"beta2 is 1.5":                                          {Beta2: 1.5},
		"rho is -1":                                             {Rho: -1},
		"epsilon is -1":                                         {Epsilon: -1},
		"optimizer adamw: weight decay is -1,":                  train.AdamW(1, -1),
		"clip value is -2":                                      {ClipValue: -2},
		"clip norm is NaN":                                      {ClipNorm: nan},
		"Nesterov needs a Momentum":                             {Method: train.MethodSGD, Nesterov: true},
	} {
		assert.ErrorContains(t, bad.Check(), want)
	}
}

func TestLossCheck(t *testing.T) {
	nan := math.NaN()
	for _, good := range []train.Loss{
		{Kind: train.CrossEntropy, Smoothing: 0.1, ClassWeights: []float64{0, 1}}, {Kind: train.MSE},
		{Kind: train.Huber, Delta: 2}, {Kind: "my own"},
	} {
		assert.NoError(t, good.Check(), "%+v", good)
	}
	for _, c := range []struct {
		want string
		bad  train.Loss
	}{
		{"smoothing 1 is outside [0, 1)", train.Loss{Kind: train.CrossEntropy, Smoothing: 1}},
		{"smoothing -0.1", train.Loss{Kind: train.CrossEntropy, Smoothing: -0.1}},
		{"smoothing NaN", train.Loss{Kind: train.CrossEntropy, Smoothing: nan}},
		{"delta -1", train.Loss{Kind: train.Huber, Delta: -1}},
		{"delta NaN", train.Loss{Kind: train.Huber, Delta: nan}},
		{"weight NaN of class 1", train.Loss{Kind: train.CrossEntropy, ClassWeights: []float64{1, nan}}},
		{"weight -1 of class 0", train.Loss{Kind: train.CrossEntropy, ClassWeights: []float64{-1}}},
		{"weight +Inf of class 0", train.Loss{Kind: train.CrossEntropy, ClassWeights: []float64{math.Inf(1)}}},
		{"cross-entropy takes no delta, got 0.5", train.Loss{Kind: train.CrossEntropy, Delta: 0.5}},
		{"all 2 class weights are 0", train.Loss{Kind: train.CrossEntropy, ClassWeights: []float64{0, 0}}},
		{"loss mse takes neither", train.Loss{Kind: train.MSE, Smoothing: 0.1}},
		{"loss mse takes neither", train.Loss{Kind: train.MSE, ClassWeights: []float64{1}}},
	} {
		assert.ErrorContains(t, c.bad.Check(), c.want)
	}
	for kind, want := range map[train.LossKind]bool{
		train.CrossEntropy: true, train.BinaryCrossEntropy: true, train.MSE: false, train.MAE: false, train.Huber: false,
	} {
		assert.Equal(t, want, train.Loss{Kind: kind}.Classifies(), kind)
	}
}

// TestSeedsAreForEver: these numbers must never change, as runs that were
// recorded under them could not be repeated. All but the last two were computed
// outside Go; those are Go's PCG, whose output is promised to stay.
func TestSeedsAreForEver(t *testing.T) {
	for _, c := range []struct {
		seed  uint64
		names []string
		want  uint64
	}{
		{0, nil, 0x5ba314b8cfda3b6b}, {1, nil, 0xc2be3627c2bfe353},
		{1, []string{"model", "mlp"}, 0x585fa75d1b251451}, {1, []string{"modelmlp"}, 0x0b4f1723ce4ba24c},
		{1, []string{"model", "", "mlp"}, 0xa731d165ce41686e}, {math.MaxUint64, []string{"ä"}, 0x94b35725002cec4f},
	} {
		assert.Equal(t, c.want, train.Derive(c.seed, c.names...), "Derive(%d, %q)", c.seed, c.names)
	}
	for n, want := range map[int]uint64{
		0: 0x2b7623ad15faf69b, 1: 0xa6f046b77865e6d8, -1: 0xd5e6d0dbc398f9ee, 1000000: 0x46224f726bfd3388,
	} {
		assert.Equal(t, want, train.DeriveN(7, "epoch", n), n)
	}
	// The first is the published first output of SplitMix64 from seed 0.
	assert.Equal(t, uint64(0xe220a8397b1dcdaf), train.Mix(0))
	assert.Equal(t, uint64(0x910a2dec89025cc1), train.Mix(1))
	assert.Equal(t, uint64(0xe4d971771b652c20), train.Mix(math.MaxUint64))
	assert.Equal(t, []uint64{0xb7b1fd2a74fc3928, 0xdfde16acd8ab5d40}, func() []uint64 {
		r := train.Rand(1, "model", "mlp")
		return []uint64{r.Uint64(), r.Uint64()}
	}())
}

func TestSeedsDiffer(t *testing.T) {
	seen := map[uint64]string{}
	for seed := range uint64(50) {
		for _, name := range []string{"", "a", "b", "ab", "order"} {
			for n := range 20 {
				s, what := train.DeriveN(seed, name, n), fmt.Sprint(seed, name, n)
				assert.Empty(t, seen[s], "%s has the seed of another", what)
				seen[s] = what
			}
		}
	}
	assert.NotEqual(t, train.Derive(1, "ab", "c"), train.Derive(1, "a", "bc"))
}

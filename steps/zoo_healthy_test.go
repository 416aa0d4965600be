package steps_test

import (
	"fmt"
	"math/rand/v2"

	"github.com/actually-robust-training/art/baselines"
	"github.com/actually-robust-training/art/datasets"
	"github.com/actually-robust-training/art/metrics"
	"github.com/actually-robust-training/art/nn"
	"github.com/actually-robust-training/art/steps"
	"github.com/actually-robust-training/art/train"
	"github.com/actually-robust-training/art/train/traintest"
)

// zoo is all healthy recipes.
func zoo() []specimen {
	var all []specimen
	for _, group := range [][]specimen{irises(), planes(), pictures(), regressions(), sequences(), others(), uncertain()} {
		all = append(all, group...)
	}
	return all
}

var (
	simple = []train.Model{baselines.Majority, baselines.Logistic}
	lines  = []train.Model{baselines.Mean, baselines.Linear}
)

// with changes the optimizer of a model.
func with(m train.Model, o train.Optimizer) train.Model {
	m.Optimizer = o
	return m
}

// classifier fills in a network of classes, regressor one of values.
func (s specimen) classifier(build func(nn.Node) nn.Node, o train.Optimizer) specimen {
	s.build, s.model = build, with(nn.Classifier("net", build), o)
	return s
}

func (s specimen) regressor(build func(nn.Node) nn.Node, o train.Optimizer) specimen {
	s.build, s.model = build, with(nn.Regressor("net", build), o)
	return s
}

// mlp is a network of dense layers and ReLUs.
func mlp(units ...int) func(nn.Node) nn.Node {
	return func(x nn.Node) nn.Node { return hidden(x.Flatten(), units...).Dense("logits", x.Classes()) }
}

func hidden(x nn.Node, units ...int) nn.Node {
	for i, n := range units {
		x = x.Dense(fmt.Sprint("hidden", i+1), n).ReLU()
	}
	return x
}

func irises() []specimen {
	flowers := func(batch int) func(uint64) problem {
		return func(uint64) problem {
			d := datasets.Iris()
			d.BatchSize = batch
			return memory(d)
		}
	}
	base := specimen{
		name: "iris-mlp", kind: "dense", problem: flowers(16), metric: metrics.Accuracy, baselines: simple,
		epochs: 40, target: 0.95, goal: 0.85, regularize: steps.Regularize{WeightDecay: 1e-3},
	}.classifier(mlp(16), train.Adam(1e-2))
	sgd := base.classifier(func(x nn.Node) nn.Node {
		return x.Dense("hidden", 8).Tanh().Dense("logits", x.Classes())
	}, train.SGD(0.1, 0.9))
	sgd.name, sgd.problem = "iris-sgd", flowers(8)
	slow := train.AdamW(1e-2, 1e-2)
	slow.Schedule = train.Cosine(0)
	zero := base.classifier(func(x nn.Node) nn.Node {
		return hidden(x, 16).Apply("logits", nn.Dense{Units: x.Classes(), Init: nn.Zeros})
	}, slow)
	zero.name = "iris-zero-head"
	return []specimen{base, sgd, zero}
}

// planes are problems of a few inputs.
func planes() []specimen {
	blobs := specimen{
		name: "blobs-plain", kind: "dense", model: traintest.MLP(8), metric: metrics.Accuracy, baselines: simple,
		problem: func(seed uint64) problem { return batches(memory(traintest.Blobs(seed, 120, 4)), 16) },
		epochs:  15, target: 0.98, goal: 0.95, regularize: steps.Regularize{WeightDecay: 1e-4},
	}
	tiny := blobs.classifier(mlp(4), train.Adam(1e-2))
	tiny.name, tiny.epochs = "blobs-tiny", 20
	tiny.problem = func(seed uint64) problem { return memory(traintest.Blobs(seed, 400, 2)) }
	round := specimen{
		name: "rings-residual", kind: "dense", problem: rings, metric: metrics.Accuracy, baselines: simple,
		epochs: 30, target: 0.95, goal: 0.9, nonlinear: true, regularize: steps.Regularize{WeightDecay: 1e-4, Patience: 10},
	}.classifier(residual, train.Adam(3e-3))
	xor := round.classifier(func(x nn.Node) nn.Node { return hidden(x, 24, 24).Dense("logit", 1) }, train.Adam(1e-2))
	xor.name, xor.problem, xor.regularize = "xor-one-logit", quadrants, steps.Regularize{WeightDecay: 1e-4}
	xor.model.Loss.Kind = train.BinaryCrossEntropy
	rarely := specimen{
		name: "rare-weighted", kind: "dense", problem: rare, metric: metrics.BalancedAccuracy, baselines: simple,
		epochs: 20, target: 0.8, goal: 0.7, regularize: steps.Regularize{WeightDecay: 1e-3},
	}.classifier(mlp(16), train.Adam(3e-3))
	plain := rarely.classifier(mlp(16), train.Adam(1e-2))
	plain.name, plain.metric, plain.target, plain.goal = "rare-plain", metrics.Accuracy, 0.9, 0.88
	rarely.model.Loss.ClassWeights = []float64{1, 9}
	return []specimen{blobs, tiny, round, xor, rarely, plain}
}

func residual(x nn.Node) nn.Node {
	y := x.Dense("stem", 24)
	for _, name := range []string{"block1", "block2"} {
		y = y.Add(y.LayerNorm(name+"-norm").Dense(name+"-in", 24).GELU().Dense(name+"-out", 24))
	}
	return y.LayerNorm("norm").Dense("logits", x.Classes())
}

func cnn(x nn.Node) nn.Node {
	y := x.Apply("conv1", nn.Conv{Filters: 8, Kernel: 3, Pad: 1, NoBias: true}).BatchNorm("norm1").ReLU().MaxPool(2)
	y = y.Apply("conv2", nn.Conv{Filters: 12, Kernel: 3, Pad: 1, NoBias: true}).BatchNorm("norm2").ReLU().MaxPool(2)
	return y.Flatten().Dense("fc", 32).ReLU().Dropout("drop", 0.25).Dense("logits", x.Classes())
}

func pictures() []specimen {
	letters := glyphs(300, 150, "ABCDE")
	conv := specimen{
		name: "glyphs-cnn", kind: "pictures", metric: metrics.Accuracy, baselines: simple,
		problem: func(seed uint64) problem {
			p := letters(seed)
			p.augment = shifted
			return p
		},
		epochs: 10, target: 0.95, goal: 0.85, regularize: steps.Regularize{WeightDecay: 1e-3, Augment: true},
	}.classifier(cnn, train.Adam(3e-3))
	smooth := conv.classifier(mlp(48), train.Adam(1e-3))
	smooth.model.Loss.Smoothing = 0.1
	smooth.name, smooth.epochs, smooth.goal, smooth.regularize = "glyphs-smoothing", 25, 0.75, steps.Regularize{WeightDecay: 1e-3}
	smooth.problem = func(seed uint64) problem { return batches(letters(seed), 64) }
	transfer := conv.classifier(mlp(48), train.Adam(3e-3))
	transfer.name, transfer.epochs, transfer.goal = "glyphs-transfer", 20, 0.6
	transfer.problem, transfer.source = glyphs(100, 150, "FGHJ"), glyphs(400, 100, "ABCD")
	transfer.transfer = &steps.TransferLearning{SourceEpochs: 10, Epochs: 10, FineTuneEpochs: 10}
	return []specimen{conv, smooth, transfer}
}

// shifted moves pictures by up to one pixel.
func shifted(seed uint64, b train.Batch) train.Batch {
	r := rand.New(rand.NewPCG(seed, 1))
	b = b.Clone()
	for i := range b.Len() {
		datasets.Shift(1)(r, b.Inputs.Shape[1:], b.Inputs.Row(i))
	}
	return b
}

func regressions() []specimen {
	net := func(x nn.Node) nn.Node { return hidden(x, 32, 32).Dense("value", x.Values()) }
	curved := specimen{
		name: "friedman", kind: "values", problem: friedman, metric: metrics.R2, baselines: lines,
		epochs: 30, target: 0.9, goal: 0.75, nonlinear: true, regularize: steps.Regularize{WeightDecay: 1e-4, Patience: 10},
	}.regressor(net, train.Adam(3e-3))
	huber := curved.regressor(net, train.SGD(0.03, 0.9))
	huber.name, huber.model.Loss.Kind = "friedman-huber", train.Huber
	flat := curved.regressor(net, train.Adam(1e-3))
	flat.name, flat.epochs, flat.nonlinear, flat.goal = "plane", 40, false, 0.9
	flat.problem = func(seed uint64) problem { return memory(traintest.Plane(seed, 300, 0.3, 1.5, 1, -2, 0.5)) }
	return []specimen{curved, huber, flat}
}

func sequences() []specimen {
	base := specimen{
		name: "tokens-gru", kind: "tokens", problem: lastMark, metric: metrics.Accuracy,
		baselines: []train.Model{baselines.Majority, baselines.Prior}, epochs: 15, target: 0.95, goal: 0.9, nonlinear: true,
		regularize: steps.Regularize{WeightDecay: 1e-4},
	}.classifier(func(x nn.Node) nn.Node {
		return x.Embedding("embed", 8, 8).Apply("gru", nn.GRU{Units: 16, Last: true}).Dense("logits", x.Classes())
	}, train.Adam(1e-2))
	other := base.classifier(func(x nn.Node) nn.Node {
		y := x.Embedding("embed", 8, 16).Positions("positions")
		y = y.Add(y.LayerNorm("norm").Attention("attention", nn.Attention{Heads: 2}))
		return y.Flatten().Dense("fc", 32).ReLU().Dense("logits", x.Classes())
	}, train.Adam(3e-3))
	other.name = "tokens-attention"
	return []specimen{base, other}
}

// others differ from the rest in layers, optimizer and loss. They were added when
// the checks were finished.
func others() []specimen {
	letters := glyphs(320, 160, "KLMNPR")
	pool := specimen{
		name: "glyphs-pool", kind: "pictures", metric: metrics.Accuracy, baselines: []train.Model{baselines.Prior, baselines.Logistic},
		problem: letters, epochs: 20, target: 0.9, goal: 0.8, regularize: steps.Regularize{Dropout: 0.1, Patience: 8},
	}.classifier(func(x nn.Node) nn.Node {
		y := x.Conv("c1", nn.Conv{Filters: 12, Kernel: 3, Pad: 1}).LeakyReLU(0.1).MaxPool(2)
		y = y.Conv("c2", nn.Conv{Filters: 24, Kernel: 3, Pad: 1}).LeakyReLU(0.1).AvgPool(2)
		return y.Flatten().Dropout("d", 0.2).Dense("logits", x.Classes())
	}, train.SGD(0.05, 0.9))
	moon := specimen{
		name: "moons-rmsprop", kind: "dense", metric: metrics.Accuracy, baselines: simple, problem: moons, epochs: 30, target: 0.95, goal: 0.92,
		nonlinear: true, regularize: steps.Regularize{WeightDecay: 1e-4},
	}.classifier(func(x nn.Node) nn.Node {
		return x.Dense("hidden1", 20).GELU().BatchNorm("bn").Dense("hidden2", 20).Sigmoid().Dense("logits", x.Classes())
	}, train.RMSProp(3e-3))
	wave := specimen{
		name: "waves-mae", kind: "values", metric: metrics.RMSE, baselines: []train.Model{baselines.Median, baselines.Linear}, problem: waves,
		epochs: 40, target: 0.4, goal: 0.5, nonlinear: true, regularize: steps.Regularize{WeightDecay: 1e-4, Patience: 10},
	}.regressor(func(x nn.Node) nn.Node {
		return x.Dense("hidden1", 32).Tanh().LayerNorm("ln").Dense("hidden2", 32).Tanh().Dense("value", 1)
	}, train.Adam(3e-3))
	wave.model.Loss.Kind = train.MAE
	return []specimen{pool, moon, wave}
}

// uncertain are problems in which the inputs tell little of the class.
func uncertain() []specimen {
	rank := specimen{
		name: "rarest-auc", kind: "dense", metric: metrics.ROCAUC, baselines: simple, problem: rarest, long: true, epochs: 15, target: 0.85, goal: 0.75,
		regularize: steps.Regularize{WeightDecay: 1e-2, Patience: 5},
	}.classifier(mlp(24), train.Adam(3e-3))
	flip := specimen{
		name: "coin-sgd", kind: "dense", metric: metrics.Accuracy, baselines: simple, problem: coin, long: true, epochs: 20, target: 0.68, goal: 0.64,
		nonlinear: true, regularize: steps.Regularize{WeightDecay: 1e-3},
	}.classifier(func(x nn.Node) nn.Node { return hidden(x, 32).Dense("logit", 1) }, train.SGD(0.1, 0.9))
	flip.model.Loss.Kind = train.BinaryCrossEntropy
	return []specimen{rank, flip}
}

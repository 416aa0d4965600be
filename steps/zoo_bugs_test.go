package steps_test

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/actually-robust-training/art/metrics"
	"github.com/actually-robust-training/art/nn"
	"github.com/actually-robust-training/art/train"
)

// bug is a mistake of the kind people make, and how to plant it.
type bug struct {
	name string
	// named lists words, one of which a message must have to name the trouble.
	named []string
	// plant returns the recipe with the bug; false where it makes no sense.
	plant func(specimen) (specimen, bool)
}

// bugs is all that is planted.
func bugs() []bug {
	return slices.Concat(dataBugs(), initBugs(), learnerBugs(), modeBugs(), settingBugs(), structureBugs(), transferBugs())
}

// inData plants a bug in the rows. Kinds are those of specimens that it fits; all
// when there are none.
func inData(name string, named []string, spoil func(p *problem, r *rand.Rand), kinds ...string) bug {
	return bug{name, named, func(s specimen) (specimen, bool) {
		healthy := s.problem
		s.problem = func(seed uint64) problem {
			p := healthy(seed)
			p.training, p.validation = p.training.Clone(), p.validation.Clone()
			spoil(&p, train.Rand(seed, name))
			return p
		}
		return s, len(kinds) == 0 || slices.Contains(kinds, s.kind)
	}}
}

var numeric = []string{"dense", "pictures", "values"}

func dataBugs() []bug {
	scale := func(b train.Batch, factor, shift float32) {
		for i := range b.Inputs.Data {
			b.Inputs.Data[i] = factor*b.Inputs.Data[i] + shift
		}
	}
	return []bug{
		inData("inputs not scaled", []string{"scaled", "normalised"}, func(p *problem, _ *rand.Rand) {
			scale(p.training, 60, 128)
			scale(p.validation, 60, 128)
		}, numeric...),
		inData("validation normalised differently", []string{"normalised", "another scale", "scaled"}, func(p *problem, _ *rand.Rand) {
			scale(p.validation, 0.2, 0.5)
		}, numeric...),
		inData("labels shuffled, training only", []string{"shuffled"}, func(p *problem, r *rand.Rand) { shuffleTargets(p.training, r) }),
		inData("labels shuffled, both", []string{"shuffled"}, func(p *problem, r *rand.Rand) {
			shuffleTargets(p.training, r)
			shuffleTargets(p.validation, r)
		}),
		inData("labels off by one row", []string{"off by"}, func(p *problem, r *rand.Rand) {
			p.training = permuted(p.training, r)
			roll(p.training.Targets, 1)
		}),
		inData("labels mixed up within each batch", []string{"shuffled", "belong"}, func(p *problem, _ *rand.Rand) {
			p.spoil = func(_ train.Pass, b train.Batch) train.Batch {
				b = b.Clone()
				roll(b.Targets, b.Len()/2)
				return b
			}
		}),
		inData("validation leaked into training", []string{"also in training", "leak"}, func(p *problem, _ *rand.Rand) {
			n := min(p.validation.Len(), p.training.Len())
			p.validation = p.training.Slice(0, n).Clone()
		}),
		inData("inputs blank", []string{"blank", "constant", "the same"}, func(p *problem, _ *rand.Rand) {
			clear(p.training.Inputs.Data)
			clear(p.validation.Inputs.Data)
		}),
		inData("NaN in one row", []string{"nan"}, func(p *problem, _ *rand.Rand) {
			p.training.Inputs.Row(p.training.Len() / 2)[0] = float32(math.NaN())
		}, numeric...),
		inData("missing cells are −999", []string{"missing"}, func(p *problem, _ *rand.Rand) {
			p.training, p.validation = holed(p.training), holed(p.validation)
		}, "dense", "values"),
		inData("all rows twice, then split", []string{"also in training", "duplicates"}, func(p *problem, r *rand.Rand) {
			n := p.training.Len() * 4 / 5
			all := permuted(twice(p.training), r)
			p.training, p.validation = all.Slice(0, n).Clone(), all.Slice(n, all.Len()).Clone()
		}),
		inData("target among the features", []string{"leak", "gives the target away"}, func(p *problem, _ *rand.Rand) {
			p.training, p.validation = leaked(p.training), leaked(p.validation)
		}, "dense", "values"),
		inData("every batch is the first", []string{"batch", "same", "a part of"}, func(p *problem, _ *rand.Rand) {
			first := p.training.Slice(0, min(p.batchSize, p.training.Len())).Clone()
			p.spoil = func(train.Pass, train.Batch) train.Batch { return first }
		}),
		inData("sorted by class, not shuffled", []string{"sorted", "shuffle", "order"}, func(p *problem, _ *rand.Rand) {
			p.training, p.inOrder = sorted(p.training), true
		}, "dense", "pictures", "tokens"),
		inData("one class missing in training", []string{"class"}, func(p *problem, _ *rand.Rand) {
			for i, y := range p.training.Targets.Data {
				if y == 1 {
					p.training.Targets.Data[i] = 0
				}
			}
		}, "dense", "pictures", "tokens"),
		inData("targets not scaled", []string{"scale", "standardise", "targets"}, func(p *problem, _ *rand.Rand) {
			for _, b := range []train.Batch{p.training, p.validation} {
				for i := range b.Targets.Data {
					b.Targets.Data[i] = 1000 * (b.Targets.Data[i] + 5)
				}
			}
		}, "values"),
	}
}

func shuffleTargets(b train.Batch, r *rand.Rand) {
	r.Shuffle(b.Len(), func(i, j int) {
		b.Targets.Data[i], b.Targets.Data[j] = b.Targets.Data[j], b.Targets.Data[i]
	})
}

// roll moves targets on by n rows. Every problem of the zoo has one to a row.
func roll(t train.Tensor, n int) {
	n %= len(t.Data)
	copy(t.Data, slices.Concat(t.Data[len(t.Data)-n:], t.Data[:len(t.Data)-n]))
}

func permuted(b train.Batch, r *rand.Rand) train.Batch { return chosen(b, r.Perm(b.Len())) }

func sorted(b train.Batch) train.Batch {
	order := make([]int, b.Len())
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return int(b.Targets.Data[i] - b.Targets.Data[j]) })
	return chosen(b, order)
}

func chosen(b train.Batch, order []int) train.Batch {
	c := b.Clone()
	for i, j := range order {
		copy(c.Inputs.Row(i), b.Inputs.Row(j))
		c.Targets.Data[i] = b.Targets.Data[j]
	}
	return c
}

// holed puts a number for a missing value into one row in twenty, and brings the
// feature back to a deviation near 1, as who normalises without a look at it.
func holed(b train.Batch) train.Batch {
	b = b.Clone()
	for i := range b.Len() {
		x := &b.Inputs.Row(i)[0]
		if i%20 == 7 {
			*x = -999
		}
		*x = (*x + 50) / 217
	}
	return b
}

// twice is a batch with every row twice.
func twice(b train.Batch) train.Batch {
	order := make([]int, 2*b.Len())
	for i := range order {
		order[i] = i % b.Len()
	}
	double := train.Batch{Inputs: train.NewTensor(append([]int{len(order)}, b.Inputs.Shape[1:]...)...),
		Targets: train.NewTensor(append([]int{len(order)}, b.Targets.Shape[1:]...)...)}
	for i, j := range order {
		copy(double.Inputs.Row(i), b.Inputs.Row(j))
		copy(double.Targets.Row(i), b.Targets.Row(j))
	}
	return double
}

// leaked adds the target as a feature.
func leaked(b train.Batch) train.Batch {
	n := b.Inputs.RowSize()
	inputs := train.NewTensor(b.Len(), n+1)
	for i := range b.Len() {
		copy(inputs.Row(i), b.Inputs.Row(i))
		inputs.Row(i)[n] = b.Targets.Data[i]
	}
	b.Inputs = inputs
	return b
}

// settingBugs are mistakes in what the user sets.
func settingBugs() []bug {
	rate := func(factor float64) func(s specimen) (specimen, bool) {
		return func(s specimen) (specimen, bool) {
			s.model.Optimizer.LearningRate *= factor
			return s, true
		}
	}
	return []bug{
		{"learning rate 100 times too high", []string{"learning rate is too high"}, rate(100)},
		{"learning rate 1000 times too low", []string{"learning rate is too low"}, rate(1e-3)},
		{"schedule counted in epochs", []string{"schedule"}, func(s specimen) (specimen, bool) {
			s.model.Optimizer.Schedule = train.Decay(3, 0.1)
			return s, true
		}},
		{"gradients clipped to nothing", []string{"clip"}, func(s specimen) (specimen, bool) {
			s.model.Optimizer.ClipNorm = 1e-5
			return s, s.model.Optimizer.Method == train.MethodSGD && s.name != "blobs-plain" // which does not clip
		}},
		{"weight decay far too strong", []string{"weight decay", "regularisation is too strong"}, func(s specimen) (specimen, bool) {
			s.regularize.WeightDecay = 1
			return s, s.transfer == nil
		}},
		{"augmentation destroys labels", []string{"augmentation"}, func(s specimen) (specimen, bool) {
			healthy := s.problem
			s.problem = func(seed uint64) problem {
				p := healthy(seed)
				p.augment = scrambled
				return p
			}
			s.regularize.Augment = true
			return s, s.transfer == nil
		}},
		{"metric takes the smallest output", []string{"metric"}, func(s specimen) (specimen, bool) {
			s.metric = spoiltMetric(func(b train.Batch, p train.Prediction) (train.Batch, train.Prediction) {
				p.Probabilities = p.Probabilities.Clone()
				for i := range p.Probabilities.Data {
					p.Probabilities.Data[i] = 1 - p.Probabilities.Data[i]
				}
				return b, p
			})
			return s, s.metric.Name == "accuracy" && s.kind != "values"
		}},
		{"metric compares predictions with themselves", []string{"metric"}, func(s specimen) (specimen, bool) {
			s.metric = spoiltMetric(func(b train.Batch, p train.Prediction) (train.Batch, train.Prediction) {
				k := p.Probabilities.RowSize()
				b.Targets = b.Targets.Clone()
				for i := range b.Targets.Data {
					row := p.Probabilities.Data[i*k : (i+1)*k]
					b.Targets.Data[i] = float32(slices.Index(row, slices.Max(row)))
				}
				return b, p
			})
			return s, s.kind != "values"
		}},
	}
}

// scrambled puts other numbers in place of most inputs.
func scrambled(seed uint64, b train.Batch) train.Batch {
	r := rand.New(rand.NewPCG(seed, 2))
	b = b.Clone()
	order := r.Perm(b.Len())
	for i := range b.Len() {
		copy(b.Inputs.Row(i), b.Inputs.Row(order[i]))
	}
	return b
}

// spoiltMetric is accuracy of something else.
func spoiltMetric(spoil func(train.Batch, train.Prediction) (train.Batch, train.Prediction)) train.Metric {
	m := metrics.Accuracy
	healthy := m.New
	m.New = func(classes []string) (train.Accumulator, error) {
		a, err := healthy(classes)
		return spoiltAccumulator{a, spoil}, err
	}
	return m
}

type spoiltAccumulator struct {
	train.Accumulator
	spoil func(train.Batch, train.Prediction) (train.Batch, train.Prediction)
}

func (a spoiltAccumulator) Add(b train.Batch, p train.Prediction) error {
	return a.Accumulator.Add(a.spoil(b, p))
}

// structureBugs are mistakes in the network.
func structureBugs() []bug {
	end := func(f func(specimen, nn.Node) nn.Node) func(specimen) (specimen, bool) {
		return func(s specimen) (specimen, bool) {
			if s.build == nil {
				return s, false
			}
			return s.rebuilt(func(x nn.Node) nn.Node { return f(s, s.build(x)) }), true
		}
	}
	classes := func(plant func(specimen) (specimen, bool)) func(specimen) (specimen, bool) {
		return func(s specimen) (specimen, bool) {
			if s.kind == "values" || s.model.Loss.Kind != train.CrossEntropy {
				return s, false
			}
			return plant(s)
		}
	}
	return []bug{
		{"softmax applied twice", []string{"softmax"}, classes(end(func(_ specimen, x nn.Node) nn.Node { return x.Softmax() }))},
		{"sigmoid applied twice", []string{"sigmoid"}, func(s specimen) (specimen, bool) {
			planted, ok := end(func(_ specimen, x nn.Node) nn.Node { return x.Sigmoid() })(s)
			return planted, ok && s.model.Loss.Kind == train.BinaryCrossEntropy
		}},
		{"ReLU after the last layer", []string{"relu"}, end(func(_ specimen, x nn.Node) nn.Node { return x.ReLU() })},
		{"more outputs than classes", []string{"one for each class", "number of classes"}, classes(end(func(_ specimen, x nn.Node) nn.Node {
			return nn.Concat(0, x, x.Dense("more", 3))
		}))},
		{"no activation function between layers", []string{"activation function"}, func(s specimen) (specimen, bool) {
			return s.rebuilt(func(x nn.Node) nn.Node {
				y := x.Flatten().Dense("hidden", 16)
				switch {
				case s.kind == "values":
					return y.Dense("value", x.Values())
				case s.model.Loss.Kind == train.BinaryCrossEntropy:
					return y.Dense("logit", 1)
				}
				return y.Dense("logits", x.Classes())
			}), s.build != nil && s.kind != "tokens"
		}},
	}
}

// rebuilt is the recipe with another network, all else being the same.
func (s specimen) rebuilt(build func(nn.Node) nn.Node) specimen {
	loss := s.model.Loss
	if s.kind == "values" {
		s = s.regressor(build, s.model.Optimizer)
	} else {
		s = s.classifier(build, s.model.Optimizer)
	}
	s.model.Loss = loss
	return s
}

// transferBugs are mistakes in a transfer.
func transferBugs() []bug {
	inTransfer := func(plant func(s *specimen)) func(specimen) (specimen, bool) {
		return func(s specimen) (specimen, bool) {
			if s.transfer == nil {
				return s, false
			}
			l := *s.transfer
			s.transfer = &l
			plant(&s)
			return s, true
		}
	}
	return []bug{
		{"transfer without the weights", []string{"never trained"}, inTransfer(func(s *specimen) {
			l, err := s.model.Build(s.source(99).data("other"), s.source(99).data("other").Training, 99)
			if err != nil {
				panic(err)
			}
			s.transfer.Weights = func() (named []train.Named, _ error) {
				for _, p := range l.Params() {
					named = append(named, train.Named{Name: p.Name, Tensor: train.Tensor{Shape: p.Shape, Data: p.Value}})
				}
				return named, nil
			}
		})},
		{"frozen layers move", []string{"frozen"}, inTransfer(func(s *specimen) {
			s.model = wrap(s.model, func(w *wrapped) { w.freeze = func(func(string) bool) error { return nil } })
		})},
		{"unfreezing does nothing", []string{"unfrozen", "frozen"}, inTransfer(func(s *specimen) {
			s.model = wrap(s.model, func(w *wrapped) {
				w.freeze = func(frozen func(string) bool) error {
					if frozen("hidden1/weight") {
						return w.full.Freeze(frozen)
					}
					return nil
				}
			})
		})},
		{"fine-tuning starts afresh", []string{"weights"}, inTransfer(func(s *specimen) {
			s.model = wrap(s.model, func(w *wrapped) {
				start := valuesOf(w.full)
				w.freeze = func(frozen func(string) bool) error {
					err := w.full.Freeze(frozen)
					if !frozen("hidden1/weight") {
						for i, p := range w.full.Params() {
							copy(p.Value, start[i])
						}
					}
					return err
				}
			})
		})},
		{"source task of shuffled labels", []string{"shuffled", "source"}, inTransfer(func(s *specimen) {
			healthy := s.source
			s.source = func(seed uint64) problem {
				p := healthy(seed)
				shuffleTargets(p.training, train.Rand(seed, "source"))
				return p
			}
		})},
	}
}

package recipes

import (
	"context"
	"encoding/csv"
	"fmt"
	"iter"
	"os"
	"strconv"
	"testing"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/nn"
	"github.com/actually-robust-training/art/steps"
	"github.com/actually-robust-training/art/train"
)

// number is a number of the environment. It reads nothing itself, for what a
// function reads counts for all who call it.
func number(text string, fallback float64) float64 {
	if v, err := strconv.ParseFloat(text, 64); err == nil {
		return v
	}
	return fallback
}

func updates() int { return int(number(os.Getenv("RECIPES_ITERATIONS"), 40)) }

// wanted is for checks alone.
func wanted(fallback float64) float64 { return number(os.Getenv("RECIPES_WANT"), fallback) }

// TestReuse has steps that say when they run.
func TestReuse(t *testing.T) {
	r := arttest.New(t, sized())
	arttest.Step(r, does("look", func(_ context.Context, s *arttest.Scope) error {
		fmt.Println("LOOK RUNS")
		s.Logf("looked")
		return s.Save("view/seen.txt", write("seen"))
	}))
	arttest.Step(r, training{Model: mlp(), Iterations: updates()},
		checks.AtLeast("accuracy", train.Training, wanted(0.5)))
	last := does("last", func(_ context.Context, s *arttest.Scope) error {
		fmt.Println("LAST RUNS")
		s.Logf("the step before has %d series", len(s.Step().Run().Step("training").Series))
		return nil
	})
	arttest.Step(r, last)
	always := does("always", func(context.Context, *arttest.Scope) error {
		fmt.Println("ALWAYS RUNS")
		return nil
	})
	always.Options.Fresh = true
	arttest.Step(r, always)
}

// chooser tries until its checks pass.
type chooser struct{}

func (chooser) Plan() arttest.Plan {
	return arttest.Plan{Name: "chooser", Scores: []checks.Ref{{Metric: "height", Stage: train.Training}}}
}

func (chooser) Run(_ context.Context, s *arttest.Scope) error {
	for height := 1.; height < 5 && !s.Passes(); height++ {
		fmt.Println("CHOOSER TRIES", height)
		s.Score(train.Training, "height", height)
	}
	return nil
}

func TestChooser(t *testing.T) {
	r := arttest.New(t, plain())
	arttest.Step(r, chooser{}, checks.AtLeast("height", train.Training, wanted(2)))
}

// TestFile learns from a file outside the module.
func TestFile(t *testing.T) {
	file := os.Getenv("RECIPES_FILE")
	if file == "" {
		t.Skip("RECIPES_FILE names no file")
	}
	data := train.Data{Name: "file", Training: func(train.Pass) iter.Seq2[train.Batch, error] {
		return func(yield func(train.Batch, error) bool) { yield(readNumbers(file)) }
	}}
	r := arttest.New(t, arttest.Recipe{Data: data})
	arttest.Step(r, does("sum", func(_ context.Context, s *arttest.Scope) error {
		for b, err := range s.Data().Training(train.Pass{}) {
			if err != nil {
				return err
			}
			fmt.Println("SUM OF", b.Inputs.Data)
		}
		return nil
	}))
}

func readNumbers(file string) (train.Batch, error) {
	f, err := os.Open(file)
	if err != nil {
		return train.Batch{}, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return train.Batch{}, err
	}
	b := train.Batch{Inputs: train.NewTensor(len(rows), 1), Targets: train.NewTensor(len(rows))}
	for i, row := range rows {
		v, err := strconv.ParseFloat(row[0], 32)
		if err != nil {
			return b, err
		}
		b.Inputs.Data[i] = float32(v)
	}
	return b, nil
}

// TestVariants fails, and may have one more variant.
func TestVariants(t *testing.T) {
	net := nn.Classifier("net", func(x nn.Node) nn.Node {
		return x.Dense("fc1", 8).ReLU().Dropout("drop", 0.2).Dense("logits", x.Classes())
	})
	r := arttest.New(t, sized())
	arttest.Step(r, steps.Regularize{Model: net, Epochs: 4, Variants: append([]steps.Variant{
		{WeightDecay: 0.01}, {Change: changed},
	}, more()...)}, fails("never"))
}

func more() []steps.Variant {
	if os.Getenv("RECIPES_MORE") == "" {
		return nil
	}
	return []steps.Variant{{Dropout: 0.4}}
}

func changed(m train.Model) train.Model {
	m.Dropout = 0.3
	return m
}

// TestGate lets no score fall.
func TestGate(t *testing.T) {
	score := does("score", func(_ context.Context, s *arttest.Scope) error {
		s.Score(train.Training, "height", number(os.Getenv("RECIPES_HEIGHT"), 1))
		return nil
	})
	score.Scores = []checks.Ref{{Metric: "height", Stage: train.Training}}
	past := checks.Best
	if os.Getenv("RECIPES_PINNED") != "" {
		past = checks.Pinned
	}
	arttest.Step(arttest.New(t, plain()), score, checks.NoWorseThan(past, "height", train.Training, 0.1))
}

package arttest

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/train"
)

func TestDefaultName(t *testing.T) {
	for test, want := range map[string]string{
		"Iris": "iris", "OwnSteps": "own-steps", "XORNet": "xor-net", "MNIST": "mnist", "Digits2Layers": "digits2layers",
		"_under_score": "under-score", "Group/a b": "group-a-b", "": "", "ÜberFit": "ber-fit",
	} {
		assert.Equal(t, want, checks.Slug(spaced(test)), test)
	}
}

// A pattern stands between single quotes of a shell and selects one test.
func TestPattern(t *testing.T) {
	assert.Equal(t, `^TestA$/^b-0\.5$`, pattern("TestA/b-0.5"))
	assert.Equal(t, `^TestA$/^\(e\|f\)'\''\[g\]$`, pattern("TestA/(e|f)'[g]"))
}

func TestPlainText(t *testing.T) {
	utf8, ascii := marks{}, marks{ascii: true}
	text := "want ≥ 0.97 ± 0.1 → µ, naïve 日本\n\ttab ✓"
	assert.Equal(t, text, utf8.plain(text))
	assert.Equal(t, "want >= 0.97 +- 0.1 -> u, na?ve ??\n\ttab ?", ascii.plain(text))
}

// The stack of a panic is the user's part of it; where the user has none, it is what
// there is.
func TestStackOf(t *testing.T) {
	assert.Empty(t, stackOf(errors.New("no panic")))
	assert.Empty(t, stackOf(nil))
	ours := contain(func() error { var s *Scope; s.Score("", "", 0); return nil })
	assert.Contains(t, stackOf(ours), "arttest.(*Scope).Score\n")
	assert.NotContains(t, stackOf(ours), "arttest.guard")
	wrapped := errors.Join(errors.New("first"), ours)
	assert.Equal(t, stackOf(ours), stackOf(wrapped))
	assert.Empty(t, stackOf(&train.PanicError{Value: 1}), "a panic without a stack")
	assert.True(t, strings.HasPrefix(withStack(ours), "panic: runtime error: "))
}

// Of the scores of a step the summary shows the recipe's first metric, then the loss,
// then whatever there is.
func TestRows(t *testing.T) {
	r := &R{recipe: Recipe{Metrics: []train.Metric{{Name: "accuracy"}, {Name: "f1"}}}}
	r.steps = []*step{{plan: Plan{Name: "it"}}}
	emit := func(trial, model, stage, name string, value float64) {
		assert.NoError(t, r.run.Emit(record.Event{Kind: record.Score, Step: "it", Trial: trial, Model: model, Stage: stage, Name: name, Value: value}))
	}
	emit("", "mlp", "training", "loss", 0.5)
	emit("", "mlp", "training", "f1", 0.25)
	emit("", "mlp", "training", "accuracy", 0.75)
	emit("", "mlp", "training", "accuracy", 0.875)
	emit("", "mlp", "validation", "loss", 0.125)
	emit("", "mlp", "test", "accuracy", 0.5)
	emit("logistic", "", "training", "rows", 7)
	emit("testing", "", "test", "accuracy", 0.5)
	emit("", "", "", "loss", 1)
	assert.Equal(t, []row{
		{"mlp", "accuracy 0.875", "loss 0.125"},
		{"logistic", "rows 7", ""},
	}, r.rows(r.steps[0], r.run.Steps[0]))
	assert.Equal(t, []string{
		"mlp\ttraining\tloss 0.500\tf1 0.250\taccuracy 0.875", "mlp\tvalidation\tloss 0.125", "mlp\ttest\taccuracy 0.500",
		"logistic\ttraining\trows 7", "testing\ttest\taccuracy 0.500",
	}, r.scoreLines(r.steps[0]))
}

// This test links no loggers.
func TestNoLoggersLinked(t *testing.T) {
	_, err := askedFor(settings{loggers: []string{"wandb"}, logged: `ART_LOGGERS="wandb"`}, nil)
	assert.EqualError(t, err, "ART_LOGGERS=\"wandb\": this test links no loggers: add to one of its files\n"+
		"\timport _ \"github.com/actually-robust-training/art/loggers\"")
}

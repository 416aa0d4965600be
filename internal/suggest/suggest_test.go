package suggest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/actually-robust-training/art/internal/suggest"
)

func TestNearest(t *testing.T) {
	known := []string{"accuracy", "loss", "roc-auc"}
	for word, want := range map[string]string{
		"acuracy": "accuracy", "Accuracy": "accuracy", "los": "loss", "roc_auc": "roc-auc", "f1": "", "perplexity": "",
	} {
		assert.Equal(t, want, suggest.Nearest(word, known), word)
	}
}

func TestHint(t *testing.T) {
	assert.Equal(t, `did you mean "loss"?`, suggest.Hint("lost", []string{"loss", "accuracy"}))
	assert.Equal(t, "there are loss, accuracy", suggest.Hint("perplexity", []string{"loss", "accuracy"}))
	assert.Equal(t, "there are none", suggest.Hint("loss", nil))
}

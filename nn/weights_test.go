package nn

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/actually-robust-training/art/train"
	"github.com/stretchr/testify/require"
)

func TestWeightsRoundTrip(t *testing.T) {
	b := pictures(6, 1, 6, 3, 2)
	a := newTestLearner(t, Classifier("cnn", buildCNN), b, 3)
	fit(t, a, b, 5, 0.01)
	for _, ext := range []string{".safetensors", ".npz"} {
		path := filepath.Join(t.TempDir(), "weights"+ext)
		require.NoError(t, SaveWeights(path, a))
		l := newTestLearner(t, Classifier("cnn", buildCNN), b, 3)
		require.NoError(t, LoadWeights(path, l, nil))
		for i, p := range a.Params() {
			require.Equal(t, p.Value, l.Params()[i].Value, p.Name)
		}
		files, err := os.ReadDir(filepath.Dir(path))
		require.NoError(t, err)
		require.Len(t, files, 1, "no temporary file is left")
	}
}

func TestLoadWeightsIsStrict(t *testing.T) {
	b := blobs(4, 4, 3, 1)
	a := newTestLearner(t, Classifier("mlp", buildMLP), b, 3)
	path := filepath.Join(t.TempDir(), "weights.npz")
	require.NoError(t, SaveWeights(path, a))
	other := func(units int, name string) *Learner {
		return newTestLearner(t, Classifier("mlp", func(x Node) Node { return x.Dense(name, units).ReLU().Dense("logits", x.Classes()) }), b, 3)
	}
	l := other(16, "first")
	before := slices.Clone(param(t, l, "logits/weight").Value)
	err := LoadWeights(path, l, nil)
	require.ErrorContains(t, err, `missing are ["first/weight" "first/bias"], unexpected are ["hidden/bias" "hidden/weight"]`)
	require.Equal(t, before, param(t, l, "logits/weight").Value, "nothing is changed")
	require.ErrorContains(t, LoadWeights(path, other(8, "hidden"), nil), `array "hidden/weight" has shape [16 4], but parameter "hidden/weight" has [8 4]`)
	require.NoError(t, LoadWeights(path, l, func(name string) string {
		return map[string]string{"hidden/weight": "first/weight", "hidden/bias": "first/bias"}[name] + map[bool]string{true: name}[name[0] == 'l']
	}))
	require.ErrorContains(t, LoadWeights(path, l, func(string) string { return "same" }), `two arrays are called "same"`)
	require.ErrorContains(t, SaveWeights(filepath.Join(t.TempDir(), "weights.h5"), a), "use .safetensors or .npz")
	require.ErrorContains(t, LoadWeights(filepath.Join(t.TempDir(), "none.npz"), a, nil), "none.npz")
}

func TestFromPyTorch(t *testing.T) {
	b := train.Batch{Inputs: train.NewTensor(2, 5), Targets: train.NewTensor(2)}
	l := newTestLearner(t, Classifier("text", func(x Node) Node {
		x = x.Embedding("emb", 7, 4).Attention("attn", Attention{Heads: 2}).LayerNorm("ln")
		return x.GRU("gru", GRU{Units: 3}).Flatten().BatchNorm("bn").Dense("fc", x.Classes())
	}), b, 2)
	rename := FromPyTorch(l)
	var got []string
	for _, name := range []string{
		"emb.weight", "attn.in_proj_weight", "attn.in_proj_bias", "attn.out_proj.weight", "attn.out_proj.bias",
		"ln.weight", "ln.bias", "gru.weight_ih_l0", "gru.bias_ih_l0", "gru.weight_hh_l0", "gru.bias_hh_l0",
		"bn.weight", "bn.bias", "bn.running_mean", "bn.running_var", "fc.weight", "fc.bias",
	} {
		got = append(got, rename(name))
	}
	var want []string
	for _, p := range l.Params() {
		want = append(want, p.Name)
	}
	require.Equal(t, want, got)
	require.Empty(t, rename("bn.num_batches_tracked"))
	require.Equal(t, "layer1/0/unknown", rename("layer1.0.unknown"))
}

package nn

import (
	"math"
	"testing"

	"github.com/actually-robust-training/art/train"
	"github.com/actually-robust-training/art/train/traintest"
)

func TestConformance(t *testing.T) {
	classes := []string{"a", "b", "c"}
	images := train.Data{Name: "pictures", Classes: classes, Training: traintest.Rows(pictures(40, 2, 6, 3, 1))}
	tokens := blobs(40, 6, 3, 2)
	for i, v := range tokens.Inputs.Data {
		tokens.Inputs.Data[i] = float32(math.Mod(math.Abs(math.Round(float64(v)*3)), 7))
	}
	text := train.Data{Name: "text", Classes: classes, Training: traintest.Rows(tokens)}
	mlp := Classifier("mlp", buildMLP)
	with := func(m train.Model, o train.Optimizer) train.Model { m.Optimizer = o; return m }
	decay := train.AdamW(1e-2, 0.1)
	clipped := train.SGD(1e-2, 0.9)
	clipped.Nesterov, clipped.WeightDecay, clipped.ClipNorm, clipped.ClipValue = true, 1e-2, 1, 0.5
	for _, c := range []struct {
		name string
		traintest.Case
	}{
		{"mlp", traintest.Case{Model: mlp, Data: traintest.Blobs(1, 50, 3)}},
		{"regression", traintest.Case{
			Model: Regressor("line", func(x Node) Node { return x.Dense("a", 5).Tanh().Dense("out", x.Values()) }),
			Data:  traintest.Plane(1, 50, 0.1, 1, 2, -3),
		}},
		{"cnn", traintest.Case{Model: Classifier("cnn", buildCNN), Data: images}},
		{"cnn clipped", traintest.Case{Model: with(Classifier("cnn", buildCNN), clipped), Data: images}},
		{"composite", traintest.Case{Data: images, Model: Classifier("blocks", func(x Node) Node {
			return x.Apply("block", composite{filters: 2}).GlobalAvgPool().Dense("logits", x.Classes())
		})}},
		{"text", traintest.Case{Data: text, Discrete: true, Model: Classifier("text", func(x Node) Node {
			x = x.Embedding("e", 7, 8).Positions("p").Attention("attn", Attention{Heads: 2}).LayerNorm("ln")
			return x.GRU("gru", GRU{Units: 5, Last: true}).Dense("logits", x.Classes())
		})}},
		{"adamw", traintest.Case{Model: with(mlp, decay), Data: traintest.Blobs(1, 50, 3)}},
		{"sgd", traintest.Case{Model: with(mlp, clipped), Data: traintest.Blobs(1, 50, 3)}},
		{"rmsprop", traintest.Case{Model: with(mlp, train.Optimizer{Method: train.MethodRMSProp, Momentum: 0.9}), Data: traintest.Blobs(1, 50, 3)}},
	} {
		t.Run(c.name, func(t *testing.T) { traintest.TestLearner(t, c.Case) })
	}
}

package nn_test

import (
	"fmt"

	"github.com/actually-robust-training/art/nn"
	"github.com/actually-robust-training/art/train"
)

// Block is a layer made of others: two convolutions and a residual connection.
type Block struct{ Filters int }

func (b Block) Build(x nn.Node) nn.Node {
	y := x.Conv("conv1", nn.Conv{Filters: b.Filters, Kernel: 3, Pad: 1, NoBias: true}).BatchNorm("bn1").ReLU()
	y = y.Conv("conv2", nn.Conv{Filters: b.Filters, Kernel: 3, Pad: 1, NoBias: true}).BatchNorm("bn2")
	return y.Add(x).ReLU()
}

func ExampleClassifier() {
	cnn := nn.Classifier("cnn", func(x nn.Node) nn.Node {
		x = x.Conv("stem", nn.Conv{Filters: 8, Kernel: 3, Pad: 1}).ReLU().MaxPool(2)
		x = x.Apply("block", Block{Filters: 8})
		return x.GlobalAvgPool().Dropout("drop", 0.2).Dense("logits", x.Classes())
	})
	cnn.Optimizer = train.AdamW(1e-3, 1e-2)

	example := train.Batch{Inputs: train.NewTensor(4, 1, 8, 8), Targets: train.NewTensor(4)}
	data := train.Data{Name: "blank", Classes: []string{"cat", "dog"}}
	learner, err := cnn.Build(data, train.Repeat(example), 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(learner.(*nn.Learner).Summary())
	// Output:
	// layer                kind              shape of a row  parameters  FLOPs of a row
	// input                input             [1 8 8]         0           0
	// stem                 conv + relu       [8 8 8]         80          9216
	// stem/maxpool         maxpool           [8 4 4]         0           512
	// block/conv1          conv              [8 4 4]         576         18432
	// block/bn1            batchnorm + relu  [8 4 4]         16          512
	// block/conv2          conv              [8 4 4]         576         18432
	// block/bn2            batchnorm         [8 4 4]         16          512
	// block/bn2/add        add               [8 4 4]         0           128
	// block                relu              [8 4 4]         0           0
	// block/globalavgpool  globalavgpool     [8]             0           128
	// drop                 dropout           [8]             0           0
	// logits               dense             [2]             18          32
	// total                                                  1282        47904
}

func ExampleNode_Apply() {
	regressor := nn.Regressor("line", func(x nn.Node) nn.Node {
		return x.Apply("hidden", nn.Dense{Units: 0})
	})
	example := train.Batch{Inputs: train.NewTensor(4, 3), Targets: train.NewTensor(4, 1)}
	_, err := regressor.Build(train.Data{Name: "points"}, train.Repeat(example), 1)
	fmt.Println(err)
	// Output:
	// model "line": layer "hidden" (dense): got 0, want at least 1 unit: set Units
}

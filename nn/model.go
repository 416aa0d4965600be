package nn

import (
	"errors"
	"fmt"

	"github.com/actually-robust-training/art/train"
)

// Classifier is a model whose network gives logits, trained on cross-entropy
// against class ids. Fields of the result may be changed: another Optimizer, a
// Loss with class weights or label smoothing, train.BinaryCrossEntropy for one
// logit against classes 0 and 1 or independent labels.
func Classifier(name string, build func(x Node) Node) train.Model {
	return model(name, build, train.CrossEntropy)
}

// Regressor is a model whose network gives values, trained on the mean squared
// error. Its Loss may be changed to train.MAE or train.Huber.
func Regressor(name string, build func(x Node) Node) train.Model {
	return model(name, build, train.MSE)
}

func model(name string, build func(x Node) Node, kind train.LossKind) train.Model {
	return train.Model{
		Name: name,
		Loss: train.Loss{Kind: kind},
		New: func(init train.Init) (train.Learner, error) {
			if init.Loss.Kind == "" { // the user replaced Loss to set something else
				init.Loss.Kind = kind
			}
			l, err := New(init, build)
			if err != nil {
				return nil, err // not a nil *Learner in an interface
			}
			return l, nil
		},
	}
}

// New builds a learner. Its errors name the layer, what it got and wanted, and
// the remedy.
func New(init train.Init, build func(x Node) Node) (*Learner, error) {
	if err := init.Example.Check(); err != nil {
		return nil, fmt.Errorf("example batch: %w", err)
	}
	if build == nil {
		return nil, errors.New("the build function is nil: hand in one that appends layers to x and returns the last")
	}
	if err := init.Optimizer.Check(); err != nil {
		return nil, err
	}
	init.Optimizer = init.Optimizer.WithDefaults()
	layers, err := buildLayers(init, build)
	if err != nil {
		return nil, err
	}
	n, err := newNetwork[float32](init, layers)
	if err != nil {
		return nil, err
	}
	return newLearner(n, init.Optimizer), nil
}

// buildLayers runs a build function. A panic in it is an error.
func buildLayers(init train.Init, build func(x Node) Node) (layers []*layer, err error) {
	defer func() {
		if caught := train.Caught(recover()); caught != nil {
			err = fmt.Errorf("build function: %w", caught)
		}
	}()
	p := newPlan(init)
	return p.finish(build(Node{plan: p}))
}

package baselines

import (
	"fmt"
	"math"
	"slices"

	"github.com/actually-robust-training/art/train"
)

// lossFunc computes the loss of outputs and the weight it is a mean over.
type lossFunc func(outputs, targets train.Tensor) (loss, weight float64)

func newLoss(init train.Init) (lossFunc, error) {
	loss := init.Loss
	if err := loss.Check(); err != nil {
		return nil, err
	}
	if init.Classes > 0 {
		if loss.Kind != "" && loss.Kind != train.CrossEntropy {
			return nil, fmt.Errorf("the loss %q does not fit classes: use %q", loss.Kind, train.CrossEntropy)
		}
		if w := loss.ClassWeights; w != nil && len(w) != init.Classes {
			return nil, fmt.Errorf("%d class weights for %d classes", len(w), init.Classes)
		}
		return crossEntropy(loss, init.Classes), nil
	}
	switch loss.Kind {
	case "", train.MSE:
		return meanOf(func(d float64) float64 { return d * d }), nil
	case train.MAE:
		return meanOf(math.Abs), nil
	case train.Huber:
		delta := loss.Delta
		if delta == 0 {
			delta = 1
		}
		return meanOf(func(d float64) float64 {
			if math.Abs(d) <= delta {
				return d * d / 2
			}
			return delta * (math.Abs(d) - delta/2)
		}), nil
	}
	return nil, fmt.Errorf("the loss %q does not fit values: use %q, %q or %q", loss.Kind, train.MSE, train.MAE, train.Huber)
}

// crossEntropy is that of PyTorch: smoothing spreads its share over the weighted
// losses of all classes, and the mean is over the weights of the targets.
func crossEntropy(l train.Loss, classes int) lossFunc {
	weight := func(class int) float64 {
		if l.ClassWeights == nil {
			return 1
		}
		return l.ClassWeights[class]
	}
	return func(outputs, targets train.Tensor) (loss, total float64) {
		for i, y := range targets.Data {
			if y < 0 {
				continue
			}
			z := outputs.Data[i*classes : (i+1)*classes]
			log := logSumExp(z)
			loss += (1 - l.Smoothing) * weight(int(y)) * (log - float64(z[int(y)]))
			if l.Smoothing > 0 {
				for c, v := range z {
					loss += l.Smoothing / float64(classes) * weight(c) * (log - float64(v))
				}
			}
			total += weight(int(y))
		}
		if total == 0 {
			return 0, 0
		}
		return loss / total, total
	}
}

func meanOf(f func(float64) float64) lossFunc {
	return func(outputs, targets train.Tensor) (loss, weight float64) {
		for i, y := range targets.Data {
			loss += f(float64(outputs.Data[i]) - float64(y))
		}
		return loss / float64(max(len(targets.Data), 1)), float64(targets.Rows())
	}
}

func logSumExp(z []float32) float64 {
	largest, sum := float64(slices.Max(z)), 0.
	for _, v := range z {
		sum += math.Exp(float64(v) - largest)
	}
	return largest + math.Log(sum)
}

func softmax(logits train.Tensor, classes int) train.Tensor {
	p := train.NewTensor(logits.Shape...)
	for lo := 0; lo < len(p.Data); lo += classes {
		z := logits.Data[lo : lo+classes]
		log := logSumExp(z)
		for c, v := range z {
			p.Data[lo+c] = float32(math.Exp(float64(v) - log))
		}
	}
	return p
}

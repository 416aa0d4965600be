package train

import (
	"fmt"
	"math"
)

// Method names an optimizer.
type Method string

// The optimizers every engine that trains by gradients knows, with the
// update rules of their papers as PyTorch implements them.
const (
	// MethodAdam: Kingma, Ba 2015; weight decay is added to the gradient.
	MethodAdam Method = "adam"
	// MethodAdamW: Loshchilov, Hutter 2019; weight decay is apart from the gradient.
	MethodAdamW Method = "adamw"
	// MethodSGD: plain, with momentum or Nesterov momentum (Sutskever et al. 2013).
	MethodSGD Method = "sgd"
	// MethodRMSProp: Tieleman, Hinton 2012.
	MethodRMSProp Method = "rmsprop"
)

// Optimizer is how gradients become changes of the weights. The zero value is
// Adam with its defaults.
type Optimizer struct {
	// Method defaults to Adam.
	Method Method
	// LearningRate is the size of the step before the schedule. Default 1e-3,
	// 1e-2 for SGD.
	LearningRate float64
	// Schedule changes the learning rate over the iterations of a step. The zero
	// value keeps it constant.
	Schedule Schedule
	// Momentum of SGD and RMSProp, in [0, 1). Default 0. Adam has Beta1 instead.
	Momentum float64
	// Nesterov turns the momentum of SGD into Nesterov's.
	Nesterov bool
	// Beta1 and Beta2 are the decay rates of Adam's moments. Defaults 0.9, 0.999.
	Beta1, Beta2 float64
	// Rho is the decay rate of RMSProp's mean square. Default 0.99.
	Rho float64
	// Epsilon keeps divisions finite. Default 1e-8.
	Epsilon float64
	// WeightDecay pulls weights towards zero; parameters with Decays false are
	// exempt. Default 0.
	WeightDecay float64
	// ClipValue bounds every element of the gradient, ClipNorm the Euclidean norm
	// of all gradients together. 0 does not clip.
	ClipValue, ClipNorm float64
}

// Adam is Adam with a learning rate.
func Adam(learningRate float64) Optimizer {
	return Optimizer{Method: MethodAdam, LearningRate: learningRate}
}

// AdamW is Adam with a learning rate and decoupled weight decay.
func AdamW(learningRate, weightDecay float64) Optimizer {
	return Optimizer{Method: MethodAdamW, LearningRate: learningRate, WeightDecay: weightDecay}
}

// SGD is stochastic gradient descent with a learning rate and momentum, 0 for none.
func SGD(learningRate, momentum float64) Optimizer {
	return Optimizer{Method: MethodSGD, LearningRate: learningRate, Momentum: momentum}
}

// RMSProp is RMSProp with a learning rate.
func RMSProp(learningRate float64) Optimizer {
	return Optimizer{Method: MethodRMSProp, LearningRate: learningRate}
}

// WithDefaults fills in the defaults of fields that are zero.
func (o Optimizer) WithDefaults() Optimizer {
	if o.Method == "" {
		o.Method = MethodAdam
	}
	fill := func(field *float64, value float64) {
		if *field == 0 {
			*field = value
		}
	}
	if o.Method == MethodSGD {
		fill(&o.LearningRate, 1e-2)
	}
	fill(&o.LearningRate, 1e-3)
	fill(&o.Beta1, 0.9)
	fill(&o.Beta2, 0.999)
	fill(&o.Rho, 0.99)
	fill(&o.Epsilon, 1e-8)
	return o
}

// notNegative reports whether v is a finite number of 0 or more.
func notNegative(v float64) bool { return v >= 0 && !math.IsInf(v, 0) }

// rate is the learning rate of an iteration.
func (o Optimizer) rate(iteration, total int) (float64, error) {
	factor := o.Schedule.At(iteration, total)
	if !notNegative(factor) {
		return 0, fmt.Errorf("optimizer %s: the schedule %s multiplies the learning rate by %v at iteration %d of %d, it must be a number of 0 or more",
			o.Method, o.Schedule, factor, iteration, total)
	}
	return o.LearningRate * factor, nil
}

// Check reports settings out of range.
func (o Optimizer) Check() error {
	o = o.WithDefaults()
	switch o.Method {
	case MethodAdam, MethodAdamW, MethodSGD, MethodRMSProp:
	default:
		return fmt.Errorf("optimizer: there is no method %q: use %s, %s, %s or %s", o.Method,
			MethodAdam, MethodAdamW, MethodSGD, MethodRMSProp)
	}
	for _, f := range []struct {
		name  string
		value float64
		below float64 // 0: no bound above
	}{
		{"learning rate", o.LearningRate, 0}, {"momentum", o.Momentum, 1}, {"beta1", o.Beta1, 1},
		{"beta2", o.Beta2, 1}, {"rho", o.Rho, 1}, {"epsilon", o.Epsilon, 0}, {"weight decay", o.WeightDecay, 0},
		{"clip value", o.ClipValue, 0}, {"clip norm", o.ClipNorm, 0},
	} {
		if !notNegative(f.value) || f.below > 0 && f.value >= f.below {
			limit := "a number of 0 or more"
			if f.below > 0 {
				limit = fmt.Sprintf("in [0, %g)", f.below)
			}
			return fmt.Errorf("optimizer %s: %s is %v, it must be %s", o.Method, f.name, f.value, limit)
		}
	}
	if o.Nesterov && o.Method != MethodSGD {
		return fmt.Errorf("optimizer %s: Nesterov is of %s only: leave it out, or use train.SGD", o.Method, MethodSGD)
	}
	if o.Momentum != 0 && (o.Method == MethodAdam || o.Method == MethodAdamW) {
		return fmt.Errorf("optimizer %s: momentum is %v, but only %s and %s have one: leave it out, or set Beta1", o.Method, o.Momentum, MethodSGD, MethodRMSProp)
	}
	if o.Nesterov && o.Momentum == 0 {
		return fmt.Errorf("optimizer %s: Nesterov needs a Momentum, such as 0.9", o.Method)
	}
	return nil
}

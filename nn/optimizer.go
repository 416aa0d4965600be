package nn

import (
	"math"

	"github.com/actually-robust-training/art/internal/kernel"
	"github.com/actually-robust-training/art/train"
)

// optimizer changes parameters by their gradients, in place.
type optimizer struct {
	train.Optimizer
	// updates of each parameter so far: one that was frozen begins its moments
	// later, and corrects their bias from there
	updates []int
	// moments of each parameter by slot; empty for those that need none
	moments [][][]float32
	scratch []float32
}

// momentNames are the slots of each method, as State names them.
func momentNames(o train.Optimizer) []string {
	switch {
	case o.Method == train.MethodAdam || o.Method == train.MethodAdamW:
		return []string{"mean", "square"}
	case o.Method == train.MethodRMSProp && o.Momentum != 0:
		return []string{"square", "velocity"}
	case o.Method == train.MethodRMSProp:
		return []string{"square"}
	case o.Momentum != 0:
		return []string{"velocity"}
	default:
		return nil
	}
}

func newOptimizer(o train.Optimizer, params []train.Param) *optimizer {
	opt := &optimizer{Optimizer: o, updates: make([]int, len(params)), moments: make([][][]float32, len(params))}
	for i, p := range params {
		if p.Grad == nil {
			continue
		}
		for range momentNames(o) {
			opt.moments[i] = append(opt.moments[i], make([]float32, len(p.Value)))
		}
	}
	return opt
}

func (o *optimizer) update(params []train.Param, learningRate float64) {
	o.clip(params)
	for i, p := range params {
		if p.Grad == nil || p.Frozen {
			continue
		}
		decay := o.WeightDecay
		if !p.Decays {
			decay = 0
		}
		o.updates[i]++
		o.step(p, o.updates[i], o.moments[i], learningRate, decay)
	}
}

// step is update number n of a parameter, counted from 1.
func (o *optimizer) step(p train.Param, n int, m [][]float32, rate, decay float64) {
	switch o.Method {
	case train.MethodAdam, train.MethodAdamW:
		kernel.AdamStep(kernel.Adam{
			LR: rate, Beta1: o.Beta1, Beta2: o.Beta2, Eps: o.Epsilon, WeightDecay: decay,
			Decoupled: o.Method == train.MethodAdamW, Step: n,
		}, p.Value, p.Grad, m[0], m[1])
	case train.MethodRMSProp:
		o.rmsProp(p, m, rate, decay)
	default:
		var velocity []float32
		if o.Momentum != 0 {
			velocity = m[0]
		}
		kernel.SGDStep(kernel.SGD{
			LR: rate, Momentum: o.Momentum, WeightDecay: decay, Nesterov: o.Nesterov, First: n == 1,
		}, p.Value, p.Grad, velocity)
	}
}

// rmsProp with momentum adds up g/(√s+ε), as PyTorch does:
// v = μ·v + g/(√s+ε), w −= rate·v.
func (o *optimizer) rmsProp(p train.Param, m [][]float32, rate, decay float64) {
	r := kernel.RMSProp{LR: rate, Alpha: o.Rho, Eps: o.Epsilon, WeightDecay: decay}
	if o.Momentum == 0 {
		kernel.RMSPropStep(r, p.Value, p.Grad, m[0])
		return
	}
	o.scratch = grow(o.scratch, 2*len(p.Value))
	step, g := o.scratch[:len(p.Value)], o.scratch[len(p.Value):]
	copy(g, p.Grad)
	if decay != 0 {
		kernel.Axpy(g, float32(decay), p.Value)
	}
	clear(step)
	r.LR, r.WeightDecay = -1, 0
	kernel.RMSPropStep(r, step, g, m[0])
	kernel.SGDStep(kernel.SGD{LR: rate, Momentum: o.Momentum}, p.Value, step, m[1])
}

// clip bounds the gradients in place, first each element, then the norm of all
// together (as clip_grad_norm_ of PyTorch: factor max/(norm+1e-6), at most 1).
func (o *optimizer) clip(params []train.Param) {
	if o.ClipValue > 0 {
		limit := float32(o.ClipValue)
		for _, p := range params {
			kernel.Clamp(p.Grad, -limit, limit, p.Grad)
		}
	}
	if o.ClipNorm <= 0 {
		return
	}
	sum := 0.0
	for _, p := range params {
		if !p.Frozen {
			sum += kernel.SumSquares(p.Grad)
		}
	}
	if factor := o.ClipNorm / (math.Sqrt(sum) + 1e-6); factor < 1 {
		for _, p := range params {
			kernel.Scale(p.Grad, float32(factor), p.Grad)
		}
	}
}

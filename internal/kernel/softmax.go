package kernel

import (
	"fmt"
	"math"
)

// Softmax computes dst[i] = softmax(scale * x[i]) for each row of x
// [rows, cols]; dst may be x. With causal > 0, rows come in blocks of that
// many, the queries of one sequence, and row i sees columns 0 to i mod causal
// only; the others become 0. A row with a NaN becomes NaN throughout what it
// sees.
func Softmax[F Float](dst, x []F, rows, cols int, scale F, causal int) {
	need("Softmax", "dst", dst, rows*cols)
	need("Softmax", "x", x, rows*cols)
	Parallel(rows, rowGrain(cols), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			seen := cols
			if causal > 0 {
				seen = min(i%causal+1, cols)
			}
			row := dst[i*cols : (i+1)*cols]
			softmaxRow(row[:seen], x[i*cols:i*cols+seen], scale)
			clear(row[seen:])
		}
	})
}

// rowGrain is the number of rows in one unit of parallel work that costs
// several operations an element.
func rowGrain(cols int) int { return max(1, vectorGrain/4/max(cols, 1)) }

func softmaxRow[F Float](dst, x []F, scale F) {
	scalePart(dst, scale, x)
	total := expShifted(dst, dst, Max(dst))
	scalePart(dst, F(1/total), dst)
}

// expShifted computes dst = exp(x - shift) and returns the sum.
func expShifted[F Float](dst, x []F, shift F) float64 {
	if useSIMD[F]() && len(dst) > 0 {
		var lanes [8]float32
		vecExpShifted(head(dst), head(x), len(dst), float32(shift), &lanes[0])
		return sumLanes(&lanes)
	}
	total := 0.0
	for i, v := range x {
		e := math.Exp(float64(v - shift))
		dst[i] = F(e)
		total += e
	}
	return total
}

// SoftmaxBackward computes dx = scale * y * (dy - sum(dy*y)) for each row, from
// the result y of Softmax. dx may be dy or y.
func SoftmaxBackward[F Float](dx, y, dy []F, rows, cols int, scale F) {
	need("SoftmaxBackward", "dx", dx, rows*cols)
	need("SoftmaxBackward", "y", y, rows*cols)
	need("SoftmaxBackward", "dy", dy, rows*cols)
	Parallel(rows, rowGrain(cols), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			a, b := i*cols, (i+1)*cols
			softmaxBackwardRow(dx[a:b], y[a:b], dy[a:b], scale, F(dotPart(dy[a:b], y[a:b])))
		}
	})
}

func softmaxBackwardRow[F Float](dx, y, dy []F, scale, dot F) {
	if useSIMD[F]() && len(dx) > 0 {
		vecSoftmaxBackward(head(dx), head(y), head(dy), len(dx), float32(scale), float32(dot))
		return
	}
	y, dy = y[:len(dx)], dy[:len(dx)]
	for i := range dx {
		dx[i] = scale * y[i] * (dy[i] - dot)
	}
}

// CrossEntropy describes softmax cross-entropy on logits [Rows, Classes]
// against class numbers, as PyTorch's CrossEntropyLoss.
type CrossEntropy[F Float] struct {
	Rows, Classes int
	// Targets, of length Rows, are class numbers in [0, Classes). A negative
	// number leaves the row out of the loss.
	Targets []int
	// Weights scale the loss of each class; nil means 1 for all.
	Weights []F
	// Smoothing in [0, 1) is the share of the target spread evenly over all
	// classes.
	Smoothing F
}

// Forward writes the loss of each row to losses and softmax(logits), which
// Backward needs, to probs (may be the logits' own slice; nil if no gradient is
// wanted). It returns the total weight of the rows, by which a mean loss is
// divided: the sum of the weights of their targets.
func (c CrossEntropy[F]) Forward(losses, probs, logits []F) (weight float64) {
	need("CrossEntropy", "losses", losses, c.Rows)
	need("CrossEntropy", "logits", logits, c.Rows*c.Classes)
	c.check()
	if probs != nil {
		need("CrossEntropy", "probs", probs, c.Rows*c.Classes)
	}
	Parallel(c.Rows, rowGrain(c.Classes), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			a, b := i*c.Classes, (i+1)*c.Classes
			losses[i] = c.row(i, part(probs, a, b), logits[a:b])
		}
	})
	for _, t := range c.Targets[:c.Rows] {
		if t >= 0 {
			weight += float64(c.weight(t))
		}
	}
	return weight
}

func (c CrossEntropy[F]) check() {
	if len(c.Targets) < c.Rows {
		badLen("CrossEntropy", "Targets", len(c.Targets), c.Rows)
	}
	if c.Weights != nil {
		need("CrossEntropy", "Weights", c.Weights, c.Classes)
	}
	for i, t := range c.Targets[:c.Rows] {
		if t >= c.Classes {
			panic(fmt.Sprintf("kernel: CrossEntropy: target %d of row %d is not below the number of classes %d", t, i, c.Classes))
		}
	}
}

func (c CrossEntropy[F]) weight(class int) F {
	if c.Weights == nil {
		return 1
	}
	return c.Weights[class]
}

// row writes the probabilities of one row, unless probs is nil, and returns its
// loss: the sum over classes of q*w*(lse - logit) with the smoothed target q and
// the class weights w, which for no smoothing is w[t]*(lse - logit[t]).
func (c CrossEntropy[F]) row(row int, probs, logits []F) F {
	t := c.Targets[row]
	shift := Max(logits)
	loss, mass := 0.0, 0.0 // before probs, which may be logits, is written
	if t >= 0 {
		loss = (1 - float64(c.Smoothing)) * float64(c.weight(t)) * float64(shift-logits[t])
		loss += float64(c.Smoothing) / float64(c.Classes) * c.spread(shift, logits)
		mass = c.mass(t)
	}
	total := 0.0
	if probs != nil {
		total = expShifted(probs, logits, shift)
		scalePart(probs, F(1/total), probs)
	} else {
		for _, v := range logits {
			total += math.Exp(float64(v - shift))
		}
	}
	if t < 0 {
		return 0
	}
	return F(loss + mass*math.Log(total))
}

// spread is the sum over classes of w*(shift - logit), 0 without smoothing.
func (c CrossEntropy[F]) spread(shift F, logits []F) float64 {
	s := 0.0
	if c.Smoothing != 0 {
		for k, v := range logits {
			s += float64(c.weight(k)) * float64(shift-v)
		}
	}
	return s
}

// mass is the sum over classes of q*w for target t.
func (c CrossEntropy[F]) mass(t int) float64 {
	m := (1 - float64(c.Smoothing)) * float64(c.weight(t))
	if c.Smoothing != 0 {
		for k := range c.Classes {
			m += float64(c.Smoothing) / float64(c.Classes) * float64(c.weight(k))
		}
	}
	return m
}

// Backward computes dlogits from the probabilities that Forward wrote; dlogits
// may be probs. scale multiplies the gradient of every row (1/weight for a mean
// loss, 1 for a sum).
func (c CrossEntropy[F]) Backward(dlogits, probs []F, scale F) {
	need("CrossEntropy", "dlogits", dlogits, c.Rows*c.Classes)
	need("CrossEntropy", "probs", probs, c.Rows*c.Classes)
	c.check()
	Parallel(c.Rows, rowGrain(c.Classes), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			a, b := i*c.Classes, (i+1)*c.Classes
			c.rowGradient(i, dlogits[a:b], probs[a:b], scale)
		}
	})
}

func (c CrossEntropy[F]) rowGradient(row int, d, p []F, scale F) {
	t := c.Targets[row]
	if t < 0 {
		clear(d)
		return
	}
	even := c.Smoothing / F(c.Classes)
	scalePart(d, scale*F(c.mass(t)), p)
	d[t] -= scale * (1 - c.Smoothing) * c.weight(t)
	if c.Smoothing != 0 {
		for k := range d {
			d[k] -= scale * even * c.weight(k)
		}
	}
}

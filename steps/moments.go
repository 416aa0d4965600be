package steps

import (
	"math"
	"slices"
)

// moments are mean, variance and range of a stream (Welford 1962).
type moments struct {
	n, mean, m2, min, max float64
}

func (m *moments) add(values []float32) {
	for _, x := range values {
		v := float64(x)
		if m.n == 0 {
			m.min, m.max = v, v
		}
		m.n++
		d := v - m.mean
		m.mean += d / m.n
		m.m2 += d * (v - m.mean)
		m.min, m.max = min(m.min, v), max(m.max, v)
	}
}

func (m *moments) variance() float64  { return m.m2 / max(m.n, 1) }
func (m *moments) deviation() float64 { return math.Sqrt(m.variance()) }

// likeness tells whether predictions follow the targets at all. For classes it is
//
//	d = p[y] − Σ f[k]·p[k]
//
// over the rows, with the predicted probabilities p of a row, its class y, and the
// frequencies f of the classes: the mean of d is 0 whenever predictions know
// nothing of the targets, however unbalanced the classes and however often
// one of them is predicted. For values it is the product of output and target, each less
// its mean.
type likeness struct {
	n       float64
	counts  []float64 // of the classes
	own     float64   // Σ p[y]
	own2    float64   // Σ p[y]²
	sums    []float64 // Σ p
	ownBy   []float64 // Σ p[y]·p
	squares []float64 // Σ p·pᵀ, while there are few classes
	ranks   ranks

	outputs, targets moments
	xy               float64
}

// manyClasses is the number above which Σ p·pᵀ is not kept; the variance of
// Σ f[k]·p[k], a mean over many classes, is then small beside that of p[y].
const manyClasses = 32

func (l *likeness) addClass(p []float32, class int) {
	k := len(p)
	if l.counts == nil {
		l.counts, l.sums, l.ownBy = make([]float64, k), make([]float64, k), make([]float64, k)
		if k <= manyClasses {
			l.squares = make([]float64, k*k)
		}
	}
	own := float64(p[class])
	l.n++
	l.counts[class]++
	l.own += own
	l.own2 += own * own
	l.ranks.add(p, class)
	for i, v := range p {
		l.sums[i] += float64(v)
		l.ownBy[i] += own * float64(v)
		if l.squares != nil {
			for j, w := range p {
				l.squares[i*k+j] += float64(v) * float64(w)
			}
		}
	}
}

func (l *likeness) addValues(outputs, targets []float32) {
	l.outputs.add(outputs)
	l.targets.add(targets)
	for i, x := range outputs {
		l.n++
		l.xy += float64(x) * float64(targets[i])
	}
}

// leastRanked is the strength from which on ranks count: a fresh network has ranks,
// too, which may follow the targets by the luck of its weights.
const leastRanked = 0.01

// z is the mean of d in its standard errors, at most 0 for next to none, or what
// the ranks of the probabilities say, when that is more; for values, Student's t of the
// correlation. NaN when there is nothing to tell from.
func (l *likeness) z() float64 {
	switch {
	case l.n < 3 || !l.varies():
		return math.NaN()
	case l.counts == nil:
		r := l.correlation()
		return r * math.Sqrt((l.n-2)/max(1-r*r, 1e-12))
	case l.mean() < 1e-6:
		return min(l.mean(), 0)
	}
	z := l.standard()
	if z < surely && l.strength() >= leastRanked {
		z = max(z, l.ranks.z())
	}
	return z
}

// mean of d.
func (l *likeness) mean() float64 {
	mean := l.own / l.n
	for i, c := range l.counts {
		mean -= c / l.n * l.sums[i] / l.n
	}
	return mean
}

// standard is the mean of d in its standard errors.
func (l *likeness) standard() float64 {
	mean, square := l.mean(), l.own2/l.n
	k := len(l.counts)
	for i, c := range l.counts {
		f := c / l.n
		square -= 2 * f * l.ownBy[i] / l.n
		for j, c := range l.counts {
			if l.squares != nil {
				square += f * c / l.n * l.squares[i*k+j] / l.n
			}
		}
	}
	return mean / math.Sqrt(max(square-mean*mean, 0)/l.n+1e-12)
}

// strength is the mean of d over what it would be if every prediction were
// certain and right; for values, the correlation. NaN when there is nothing to tell from.
func (l *likeness) strength() float64 {
	switch {
	case l.n < 2 || !l.varies():
		return math.NaN()
	case l.counts == nil:
		return l.correlation()
	}
	chance := 0.
	for _, c := range l.counts {
		chance += c / l.n * c / l.n
	}
	return l.mean() / (1 - chance)
}

// varies reports that there are different targets.
func (l *likeness) varies() bool {
	return l.counts == nil && l.targets.deviation() > 0 || l.counts != nil && slices.Max(l.counts) < l.n
}

func (l *likeness) correlation() float64 {
	s := l.outputs.deviation() * l.targets.deviation()
	if s < 1e-12 {
		return 0
	}
	return (l.xy/l.n - l.outputs.mean*l.targets.mean) / s
}

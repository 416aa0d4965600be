package steps

import (
	"math"

	"github.com/actually-robust-training/art/train"
)

// census is what one walk over a data set tells about inputs, targets and
// predictions. It is used as a metric, so that it costs no walk of its own.
type census struct {
	loss    train.Loss
	inputs  moments
	outputs moments
	targets moments
	classes map[int]float64
	rows    int

	zeroLoss  float64 // Σ loss of an output of zero, for regression
	confident int     // positions whose largest probability is above 0.99
	positions int
	right     int // positions whose likeliest class is the target
	simplex   int // positions whose raw outputs are themselves probabilities
	firstRow  []float32
	differs   bool // some row of outputs differs from the first
}

// metric is the census as a metric that is evaluated with others.
func (c *census) metric() train.Metric {
	return train.Metric{Name: "census", New: func([]string) (train.Accumulator, error) { return c, nil }}
}

// Score has no value of its own.
func (c *census) Score() train.Score { return train.Score{Value: math.NaN(), Rows: c.rows} }

// Add takes a batch in.
func (c *census) Add(b train.Batch, p train.Prediction) error {
	if c.classes == nil {
		c.classes = map[int]float64{}
	}
	c.rows += b.Len()
	c.inputs.add(b.Inputs.Data)
	c.outputs.add(p.Outputs.Data)
	c.compareRows(p.Outputs)
	if c.loss.Kind == train.CrossEntropy {
		c.addClasses(b.Targets.Data, p)
		return nil
	}
	c.targets.add(b.Targets.Data)
	for _, y := range b.Targets.Data {
		c.zeroLoss += lossOfZero(c.loss, float64(y))
		if c.loss.Kind == train.BinaryCrossEntropy {
			c.classes[int(y)]++
		}
	}
	return nil
}

func (c *census) addClasses(targets []float32, p train.Prediction) {
	if len(p.Probabilities.Shape) == 0 {
		return
	}
	k := p.Probabilities.Shape[len(p.Probabilities.Shape)-1]
	for i, y := range targets {
		if y < 0 || (i+1)*k > len(p.Probabilities.Data) {
			continue
		}
		c.positions++
		c.classes[int(y)]++
		row := p.Probabilities.Data[i*k : (i+1)*k]
		best := 0
		for j, v := range row {
			if v > row[best] {
				best = j
			}
		}
		if best == int(y) {
			c.right++
		}
		if row[best] > 0.99 {
			c.confident++
		}
		if len(p.Outputs.Data) == len(p.Probabilities.Data) && onSimplex(p.Outputs.Data[i*k:(i+1)*k]) {
			c.simplex++
		}
	}
}

// onSimplex reports that a row looks like the result of a softmax.
func onSimplex(row []float32) bool {
	sum := 0.
	for _, v := range row {
		if v < 0 || v > 1 {
			return false
		}
		sum += float64(v)
	}
	return math.Abs(sum-1) < 1e-3
}

// compareRows finds out whether outputs depend on the input at all.
func (c *census) compareRows(outputs train.Tensor) {
	for i := range outputs.Rows() {
		row := outputs.Row(i)
		if c.firstRow == nil {
			c.firstRow = append([]float32{}, row...)
		}
		for j, v := range row {
			if math.Abs(float64(v-c.firstRow[j])) > 1e-6*(1+math.Abs(float64(v))) {
				c.differs = true
			}
		}
	}
}

// prior is the entropy of the classes in nats, and the share of the commonest.
func (c *census) prior() (entropy, top float64) {
	total := 0.
	for _, n := range c.classes {
		total += n
	}
	// Sum in the order of class ids: a map's own would change the last bits.
	for id := range maxKey(c.classes) + 1 {
		if n := c.classes[id]; n > 0 {
			entropy -= n / total * math.Log(n/total)
			top = max(top, n/total)
		}
	}
	return entropy, top
}

func maxKey(m map[int]float64) int {
	k := 0
	for key := range m {
		k = max(k, key)
	}
	return k
}

// lossOfZero is the loss of an output of zero for a target.
func lossOfZero(l train.Loss, y float64) float64 {
	switch l.Kind {
	case train.MSE:
		return y * y
	case train.MAE:
		return math.Abs(y)
	case train.Huber:
		delta := l.Delta
		if delta == 0 {
			delta = 1
		}
		if d := math.Abs(y); d > delta {
			return delta * (d - delta/2)
		}
		return y * y / 2
	case train.BinaryCrossEntropy:
		return math.Ln2
	}
	return math.NaN()
}

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

func (m *moments) variance() float64 { return m.m2 / max(m.n, 1) }
func (m *moments) deviation() float64 {
	return math.Sqrt(m.variance())
}

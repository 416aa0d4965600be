package steps

import (
	"math"
	"slices"

	"github.com/actually-robust-training/art/train"
)

// census is what one walk over a data set tells about inputs, targets and
// predictions. It is used as a metric, so that it costs no walk of its own.
type census struct {
	loss    train.Loss
	inputs  moments
	outputs moments
	targets moments
	columns []moments // of each output
	classes map[int]float64
	rows    int

	batches, repeated int       // batches, and those that repeat the one before
	last, spare       []float32 // content of the last batch, and room for the next
	zeroLoss          float64   // Σ loss of an output of zero, for regression
	confident         int       // positions whose largest probability is above 0.99
	positions         int
	right             int // positions whose likeliest class is the target
	width             int // number of probabilities of a position
	simplex           int // positions whose raw outputs are themselves probabilities
	zeros             int // outputs that are exactly 0
	likeness          likeness
	inputRows         sameness
	outputRows        sameness
	likelihoods       moments // probability of the actual class, for classes
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
	c.batches++
	content := append(c.spare[:0], b.Inputs.Data...)
	content = append(content, b.Targets.Data...)
	if slices.EqualFunc(c.last, content, sameBits) {
		c.repeated++
	}
	c.last, c.spare = content, c.last
	c.inputs.add(b.Inputs.Data)
	c.addOutputs(p.Outputs)
	c.inputRows.add(b.Inputs)
	c.outputRows.add(p.Outputs)
	if c.loss.Kind == train.CrossEntropy {
		c.addClasses(b.Targets.Data, p)
		return nil
	}
	c.targets.add(b.Targets.Data)
	for _, y := range b.Targets.Data {
		c.zeroLoss += lossOfZero(c.loss, float64(y))
	}
	if c.loss.Kind == train.BinaryCrossEntropy {
		c.addBinary(b.Targets.Data, p)
	} else if len(p.Outputs.Data) == len(b.Targets.Data) {
		c.likeness.addValues(p.Outputs.Data, b.Targets.Data)
	}
	return nil
}

// addOutputs keeps the moments of each output, up to a number that costs little.
func (c *census) addOutputs(outputs train.Tensor) {
	const most = 1024
	c.outputs.add(outputs.Data)
	if c.columns == nil {
		c.columns = make([]moments, min(outputs.RowSize(), most))
	}
	for i, v := range outputs.Data {
		if v == 0 {
			c.zeros++
		}
		if j := i % outputs.RowSize(); j < len(c.columns) {
			c.columns[j].add([]float32{v})
		}
	}
}

// spread is how much outputs vary between rows: the root mean square of the
// deviations of each output.
func (c *census) spread() float64 {
	sum := 0.
	for i := range c.columns {
		sum += c.columns[i].variance()
	}
	return math.Sqrt(sum / float64(max(len(c.columns), 1)))
}

func (c *census) addClasses(targets []float32, p train.Prediction) {
	if len(p.Probabilities.Shape) == 0 {
		return
	}
	k := p.Probabilities.Shape[len(p.Probabilities.Shape)-1]
	c.width = k
	for i, y := range targets {
		if y < 0 || int(y) >= k || (i+1)*k > len(p.Probabilities.Data) {
			continue
		}
		row := p.Probabilities.Data[i*k : (i+1)*k]
		c.addPosition(row, int(y))
		if len(p.Outputs.Data) == len(p.Probabilities.Data) && onSimplex(p.Outputs.Data[i*k:(i+1)*k]) {
			c.simplex++
		}
	}
}

// addBinary counts single logits against classes 0 and 1 as two classes;
// independent labels have no likeliest class.
func (c *census) addBinary(targets []float32, p train.Prediction) {
	for i, y := range targets {
		if 2*len(targets) == len(p.Probabilities.Data) && y >= 0 {
			c.width = 2
			c.addPosition(p.Probabilities.Data[2*i:2*i+2], int(y))
		} else {
			c.classes[int(y)]++
		}
	}
}

// addPosition takes the probabilities of one position and its class in.
func (c *census) addPosition(row []float32, class int) {
	c.positions++
	c.classes[class]++
	best := 0
	for j, v := range row {
		if v > row[best] {
			best = j
		}
	}
	if best == class {
		c.right++
	}
	if row[best] > 0.99 {
		c.confident++
	}
	c.likelihoods.add(row[class : class+1])
	c.likeness.addClass(row, class)
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

// sameness finds out whether all rows of a stream are equal.
type sameness struct {
	first   []float32
	differs bool
}

func (s *sameness) add(t train.Tensor) {
	for i := range t.Rows() {
		row := t.Row(i)
		if s.first == nil {
			s.first = append([]float32{}, row...)
		}
		if s.differs {
			return
		}
		for j, v := range row {
			if math.Abs(float64(v-s.first[j])) > 1e-6*(1+math.Abs(float64(v))) {
				s.differs = true
			}
		}
	}
}

package steps

import (
	"bytes"
	"context"
	"encoding/gob"

	"github.com/actually-robust-training/art/train"
)

// run runs a loop of the trial that goes on where an earlier run of the step was
// interrupted. Remembered is what callbacks of the loop carry from iteration to
// iteration, as pointers.
func (t *trial) run(ctx context.Context, loop *train.Loop, remembered ...any) (train.Result, error) {
	if t.silent {
		return loop.Run(ctx)
	}
	return t.scope.Train(ctx, t.name, loop, append(remembered, &t.rate)...)
}

// sight is what a probe remembers, but for the weights at the start: a fresh
// model has those again.
type sight struct {
	Next, Samples int
	Zero          map[string]int
	Ratios        map[string][]float64
	Norms         []float64
	NaN           string
}

// MarshalBinary writes what the probe has seen.
func (p *probe) MarshalBinary() ([]byte, error) {
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(sight{p.next, p.samples, p.zero, p.ratios, p.norms, p.nan})
	return b.Bytes(), err
}

// UnmarshalBinary puts it back.
func (p *probe) UnmarshalBinary(data []byte) error {
	s := sight{Zero: map[string]int{}, Ratios: map[string][]float64{}}
	err := gob.NewDecoder(bytes.NewReader(data)).Decode(&s)
	p.next, p.samples, p.zero, p.ratios, p.norms, p.nan = s.Next, s.Samples, s.Zero, s.Ratios, s.Norms, s.NaN
	return err
}

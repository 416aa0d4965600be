package ours

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/actually-robust-training/art/internal/tensorfile"
	"github.com/actually-robust-training/art/nn"
	"github.com/actually-robust-training/art/train"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// request and reply are those of internal/peers.
type request struct {
	Op             string
	Row            row
	Folder         string
	WarmUp, Window float64
	Iterations     int
}

type reply struct {
	Error        string            `json:",omitempty"`
	Milliseconds float64           `json:",omitempty"`
	Losses       []float64         `json:",omitempty"`
	Versions     map[string]string `json:",omitempty"`
}

// TestWorker answers requests on file descriptor 3 until its input ends.
func TestWorker(t *testing.T) {
	if os.Getenv("ART_PEERS_WORKER") == "" {
		t.Skip("a part of make bench-peers")
	}
	out := os.NewFile(3, "replies")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var r request
		require.NoError(t, json.Unmarshal(lines.Bytes(), &r))
		a, err := r.answer()
		if err != nil {
			a = reply{Error: err.Error()}
		}
		runtime.GC()
		require.NoError(t, json.NewEncoder(out).Encode(a))
	}
}

func (r request) answer() (reply, error) {
	if r.Op == "about" {
		return reply{Versions: map[string]string{"Go": runtime.Version()}}, nil
	}
	b := r.Row.batch()
	l, err := r.Row.learner(b)
	if err != nil {
		return reply{}, err
	}
	iteration := 0
	iterate := func() (float64, error) {
		loss, err := l.Forward(b, iteration)
		iteration++
		if err != nil {
			return 0, err
		}
		return loss, l.Update(rate)
	}
	switch r.Op {
	case "export":
		return reply{}, export(r.Folder, l, b)
	case "losses":
		var a reply
		for range r.Iterations {
			loss, err := iterate()
			if err != nil {
				return reply{}, err
			}
			a.Losses = append(a.Losses, loss)
		}
		return a, nil
	case "measure":
		ms, err := measure(iterate, seconds(r.WarmUp), seconds(r.Window))
		return reply{Milliseconds: ms}, err
	}
	return reply{}, fmt.Errorf("unknown request %q", r.Op)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// measure gives the median over blocks of iterations, in milliseconds each.
func measure(iterate func() (float64, error), warmUp, window time.Duration) (float64, error) {
	done := 0
	begin := time.Now()
	for ; done < 3 || time.Since(begin) < warmUp; done++ {
		if _, err := iterate(); err != nil {
			return 0, err
		}
	}
	each := time.Since(begin) / time.Duration(done)
	size := max(1, int(window/20/max(each, 1)))
	var blocks []float64
	for begin = time.Now(); len(blocks) < 5 || time.Since(begin) < window; {
		mark := time.Now()
		for range size {
			if _, err := iterate(); err != nil {
				return 0, err
			}
		}
		blocks = append(blocks, time.Since(mark).Seconds()*1e3/float64(size))
	}
	slices.Sort(blocks)
	return blocks[len(blocks)/2], nil
}

// export writes weights and batch for the other engines.
func export(folder string, l train.Learner, b train.Batch) error {
	if err := nn.SaveWeights(filepath.Join(folder, "weights.npz"), l); err != nil {
		return err
	}
	inputs, err := tensorfile.New("inputs", b.Inputs.Shape, b.Inputs.Data)
	if err != nil {
		return err
	}
	targets, err := tensorfile.New("targets", b.Targets.Shape, b.Targets.Data)
	if err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(folder, "batch.npz"))
	if err != nil {
		return err
	}
	defer f.Close()
	if err := tensorfile.WriteNPZ(f, []tensorfile.Array{inputs, targets}); err != nil {
		return err
	}
	return f.Close()
}

// Each kind of row trains, and what it exports is what it trains on.
func TestRows(t *testing.T) {
	for _, r := range []row{
		{Name: "cnn", Kind: "cnn", Shape: []int{1, 8, 8}, Rows: 4, Classes: 3, Widths: []int{2, 4}},
		{Name: "mlp", Kind: "mlp", Shape: []int{7}, Rows: 4, Classes: 3, Widths: []int{5}},
		{Name: "logistic", Kind: "mlp", Shape: []int{4}, Rows: 16, Classes: 3},
		{Name: "transformer", Kind: "transformer", Shape: []int{3, 8}, Rows: 2, Widths: []int{16}, Heads: 2},
	} {
		t.Run(r.Name, func(t *testing.T) {
			folder := t.TempDir()
			_, err := request{Op: "export", Row: r, Folder: folder}.answer()
			require.NoError(t, err)
			file, err := os.Open(filepath.Join(folder, "batch.npz"))
			require.NoError(t, err)
			defer file.Close()
			info, err := file.Stat()
			require.NoError(t, err)
			arrays, err := tensorfile.ReadNPZ(file, info.Size())
			require.NoError(t, err)
			require.Len(t, arrays, 2)
			got, err := tensorfile.Values[float32](arrays[0])
			require.NoError(t, err)
			assert.Equal(t, r.batch().Inputs.Data, got)

			a, err := request{Op: "losses", Row: r, Iterations: 200}.answer()
			require.NoError(t, err)
			assert.Less(t, a.Losses[199], a.Losses[0])
			a, err = request{Op: "measure", Row: r, Window: 1e-3}.answer()
			require.NoError(t, err)
			assert.Positive(t, a.Milliseconds)
		})
	}
	_, err := row{Name: "odd", Kind: "svm"}.model()
	assert.ErrorContains(t, err, `unknown kind "svm"`)
}

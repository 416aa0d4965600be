package nn

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// trace trains networks that hold every layer with randomness or parallel
// kernels, and digests losses and weights.
func trace(t testing.TB) string {
	h := sha256.New()
	digest := func(v float64) {
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], math.Float64bits(v))
		h.Write(b[:])
	}
	cnn := Classifier("cnn", func(x Node) Node {
		x = x.Conv("conv1", Conv{Filters: 16, Kernel: 3, Pad: 1}).BatchNorm("bn1").ReLU().MaxPool(2)
		x = x.Apply("block", composite{filters: 16})
		return x.Flatten().Dropout("drop", 0.5).Dense("wide", 300).ReLU().Dense("logits", x.Classes())
	})
	text := Classifier("text", func(x Node) Node {
		x = x.Dense("in", 24).Attention("attn", Attention{Heads: 3, Causal: true}).LayerNorm("ln").GELU()
		return x.GRU("gru", GRU{Units: 20, Last: true}).Dense("logits", x.Classes())
	})
	a, b := pictures(33, 2, 16, 5, 1), blobs(17, 12*8, 4, 2)
	b.Inputs.Shape = []int{17, 12, 8}
	for _, loss := range fit(t, newTestLearner(t, cnn, a, 5), a, 4, 1e-3) {
		digest(loss)
	}
	l := newTestLearner(t, text, b, 4)
	for _, loss := range append(fit(t, l, b, 4, 1e-3), fit(t, l, b.Slice(0, 5), 2, 1e-3)...) {
		digest(loss)
	}
	for _, p := range l.Params() {
		for _, v := range p.Value {
			digest(float64(v))
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

const traceVariable = "NN_TEST_TRACE"

func TestSameSeedSameBits(t *testing.T) {
	if os.Getenv(traceVariable) != "" {
		fmt.Println("trace", trace(t))
		return
	}
	want := trace(t)
	require.Equal(t, want, trace(t), "twice in one process")
	for _, threads := range []int{1, 2, 3} {
		before := runtime.GOMAXPROCS(threads)
		got := trace(t)
		runtime.GOMAXPROCS(before)
		require.Equal(t, want, got, "GOMAXPROCS %d", threads)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestSameSeedSameBits$")
	cmd.Env = append(os.Environ(), traceVariable+"=1", "GOMAXPROCS=1")
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.ENOEXEC) {
		t.Skip("this machine runs the test by emulation, and starts no second one by itself")
	}
	require.NoError(t, err, string(out))
	require.Contains(t, string(out), "trace "+want, "another process")
}

package datasets_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/datasets"
	"github.com/actually-robust-training/art/internal/tensorfile"
	"github.com/actually-robust-training/art/train"
)

func npArray[T tensorfile.Element](t testing.TB, name string, shape []int, data ...T) tensorfile.Array {
	t.Helper()
	a, err := tensorfile.New(name, shape, data)
	require.NoError(t, err)
	return a
}

func npy(t testing.TB, a tensorfile.Array) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, tensorfile.WriteNPYArray(&b, a))
	return b.Bytes()
}

func npz(t testing.TB, arrays ...tensorfile.Array) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, tensorfile.WriteNPZ(&b, arrays))
	return b.Bytes()
}

func TestArrays(t *testing.T) {
	pixels := npArray[uint8](t, "x", []int{2, 1, 2, 3}, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
	ids := npArray[int64](t, "y", []int{2}, 2, 0)
	values := npArray(t, "values", []int{2, 2}, 0.5, -1, 2, 3)
	dir := folder(t, map[string][]byte{
		"x.npy": npy(t, pixels), "y.npy.gz": zipped(t, npy(t, ids)), "all.npz": npz(t, pixels, ids, values),
	})
	for _, c := range []struct {
		name          string
		arrays        datasets.Arrays
		set           string
		shape, target []int
		classes       []string
		row           []float32
		targets       []float32
	}{
		{"two files", datasets.Arrays{Inputs: filepath.Join(dir, "x.npy"), Targets: filepath.Join(dir, "y.npy.gz")}, "x.npy",
			[]int{1, 2, 3}, nil, []string{"0", "1", "2"}, []float32{1, 2, 3, 4, 5, 6}, []float32{2, 0}},
		{"archive", datasets.Arrays{Path: filepath.Join(dir, "all.npz"), Classes: []string{"a", "b", "c", "d"}, Shape: []int{6}}, "all.npz",
			[]int{6}, nil, []string{"a", "b", "c", "d"}, []float32{1, 2, 3, 4, 5, 6}, []float32{2, 0}},
		{"channels last", datasets.Arrays{Path: filepath.Join(dir, "all.npz"), ChannelsLast: true, Name: "pictures"}, "pictures",
			[]int{3, 1, 2}, nil, []string{"0", "1", "2"}, []float32{1, 4, 2, 5, 3, 6}, []float32{2, 0}},
		{"regression", datasets.Arrays{Path: filepath.Join(dir, "all.npz"), Targets: "values", Regression: true}, "all.npz",
			[]int{1, 2, 3}, []int{2}, nil, []float32{1, 2, 3, 4, 5, 6}, []float32{0.5, -1, 2, 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := c.arrays.Load()
			require.NoError(t, err)
			assert.Equal(t, c.set, s.Name)
			assert.Equal(t, c.shape, s.Shape)
			assert.Equal(t, c.target, s.TargetShape)
			assert.Equal(t, c.classes, s.Classes)
			b := all(t, datasets.Batches(s), train.Pass{})
			assert.Equal(t, c.row, b.Inputs.Row(0))
			assert.Equal(t, c.targets, b.Targets.Data)
		})
	}
}

func TestArraysRefuse(t *testing.T) {
	x := npArray[float32](t, "x", []int{2, 2}, 1, 2, 3, 4)
	y := npArray[int64](t, "y", []int{2}, 0, 1)
	bad := func(name string, a tensorfile.Array) tensorfile.Array { a.Name = name; return a }
	nan := npArray(t, "x", []int{2, 2}, 1, 2, 3, math.NaN())
	for _, c := range []struct {
		name   string
		arrays datasets.Arrays
		file   []byte
		want   string
	}{
		{"no archive", datasets.Arrays{}, []byte("hello"), "set.npz: npz: "},
		{"truncated", datasets.Arrays{}, npz(t, x, y)[:100], "set.npz: npz: "},
		{"names", datasets.Arrays{}, npz(t, bad("a", x), y), `there is no array "x", set Inputs and Targets to what there is: ["a" "y"]`},
		{"lengths", datasets.Arrays{}, npz(t, x, npArray[int64](t, "y", []int{3}, 0, 1, 1)), "2 rows of inputs but 3 of targets"},
		{"NaN", datasets.Arrays{}, npz(t, nan, y), "set.npz: row 1: input 1 is NaN"},
		{"ids", datasets.Arrays{Classes: []string{"a"}}, npz(t, x, y), "set.npz: row 1: class id 1 is out of range: there are 1 classes"},
		{"fractions", datasets.Arrays{}, npz(t, x, npArray(t, "y", []int{2}, 0.5, 1)), "row 0: class id 0.5 is not a whole number"},
		{"values", datasets.Arrays{}, npz(t, x, npArray(t, "y", []int{2}, 1e9, 1)), "set Regression if they are numbers to predict"},
		{"scalar", datasets.Arrays{}, npz(t, npArray[float32](t, "x", nil, 1), y), "is a single number"},
		{"no rows", datasets.Arrays{}, npz(t, npArray[float32](t, "x", []int{0, 2}), npArray[float32](t, "y", []int{0})), "there are no examples"},
		{"shape", datasets.Arrays{Shape: []int{3}}, npz(t, x, y), "examples of shape [2] cannot become [3]"},
		{"channels", datasets.Arrays{ChannelsLast: true}, npz(t, x, y), "ChannelsLast needs inputs of four axes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.arrays.Path = write(t, "set.npz", c.file)
			_, err := c.arrays.Load()
			assert.ErrorContains(t, err, c.want)
		})
	}
	_, err := datasets.Arrays{Inputs: write(t, "x.npy", npy(t, x)[:70]), Targets: "y.npy"}.Load()
	assert.ErrorContains(t, err, "x.npy: npy: ")
	packed := zipped(t, npy(t, x))
	packed[len(packed)-6] ^= 1 // in the checksum
	_, err = datasets.Arrays{Inputs: write(t, "x.npy.gz", packed), Targets: "y.npy"}.Load()
	assert.ErrorContains(t, err, "x.npy.gz: the gzip stream is damaged")
	_, err = datasets.Arrays{Path: "nowhere.npz"}.Load()
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func FuzzArrays(f *testing.F) {
	x, y := npArray[float32](f, "x", []int{2, 2}, 1, 2, 3, 4), npArray[uint8](f, "y", []int{2}, 0, 1)
	f.Add(npz(f, x, y), npy(f, y), uint8(0))
	f.Add(npy(f, x), npy(f, y), uint8(1))
	f.Add(npy(f, npArray[uint8](f, "x", []int{1, 1, 2, 3}, 1, 2, 3, 4, 5, 6)), npy(f, npArray[int8](f, "y", []int{1}, 3)), uint8(3))
	f.Add(zipped(f, npy(f, x)), npy(f, npArray(f, "y", []int{2}, 0.5, 7)), uint8(5))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, first, second []byte, how uint8) {
		a := datasets.Arrays{Inputs: filepath.Join(dir, "a"), Targets: filepath.Join(dir, "b"), ChannelsLast: how&2 > 0, Regression: how&4 > 0}
		require.NoError(t, os.WriteFile(a.Inputs, first, 0o644))
		require.NoError(t, os.WriteFile(a.Targets, second, 0o644))
		if how&1 == 0 {
			a = datasets.Arrays{Path: a.Inputs}
		}
		s, err := a.Load()
		checkLoaded(t, s, err)
	})
}

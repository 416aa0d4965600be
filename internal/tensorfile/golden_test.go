package tensorfile

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

func array[T Element](name string, shape []int, data ...T) Array {
	a, err := New(name, shape, data)
	if err != nil {
		panic(err)
	}
	return a
}

// fromBits builds an array from the integers that have the bits of its elements.
func fromBits[T Element](name string, dtype DType, shape []int, bits ...T) Array {
	a := array(name, shape, bits...)
	a.DType = dtype
	return a
}

// goldenArrays are the arrays of testdata/make_goldens.py.
func goldenArrays() []Array {
	return []Array{
		fromBits[uint32]("float32", Float32, []int{2, 4}, 0x80000000, 0x7F800000, 0xFF800000, 0x7FC12345, 0xFFA00001, 1, 0x7F7FFFFF, 0x3F800000),
		fromBits[uint64]("float64", Float64, []int{2, 2, 2}, 1<<63, 0x7FF<<52, 0xFFF<<52, 0x7FF8000000012345, 0x7FF4000000000001, 1, 0x7FEFFFFFFFFFFFFF, 0x3FF<<52),
		fromBits[uint16]("float16", Float16, []int{8}, 0x8000, 0x7C00, 0xFC00, 0x7E01, 0x0001, 0x03FF, 0x7BFF, 0x3C00),
		array("bool", []int{1, 3}, true, false, true),
		array[uint8]("uint8", []int{5}, 0, 1, 127, 128, 255),
		array[int8]("int8", []int{4}, -128, -1, 0, 127),
		array[int16]("int16", []int{4}, -32768, -1, 0, 32767),
		array[uint16]("uint16", []int{3}, 0, 1, 65535),
		array[int32]("int32", []int{4}, math.MinInt32, -1, 0, math.MaxInt32),
		array[uint32]("uint32", []int{3}, 0, 1, math.MaxUint32),
		array[int64]("int64", []int{4}, math.MinInt64, -1, 0, math.MaxInt64),
		array[uint64]("uint64", []int{3}, 0, 1, math.MaxUint64),
		array("complex64", []int{2}, complex64(complex(1, 2)), complex64(complex(-3.5, 0))),
		array("complex128", []int{2}, complex(1, 2), complex(-3.5, 0)),
		array[float32]("scalar", []int{}, 2.5),
		array[float32]("empty", []int{0, 3}),
		array[float32]("fortran", []int{1, 2, 3}, 0, 1, 2, 3, 4, 5),
		array[float32]("big_endian", []int{4}, 0, 1, 2, 3),
		array("big_endian_complex", []int{2}, complex64(complex(1, 2)), complex64(complex(-3.5, 0))),
	}
}

// requireSame compares arrays bit for bit; a scalar's shape may be nil or empty.
func requireSame(t *testing.T, want, got []Array) {
	t.Helper()
	shapes := cmp.Transformer("shape", func(s []int) [maxDims + 1]int {
		var out [maxDims + 1]int
		out[0] = len(s)
		copy(out[1:], s)
		return out
	})
	data := cmp.Comparer(bytes.Equal)
	require.Empty(t, cmp.Diff(want, got, shapes, data))
}

func golden(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	require.NoError(t, err)
	return data
}

func TestReadNPYOfNumPy(t *testing.T) {
	wants := append(goldenArrays(), array[float32]("version2", []int{3}, 0, 1, 2), array[float32]("version3", []int{3}, 0, 1, 2))
	for _, want := range wants {
		t.Run(want.Name, func(t *testing.T) {
			got, err := ReadNPY(bytes.NewReader(golden(t, want.Name+".npy")))
			require.NoError(t, err)
			want.Name = ""
			requireSame(t, []Array{want}, []Array{got})
		})
	}
}

func TestWriteNPYEqualsNumPy(t *testing.T) {
	for _, a := range goldenArrays()[:16] {
		t.Run(a.Name, func(t *testing.T) {
			var got bytes.Buffer
			require.NoError(t, WriteNPYArray(&got, a))
			require.Equal(t, golden(t, a.Name+".npy"), got.Bytes())
		})
	}
}

func TestReadNPYRefuses(t *testing.T) {
	for name, wants := range map[string][]string{
		"refused_text":       {`"<U3"`, "text", "np.unique"},
		"refused_bytes":      {`"|S3"`, "text", "np.unique"},
		"refused_date":       {`"<M8[D]"`, "dates", "astype('<i8')"},
		"refused_object":     {`"|O"`, "pickled", "astype('<f4')"},
		"refused_structured": {"structured", "a['field']"},
		"refused_longdouble": {`"<f16"`, "astype('<f4')"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadNPY(bytes.NewReader(golden(t, name+".npy")))
			for _, want := range wants {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

func TestReadNPZOfNumPy(t *testing.T) {
	all := goldenArrays()
	want := []Array{all[0], all[10], array("layer/1.weight", []int{30, 10}, make([]float32, 300)...)}
	want[0].Name, want[1].Name = "zeta", "alpha"
	for _, name := range []string{"stored.npz", "deflated.npz"} {
		t.Run(name, func(t *testing.T) {
			data := golden(t, name)
			got, err := ReadNPZ(bytes.NewReader(data), int64(len(data)))
			require.NoError(t, err)
			requireSame(t, want, got)
		})
	}
}

func TestReadSafetensorsOfPython(t *testing.T) {
	all := map[string]Array{}
	for _, a := range goldenArrays() {
		all[a.Name] = a
	}
	var want []Array
	for _, name := range []string{"bool", "empty", "float16", "float32", "float64", "int16", "int32", "int64", "int8",
		"scalar", "uint16", "uint32", "uint64", "uint8"} {
		want = append(want, all[name])
	}
	data := golden(t, "all.safetensors")
	got, metadata, err := ReadSafetensors(bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	requireSame(t, want, got)
	require.Equal(t, map[string]string{"note": "ü <&> \""}, metadata)

	data = golden(t, "bfloat16.safetensors")
	got, metadata, err = ReadSafetensors(bytes.NewReader(data), int64(len(data)))
	require.NoError(t, err)
	requireSame(t, []Array{fromBits[uint16]("bf16", BFloat16, []int{5}, 0x3F80, 0x8000, 0x7F80, 0x7FC1, 0x0001)}, got)
	require.Nil(t, metadata)
}

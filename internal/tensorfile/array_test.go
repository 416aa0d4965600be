package tensorfile

import (
	"bytes"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNewRefusesAWrongShape(t *testing.T) {
	for _, shape := range [][]int{{2}, {}, {-1, -3}, {3, 0}, {math.MaxInt, math.MaxInt}, make([]int, maxDims+1)} {
		_, err := New("w", shape, []float32{1, 2, 3})
		require.ErrorContains(t, err, `array "w": shape`, "%v", shape)
		require.ErrorContains(t, WriteNPY(&bytes.Buffer{}, shape, []float32{1, 2, 3}), "npy: shape", "%v", shape)
	}
}

func TestValuesKeepsBits(t *testing.T) {
	bits := []uint32{0x80000000, 0x7FC12345, 0xFFA00001, 1, 0x7F800000}
	values := make([]float32, len(bits))
	for i, b := range bits {
		values[i] = math.Float32frombits(b)
	}
	a := array("w", []int{5}, values...)
	for _, read := range []func(Array) ([]float32, error){Values[float32], Array.Float32} {
		got, err := read(a)
		require.NoError(t, err)
		for i, v := range got {
			require.Equal(t, bits[i], math.Float32bits(v))
		}
	}
	_, err := Values[float64](a)
	require.ErrorContains(t, err, `array "w" holds float32, not float64`)
	_, err = Values[float32](Array{Name: "w", Shape: []int{2}, DType: Float32, Data: make([]byte, 7)})
	require.ErrorContains(t, err, "takes 8 bytes, Data has 7")
	_, err = Array{Name: "w"}.Float32()
	require.ErrorContains(t, err, `unknown element type ""`)
}

func TestFloat32(t *testing.T) {
	inf := float32(math.Inf(1))
	for _, tt := range []struct {
		array Array
		want  []float32
	}{
		{array("bool", []int{2}, false, true), []float32{0, 1}},
		{array[int8]("int8", []int{2}, -128, 127), []float32{-128, 127}},
		{array[int16]("int16", []int{2}, -32768, 32767), []float32{-32768, 32767}},
		{array[int32]("int32", []int{3}, 1<<24, 1<<24+1, 1<<24+3), []float32{1 << 24, 1 << 24, 1<<24 + 4}},
		{array[int64]("int64", []int{2}, math.MinInt64, -(1<<24 + 1)), []float32{-1 << 63, -1 << 24}},
		{array[uint8]("uint8", []int{2}, 0, 255), []float32{0, 255}},
		{array[uint16]("uint16", []int{1}, 65535), []float32{65535}},
		{array[uint32]("uint32", []int{1}, math.MaxUint32), []float32{1 << 32}},
		{array[uint64]("uint64", []int{1}, math.MaxUint64), []float32{1 << 64}},
		{array("float64", []int{3}, 1e-50, math.Inf(1), 1+0x1p-24), []float32{0, inf, 1}},
		{fromBits[uint16]("float16", Float16, []int{6}, 0x7C00, 0x0001, 0x03FF, 0x7BFF, 0xBC00, 0x0400), []float32{inf, 0x1p-24, 1023 * 0x1p-24, 65504, -1, 0x1p-14}},
		{fromBits[uint16]("bfloat16", BFloat16, []int{3}, 0x3F80, 0xC000, 0x7F80), []float32{1, -2, inf}},
	} {
		t.Run(tt.array.Name, func(t *testing.T) {
			got, err := tt.array.Float32()
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
	require.Equal(t, uint32(0x80000000), math.Float32bits(halfToFloat(0x8000)), "negative zero")
	require.Equal(t, uint32(0xFFC02000), math.Float32bits(halfToFloat(0xFE01)), "NaN payload moves up")

	_, err := array("big", []int{2}, 1, -1e39).Float32()
	require.ErrorContains(t, err, `array "big": element 1 is -1e+39, beyond float32`)
	_, err = array("z", []int{1}, complex(1, 1)).Float32()
	require.ErrorContains(t, err, "complex128 has no float32 value")
}

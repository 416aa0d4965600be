package tensorfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// noise is an array of random bits, larger than the pieces that readers and
// writers work in.
func noise(name string, dtype DType, shape ...int) Array {
	a := Array{Name: name, Shape: shape, DType: dtype}
	a.Data = make([]byte, a.Len()*dtype.Size())
	r := rand.New(rand.NewPCG(1, uint64(len(a.Data))))
	for i := range a.Data {
		a.Data[i] = byte(r.Uint32())
	}
	return a
}

func TestNPYRoundTrip(t *testing.T) {
	for _, a := range []Array{noise("", Float32, 613, 911), noise("", Complex128, 3, 1, 2), noise("", Int16)} {
		var file bytes.Buffer
		require.NoError(t, WriteNPYArray(&file, a))
		file.WriteString("next")
		got, err := ReadNPY(&file)
		require.NoError(t, err)
		requireSame(t, []Array{a}, []Array{got})
		require.Equal(t, "next", file.String(), "nothing beyond the array is read")
	}
}

func TestWriteNPYStreamsTheSameBytes(t *testing.T) {
	for _, n := range []int{0, 1, 8191, 8192, 8193, 20000} {
		a := noise("", Float32, n)
		values, err := Values[float32](a)
		require.NoError(t, err)
		var streamed, whole bytes.Buffer
		require.NoError(t, WriteNPY(&streamed, a.Shape, values))
		require.NoError(t, WriteNPYArray(&whole, a))
		require.True(t, bytes.Equal(whole.Bytes(), streamed.Bytes()), "%d elements", n)
	}
}

func TestNPZRoundTrip(t *testing.T) {
	want := []Array{noise("z", Float32, 613, 911), noise("layer/0.bias", Int64, 5), noise("ü", Bool, 0, 4), noise("s", Float64)}
	var file, again bytes.Buffer
	require.NoError(t, WriteNPZ(&file, want))
	require.NoError(t, WriteNPZ(&again, want))
	require.True(t, bytes.Equal(file.Bytes(), again.Bytes()))
	got, err := ReadNPZ(bytes.NewReader(file.Bytes()), int64(file.Len()))
	require.NoError(t, err)
	requireSame(t, want, got)
}

func TestSafetensorsRoundTrip(t *testing.T) {
	want := []Array{noise("a", Uint8, 3), noise("b", Float32, 613, 911), noise("c", BFloat16, 7), noise("d", Float64),
		noise("e \"<ü>", Float16, 0, 4), noise("f", Complex64, 2)}
	metadata := map[string]string{"seed": "7", "ü": "<\">"}
	shuffled := []Array{want[3], want[5], want[0], want[2], want[4], want[1]}
	var file, again bytes.Buffer
	require.NoError(t, WriteSafetensors(&file, want, metadata))
	require.NoError(t, WriteSafetensors(&again, shuffled, metadata))
	require.True(t, bytes.Equal(file.Bytes(), again.Bytes()), "the order of the arrays does not matter")

	got, gotMetadata, err := ReadSafetensors(bytes.NewReader(file.Bytes()), int64(file.Len()))
	require.NoError(t, err)
	requireSame(t, want, got)
	require.Equal(t, metadata, gotMetadata)
}

func TestSafetensorsLayout(t *testing.T) {
	var file bytes.Buffer
	require.NoError(t, WriteSafetensors(&file, []Array{noise("odd", Uint8, 3), noise("w2", Float32, 2), noise("w1", Float32, 1), noise("x", Float64)}, nil))
	n := binary.LittleEndian.Uint64(file.Bytes())
	header := file.Bytes()[8 : 8+n]
	require.Zero(t, n%8)
	require.Equal(t, `{"odd":{"dtype":"U8","shape":[3],"data_offsets":[20,23]},`+
		`"w1":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},`+
		`"w2":{"dtype":"F32","shape":[2],"data_offsets":[12,20]},`+
		`"x":{"dtype":"F64","shape":[],"data_offsets":[0,8]}}`, strings.TrimRight(string(header), " "))
	require.True(t, json.Valid(header))
	require.Equal(t, 8+int(n)+23, file.Len())
}

func TestWritersRefuse(t *testing.T) {
	ok := array[float32]("w", []int{1}, 1)
	renamed := func(name string) Array { a := ok; a.Name = name; return a }
	broken := ok
	broken.Shape = []int{2}
	npz := func(a ...Array) error { return WriteNPZ(&bytes.Buffer{}, a) }
	st := func(a ...Array) error { return WriteSafetensors(&bytes.Buffer{}, a, nil) }
	for _, tt := range []struct {
		err  error
		want string
	}{
		{npz(ok, renamed("")), "array 1 of 2 has no name"},
		{npz(ok, ok), `two arrays are named "w"`},
		{npz(broken), "takes 8 bytes, Data has 4"},
		{npz(noise("b", BFloat16, 1)), "NumPy has no bfloat16"},
		{npz(Array{Name: "x", DType: "float8"}), `unknown element type "float8"`},
		{st(renamed("")), "array 0 of 1 has no name"},
		{st(ok, ok), `two arrays are named "w"`},
		{st(broken), "takes 8 bytes, Data has 4"},
		{st(renamed("__metadata__")), "reserves"},
		{st(renamed("\xff")), "not UTF-8"},
		{st(noise("z", Complex128, 1)), "no complex128"},
		{WriteSafetensors(&bytes.Buffer{}, nil, map[string]string{"k": "\xff"}), "not UTF-8"},
		{WriteNPYArray(&bytes.Buffer{}, noise("b", BFloat16, 1)), "NumPy has no bfloat16"},
	} {
		require.ErrorContains(t, tt.err, tt.want)
	}
}

// fullDisk accepts some bytes, then no more.
type fullDisk struct{ left int }

var errFull = errors.New("no space left")

func (d *fullDisk) Write(p []byte) (int, error) {
	if len(p) > d.left {
		return 0, errFull
	}
	d.left -= len(p)
	return len(p), nil
}

func TestWritersReportAFullDisk(t *testing.T) {
	a := array("w", []int{3000}, make([]float64, 3000)...)
	for _, room := range []int{0, 200, 20000} {
		require.ErrorIs(t, WriteNPY(&fullDisk{room}, []int{6000}, make([]float32, 6000)), errFull)
		require.ErrorIs(t, WriteNPYArray(&fullDisk{room}, a), errFull)
		require.ErrorIs(t, WriteNPZ(&fullDisk{room}, []Array{a}), errFull)
		require.ErrorIs(t, WriteSafetensors(&fullDisk{room}, []Array{a}, nil), errFull)
	}
}

func TestFortranOrderOfManyDimensions(t *testing.T) {
	shape := []int{2, 3, 4}
	data := make([]byte, 24)
	for i := range data { // element (a,b,c) lies at a + 2b + 6c
		a, b, c := i%2, i/2%3, i/6
		data[i] = byte(12*a + 4*b + c)
	}
	want := make([]byte, 24)
	for i := range want {
		want[i] = byte(i)
	}
	require.Equal(t, want, toCOrder(data, shape, 1))
	require.Equal(t, []byte{7, 8}, toCOrder([]byte{7, 8}, nil, 2), "a scalar")
}

func zipOf(t *testing.T, method uint16, entries ...string) []byte {
	t.Helper()
	var file bytes.Buffer
	w := zip.NewWriter(&file)
	for pair := range slices.Chunk(entries, 2) {
		e, err := w.CreateHeader(&zip.FileHeader{Name: pair[0], Method: method})
		require.NoError(t, err)
		_, err = e.Write([]byte(pair[1]))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return file.Bytes()
}

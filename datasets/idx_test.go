package datasets_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/datasets"
	"github.com/actually-robust-training/art/train"
)

// idx writes a file of the format by hand.
func idx(magic uint32, axes []uint32, content ...byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, magic)
	for _, n := range axes {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return append(b, content...)
}

func zipped(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(b)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

func write(t testing.TB, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, b, 0o644))
	return path
}

var (
	goodImages = idx(0x803, []uint32{3, 1, 2}, 0, 255, 51, 102, 153, 204)
	goodLabels = idx(0x801, []uint32{3}, 2, 0, 1)
)

func TestIDX(t *testing.T) {
	for name, pack := range map[string]func([]byte) []byte{
		"plain": func(b []byte) []byte { return b },
		"gzip":  func(b []byte) []byte { return zipped(t, b) },
	} {
		t.Run(name, func(t *testing.T) {
			s, err := datasets.IDX{Images: write(t, "images", pack(goodImages)), Labels: write(t, "labels", pack(goodLabels))}.Load()
			require.NoError(t, err)
			assert.Equal(t, "images", s.Name)
			assert.Equal(t, []string{"0", "1", "2"}, s.Classes)
			b := all(t, datasets.Batches(s), train.Pass{})
			assert.Equal(t, []int{3, 1, 1, 2}, b.Inputs.Shape)
			assert.Equal(t, []float32{0, 1, 0.2, 0.4, 0.6, 0.8}, b.Inputs.Data)
			assert.Equal(t, []float32{2, 0, 1}, b.Targets.Data)
		})
	}
}

func TestIDXElementTypes(t *testing.T) {
	labels := write(t, "labels", idx(0x801, []uint32{1}, 0))
	for name, c := range map[string]struct {
		magic uint32
		bytes []byte
		want  []float32
	}{
		"bytes":   {0x802, []byte{0, 255}, []float32{0, 1}},
		"signed":  {0x902, []byte{1, 255}, []float32{1, -1}},
		"int16":   {0xb02, []byte{1, 0, 0xff, 0xfe}, []float32{256, -2}},
		"int32":   {0xc02, []byte{0, 1, 0, 0, 0xff, 0xff, 0xff, 0xfd}, []float32{65536, -3}},
		"float32": {0xd02, binary.BigEndian.AppendUint32([]byte{0x3f, 0xc0, 0, 0}, math.Float32bits(-2)), []float32{1.5, -2}},
		"float64": {0xe02, binary.BigEndian.AppendUint64([]byte{0x3f, 0xf8, 0, 0, 0, 0, 0, 0}, math.Float64bits(-4)), []float32{1.5, -4}},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := datasets.IDX{Images: write(t, "x", idx(c.magic, []uint32{1, 2}, c.bytes...)), Labels: labels}.Load()
			require.NoError(t, err)
			inputs, _, err := s.Example(0)
			require.NoError(t, err)
			assert.Equal(t, c.want, inputs)
		})
	}
}

func TestIDXRefuses(t *testing.T) {
	nan := binary.BigEndian.AppendUint32([]byte{0x3f, 0xc0, 0, 0}, math.Float32bits(float32(math.NaN())))
	packed := zipped(t, goodImages)
	flipped := bytes.Clone(packed)
	flipped[len(flipped)-6] ^= 1 // in the checksum
	for _, c := range []struct {
		name           string
		images, labels []byte
		want           string
	}{
		{"text", []byte("sepal length,"), goodLabels, "images: this is no idx file: the magic number is 0x73657061; 0x00000803 for images and 0x00000801 for labels are usual"},
		{"empty", nil, goodLabels, "images: the file ends before the magic number"},
		{"short magic", goodImages[:3], goodLabels, "images: the file ends before the magic number"},
		{"short axis", goodImages[:9], goodLabels, "images: the file ends before axis 1"},
		{"short content", goodImages[:len(goodImages)-1], goodLabels, "images: the file ends early, in row 2: shape [3 1 2] needs 6 bytes, there are 5: fetch it again"},
		{"huge claim", idx(0x803, []uint32{1 << 30, 1 << 30, 1 << 3}, 1, 2), goodLabels, "axis 2 claims 8 elements: the file is damaged"},
		{"large claim", idx(0x803, []uint32{1 << 20, 1 << 10, 1 << 10}, 1, 2), goodLabels, "the file ends early, in row 0"},
		{"long", append(bytes.Clone(goodImages), 1), goodLabels, "there are more bytes than shape [3 1 2] needs"},
		{"truncated gzip", packed[:len(packed)-9], goodLabels, "images: the gzip stream ends early, as after a broken download: delete the file and fetch it again"},
		{"truncated checksum", packed[:len(packed)-2], goodLabels, "images: the gzip stream ends early"},
		{"damaged gzip", flipped, goodLabels, "images: the gzip stream is damaged: delete the file and fetch it again"},
		{"swapped", goodLabels, goodImages, "images: the images have 1 axes"},
		{"labels are images", goodImages, goodImages, "labels: the labels have 3 axes, not one: are the two files swapped?"},
		{"counts", goodImages, idx(0x801, []uint32{2}, 0, 1), "images but"},
		{"no rows", idx(0x803, []uint32{0, 1, 2}), idx(0x801, []uint32{0}), "there are no examples"},
		{"label", goodImages, idx(0x801, []uint32{3}, 0, 1, 3), "labels: row 2: label 3 is out of range: there are 3 classes, 0 to 2"},
		{"negative label", goodImages, idx(0x901, []uint32{3}, 0, 1, 255), "labels: row 2: label -1 is out of range"},
		{"NaN", idx(0xd02, []uint32{3, 1}, append(nan, 0, 0, 0, 0)...), goodLabels, "images: row 1: value 0 is NaN"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := datasets.IDX{
				Images: write(t, "images", c.images), Labels: write(t, "labels", c.labels), Classes: []string{"a", "b", "c"},
			}.Load()
			assert.ErrorContains(t, err, c.want)
		})
	}
	_, err := datasets.IDX{Images: "nowhere/images", Labels: "x"}.Load()
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// The claim of 16 GB in a file of 20 bytes must not be believed.
func TestIDXAllocatesWhatArrives(t *testing.T) {
	path := write(t, "images", idx(0x803, []uint32{1 << 20, 1 << 7, 1 << 7}, 1, 2, 3, 4))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := datasets.IDX{Images: path, Labels: path}.Load()
	runtime.ReadMemStats(&after)
	require.ErrorContains(t, err, "the file ends early")
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
}

func FuzzIDX(f *testing.F) {
	f.Add(goodImages, goodLabels)
	f.Add(zipped(f, goodImages), zipped(f, goodLabels))
	f.Add(goodImages[:9], goodLabels[:3])
	f.Add(idx(0xd02, []uint32{1, 1}, 0x7f, 0xc0, 0, 0), idx(0x801, []uint32{1}, 0))
	f.Add(idx(0x803, []uint32{1 << 31, 1 << 31, 1 << 31}), idx(0x80f, nil))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, images, labels []byte) {
		x := datasets.IDX{Images: filepath.Join(dir, "images"), Labels: filepath.Join(dir, "labels")}
		require.NoError(t, os.WriteFile(x.Images, images, 0o644))
		require.NoError(t, os.WriteFile(x.Labels, labels, 0o644))
		s, err := x.Load()
		checkLoaded(t, s, err)
	})
}

// checkLoaded is what holds of any set that a reader hands out: every row can be
// read, is finite, and has a class that exists.
func checkLoaded(t *testing.T, s datasets.Set, err error) {
	t.Helper()
	if err != nil {
		assert.Zero(t, s.Rows, "no set comes with an error")
		return
	}
	require.NoError(t, s.Check())
	for row := range min(s.Rows, 100) {
		inputs, targets, err := s.Example(row)
		require.NoError(t, err)
		for _, v := range append(inputs, targets...) {
			require.False(t, math.IsNaN(float64(v)) || math.IsInf(float64(v), 0))
		}
		if len(s.Classes) > 0 && s.TargetShape == nil {
			require.True(t, targets[0] >= 0 && int(targets[0]) < len(s.Classes))
		}
	}
}

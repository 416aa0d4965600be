package datasets_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/datasets"
	"github.com/actually-robust-training/art/train"
)

// colours is a picture whose left half is one colour and right half another.
func colours(width, height int, left, right color.Color) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.Set(x, y, map[bool]color.Color{true: left, false: right}[x < width/2])
		}
	}
	return img
}

var red, teal = color.NRGBA{255, 0, 0, 255}, color.NRGBA{0, 102, 51, 255}

func pngOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, png.Encode(&b, img))
	return b.Bytes()
}

func TestFolder(t *testing.T) {
	var j, g bytes.Buffer
	require.NoError(t, jpeg.Encode(&j, colours(16, 16, red, red), &jpeg.Options{Quality: 100}))
	require.NoError(t, gif.Encode(&g, colours(16, 16, color.White, color.Black), nil))
	dir := folder(t, map[string][]byte{
		"zebra/1.PNG": pngOf(t, colours(16, 16, red, teal)), "zebra/2.jpg": j.Bytes(), "zebra/.hidden": nil,
		"ant/a.gif": g.Bytes(), ".git/config": nil, "README.md": []byte("about the pictures"),
	})
	s, err := datasets.Folder{Path: dir, Name: "animals"}.Load()
	require.NoError(t, err)
	assert.Equal(t, []string{"ant", "zebra"}, s.Classes)
	b := all(t, datasets.Batches(s), train.Pass{})
	require.Equal(t, []int{3, 3, 16, 16}, b.Inputs.Shape)
	assert.Equal(t, []float32{0, 1, 1}, b.Targets.Data)
	pixel := func(row, channel, x int) float64 { return float64(b.Inputs.Row(row)[channel*256+8*16+x]) }
	for channel := range 3 {
		assert.Equal(t, 1., pixel(0, channel, 0), "white left")
		assert.Equal(t, 0., pixel(0, channel, 15), "black right")
		assert.InDelta(t, []float64{1, 0, 0}[channel], pixel(1, channel, 0), 1e-6)
		assert.InDelta(t, []float64{0, 0.4, 0.2}[channel], pixel(1, channel, 15), 1e-6)
		assert.InDelta(t, []float64{1, 0, 0}[channel], pixel(2, channel, 3), 0.02, "jpeg loses a little")
	}

	s, err = datasets.Folder{Path: dir, Gray: true, Height: 4, Width: 8, Classes: []string{"zebra", "ant"}}.Load()
	require.NoError(t, err)
	b = all(t, datasets.Batches(datasets.Cache(s)), train.Pass{})
	require.Equal(t, []int{3, 1, 4, 8}, b.Inputs.Shape)
	assert.Equal(t, []float32{0, 0, 1}, b.Targets.Data)
	assert.InDelta(t, 0.299, b.Inputs.Row(0)[0], 0.005, "the luma of red")
	assert.InDelta(t, 1, b.Inputs.Row(2)[1], 0.005)
	assert.InDelta(t, 0, b.Inputs.Row(2)[6], 0.005)
}

func TestFolderRefuses(t *testing.T) {
	square := pngOf(t, colours(4, 4, red, teal))
	for _, c := range []struct {
		name   string
		files  map[string][]byte
		folder datasets.Folder
		want   string
	}{
		{"empty", nil, datasets.Folder{}, "there are no examples: there are no folders in it, one for every class"},
		{"empty class", map[string][]byte{"a/.x": nil}, datasets.Folder{}, "a: there are no examples: there are no pictures in it"},
		{"flat", map[string][]byte{"1.png": square}, datasets.Folder{}, "1.png: the picture is in no folder of a class"},
		{"other file", map[string][]byte{"a/1.png": square, "a/2.webp": square}, datasets.Folder{}, "2.webp: this is no png, jpeg or gif: convert it"},
		{"sizes", map[string][]byte{"a/1.png": square, "b/2.png": pngOf(t, colours(6, 4, red, teal))}, datasets.Folder{},
			"2.png is 6 wide and 4 high, "},
		{"one side", map[string][]byte{"a/1.png": square}, datasets.Folder{Width: 3}, "height 0 and width 3: set both or none"},
		{"class", map[string][]byte{"a/1.png": square, "b/1.png": square}, datasets.Folder{Classes: []string{"a"}}, `the class "b" is out of range: the classes are ["a"]`},
		{"class missing", map[string][]byte{"a/1.png": square}, datasets.Folder{Classes: []string{"a", "b"}}, "no such file"},
		{"not a picture", map[string][]byte{"a/1.png": []byte("GIT8")}, datasets.Folder{}, "1.png: the content is no png, jpeg or gif"},
		{"header", map[string][]byte{"a/1.png": square[:20]}, datasets.Folder{}, "1.png: the picture is damaged: delete it or fetch it again"},
		{"body", map[string][]byte{"a/0.png": square, "a/1.png": square[:len(square)-20]}, datasets.Folder{}, "1.png: the picture is damaged: delete it or fetch it again"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.folder.Path = folder(t, c.files)
			s, err := c.folder.Load()
			if err == nil {
				for _, err = range datasets.Batches(s)(train.Pass{}) {
					if err != nil {
						break
					}
				}
			}
			assert.ErrorContains(t, err, c.want)
		})
	}
	_, err := datasets.Folder{Path: "nowhere"}.Load()
	assert.ErrorIs(t, err, os.ErrNotExist)
}

// hugePNG claims 16000x16000 pixels in a few bytes.
func hugePNG(t testing.TB) []byte {
	t.Helper()
	b := pngOf(t, image.NewGray(image.Rect(0, 0, 1, 1)))
	binary.BigEndian.PutUint32(b[16:], 16000)
	binary.BigEndian.PutUint32(b[20:], 16000)
	binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
	return b
}

func TestFolderAllocatesWhatArrives(t *testing.T) {
	dir := folder(t, map[string][]byte{"a/1.png": hugePNG(t)})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s, err := datasets.Folder{Path: dir, Height: 2, Width: 2}.Load()
	require.NoError(t, err)
	_, _, err = s.Example(0)
	runtime.ReadMemStats(&after)
	require.ErrorContains(t, err, "1.png: the picture claims to be 16000 wide and 16000 high")
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
}

func FuzzFolder(f *testing.F) {
	var j, g bytes.Buffer
	require.NoError(f, jpeg.Encode(&j, colours(9, 7, red, teal), nil))
	require.NoError(f, gif.Encode(&g, colours(9, 7, red, teal), nil))
	f.Add(pngOf(f, colours(9, 7, red, teal)), false)
	f.Add(j.Bytes(), true)
	f.Add(g.Bytes(), false)
	f.Add(hugePNG(f), true)
	dir := f.TempDir()
	require.NoError(f, os.Mkdir(filepath.Join(dir, "a"), 0o755))
	f.Fuzz(func(t *testing.T, content []byte, gray bool) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "a", "1.png"), content, 0o644))
		s, err := datasets.Folder{Path: dir, Gray: gray, Height: 3, Width: 3}.Load()
		require.NoError(t, err, "with a size given, files are first read when they are needed")
		inputs, _, err := s.Example(0)
		if err != nil {
			return
		}
		for _, v := range inputs {
			require.True(t, v >= 0 && v <= 1)
		}
	})
}

// Splitting by class must not cost a decoding of every file.
func TestSplitOfFolderDecodesNothing(t *testing.T) {
	broken := pngOf(t, colours(4, 4, red, teal))[:40]
	files := map[string][]byte{}
	for i := range 10 {
		files[string(rune('a'+i%2))+"/"+string(rune('0'+i))+".png"] = broken
	}
	s, err := datasets.Folder{Path: folder(t, files), Width: 4, Height: 4}.Load()
	require.NoError(t, err)
	s, err = datasets.Concat(s)
	require.NoError(t, err)
	_, _, err = datasets.Split(s, 0.2, 1)
	assert.ErrorContains(t, err, "is damaged", "a joined set does not know its classes")

	s, err = datasets.Folder{Path: folder(t, files), Width: 4, Height: 4}.Load()
	require.NoError(t, err)
	_, validation, err := datasets.Split(datasets.Cache(datasets.Subset(s, []int{9, 8, 7, 6, 5, 4, 3, 2, 1, 0})), 0.2, 1)
	require.NoError(t, err)
	assert.Equal(t, 2, validation.Rows)
	_, _, err = datasets.Split(datasets.Map(s, func(int, []float32, []float32) error { return nil }), 0.2, 1)
	assert.ErrorContains(t, err, "is damaged", "a mapped set may have other classes")
}

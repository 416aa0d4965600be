package datasets_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/datasets"
	"github.com/actually-robust-training/art/train"
)

// folder makes files below a temporary folder.
func folder(t testing.TB, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, content, 0o644))
	}
	return dir
}

func TestFilesFind(t *testing.T) {
	file := datasets.File{Folder: "set", Name: "a.gz", Also: []string{"a"}, URLs: []string{"https://data.example/a.gz"}}
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache)
	t.Setenv("LocalAppData", cache)
	cached, err := os.UserCacheDir()
	require.NoError(t, err)
	cached = filepath.Join(cached, "art", "datasets", "set")

	t.Setenv(datasets.DataDirVariable, "")
	_, err = datasets.Files{}.Find(file)
	assert.EqualError(t, err, "set: no file a.gz in "+cached+": download https://data.example/a.gz into the folder "+cached+
		", or set ART_DATA_DIR to the folder that holds set/, or set Files.Fetch to download.Fetcher{}.Get")
	require.ErrorIs(t, err, fs.ErrNotExist)

	dir := t.TempDir()
	t.Setenv(datasets.DataDirVariable, dir)
	_, err = datasets.Files{}.Find(file)
	var missing *datasets.NotFoundError
	require.ErrorAs(t, err, &missing)
	assert.Equal(t, []string{filepath.Join(dir, "set"), cached}, missing.Looked)

	fetched := ""
	path, err := datasets.Files{Fetch: func(_ context.Context, _ datasets.File, path string) error {
		fetched = path
		return nil
	}}.Find(file)
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(cached, "a.gz"), path, "downloads go to the cache, not to what the user keeps")
	assert.Equal(t, fetched, path)

	offline := errors.New("no route to host")
	_, err = datasets.Files{Fetch: func(context.Context, datasets.File, string) error { return offline }}.Find(file)
	require.ErrorIs(t, err, offline)
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.ErrorContains(t, err, "no route to host: download https://data.example/a.gz into the folder "+filepath.Join(dir, "set"))

	dir = folder(t, map[string][]byte{"set/a": nil})
	path, err = datasets.Files{Dir: dir}.Find(file)
	require.NoError(t, err)
	assert.Equal(t, filepath.Join(dir, "set", "a"), path)
}

// digitRows makes rows of the format of the digits, class by class.
func digitRows(n int) []byte {
	var b strings.Builder
	for i := range n {
		for cell := range 64 {
			fmt.Fprintf(&b, "%d,", (i*7+cell*3)%17)
		}
		fmt.Fprintln(&b, i%10)
	}
	return []byte(b.String())
}

func TestReadyMadeSetsFromFiles(t *testing.T) {
	images := idx(0x803, []uint32{60, 2, 2}, make([]byte, 240)...)
	labels := idx(0x801, []uint32{60})
	for i := range 60 {
		images[16+4*i] = byte(i)
		labels = append(labels, byte(i%10))
	}
	dir := folder(t, map[string][]byte{
		"digits/optdigits.tra.gz": zipped(t, digitRows(40)), "digits/digits.csv": digitRows(20),
		"names/names.txt":                    []byte("emma\nolivia\nava\nemma\n\nmia\nzoe\namy\n"),
		"mnist/train-images-idx3-ubyte.gz":   zipped(t, images),
		"mnist/train-labels-idx1-ubyte":      labels,
		"mnist/t10k-images-idx3-ubyte":       images,
		"mnist/t10k-labels-idx1-ubyte.gz":    zipped(t, labels),
		"fashion-mnist/train-labels-idx1-ub": nil,
	})
	files := datasets.Files{Dir: dir}

	digits, err := datasets.Digits(files)
	require.NoError(t, err)
	assert.Equal(t, map[string]int{train.Training: 40, train.Validation: 20}, digits.Sizes)
	assert.Equal(t, []int{20, 1, 8, 8}, all(t, digits.Validation, train.Pass{}).Inputs.Shape)

	mnist, err := datasets.MNIST(files)
	require.NoError(t, err)
	assert.Equal(t, map[string]int{train.Training: 50, train.Validation: 10, train.Test: 60}, mnist.Sizes)
	assert.Equal(t, []int{1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, perClass(all(t, mnist.Validation, train.Pass{}), 10))

	names, err := datasets.Names(datasets.NamesOptions{Files: files, EveryPosition: true, Validation: 0.5})
	require.NoError(t, err)
	assert.Equal(t, []string{".", "a", "e", "i", "l", "m", "o", "v", "y", "z"}, names.Classes)
	assert.Equal(t, map[string]int{train.Training: 3, train.Validation: 3}, names.Sizes, "emma counts once")

	_, err = datasets.FashionMNIST(files)
	assert.ErrorContains(t, err, "fashion-mnist: no file train-images-idx3-ubyte.gz in "+filepath.Join(dir, "fashion-mnist"))
}

func TestWords(t *testing.T) {
	words := datasets.Words{Words: []string{"ab", "b"}}
	words.Block = 3
	s, err := words.Set()
	require.NoError(t, err)
	assert.Equal(t, []string{".", "a", "b"}, s.Classes)
	b := all(t, datasets.Batches(s), train.Pass{})
	assert.Equal(t, []float32{0, 0, 0, 0, 0, 1, 0, 1, 2, 0, 0, 0, 0, 0, 2}, b.Inputs.Data)
	assert.Equal(t, []float32{1, 2, 0, 2, 0}, b.Targets.Data)
	assert.Equal(t, []string{"ab", "ab", "ab", "b", "b"}, s.Groups)
	words.Block = 1
	s, err = words.Set()
	require.NoError(t, err)
	assert.Equal(t, []float32{0, 1, 2, 0, 2}, all(t, datasets.Batches(s), train.Pass{}).Inputs.Data)

	s, err = datasets.Words{Words: []string{"ab", "b"}, EveryPosition: true}.Set()
	require.NoError(t, err)
	b = all(t, datasets.Batches(s), train.Pass{})
	assert.Equal(t, []float32{0, 1, 2, 0, 2, 0}, b.Inputs.Data)
	assert.Equal(t, []float32{1, 2, 0, 2, 0, -1}, b.Targets.Data)

	for want, w := range map[string]datasets.Words{
		`word 1 is "a.b"`: {Words: []string{"a", "a.b"}},
		`word 0 is ""`:    {Words: []string{""}},
		"block 2 is too short: the longest word needs 4": {Words: []string{"abc"}, Block: 2, EveryPosition: true},
		"block -1 is too short":                          {Words: []string{"abc"}, Block: -1},
		"there are no examples":                          {},
	} {
		_, err := w.Set()
		assert.ErrorContains(t, err, want)
	}
}

func TestNamesRefuse(t *testing.T) {
	for want, text := range map[string]string{
		"names.txt: there are no examples: the file has no words": "\n \n",
		`names.txt: line 2: "a b" is not one word`:                "emma\na b\n",
		"names.txt: line 1 is longer than":                        strings.Repeat("a", 1<<17),
	} {
		_, err := datasets.Names(datasets.NamesOptions{Files: datasets.Files{Dir: folder(t, map[string][]byte{"names/names.txt": []byte(text)})}})
		assert.ErrorContains(t, err, want)
	}
}

func FuzzNames(f *testing.F) {
	f.Add([]byte("emma\nolivia\n"), false, 3)
	f.Add([]byte("é\xff\n.\n"), true, 0)
	f.Add(zipped(f, []byte("ava\n")), true, 5)
	dir := f.TempDir()
	require.NoError(f, os.Mkdir(filepath.Join(dir, "names"), 0o755))
	f.Fuzz(func(t *testing.T, text []byte, every bool, block int) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "names", "names.txt"), text, 0o644))
		data, err := datasets.Names(datasets.NamesOptions{
			Files: datasets.Files{Dir: dir}, EveryPosition: every, Block: min(block, 1000), Validation: 0.5,
		})
		if err != nil {
			return
		}
		b := all(t, data.Training, train.Pass{})
		for i, v := range append(b.Inputs.Data, b.Targets.Data...) {
			require.True(t, v >= 0 && int(v) < data.Tokens || v == -1 && i >= len(b.Inputs.Data))
		}
	})
}

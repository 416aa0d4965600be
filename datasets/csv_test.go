package datasets_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/datasets"
	"github.com/actually-robust-training/art/train"
)

const flowers = `length,colour,width,doctor,species
1.5, red ,2,x,rose
2.5,blue,4,y,lily
3.5,red,6,x,rose
`

func TestCSV(t *testing.T) {
	base := func(c datasets.CSV) datasets.CSV {
		c.Ignore = append(c.Ignore, "doctor")
		if c.Categorical == nil {
			c.Categorical = map[string][]string{"colour": nil}
		}
		return c
	}
	for _, c := range []struct {
		name     string
		csv      datasets.CSV
		text     string
		classes  []string
		features []string
		inputs   []float32
		targets  []float32
	}{
		{
			"usual", base(datasets.CSV{}), flowers, []string{"lily", "rose"},
			[]string{"length", "colour=blue", "colour=red", "width"},
			[]float32{1.5, 0, 1, 2, 2.5, 1, 0, 4, 3.5, 0, 1, 6}, []float32{1, 0, 1},
		},
		{
			"byte order mark, other separator, line ends", base(datasets.CSV{Comma: ';'}),
			"\ufeff\"" + strings.ReplaceAll(strings.ReplaceAll(strings.Replace(flowers, "length", "length\"", 1), ",", ";"), "\n", "\r\n"), []string{"lily", "rose"},
			[]string{"length", "colour=blue", "colour=red", "width"},
			[]float32{1.5, 0, 1, 2, 2.5, 1, 0, 4, 3.5, 0, 1, 6}, []float32{1, 0, 1},
		},
		{
			"columns, classes and words given", base(datasets.CSV{
				Features: []string{"width", "colour"}, Target: "species", Classes: []string{"rose", "lily", "tulip"},
				Categorical: map[string][]string{"colour": {"red", "green", "blue"}},
			}), flowers, []string{"rose", "lily", "tulip"},
			[]string{"width", "colour=red", "colour=green", "colour=blue"},
			[]float32{2, 1, 0, 0, 4, 0, 0, 1, 6, 1, 0, 0}, []float32{0, 1, 0},
		},
		{
			"regression", datasets.CSV{Target: "width", Regression: true, Features: []string{"length"}}, flowers, nil,
			[]string{"length"}, []float32{1.5, 2.5, 3.5}, []float32{2, 4, 6},
		},
		{
			"no header, classes sorted as numbers", datasets.CSV{NoHeader: true}, "1,2,10\n3,4,9\n", []string{"9", "10"},
			[]string{"1", "2"}, []float32{1, 2, 3, 4}, []float32{1, 0},
		},
		{
			"missing dropped", datasets.CSV{Missing: datasets.MissingDrop}, "a,b\n1,x\n,y\nNA,x\n2,?\n3,y\n", []string{"x", "y"},
			[]string{"a"}, []float32{1, 3}, []float32{0, 1},
		},
		{
			"missing flagged", datasets.CSV{Missing: datasets.MissingFlag, Categorical: map[string][]string{"w": nil}},
			"a,w,b\n1,u,x\n,v,y\n3,,y\n", []string{"x", "y"},
			[]string{"a", "a missing", "w=u", "w=v"}, []float32{1, 0, 1, 0, 0, 1, 0, 1, 3, 0, 0, 0}, []float32{0, 1, 1},
		},
		{
			"other missing words", datasets.CSV{MissingWords: []string{"-"}, Missing: datasets.MissingDrop}, "a,b\n1,NA\n-,x\n", []string{"NA"},
			[]string{"a"}, []float32{1}, []float32{0},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := c.csv.Read(strings.NewReader(c.text))
			require.NoError(t, err)
			b := all(t, datasets.Batches(s), train.Pass{})
			assert.Empty(t, cmp.Diff(c.classes, s.Classes), "classes")
			assert.Empty(t, cmp.Diff(c.features, s.Features), "features")
			assert.Empty(t, cmp.Diff(c.inputs, b.Inputs.Data), "inputs")
			assert.Empty(t, cmp.Diff(c.targets, b.Targets.Data), "targets")
		})
	}
}

func TestCSVGroupsAndShape(t *testing.T) {
	s, err := datasets.CSV{Group: "doctor", Ignore: []string{"colour"}, Shape: []int{1, 1, 2}}.Read(strings.NewReader(flowers))
	require.NoError(t, err)
	assert.Equal(t, []string{"x", "y", "x"}, s.Groups)
	assert.Equal(t, []int{1, 1, 2}, s.Shape)
	assert.Nil(t, s.Features, "pixels have no names")
}

func TestCSVRefuses(t *testing.T) {
	flower := datasets.CSV{Ignore: []string{"doctor"}, Categorical: map[string][]string{"colour": nil}}
	with := func(change func(*datasets.CSV)) datasets.CSV {
		c := flower
		change(&c)
		return c
	}
	for _, c := range []struct {
		name string
		csv  datasets.CSV
		text string
		want string
	}{
		{"empty", flower, "", "there are no examples: the table has no rows that can be used"},
		{"header only", datasets.CSV{}, "a,b\n", "there are no examples"},
		{"ragged", datasets.CSV{}, "a,b\n1,x\n1,2,x\n", "line 3: 3 columns, the lines before it have 2: repair the line, or set Comma"},
		{"words", datasets.CSV{}, flowers, `line 2: column "colour": "red" is not a number: name the column in Categorical if it holds words`},
		{"infinity", datasets.CSV{}, "a,b\n1,x\n-Inf,x\n", `line 3: column "a": "-Inf" is not a finite number`},
		{"out of range", datasets.CSV{}, "a,b\n1e39,x\n", `line 2: column "a": "1e39" is not a finite number in the range of float32`},
		{"NaN", datasets.CSV{MissingWords: []string{""}}, "a,b\nNaN,x\n", `line 2: column "a": "NaN" is not a finite number`},
		{"missing", datasets.CSV{}, "a,b\n1,x\n\n NA,x\n", `line 4: column "a": the cell is missing (" NA"): fill it, or set Missing to "drop" or, for inputs, "flag"`},
		{"missing target", datasets.CSV{Missing: datasets.MissingFlag}, "a,b\n1,\n", `line 2: column "b": the cell is missing`},
		{"policy", datasets.CSV{Missing: "mean"}, "a,b\n,x\n", `there is no policy "mean"`},
		{"class", with(func(c *datasets.CSV) { c.Classes = []string{"rose"} }), flowers, `line 3: column "species": the class "lily" is out of range: there are ["rose"]`},
		{"word", with(func(c *datasets.CSV) { c.Categorical = map[string][]string{"colour": {"red"}} }), flowers, `line 3: column "colour": the word "blue" is not in Categorical: there are ["red"]`},
		{"column", with(func(c *datasets.CSV) { c.Target = "kind" }), flowers, `there is no column "kind": there are ["length" "colour" "width" "doctor" "species"]`},
		{"misspelt", with(func(c *datasets.CSV) { c.Target = "spices" }), flowers, `there is no column "spices": did you mean "species"?`},
		{"ignored column", with(func(c *datasets.CSV) { c.Ignore = []string{"weight"} }), flowers, `there is no column "weight"`},
		{"twice", datasets.CSV{}, "1,2,1\n3,4,5\n", `line 1: the column "1" is there twice: rename one, or set NoHeader`},
		{"one column", datasets.CSV{}, "a;b\n1;x\n", `there is no column to predict "a;b" from: the columns are ["a;b"]; set Comma if cells are not separated by ','`},
		{"shape", with(func(c *datasets.CSV) { c.Shape = []int{1, 8, 8} }), flowers, "shape [1 8 8] needs 64 columns, there are 4"},
		{"regression", datasets.CSV{Regression: true}, "a,b\n1,2\n1,x\n", `line 3: column "b": "x" is not a number`},
		{"classes that are numbers", datasets.CSV{}, "a,b\n" + strings.Join([]string{
			"1,1", "1,2", "1,3", "1,4", "1,5", "1,6", "1,7", "1,8", "1,9", "1,10", "1,11", "1,12", "1,13", "1,14", "1,15", "1,16", "1,17",
			"1,18", "1,19", "1,20", "1,21"}, "\n"), `column "b" has 21 different values in 21 rows, too many for classes: set Regression`},
		{"quotes", datasets.CSV{}, "a,b\n1,\"x\n", `parse error on line 2`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.csv.Read(strings.NewReader(c.text))
			assert.ErrorContains(t, err, c.want)
		})
	}
}

func TestCSVLoadNamesTheFile(t *testing.T) {
	path := write(t, "flowers.csv.gz", zipped(t, []byte("a,b\n1,x\nz,x\n")))
	_, err := datasets.CSV{Path: path}.Load()
	assert.ErrorContains(t, err, path+`: line 3: column "a": "z" is not a number`)
	path = write(t, "flowers.csv", []byte("a,b\n1,x\n2,y\n"))
	s, err := datasets.CSV{Path: path}.Load()
	require.NoError(t, err)
	assert.Equal(t, "flowers.csv", s.Name)
	path = filepath.Join(t.TempDir(), "nowhere.csv")
	_, err = datasets.CSV{Path: path}.Load()
	assert.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorContains(t, err, path)
	assert.False(t, errors.Is(err, datasets.ErrNoExamples))
}

func FuzzCSV(f *testing.F) {
	f.Add(flowers, false, "", uint8(0))
	f.Add("1,2,10\n3,4,9\n", true, "3", uint8(1))
	f.Add("a,b\n1,x\n,y\nNA,x\n2,?\n3,y\n", false, "b", uint8(2))
	f.Add("a;\"b\"\n1,\"x\n", false, "a", uint8(3))
	f.Add("\ufeffa,b\r\n1e39,nan\r\n", false, "b", uint8(7))
	f.Fuzz(func(t *testing.T, text string, noHeader bool, target string, how uint8) {
		c := datasets.CSV{NoHeader: noHeader, Target: target, Regression: how&1 > 0}
		c.Missing = []datasets.MissingPolicy{"", datasets.MissingError, datasets.MissingDrop, datasets.MissingFlag}[how>>1&3]
		if how&8 > 0 {
			c.Categorical = map[string][]string{"a": nil}
		}
		s, err := c.Read(strings.NewReader(text))
		checkLoaded(t, s, err)
	})
}

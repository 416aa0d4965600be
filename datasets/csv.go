package datasets

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/actually-robust-training/art/train"
)

// CSV is a table in a text file, which may be gzip, and what its columns mean.
// With Path alone, the first line has the names of the columns, the last column
// is the class, and all others are numbers.
type CSV struct {
	// Path of the file.
	Path string
	// Name of the set. Default: the name of the file.
	Name string
	// Comma separates the cells. Default ','.
	Comma rune
	// NoHeader says that the first line is data. Columns are then called "1",
	// "2", … in order.
	NoHeader bool

	// Target is the column to predict. Default: the last one.
	Target string
	// Regression makes the target a number; default is the name of a class.
	Regression bool
	// Classes in the order of their ids; any other is an error. Default: all that
	// occur, sorted as numbers if they are whole numbers, else as text.
	Classes []string
	// Features are the columns to predict from, in order. Default: all but
	// Target, Group and Ignore, as they come.
	Features []string
	// Ignore lists columns to leave out.
	Ignore []string
	// Categorical maps columns that hold words to the words they may hold, each
	// of which becomes an input of its own that is 1 where the word is and 0
	// elsewhere, called "column=word". A nil list is all words that occur, sorted.
	Categorical map[string][]string
	// Group is a column that says what a row belongs to, see [Set].Groups.
	Group string
	// Missing says what to do about cells that hold nothing. Default: MissingError.
	Missing MissingPolicy
	// MissingWords are the cells that count as missing, without spaces around
	// them. Default "", "NA", "N/A", "NaN", "nan", "null", "NULL", "?".
	MissingWords []string
	// Shape of an example, as [1, 28, 28] for columns that are pixels. Default:
	// [inputs].
	Shape []int
}

// MissingPolicy says what becomes of a cell that holds nothing. None of them
// looks at other rows, so that nothing leaks between training and validation.
type MissingPolicy string

// The policies for missing cells. A missing target or group is an error unless
// rows are dropped.
const (
	// MissingError refuses the file, naming line and column.
	MissingError MissingPolicy = "error"
	// MissingDrop leaves out rows with a missing cell in a column that is used.
	MissingDrop MissingPolicy = "drop"
	// MissingFlag puts 0 and adds an input "column missing" to every column of
	// numbers, which is 1 where the cell is missing. Words that are missing are 0
	// in all inputs of their column.
	MissingFlag MissingPolicy = "flag"
)

// Load reads the file. Ragged rows, words where numbers should be, NaN, infinity,
// unknown classes and missing cells are errors that name file, line and column,
// and what to do.
func (c CSV) Load() (Set, error) {
	var s Set
	err := open(c.Path, func(r io.Reader) (err error) {
		s, err = c.Read(r)
		return err
	})
	if err == nil && s.Name == "" {
		s.Name = filepath.Base(c.Path)
	}
	return s, err
}

// Read is [CSV.Load] from a reader; Path is not used.
func (c CSV) Read(r io.Reader) (Set, error) {
	t := table{CSV: c, shared: map[string]string{}}
	if err := t.read(r); err != nil {
		return Set{}, err
	}
	if len(t.lines) == 0 {
		return Set{}, fmt.Errorf("%w: the table has no rows that can be used", ErrNoExamples)
	}
	return t.set()
}

// table is a file that was read: the cells of the columns that are used, row
// after row.
type table struct {
	CSV
	columns []column
	target  int // index of a column of the file
	group   int // likewise, -1 for none
	lines   []int
	targets []string
	groups  []string
	numbers []float32         // NaN where missing
	words   []string          // "" where missing
	shared  map[string]string // one copy of every word
}

// column is a column that becomes inputs.
type column struct {
	name  string
	index int // in the file
	words bool
}

func (t *table) read(r io.Reader) error {
	buffered := bufio.NewReader(r)
	if mark, _ := buffered.Peek(3); string(mark) == "\ufeff" { // as spreadsheets write it
		_, _ = buffered.Discard(3)
	}
	reader := csv.NewReader(buffered)
	reader.ReuseRecord = true
	reader.FieldsPerRecord = -1 // checked below, with a message of our own
	if t.Comma != 0 {
		reader.Comma = t.Comma
	}
	width := 0
	for {
		record, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err // names the line
		}
		line, _ := reader.FieldPos(0)
		if width == 0 {
			width = len(record)
			if err := t.describe(record); err != nil {
				return err
			}
			if !t.NoHeader {
				continue
			}
		}
		if len(record) != width {
			return fmt.Errorf("line %d: %d columns, the lines before it have %d: repair the line, or set Comma if cells are not separated by %q",
				line, len(record), width, reader.Comma)
		}
		if err := t.add(line, record); err != nil {
			return err
		}
	}
}

// describe finds the columns that are used, by the first line.
func (t *table) describe(first []string) error {
	names := make([]string, len(first))
	index := map[string]int{}
	for i, name := range first {
		if names[i] = strings.TrimSpace(name); t.NoHeader {
			names[i] = strconv.Itoa(i + 1)
		}
		if _, twice := index[names[i]]; twice {
			return fmt.Errorf("line 1: the column %q is there twice: rename one, or set NoHeader if the first line is data", names[i])
		}
		index[names[i]] = i
	}
	if t.Target == "" {
		t.Target = names[len(names)-1]
	}
	used := slices.Concat([]string{t.Target}, t.Features, t.Ignore)
	if t.Group != "" {
		used = append(used, t.Group)
	}
	for name := range t.Categorical {
		used = append(used, name)
	}
	slices.Sort(used[1:]) // the order of a map is not fixed
	for _, name := range used {
		if _, known := index[name]; !known {
			return fmt.Errorf("there is no column %q: %s", name, hint(name, names))
		}
	}
	t.target, t.group = index[t.Target], -1
	if t.Group != "" {
		t.group = index[t.Group]
	}
	features := t.Features
	if features == nil {
		for _, name := range names {
			if name != t.Target && name != t.Group && !slices.Contains(t.Ignore, name) {
				features = append(features, name)
			}
		}
	}
	for _, name := range features {
		_, words := t.Categorical[name]
		t.columns = append(t.columns, column{name, index[name], words})
	}
	if len(t.columns) == 0 {
		return fmt.Errorf("there is no column to predict %q from: the columns are %s; set Comma if cells are not separated by %q",
			t.Target, some(names), t.comma())
	}
	return nil
}

func (t *table) comma() rune {
	if t.Comma == 0 {
		return ','
	}
	return t.Comma
}

// missing reports whether a cell holds nothing.
func (t *table) missing(cell string) bool {
	if t.MissingWords != nil {
		return slices.Contains(t.MissingWords, cell)
	}
	switch cell {
	case "", "NA", "N/A", "NaN", "nan", "null", "NULL", "?":
		return true
	}
	return false
}

// set turns the rows into a set in memory.
func (t *table) set() (Set, error) {
	inputs, features, err := t.inputs()
	if err != nil {
		return Set{}, err
	}
	shape := append([]int{len(t.lines)}, t.Shape...)
	if t.Shape == nil {
		shape = append(shape, len(features))
	} else {
		if train.Size(t.Shape) != len(features) {
			return Set{}, fmt.Errorf("shape %v needs %d columns, there are %d (%s)", t.Shape, train.Size(t.Shape), len(features), some(features))
		}
		features = nil
	}
	targets, classes, err := t.ids()
	if err != nil {
		return Set{}, err
	}
	s, err := FromTensors(train.Tensor{Shape: shape, Data: inputs}, train.Tensor{Shape: []int{len(t.lines)}, Data: targets}, classes)
	if err != nil {
		return Set{}, err
	}
	s.Name, s.Features = t.Name, features
	s.Groups = t.groups
	return s, nil
}

package datasets

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// add takes in the cells of a row. What it has taken is put back if the row is
// dropped.
func (t *table) add(line int, record []string) error {
	numbers, words := len(t.numbers), len(t.words)
	absent := "" // a column whose cell is missing
	cell := func(name string, index int) string {
		text := strings.TrimSpace(record[index])
		if t.missing(text) {
			absent = name
			return ""
		}
		return text
	}
	target, group := cell(t.Target, t.target), ""
	if t.group >= 0 {
		group = cell(t.Group, t.group)
	}
	labelled := absent == ""
	for _, c := range t.columns {
		text := cell(c.name, c.index)
		switch {
		case c.words:
			t.words = append(t.words, t.share(text))
		case absent == c.name:
			t.numbers = append(t.numbers, float32(math.NaN()))
		default:
			v, err := number(text)
			if err != nil {
				return fmt.Errorf("line %d: column %q: %w", line, c.name, err)
			}
			t.numbers = append(t.numbers, v)
		}
	}
	if absent != "" {
		if t.Missing == MissingDrop {
			t.numbers, t.words = t.numbers[:numbers], t.words[:words]
			return nil
		}
		if err := t.refuse(line, record, absent, labelled); err != nil {
			return err
		}
	}
	t.lines, t.targets = append(t.lines, line), append(t.targets, t.share(target))
	if t.group >= 0 {
		t.groups = append(t.groups, t.share(group))
	}
	return nil
}

// refuse is the error about a missing cell, nil where the policy takes it.
func (t *table) refuse(line int, record []string, absent string, labelled bool) error {
	switch {
	case t.Missing == MissingFlag && labelled:
		return nil
	case t.Missing == MissingFlag || t.Missing == MissingError || t.Missing == "":
		return fmt.Errorf("line %d: column %q: the cell is missing (%q): fill it, or set Missing to %q or, for inputs, %q",
			line, absent, record[t.indexOf(absent)], MissingDrop, MissingFlag)
	}
	return fmt.Errorf("there is no policy %q for missing cells: use %q, %q or %q", t.Missing, MissingError, MissingDrop, MissingFlag)
}

// share copies a word, whose memory the reader uses again, once for all rows.
func (t *table) share(word string) string {
	copied, known := t.shared[word]
	if !known {
		copied = strings.Clone(word)
		t.shared[copied] = copied
	}
	return copied
}

func (t *table) indexOf(name string) int {
	switch name {
	case t.Target:
		return t.target
	case t.Group:
		return t.group
	}
	return t.columns[slices.IndexFunc(t.columns, func(c column) bool { return c.name == name })].index
}

// number reads a cell as float32 and says what to do about one that is none.
func number(cell string) (float32, error) {
	v, err := strconv.ParseFloat(cell, 32)
	if math.IsInf(v, 0) || math.IsNaN(v) {
		return 0, fmt.Errorf("%q is not a finite number in the range of float32: repair it, or list it in MissingWords", cell)
	}
	if err != nil {
		return 0, fmt.Errorf("%q is not a number: name the column in Categorical if it holds words, in Ignore to leave it out, "+
			"or set NoHeader if the first line is data", cell)
	}
	return float32(v), nil
}

// inputs turns the cells into numbers, row after row, and names them.
func (t *table) inputs() (data []float32, names []string, err error) {
	vocabularies, err := t.vocabularies()
	if err != nil {
		return nil, nil, err
	}
	for i, c := range t.columns {
		switch {
		case c.words:
			for _, word := range vocabularies[i].words {
				names = append(names, c.name+"="+word)
			}
		case t.Missing == MissingFlag:
			names = append(names, c.name, c.name+" missing")
		default:
			names = append(names, c.name)
		}
	}
	if len(t.words) == 0 && t.Missing != MissingFlag {
		return t.numbers, names, nil
	}
	data = make([]float32, 0, len(t.lines)*len(names))
	numbers, words := t.numbers, t.words
	for _, line := range t.lines {
		for i, c := range t.columns {
			if !c.words {
				data = append(data, numbers[0])
				if t.Missing == MissingFlag {
					data = append(data, 0)
					flag(data[len(data)-2:])
				}
				numbers = numbers[1:]
				continue
			}
			if data, err = vocabularies[i].append(data, words[0]); err != nil {
				return nil, nil, fmt.Errorf("line %d: column %q: %w", line, c.name, err)
			}
			words = words[1:]
		}
	}
	return data, names, nil
}

// flag turns a number and 0 into 0 and 1 if the number is missing.
func flag(pair []float32) {
	if pair[0] != pair[0] {
		pair[0], pair[1] = 0, 1
	}
}

// vocabularies lists the words of the columns of words.
func (t *table) vocabularies() ([]vocabulary, error) {
	out := make([]vocabulary, len(t.columns))
	place, width := 0, len(t.words)/len(t.lines)
	for i, c := range t.columns {
		if !c.words {
			continue
		}
		words := t.Categorical[c.name]
		if words == nil {
			words = distinct(len(t.lines), func(row int) string { return t.words[row*width+place] })
		}
		if len(words) > maxWords {
			return nil, fmt.Errorf("column %q holds %d different words, more than %d: leave it out with Ignore", c.name, len(words), maxWords)
		}
		out[i] = newVocabulary(words)
		place++
	}
	return out, nil
}

// ids turns the target column into class ids or numbers.
func (t *table) ids() (data []float32, classes []string, err error) {
	data = make([]float32, 0, len(t.lines))
	if t.Regression {
		for row, text := range t.targets {
			v, err := number(text)
			if err != nil {
				return nil, nil, fmt.Errorf("line %d: column %q: %w", t.lines[row], t.Target, err)
			}
			data = append(data, v)
		}
		return data, nil, nil
	}
	if classes = t.Classes; classes == nil {
		classes = distinct(len(t.lines), func(row int) string { return t.targets[row] })
		if len(classes) > len(t.lines)/2 && len(classes) > 20 {
			return nil, nil, fmt.Errorf("column %q has %d different values in %d rows, too many for classes: set Regression if it is a number to predict",
				t.Target, len(classes), len(t.lines))
		}
	}
	ids := newVocabulary(classes).ids
	for row, name := range t.targets {
		id, known := ids[name]
		if !known {
			return nil, nil, fmt.Errorf("line %d: column %q: the class %q is out of range: %s", t.lines[row], t.Target, name, hint(name, classes))
		}
		data = append(data, float32(id))
	}
	return data, classes, nil
}

// maxWords bounds the inputs that one column becomes.
const maxWords = 1000

// vocabulary is a list of words and their places in it.
type vocabulary struct {
	words []string
	ids   map[string]int
}

func newVocabulary(words []string) vocabulary {
	v := vocabulary{words, make(map[string]int, len(words))}
	for i, word := range words {
		v.ids[word] = i
	}
	return v
}

// append adds one input for every word, 1 for the given one. A missing word is
// all 0.
func (v vocabulary) append(data []float32, word string) ([]float32, error) {
	at, known := v.ids[word]
	if !known && word != "" {
		return nil, fmt.Errorf("the word %q is not in Categorical: %s", word, hint(word, v.words))
	}
	data = append(data, make([]float32, len(v.words))...)
	if known {
		data[len(data)-len(v.words)+at] = 1
	}
	return data, nil
}

// distinct lists the words that occur, sorted: as numbers if all of them are
// whole numbers.
func distinct(n int, word func(i int) string) []string {
	var words []string
	seen := map[string]bool{}
	numeric := true
	for i := range n {
		w := word(i)
		if seen[w] || w == "" {
			continue
		}
		seen[w] = true
		words = append(words, w)
		_, err := strconv.Atoi(w)
		numeric = numeric && err == nil
	}
	slices.SortFunc(words, func(a, b string) int {
		if numeric {
			x, _ := strconv.Atoi(a)
			y, _ := strconv.Atoi(b)
			if x != y {
				return cmp.Compare(x, y)
			}
		}
		return strings.Compare(a, b)
	})
	return words
}

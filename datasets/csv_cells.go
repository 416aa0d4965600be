package datasets

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// add takes in the cells of a row.
func (t *table) add(line int, record []string) error {
	row := tableRow{line: line}
	var absent string // a column whose cell is missing
	take := func(name string, index int) string {
		cell := strings.TrimSpace(record[index])
		if t.missing(cell) {
			absent = name
		}
		return strings.Clone(cell) // the record is reused
	}
	if row.target = take(t.Target, t.target); t.group >= 0 {
		row.group = take(t.Group, t.group)
	}
	labelled := absent == ""
	for _, c := range t.columns {
		cell := take(c.name, c.index)
		switch {
		case t.missing(cell):
			row.numbers, row.words = append(row.numbers, float32(math.NaN())), append(row.words, "")
		case c.words:
			row.numbers, row.words = append(row.numbers, 0), append(row.words, cell)
		default:
			v, err := number(cell)
			if err != nil {
				return fmt.Errorf("line %d: column %q: %w", line, c.name, err)
			}
			row.numbers, row.words = append(row.numbers, v), append(row.words, "")
		}
	}
	if absent != "" {
		switch {
		case t.Missing == MissingDrop:
			return nil
		case t.Missing == MissingFlag && labelled:
		case t.Missing == MissingFlag || t.Missing == MissingError || t.Missing == "":
			return fmt.Errorf("line %d: column %q: the cell is missing (%q): fill it, or set Missing to %q or, for inputs, %q",
				line, absent, record[t.indexOf(absent)], MissingDrop, MissingFlag)
		default:
			return fmt.Errorf("there is no policy %q for missing cells: use %q, %q or %q", t.Missing, MissingError, MissingDrop, MissingFlag)
		}
	}
	t.rows = append(t.rows, row)
	return nil
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
	vocabularies := make([]vocabulary, len(t.columns))
	for i, c := range t.columns {
		if !c.words {
			if names = append(names, c.name); t.Missing == MissingFlag {
				names = append(names, c.name+" missing")
			}
			continue
		}
		words := t.Categorical[c.name]
		if words == nil {
			words = distinct(len(t.rows), func(row int) string { return t.rows[row].words[i] })
		}
		if len(words) > maxWords {
			return nil, nil, fmt.Errorf("column %q holds %d different words, more than %d: leave it out with Ignore", c.name, len(words), maxWords)
		}
		vocabularies[i] = newVocabulary(words)
		for _, word := range words {
			names = append(names, c.name+"="+word)
		}
	}
	data = make([]float32, 0, len(t.rows)*len(names))
	for _, row := range t.rows {
		for i, c := range t.columns {
			absent := row.numbers[i] != row.numbers[i]
			switch {
			case c.words:
				at, known := vocabularies[i].ids[row.words[i]]
				if !known && !absent {
					return nil, nil, fmt.Errorf("line %d: column %q: the word %q is not in Categorical: %s",
						row.line, c.name, row.words[i], hint(row.words[i], vocabularies[i].words))
				}
				one := make([]float32, len(vocabularies[i].words))
				if known {
					one[at] = 1
				}
				data = append(data, one...)
			case t.Missing != MissingFlag:
				data = append(data, row.numbers[i])
			case absent:
				data = append(data, 0, 1)
			default:
				data = append(data, row.numbers[i], 0)
			}
		}
	}
	return data, names, nil
}

// targets turns the target column into class ids or numbers.
func (t *table) targets() (data []float32, classes []string, err error) {
	if !t.Regression {
		if classes = t.Classes; classes == nil {
			classes = distinct(len(t.rows), func(row int) string { return t.rows[row].target })
		}
		if len(classes) > len(t.rows)/2 && len(classes) > 20 && t.Classes == nil {
			return nil, nil, fmt.Errorf("column %q has %d different values in %d rows, too many for classes: set Regression if it is a number to predict",
				t.Target, len(classes), len(t.rows))
		}
	}
	ids := newVocabulary(classes).ids
	for _, row := range t.rows {
		if t.Regression {
			v, err := number(row.target)
			if err != nil {
				return nil, nil, fmt.Errorf("line %d: column %q: %w", row.line, t.Target, err)
			}
			data = append(data, v)
			continue
		}
		id, known := ids[row.target]
		if !known {
			return nil, nil, fmt.Errorf("line %d: column %q: the class %q is out of range: %s", row.line, t.Target, row.target, hint(row.target, classes))
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

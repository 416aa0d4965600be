package datasets

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/actually-robust-training/art/train"
)

// NamesOptions says how names become examples. The zero value is the usual way.
type NamesOptions struct {
	// Files says where the list is.
	Files Files
	// Block is the number of characters that a prediction sees. Default: 8, or
	// with EveryPosition what the longest name needs.
	Block int
	// EveryPosition makes one example of a whole name: [Block] tokens in, [Block]
	// targets, each the token that follows; positions behind the end have target
	// −1 and do not count. Default: one example for every character, [Block] tokens
	// in, the one that follows as target.
	EveryPosition bool
	// Limit is the number of different names to use, the first in the list.
	// Default: all.
	Limit int
	// Validation is the share of the names held back. Default 0.1.
	Validation float64
	// Seed of the split.
	Seed uint64
	// BatchSize is the number of rows of a batch. Default 32.
	BatchSize int
}

// Names is 32,032 given names for a model of characters, from the repository
// karpathy/makemore (MIT), which took them from the US Social Security
// Administration. Tokens are class ids stored as float32: 0, called ".", is
// before the first character and after the last, the letters follow in
// alphabetical order. The 29,494 different names are split, so that no name is
// in both stages.
func Names(o NamesOptions) (train.Data, error) {
	path, err := o.Files.Find(File{
		Folder: "names", Name: "names.txt", Also: []string{"names.txt.gz"}, Bytes: 228145,
		SHA256: "0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d",
		URLs:   []string{"https://raw.githubusercontent.com/karpathy/makemore/master/names.txt"},
	})
	if err != nil {
		return train.Data{}, err
	}
	var words []string
	err = open(path, func(r io.Reader) (err error) {
		words, err = readWords(r)
		return err
	})
	if err != nil {
		return train.Data{}, err
	}
	if o.Limit > 0 && o.Limit < len(words) {
		words = words[:o.Limit]
	}
	if o.Block == 0 && !o.EveryPosition {
		o.Block = 8
	}
	if o.Validation == 0 {
		o.Validation = 0.1
	}
	s, err := Words{Words: words, Block: o.Block, EveryPosition: o.EveryPosition}.Set()
	if err != nil {
		return train.Data{}, fmt.Errorf("%s: %w", path, err)
	}
	s.Name = "names"
	return s.Data(Options{Validation: o.Validation, Seed: o.Seed, BatchSize: o.BatchSize})
}

// Words is text for a model of characters: words that are learnt one by one.
type Words struct {
	// Words must not be empty or hold a ".", which is the token between words.
	Words []string
	// Block and EveryPosition are those of [NamesOptions]. Default of Block: what
	// the longest word needs.
	Block         int
	EveryPosition bool
}

// Boundary is the class of the token before and after a word; its id is 0.
const Boundary = "."

// Set makes examples of the words. Its classes are the boundary and all
// characters that occur, sorted; its groups are the words, so that [Split] keeps
// the examples of a word together.
func (w Words) Set() (Set, error) {
	ids := map[rune]float32{}
	var characters []rune
	longest := 0
	for i, word := range w.Words {
		if word == "" || strings.Contains(word, Boundary) {
			return Set{}, fmt.Errorf("word %d is %q: a word must not be empty or hold %q, which is the token between words", i, word, Boundary)
		}
		for _, c := range word {
			if _, known := ids[c]; !known {
				ids[c] = 0
				characters = append(characters, c)
			}
		}
		longest = max(longest, len([]rune(word)))
	}
	slices.Sort(characters)
	classes := []string{Boundary}
	for _, c := range characters {
		ids[c] = float32(len(classes))
		classes = append(classes, string(c))
	}
	if w.Block == 0 {
		w.Block = longest + 1
	}
	if w.Block < 1 || w.EveryPosition && w.Block < longest+1 {
		return Set{}, fmt.Errorf("block %d is too short: the longest word needs %d", w.Block, longest+1)
	}
	tokens := make([][]float32, len(w.Words))
	for i, word := range w.Words {
		for _, c := range word {
			tokens[i] = append(tokens[i], ids[c])
		}
	}
	s := Set{Name: "words", Shape: []int{w.Block}, Classes: classes, Tokens: len(classes)}
	if w.EveryPosition {
		w.whole(&s, tokens)
	} else {
		w.windows(&s, tokens)
	}
	return s, s.Check()
}

// whole makes one example of a word: boundary and characters in, characters and
// boundary out.
func (w Words) whole(s *Set, tokens [][]float32) {
	s.Rows, s.TargetShape, s.Groups = len(tokens), []int{w.Block}, w.Words
	s.Read = func(_ train.Pass, row int, inputs, targets []float32) error {
		word := tokens[row]
		clear(inputs)
		copy(inputs[1:], word)
		n := copy(targets, word)
		targets[n] = 0
		for i := n + 1; i < len(targets); i++ {
			targets[i] = -1
		}
		return nil
	}
}

// windows makes one example for every character and the end of a word: the
// characters before it, as many as fit, behind boundaries.
func (w Words) windows(s *Set, tokens [][]float32) {
	type place struct{ word, at int32 }
	var places []place
	for i, word := range tokens {
		for at := range len(word) + 1 {
			places = append(places, place{int32(i), int32(at)})
			s.Groups = append(s.Groups, w.Words[i])
		}
	}
	s.Rows = len(places)
	s.Read = func(_ train.Pass, row int, inputs, targets []float32) error {
		word, at := tokens[places[row].word], int(places[row].at)
		before := word[max(at-len(inputs), 0):at]
		clear(inputs)
		copy(inputs[len(inputs)-len(before):], before)
		targets[0] = 0
		if at < len(word) {
			targets[0] = word[at]
		}
		return nil
	}
}

// readWords reads the different lines of a text, in order of first appearance.
func readWords(r io.Reader) ([]string, error) {
	var words []string
	seen := map[string]bool{}
	scanner := bufio.NewScanner(r)
	line := 0
	for scanner.Scan() {
		line++
		word := strings.TrimSpace(scanner.Text())
		if word == "" || seen[word] {
			continue
		}
		if strings.ContainsAny(word, Boundary+" \t") || strings.ContainsRune(word, '\ufffd') {
			return nil, fmt.Errorf("line %d: %q is not one word without %q", line, word, Boundary)
		}
		seen[word] = true
		words = append(words, word)
	}
	err := scanner.Err()
	if errors.Is(err, bufio.ErrTooLong) {
		err = fmt.Errorf("line %d is longer than %d bytes: one word a line is needed", line+1, bufio.MaxScanTokenSize)
	}
	if err == nil && len(words) == 0 {
		err = fmt.Errorf("%w: the file has no words", ErrNoExamples)
	}
	return words, err
}

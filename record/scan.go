package record

import (
	"encoding/json"
	"errors"
	"unicode/utf8"
)

// scanner walks over the members of one JSON object. It accepts what
// encoding/json accepts, and is some five times faster for the flat objects of
// an event file because it makes nothing of what it passes.
type scanner struct {
	rest []byte
	open bool
}

var errObject = errors.New("it is not a JSON object")

// next returns the name, unquoted, and the undecoded value of the next member; ok is false
// after the last.
func (s *scanner) next() (name, value []byte, ok bool, err error) {
	before := byte(',')
	if !s.open {
		s.open = true
		before = '{'
	}
	c := s.take()
	if c == '}' && before == ',' {
		return nil, nil, false, s.end()
	}
	if c != before {
		return nil, nil, false, errObject
	}
	s.space()
	if before == '{' && len(s.rest) > 0 && s.rest[0] == '}' {
		s.rest = s.rest[1:]
		return nil, nil, false, s.end()
	}
	if name, err = s.value(); err != nil {
		return nil, nil, false, err
	}
	if name[0] != '"' {
		return nil, nil, false, errObject
	}
	if name, err = unquote(name); err != nil {
		return nil, nil, false, err
	}
	if s.take() != ':' {
		return nil, nil, false, errObject
	}
	value, err = s.value()
	return name, value, err == nil, err
}

func (s *scanner) space() {
	for len(s.rest) > 0 && (s.rest[0] == ' ' || s.rest[0] == '\t' || s.rest[0] == '\r' || s.rest[0] == '\n') {
		s.rest = s.rest[1:]
	}
}

// take removes and returns the next byte that is not white space, 0 at the end.
func (s *scanner) take() byte {
	s.space()
	if len(s.rest) == 0 {
		return 0
	}
	c := s.rest[0]
	s.rest = s.rest[1:]
	return c
}

func (s *scanner) end() error {
	if s.space(); len(s.rest) > 0 {
		return errors.New("something follows the JSON object")
	}
	return nil
}

// value removes and returns the next value. Strings and numbers are left for
// their readers to judge; all else is valid JSON.
func (s *scanner) value() ([]byte, error) {
	s.space()
	n := extent(s.rest)
	if n == 0 {
		return nil, errObject
	}
	value := s.rest[:n]
	s.rest = s.rest[n:]
	if c := value[0]; c != '"' && !json.Valid(value) {
		return nil, errObject
	}
	return value, nil
}

// extent is the length of the value that b begins with, 0 if it has no end.
func extent(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			n := quoted(b[i:])
			if n == 0 {
				return 0
			}
			i += n - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			depth--
		case ',', ':', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
			continue
		default:
			if depth == 0 && i+1 < len(b) {
				continue
			}
		}
		if depth == 0 {
			return i + 1
		}
	}
	return 0
}

// quoted is the length of the string that b begins with, quotes included.
func quoted(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return 0
}

// unquote returns the text of a JSON string, part of the same memory if it can.
func unquote(b []byte) ([]byte, error) {
	text := b[1 : len(b)-1]
	plain := true
	for _, c := range text {
		if c < ' ' || c == '\\' || c >= utf8.RuneSelf {
			plain = false
			break
		}
	}
	if plain {
		return text, nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, errors.New("it has a string that is not JSON")
	}
	return []byte(s), nil
}

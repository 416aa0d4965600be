package loggers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The service reads and writes the JSON of Python, in which numbers may be NaN,
// Infinity and -Infinity.

// appendNumber appends a number.
func appendNumber(b []byte, v float64) []byte {
	switch {
	case math.IsNaN(v):
		return append(b, "NaN"...)
	case math.IsInf(v, 1):
		return append(b, "Infinity"...)
	case math.IsInf(v, -1):
		return append(b, "-Infinity"...)
	}
	return strconv.AppendFloat(b, v, 'g', -1, 64)
}

// appendText appends a string; bytes that are not UTF-8 are U+FFFD.
func appendText(b []byte, s string) []byte {
	plain := true
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] == '"' || s[i] == '\\' || s[i] >= utf8.RuneSelf {
			plain = false
			break
		}
	}
	if plain {
		return append(append(append(b, '"'), s...), '"')
	}
	encoded, err := encodeJSON(strings.ToValidUTF8(s, "\ufffd"))
	if err != nil {
		return append(b, `""`...)
	}
	return append(b, encoded...)
}

// encodeJSON is json.Marshal without the escapes for HTML.
func encodeJSON(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// appendFields appends an object of values that are JSON already, by name.
func appendFields(b []byte, fields map[string]string) []byte {
	b = append(b, '{')
	for i, name := range slices.Sorted(maps.Keys(fields)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(appendText(b, name), ':'), fields[name]...)
	}
	return append(b, '}')
}

// parseExtended splits an object into its fields. Numbers that JSON does not know
// become texts, which the service understands as well. Empty is an empty object.
func parseExtended(text string) (map[string]string, error) {
	if strings.TrimSpace(text) == "" || text == "null" {
		return map[string]string{}, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(quoteNumbers(text)), &fields); err != nil {
		return nil, fmt.Errorf("%w%s", err, excerpt([]byte(text)))
	}
	out := make(map[string]string, len(fields))
	for name, value := range fields {
		out[name] = string(value)
	}
	return out, nil
}

// quoteNumbers puts NaN and infinities in quotes, where they are not in a text.
func quoteNumbers(text string) string {
	var out strings.Builder
	inside := false
	for i := 0; i < len(text); i++ {
		if inside {
			out.WriteByte(text[i])
			switch {
			case text[i] == '\\' && i+1 < len(text):
				i++
				out.WriteByte(text[i])
			case text[i] == '"':
				inside = false
			}
			continue
		}
		if word := oddNumber(text[i:]); word != "" {
			out.WriteString(`"` + word + `"`)
			i += len(word) - 1
			continue
		}
		inside = text[i] == '"'
		out.WriteByte(text[i])
	}
	return out.String()
}

func oddNumber(text string) string {
	for _, word := range []string{"NaN", "Infinity", "-Infinity"} {
		if strings.HasPrefix(text, word) {
			return word
		}
	}
	return ""
}

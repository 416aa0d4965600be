package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// MaxLine is the length in bytes up to which a line of an event file is
// written and read, its newline not counted: about 200,000 numbers. What is
// larger belongs in a file of its own, saved as an artifact.
const MaxLine = 4 << 20

// appendLine appends the event as one line, newline included. A schema of 0 is
// not written. On error what it returns ends where b ended.
func appendLine(b []byte, schema int, e *Event) ([]byte, error) {
	start := len(b)
	b, err := appendEvent(b, schema, e)
	if err == nil && len(b)-start > MaxLine {
		err = fmt.Errorf("its line would have %d bytes, more than the %d of record.MaxLine: save it as an artifact instead", len(b)-start, MaxLine)
	}
	if err != nil {
		return b[:start], fmt.Errorf("record: event %d (%s %q of step %q) cannot be written: %w", e.Seq, e.Kind, e.Name, e.Step, err)
	}
	return append(b, '\n'), nil
}

func appendEvent(b []byte, schema int, e *Event) ([]byte, error) {
	if e.Kind == "" {
		return b, fmt.Errorf("it has no kind: set Event.Kind")
	}
	b = append(b, '{')
	if schema != 0 {
		b = strconv.AppendInt(append(b, `"schema":`...), int64(schema), 10)
		b = append(b, ',')
	}
	b = strconv.AppendInt(append(b, `"seq":`...), e.Seq, 10)
	if !e.Time.IsZero() {
		var err error
		if b, err = e.Time.UTC().AppendText(append(b, `,"time":"`...)); err != nil {
			return b, err
		}
		b = append(b, '"')
	}
	b = appendString(append(b, `,"kind":`...), string(e.Kind))
	b = appendField(b, `,"step":`, e.Step)
	b = appendField(b, `,"trial":`, e.Trial)
	b = appendField(b, `,"model":`, e.Model)
	b = appendField(b, `,"stage":`, e.Stage)
	b = appendField(b, `,"name":`, e.Name)
	b = appendInt(b, `,"iteration":`, int64(e.Iteration))
	b = appendInt(b, `,"epoch":`, int64(e.Epoch))
	if e.Kind == Scalar || e.Kind == Score || math.Float64bits(e.Value) != 0 {
		b = appendFloat(append(b, `,"value":`...), e.Value)
	}
	b = appendList(b, `,"values":`, e.Values, appendFloat)
	b = appendList(b, `,"shape":`, e.Shape, func(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) })
	b = appendInt(b, `,"rows":`, int64(e.Rows))
	b = appendField(b, `,"text":`, e.Text)
	b = appendSettings(b, e.Settings)
	b, err := appendJudgement(b, e)
	if err != nil {
		return b, err
	}
	b = appendField(b, `,"outcome":`, string(e.Outcome))
	b = appendInt(b, `,"duration":`, int64(e.Duration))
	return append(b, '}'), nil
}

func appendField(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return appendString(append(b, name...), value)
}

func appendInt(b []byte, name string, value int64) []byte {
	if value == 0 {
		return b
	}
	return strconv.AppendInt(append(b, name...), value, 10)
}

func appendList[T any](b []byte, name string, values []T, one func([]byte, T) []byte) []byte {
	if len(values) == 0 {
		return b
	}
	b = append(append(b, name...), '[')
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = one(b, v)
	}
	return append(b, ']')
}

func appendSettings(b []byte, settings map[string]string) []byte {
	if len(settings) == 0 {
		return b
	}
	b = append(b, `,"settings":`...)
	separator := byte('{')
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		b = appendString(append(b, separator), name)
		b = appendString(append(b, ':'), settings[name])
		separator = ','
	}
	return append(b, '}')
}

// appendJudgement appends the two nested fields. Both are rare, so their
// fields are left to the standard library.
func appendJudgement(b []byte, e *Event) ([]byte, error) {
	if e.Verdict == nil && e.Artifact == nil {
		return b, nil
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if e.Verdict != nil {
		if err := enc.Encode(e.Verdict); err != nil {
			return b, err
		}
		b = append(append(b, `,"verdict":`...), bytes.TrimSuffix(out.Bytes(), []byte("\n"))...)
		out.Reset()
	}
	if e.Artifact != nil {
		if err := enc.Encode(e.Artifact); err != nil {
			return b, err
		}
		b = append(append(b, `,"artifact":`...), bytes.TrimSuffix(out.Bytes(), []byte("\n"))...)
	}
	return b, nil
}

// appendFloat writes the shortest decimal that reads back to the same bits.
func appendFloat(b []byte, v float64) []byte {
	switch {
	case math.IsNaN(v):
		return append(b, `"NaN"`...)
	case math.IsInf(v, 1):
		return append(b, `"+Inf"`...)
	case math.IsInf(v, -1):
		return append(b, `"-Inf"`...)
	}
	return strconv.AppendFloat(b, v, 'g', -1, 64)
}

// appendString writes a JSON string; bytes that are not UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				b = append(append(b, s[start:i]...), "\ufffd"...)
				start = i + 1
			}
			i += size
			continue
		}
		b = appendEscape(append(b, s[start:i]...), c)
		i++
		start = i
	}
	return append(append(b, s[start:]...), '"')
}

func appendEscape(b []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	return append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

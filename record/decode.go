package record

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

// decoder turns lines into events. It keeps short strings, which repeat in
// every line of a run, so that they are allocated once.
type decoder struct {
	known map[string]string
}

// Bounds of decoder.known: what repeats is short, and there is not much of it.
const (
	maxKnown    = 1024
	maxKnownLen = 64
)

// event decodes one line. Fields it does not know are skipped. The schema is
// returned with an error too, which a newer one may explain.
func (d *decoder) event(line []byte) (e Event, schema int, err error) {
	s := scanner{rest: line}
	for {
		name, value, ok, err := s.next()
		if err != nil {
			return e, schema, err
		}
		if !ok {
			break
		}
		if string(value) == "null" {
			continue
		}
		if string(name) == "schema" {
			err = integer(value, &schema)
		} else {
			err = d.field(&e, name, value)
		}
		if err != nil {
			return e, schema, fmt.Errorf("field %q: %w", name, err)
		}
	}
	if e.Kind == "" {
		return e, schema, fmt.Errorf(`it has no "kind"`)
	}
	return e, schema, nil
}

func (d *decoder) field(e *Event, name, value []byte) error {
	switch string(name) {
	case "seq":
		return integer(value, &e.Seq)
	case "time":
		return date(value, &e.Time)
	case "kind":
		return text(d, value, &e.Kind)
	case "step":
		return text(d, value, &e.Step)
	case "trial":
		return text(d, value, &e.Trial)
	case "model":
		return text(d, value, &e.Model)
	case "stage":
		return text(d, value, &e.Stage)
	case "name":
		return text(d, value, &e.Name)
	case "iteration":
		return integer(value, &e.Iteration)
	case "epoch":
		return integer(value, &e.Epoch)
	case "value":
		return float(value, &e.Value)
	case "values":
		return list(value, &e.Values, float)
	case "shape":
		return list(value, &e.Shape, integer[int])
	case "rows":
		return integer(value, &e.Rows)
	case "text":
		return text(d, value, &e.Text)
	case "settings":
		return nested(value, &e.Settings)
	case "verdict":
		return nested(value, &e.Verdict)
	case "artifact":
		return nested(value, &e.Artifact)
	case "outcome":
		return text(d, value, &e.Outcome)
	case "duration":
		return integer(value, &e.Duration)
	}
	if value[0] == '"' {
		_, err := unquote(value)
		return err
	}
	return nil
}

func text[T ~string](d *decoder, value []byte, to *T) error {
	if value[0] != '"' {
		return fmt.Errorf("%s is not a string", short(value))
	}
	raw, err := unquote(value)
	if err != nil {
		return err
	}
	if len(raw) > maxKnownLen {
		*to = T(raw)
		return nil
	}
	s, found := d.known[string(raw)]
	if !found {
		s = string(raw)
		if d.known == nil {
			d.known = map[string]string{}
		}
		if len(d.known) < maxKnown {
			d.known[s] = s
		}
	}
	*to = T(s)
	return nil
}

func integer[T ~int | ~int64](value []byte, to *T) error {
	n, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil || int64(T(n)) != n {
		return fmt.Errorf("%s is not a whole number of at most 64 bits", short(value))
	}
	*to = T(n)
	return nil
}

func float(value []byte, to *float64) error {
	switch string(value) {
	case `"NaN"`:
		*to = math.NaN()
		return nil
	case `"+Inf"`:
		*to = math.Inf(1)
		return nil
	case `"-Inf"`:
		*to = math.Inf(-1)
		return nil
	}
	// A value that is not a string is valid JSON, so the other spellings that
	// ParseFloat takes (hexadecimal, "inf") cannot occur.
	if value[0] != '"' {
		if v, err := strconv.ParseFloat(string(value), 64); err == nil {
			*to = v
			return nil
		}
	}
	return fmt.Errorf(`%s is neither a number of 64 bits nor "NaN", "+Inf" or "-Inf"`, short(value))
}

func date(value []byte, to *time.Time) error {
	if value[0] == '"' {
		raw, err := unquote(value)
		if err == nil && to.UnmarshalText(raw) == nil {
			*to = to.UTC()
			if year := to.Year(); year >= 0 && year <= 9999 {
				return nil
			}
		}
	}
	return fmt.Errorf("%s is not a time like 2026-01-31T12:00:00.5Z", short(value))
}

// list reads an array; an empty one is nil, as it is written.
func list[T any](value []byte, to *[]T, one func([]byte, *T) error) error {
	if value[0] != '[' {
		return fmt.Errorf("%s is not a list", short(value))
	}
	*to = nil
	s := scanner{rest: value[1:]}
	for s.space(); s.rest[0] != ']'; s.space() {
		if s.rest[0] == ',' {
			s.rest = s.rest[1:]
		}
		s.space()
		n := extent(s.rest)
		*to = append(*to, *new(T))
		if err := one(s.rest[:n], &(*to)[len(*to)-1]); err != nil {
			return err
		}
		s.rest = s.rest[n:]
	}
	return nil
}

func nested(value []byte, to any) error {
	if err := json.Unmarshal(value, to); err != nil {
		return fmt.Errorf("%s: %w", short(value), err)
	}
	return nil
}

// short is the beginning of a value, for messages.
func short(value []byte) string {
	if len(value) > 40 {
		return string(value[:40]) + "…"
	}
	return string(value)
}

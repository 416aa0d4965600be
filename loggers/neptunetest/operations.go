package neptunetest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
	"unicode/utf8"
)

// Limits of values, in characters; of an image in bytes.
const (
	maxString      = 16384
	maxStringPoint = 1000
	maxImage       = 32 << 20
)

// operation is what a client asks for at a path, checked but for what is there.
type operation struct {
	path, kind string
	apply      func(s *Server, r *run) []error
}

// executeOperations refuses the whole request if one of its operations is not one;
// else it answers with the errors of those that could not be carried out.
func executeOperations(s *Server, c *call) (any, error) {
	r, err := s.findRun(c, "experimentId")
	if err != nil {
		return nil, err
	}
	var bodies []map[string]json.RawMessage
	if err := decodeJSON(c, &bodies); err != nil {
		return nil, err
	}
	operations := make([]operation, 0, len(bodies))
	for i, body := range bodies {
		o, err := s.parseOperation(body)
		if err != nil {
			return nil, fmt.Errorf("operation %d: %w", i, err)
		}
		operations = append(operations, o)
	}
	failed := []OperationError{}
	for _, o := range operations {
		for _, err := range o.apply(s, r) {
			var e operationError
			if !errors.As(err, &e) {
				return nil, err
			}
			failed = append(failed, OperationError(e))
		}
	}
	s.errors = append(s.errors, failed...)
	return failed, nil
}

func (s *Server) parseOperation(body map[string]json.RawMessage) (o operation, err error) {
	if err := json.Unmarshal(body["path"], &o.path); err != nil {
		return o, badRequest("it has no path")
	}
	if err := s.checkPath(o.path); err != nil {
		return o, err
	}
	for kind := range body {
		if kind != "path" && string(body[kind]) != "null" {
			if o.kind != "" {
				return o, badRequest("it has both %s and %s", o.kind, kind)
			}
			o.kind = kind
		}
	}
	parse, known := operationKinds[o.kind]
	if !known {
		return o, badRequest("unknown operation %q", o.kind)
	}
	o.apply, err = parse(s, o.path, body[o.kind])
	if err != nil {
		return o, badRequest("%s of %s: %s", o.kind, o.path, err)
	}
	return o, nil
}

type parser func(s *Server, path string, body json.RawMessage) (func(*Server, *run) []error, error)

var operationKinds = map[string]parser{
	"assignFloat":       assign("float", func(v *float64) any { return *v }),
	"assignInt":         assign("int", func(v *int32) any { return *v }),
	"assignBool":        assign("bool", func(v *bool) any { return *v }),
	"assignString":      assign("string", func(v *string) any { return *v }),
	"assignDatetime":    assignDatetime,
	"insertStrings":     changeSet(func(f *Field, values []string) { f.Strings = append(f.Strings, values...) }),
	"removeStrings":     changeSet(func(f *Field, values []string) { f.Strings = slices.DeleteFunc(f.Strings, inList(values)) }),
	"clearStringSet":    clearField("stringSet"),
	"logFloats":         logPoints("floatSeries", floatPoint),
	"logStrings":        logPoints("stringSeries", stringPoint),
	"logImages":         logPoints("imageSeries", imagePoint),
	"clearFloatSeries":  clearField("floatSeries"),
	"clearStringSeries": clearField("stringSeries"),
	"clearImageSeries":  clearField("imageSeries"),
	"configFloatSeries": configSeries,
	"deleteAttribute":   deleteField,
	"deleteFiles":       deleteFiles,
}

// strict decodes a body that has no other fields.
func strict(body json.RawMessage, to any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	return d.Decode(to)
}

func one(err error) []error {
	if err == nil {
		return nil
	}
	return []error{err}
}

func assign[T any](kind string, value func(*T) any) parser {
	return func(_ *Server, path string, body json.RawMessage) (func(*Server, *run) []error, error) {
		var p struct {
			Value            *T              `json:"value"`
			CurrentValueCond json.RawMessage `json:"currentValueCond"`
		}
		if err := strict(body, &p); err != nil {
			return nil, err
		}
		if p.Value == nil {
			return nil, errors.New("it has no value")
		}
		v := value(p.Value)
		return func(s *Server, r *run) []error {
			if text, ok := v.(string); ok && utf8.RuneCountInString(text) > maxString {
				return one(inconsistent("Max string attribute length (%d) exceeded: %s", maxString, path))
			}
			f, err := s.field(r, path, kind)
			if err == nil {
				f.Value = v
			}
			return one(err)
		}, nil
	}
}

func assignDatetime(_ *Server, path string, body json.RawMessage) (func(*Server, *run) []error, error) {
	var p struct {
		Value *int64 `json:"valueMilliseconds"`
	}
	if err := strict(body, &p); err != nil || p.Value == nil {
		return nil, errors.Join(err, errors.New("valueMilliseconds is a whole number"))
	}
	return func(s *Server, r *run) []error {
		f, err := s.field(r, path, "datetime")
		if err == nil {
			f.Value = time.UnixMilli(*p.Value)
		}
		return one(err)
	}, nil
}

func inList(values []string) func(string) bool {
	return func(s string) bool { return slices.Contains(values, s) }
}

func changeSet(change func(*Field, []string)) parser {
	return func(_ *Server, path string, body json.RawMessage) (func(*Server, *run) []error, error) {
		var p struct {
			Values []string `json:"values"`
		}
		if err := strict(body, &p); err != nil {
			return nil, err
		}
		return func(s *Server, r *run) []error {
			f, err := s.field(r, path, "stringSet")
			if err == nil {
				change(f, p.Values)
				slices.Sort(f.Strings)
				f.Strings = slices.Compact(f.Strings)
			}
			return one(err)
		}, nil
	}
}

func clearField(kind string) parser {
	return func(_ *Server, path string, body json.RawMessage) (func(*Server, *run) []error, error) {
		return func(s *Server, r *run) []error {
			f, err := s.field(r, path, kind)
			if err == nil {
				*f = Field{Type: kind}
			}
			return one(err)
		}, strict(body, &struct{}{})
	}
}

func configSeries(_ *Server, path string, body json.RawMessage) (func(*Server, *run) []error, error) {
	var p struct {
		Min, Max *float64
		Unit     *string
	}
	return func(s *Server, r *run) []error {
		_, err := s.field(r, path, "floatSeries")
		return one(err)
	}, strict(body, &p)
}

func deleteField(_ *Server, path string, body json.RawMessage) (func(*Server, *run) []error, error) {
	return func(_ *Server, r *run) []error {
		if r.fields[path] == nil {
			return one(inconsistent("Cannot delete %s: there is no such field", path))
		}
		delete(r.fields, path)
		return nil
	}, strict(body, &struct{}{})
}

func deleteFiles(_ *Server, path string, body json.RawMessage) (func(*Server, *run) []error, error) {
	var p struct {
		FilePaths []string `json:"filePaths"`
	}
	return func(s *Server, r *run) []error {
		f, err := s.field(r, path, "fileSet")
		if err == nil {
			for _, name := range p.FilePaths {
				delete(f.Files, name)
			}
		}
		return one(err)
	}, strict(body, &p)
}

// entry is a point on the wire.
type entry struct {
	Value     json.RawMessage `json:"value"`
	Step      *float64        `json:"step"`
	Timestamp *int64          `json:"timestampMilliseconds"`
}

func logPoints(kind string, value func(json.RawMessage, *Point) error) parser {
	return func(_ *Server, path string, body json.RawMessage) (func(*Server, *run) []error, error) {
		var p struct {
			Entries []entry `json:"entries"`
		}
		if err := strict(body, &p); err != nil {
			return nil, err
		}
		points := make([]Point, len(p.Entries))
		for i, e := range p.Entries {
			if e.Timestamp == nil {
				return nil, errors.New("an entry has no timestampMilliseconds")
			}
			points[i] = Point{Step: math.NaN(), Time: time.UnixMilli(*e.Timestamp)}
			if e.Step != nil {
				points[i].Step = *e.Step
			}
			if err := value(e.Value, &points[i]); err != nil {
				return nil, err
			}
		}
		return func(s *Server, r *run) []error { return s.appendPoints(r, path, kind, points) }, nil
	}
}

// appendPoints keeps the good points and says what is wrong with the others.
func (s *Server) appendPoints(r *run, path, kind string, points []Point) (errs []error) {
	f, err := s.field(r, path, kind)
	if err != nil {
		return one(err)
	}
	for _, p := range points {
		last := f.last()
		if math.IsNaN(p.Step) { // the server counts
			p.Step = max(last.Step+1, 0)
		}
		switch {
		case p.Step <= last.Step:
			errs = append(errs, inconsistent("X-coordinates (step) must be strictly increasing for series attribute: %s. Invalid point: %s", path, float(p.Step)))
		case p.Time.Before(last.Time):
			errs = append(errs, inconsistent("Timestamp must be non-decreasing for series attribute: %s. Invalid point: %s", path, p.Time.UTC().Format(time.RFC3339Nano)))
		case utf8.RuneCountInString(p.Text) > maxStringPoint:
			errs = append(errs, operationError{fmt.Sprintf("Max length (%d) of a value of series attribute %s exceeded", maxStringPoint, path), "logSeriesValueError"})
		case len(p.Image) > maxImage:
			errs = append(errs, operationError{fmt.Sprintf("Max size (%d) of an image of series attribute %s exceeded", maxImage, path), "logSeriesValueError"})
		default:
			f.Points = append(f.Points, p)
		}
	}
	return errs
}

// float is a number as Java prints it, for those that matter here: 1.0.
func float(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e7 {
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprint(v)
}

func floatPoint(body json.RawMessage, p *Point) error {
	var v *float64
	if err := json.Unmarshal(body, &v); err != nil || v == nil {
		return fmt.Errorf("%s is not a number", body)
	}
	p.Value = *v
	return nil
}

func stringPoint(body json.RawMessage, p *Point) error {
	var v *string
	if err := json.Unmarshal(body, &v); err != nil || v == nil {
		return fmt.Errorf("%.40s is not a string", body)
	}
	p.Text = *v
	return nil
}

func imagePoint(body json.RawMessage, p *Point) error {
	var v struct {
		Data              *string
		Name, Description *string
	}
	if err := strict(body, &v); err != nil || v.Data == nil {
		return errors.Join(errors.New("an image has data, and may have name and description"), err)
	}
	image, err := base64.StdEncoding.DecodeString(*v.Data)
	if err != nil {
		return fmt.Errorf("the data of an image is base64 without a prefix: %w", err)
	}
	p.Image = image
	if v.Name != nil {
		p.Name = *v.Name
	}
	if v.Description != nil {
		p.Description = *v.Description
	}
	return nil
}

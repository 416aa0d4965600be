package neptunetest

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// Field is what a run has at a path.
type Field struct {
	// Type is that of the protocol: float, int, bool, string, datetime, stringSet,
	// floatSeries, stringSeries, imageSeries, file, fileSet, experimentState.
	Type string
	// Value of the first five types: float64, int32, bool, string, [time.Time].
	Value any
	// Strings are the members of a set, sorted.
	Strings []string
	// Points of a series.
	Points []Point
	// Ext is the extension of a file, without its dot.
	Ext     string
	Content []byte
	// Files of a file set, by name.
	Files map[string][]byte
}

// Point is one of a series: Value, Text, or Image with Name and Description.
type Point struct {
	Step              float64
	Time              time.Time
	Value             float64
	Text              string
	Image             []byte
	Name, Description string
}

func (f *Field) clone() Field {
	out := *f
	out.Strings, out.Points, out.Content, out.Files = slices.Clone(f.Strings), slices.Clone(f.Points), bytes.Clone(f.Content), maps.Clone(f.Files)
	return out
}

// properties are those of the type in the answer to a question for one field.
func (f *Field) properties(path string) object {
	out := object{"attributeName": path, "attributeType": f.Type}
	switch f.Type {
	case "datetime":
		out["value"] = f.Value.(time.Time).UTC().Format("2006-01-02T15:04:05.000Z")
	case "stringSet":
		out["values"] = append([]string{}, f.Strings...)
	case "file":
		out["name"], out["ext"], out["size"] = fileName(path, f.Ext), f.Ext, len(f.Content)
	case "fileSet":
		size := 0
		for _, content := range f.Files {
			size += len(content)
		}
		out["size"] = size
	case "floatSeries", "stringSeries", "imageSeries":
		f.summary(out)
	default:
		out["value"] = f.Value
	}
	return out
}

// attribute is the field among all fields of a run.
func (f *Field) attribute(path string) object {
	return object{"name": path, "type": f.Type, f.Type + "Properties": f.properties(path)}
}

func (f *Field) summary(out object) {
	if len(f.Points) == 0 {
		return
	}
	last := f.Points[len(f.Points)-1]
	out["lastStep"] = last.Step
	switch f.Type {
	case "stringSeries":
		out["last"] = last.Text
	case "floatSeries":
		low, high, sum := math.Inf(1), math.Inf(-1), 0.
		for _, p := range f.Points {
			low, high, sum = min(low, p.Value), max(high, p.Value), sum+p.Value/float64(len(f.Points))
		}
		out["last"], out["min"], out["max"], out["config"] = last.Value, low, high, object{}
		out["average"] = sum
	}
}

// last returns the last point of a series; of an empty one, a point before all.
func (f *Field) last() Point {
	if len(f.Points) == 0 {
		return Point{Step: math.Inf(-1)}
	}
	return f.Points[len(f.Points)-1]
}

func fileName(path, ext string) string {
	name := path[strings.LastIndexByte(path, '/')+1:]
	if ext != "" {
		name += "." + ext
	}
	return name
}

// writableSys are the fields below sys that clients may write.
var writableSys = []string{"sys/name", "sys/description", "sys/tags", "sys/group_tags", "sys/failed", "sys/hostname"}

// field returns the field at a path, of a type, and makes it if there is none.
func (s *Server) field(r *run, path, kind string) (*Field, error) {
	if strings.HasPrefix(path, "sys/") && !slices.Contains(writableSys, path) {
		return nil, inconsistent("Field %s is managed by the server and cannot be written", path)
	}
	if f := r.fields[path]; f != nil {
		if f.Type != kind {
			return nil, inconsistent("Cannot use an operation for %s on %s, which has type %s", kind, path, f.Type)
		}
		return f, nil
	}
	for old := range r.fields {
		if strings.HasPrefix(old, path+"/") || strings.HasPrefix(path, old+"/") {
			return nil, inconsistent("%s cannot be a field: %s is one", path, old)
		}
	}
	if len(r.fields) >= s.limits.MaxFields {
		return nil, &trouble{422, "ATTRIBUTES_PER_EXPERIMENT_LIMIT_EXCEEDED", fmt.Sprintf("The limit of %d fields per run is exceeded", s.limits.MaxFields)}
	}
	f := &Field{Type: kind}
	r.fields[path] = f
	return f, nil
}

// checkPath holds clients to what the official one makes of paths.
func (s *Server) checkPath(path string) error {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" {
			return s.violated("the path %q has an empty part", path)
		}
	}
	return nil
}

// operationError is an error in the body of an answer with status 200.
type operationError OperationError

func (e operationError) Error() string { return e.Description }

func inconsistent(format string, args ...any) error {
	return operationError{fmt.Sprintf(format, args...), "metadata_inconsistency"}
}

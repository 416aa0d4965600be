package loggers

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// WandBImage is a picture for [WandBRun.Log]: Image, which becomes a PNG, or the
// file at Path, a PNG, JPEG or GIF. Several in a slice are shown beside each other.
type WandBImage struct {
	Image   image.Image
	Path    string
	Caption string
}

// WandBHistogram is a distribution for [WandBRun.Log]: of Values, which are
// counted in 30 buckets; or Counts, at most 512, between Edges, of which there is one
// more, rising.
type WandBHistogram struct {
	Values        []float64
	Counts, Edges []float64
}

// WandBTable is a table for [WandBRun.Log], of at most 10,000 rows. Every row has as
// many cells as there are columns: numbers, texts, truths or nil.
type WandBTable struct {
	Columns []string
	Rows    [][]any
}

// WandBHTML is a page for [WandBRun.Log].
type WandBHTML string

// WandBPlotly is a figure for [WandBRun.Log]: the JSON of Plotly, an object with
// "data" and "layout".
type WandBPlotly []byte

// mediaFiles keeps the files of values of a run.
type mediaFiles struct {
	run   string // id
	dir   string // of the run
	step  int64
	files map[string]string // paths within dir, by the name that they get
	// tables are versions that stand behind tables.
	tables []*wandbArtifact
}

// value is a value as JSON.
func (m *mediaFiles) value(key string, v any) (string, error) {
	switch v := v.(type) {
	case WandBImage:
		return m.image(key, v)
	case []WandBImage:
		return m.images(key, v)
	case WandBHistogram:
		return v.json()
	case WandBTable:
		return m.table(key, v)
	case WandBHTML:
		return m.file(mediaHTML, key, []byte(v), "", nil)
	case WandBPlotly:
		if !json.Valid(v) {
			return "", errors.New("the figure is not JSON")
		}
		return m.file(mediaPlotly, key, v, "", nil)
	}
	b, err := appendValue(nil, reflect.ValueOf(v), 0)
	return string(b), err
}

// deepest is how far lists and maps may be nested.
const deepest = 64

// appendValue appends anything that JSON can say, and NaN and infinities.
func appendValue(b []byte, v reflect.Value, depth int) ([]byte, error) {
	if depth > deepest {
		return b, errors.New("it is nested too deeply")
	}
	switch v.Kind() {
	case reflect.Invalid:
		return append(b, "null"...), nil
	case reflect.Float32:
		f := v.Float()
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return appendNumber(b, f), nil
		}
		return strconv.AppendFloat(b, f, 'g', -1, 32), nil
	case reflect.Float64:
		return appendNumber(b, v.Float()), nil
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return append(b, "null"...), nil
		}
	}
	if _, own := v.Interface().(json.Marshaler); own {
		return appendMarshaled(b, v)
	}
	switch v.Kind() {
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.AppendInt(b, v.Int(), 10), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return strconv.AppendUint(b, v.Uint(), 10), nil
	case reflect.String:
		return appendText(b, v.String()), nil
	case reflect.Pointer, reflect.Interface:
		return appendValue(b, v.Elem(), depth+1)
	case reflect.Slice, reflect.Array:
		return appendSlice(b, v, depth)
	case reflect.Map:
		return appendMap(b, v, depth)
	}
	return appendMarshaled(b, v)
}

func appendMarshaled(b []byte, v reflect.Value) ([]byte, error) {
	encoded, err := encodeJSON(v.Interface())
	return append(b, encoded...), err
}

func appendSlice(b []byte, v reflect.Value, depth int) ([]byte, error) {
	var err error
	b = append(b, '[')
	for i := range v.Len() {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendValue(b, v.Index(i), depth+1); err != nil {
			return b, err
		}
	}
	return append(b, ']'), nil
}

func appendMap(b []byte, v reflect.Value, depth int) ([]byte, error) {
	if v.Type().Key().Kind() != reflect.String {
		return b, fmt.Errorf("a map with keys of type %s has no JSON", v.Type().Key())
	}
	fields := make(map[string]string, v.Len())
	for iter := v.MapRange(); iter.Next(); {
		value, err := appendValue(nil, iter.Value(), depth+1)
		if err != nil {
			return b, err
		}
		fields[iter.Key().String()] = string(value)
	}
	return appendFields(b, fields), nil
}

// json is the histogram as the service takes it.
func (h WandBHistogram) json() (string, error) {
	const most = 512
	if len(h.Counts) == 0 && len(h.Edges) == 0 {
		text := histogramJSON(histogram(h.Values))
		if text == "" {
			return "", errors.New("the histogram has no finite values")
		}
		return text, nil
	}
	if len(h.Counts) > most || len(h.Edges) != len(h.Counts)+1 || !slices.IsSorted(h.Edges) {
		return "", fmt.Errorf("a histogram has up to %d counts between rising edges, of which there is one more: it has %d and %d", most, len(h.Counts), len(h.Edges))
	}
	buckets := make([][3]float64, len(h.Counts))
	for i, n := range h.Counts {
		buckets[i] = [3]float64{h.Edges[i], h.Edges[i+1], n}
	}
	return histogramJSON(buckets), nil
}

// file keeps content and returns the object that stands for it.
func (m *mediaFiles) file(kind media, key string, content []byte, ending string, more map[string]string) (string, error) {
	name, sum, err := m.keep(kind, key, content, ending)
	if err != nil {
		return "", err
	}
	fields := map[string]string{
		"_type": string(appendText(nil, string(kind))), "sha256": string(appendText(nil, sum)),
		"size": fmt.Sprint(len(content)), "path": string(appendText(nil, name)),
	}
	maps.Copy(fields, more)
	return string(appendFields(nil, fields)), nil
}

// keep writes content to the directory of the run.
func (m *mediaFiles) keep(kind media, key string, content []byte, ending string) (name, sum string, err error) {
	digest := sha256.Sum256(content)
	sum = hex.EncodeToString(digest[:])
	name = mediaPath(kind, key, m.step, sum, ending)
	inside := filepath.Join("files", filepath.FromSlash(name))
	path := filepath.Join(m.dir, inside)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", "", err
	}
	if m.files == nil {
		m.files = map[string]string{}
	}
	m.files[name] = filepath.ToSlash(inside)
	return name, sum, os.WriteFile(path, content, 0o644)
}

// encode is the picture as a file, its ending, and its size.
func (i WandBImage) encode() (content []byte, ending string, width, height int, err error) {
	switch {
	case i.Image != nil:
		var out bytes.Buffer
		err = png.Encode(&out, i.Image)
		size := i.Image.Bounds().Size()
		return out.Bytes(), ".png", size.X, size.Y, err
	case i.Path != "":
		if content, err = os.ReadFile(i.Path); err != nil {
			return nil, "", 0, 0, err
		}
		config, kind, err := image.DecodeConfig(bytes.NewReader(content))
		if err != nil {
			return nil, "", 0, 0, fmt.Errorf("%s cannot be read as a picture: %w", i.Path, err)
		}
		return content, "." + strings.Replace(kind, "jpeg", "jpg", 1), config.Width, config.Height, nil
	}
	return nil, "", 0, 0, errors.New("the picture is empty: set its Image or its Path")
}

func (m *mediaFiles) image(key string, i WandBImage) (string, error) {
	content, ending, width, height, err := i.encode()
	if err != nil {
		return "", err
	}
	more := map[string]string{"width": fmt.Sprint(width), "height": fmt.Sprint(height), "format": string(appendText(nil, ending[1:]))}
	if i.Caption != "" {
		more["caption"] = string(appendText(nil, i.Caption))
	}
	return m.file(mediaImage, key, content, ending, more)
}

// maxImages is how many pictures the service shows beside each other.
const maxImages = 108

func (m *mediaFiles) images(key string, all []WandBImage) (string, error) {
	if len(all) == 0 || len(all) > maxImages {
		return "", fmt.Errorf("there are %d pictures, not 1 to %d", len(all), maxImages)
	}
	var names, captions []string
	fields := map[string]string{"_type": `"images/separated"`, "count": fmt.Sprint(len(all))}
	for n, i := range all {
		content, ending, width, height, err := i.encode()
		if err != nil {
			return "", err
		}
		name, _, err := m.keep(mediaImage, key, content, ending)
		if err != nil {
			return "", err
		}
		if n == 0 {
			fields["width"], fields["height"], fields["format"] = fmt.Sprint(width), fmt.Sprint(height), string(appendText(nil, ending[1:]))
		}
		names, captions = append(names, name), append(captions, i.Caption)
	}
	text, err := encodeJSON(names)
	if err != nil {
		return "", err
	}
	fields["filenames"] = string(text)
	if captions[0] != "" {
		if text, err = encodeJSON(captions); err != nil {
			return "", err
		}
		fields["captions"] = string(text)
	}
	return string(appendFields(nil, fields)), nil
}

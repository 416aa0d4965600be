package tensorfile

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// ReadSafetensors reads a safetensors file of size bytes: its arrays sorted by
// name, and its metadata (nil if it has none). Types narrower than a byte and
// the 8-bit floats are refused.
func ReadSafetensors(r io.ReaderAt, size int64) ([]Array, map[string]string, error) {
	tensors, metadata, err := readSafetensors(r, size)
	if err != nil {
		return nil, nil, fmt.Errorf("safetensors: %w", err)
	}
	return tensors, metadata, nil
}

// placed is an array and the place of its data, [begin, end) in bytes.
type placed struct {
	Array
	begin, end int64
}

func readSafetensors(r io.ReaderAt, size int64) ([]Array, map[string]string, error) {
	header, err := readSafetensorsHeader(r, size)
	if err != nil {
		return nil, nil, err
	}
	tensors, metadata, err := parseSafetensorsHeader(header)
	if err != nil {
		return nil, nil, fmt.Errorf("header: %w", err)
	}
	data := 8 + int64(len(header))
	if err := checkTiling(tensors, size-data); err != nil {
		return nil, nil, err
	}
	arrays := make([]Array, len(tensors))
	for i, t := range tensors {
		raw, err := readExactly(io.NewSectionReader(r, data+t.begin, t.end-t.begin), int(t.end-t.begin))
		if err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		arrays[i] = t.Array
		arrays[i].Data = raw
	}
	slices.SortFunc(arrays, func(a, b Array) int { return strings.Compare(a.Name, b.Name) })
	return arrays, metadata, nil
}

func readSafetensorsHeader(r io.ReaderAt, size int64) ([]byte, error) {
	if size < 8 {
		return nil, fmt.Errorf("file of %d bytes has no room for the length of its header", size)
	}
	length, err := readExactly(io.NewSectionReader(r, 0, 8), 8)
	if err != nil {
		return nil, fmt.Errorf("length of the header: %w", err)
	}
	n := binary.LittleEndian.Uint64(length)
	if n > maxSafetensorsHeader || int64(n) > size-8 {
		return nil, fmt.Errorf("header claims %d bytes; the file has %d after its length, and %d are the limit", n, size-8, maxSafetensorsHeader)
	}
	header, err := readExactly(io.NewSectionReader(r, 8, int64(n)), int(n))
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if len(header) == 0 || header[0] != '{' {
		return nil, fmt.Errorf("header starts with %.20q, not with '{': not a safetensors file", header[:min(20, len(header))])
	}
	if !utf8.Valid(header) {
		return nil, errors.New("header is not UTF-8")
	}
	return header, nil
}

func parseSafetensorsHeader(header []byte) (tensors []placed, metadata map[string]string, err error) {
	err = eachField(header, func(key string, value json.RawMessage) error {
		if key == metadataKey {
			metadata = map[string]string{}
			return eachField(value, func(k string, v json.RawMessage) error {
				text, err := decodeAs[string](v, '"')
				metadata[k] = text
				if err != nil {
					return fmt.Errorf("%s: %q: %w", metadataKey, k, err)
				}
				return nil
			})
		}
		t, err := parseTensor(key, value)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", key, err)
		}
		tensors = append(tensors, t)
		return nil
	})
	return tensors, metadata, err
}

func parseTensor(name string, entry json.RawMessage) (placed, error) {
	t := placed{Array: Array{Name: name}}
	var code string
	var offsets []int64
	found := 0
	err := eachField(entry, func(key string, value json.RawMessage) (err error) {
		found++
		switch key {
		case "dtype":
			code, err = decodeAs[string](value, '"')
		case "shape":
			t.Shape, err = decodeAs[[]int](value, '[')
		case "data_offsets":
			offsets, err = decodeAs[[]int64](value, '[')
		default:
			return fmt.Errorf("unknown field %q", key)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		return nil
	})
	if err != nil {
		return t, err
	}
	if found != 3 || len(offsets) != 2 {
		return t, fmt.Errorf("needs dtype, shape and two data_offsets, has %.100s", entry)
	}
	info, ok := findDType(func(i dtypeInfo) bool { return i.safetensors != "" && i.safetensors == code })
	if !ok {
		return t, fmt.Errorf("dtype %q is not supported: save it as F32 or F16", code)
	}
	t.DType, t.begin, t.end = info.dtype, offsets[0], offsets[1]
	n, err := byteLen(t.Shape, info.size)
	if err != nil {
		return t, err
	}
	if t.begin < 0 || t.end < t.begin || t.end-t.begin != int64(n) {
		return t, fmt.Errorf("data_offsets [%d, %d], but shape %v of %s takes %d bytes", t.begin, t.end, t.Shape, code, n)
	}
	return t, nil
}

// checkTiling sorts the tensors by place and tells whether they cover size bytes
// of data without hole or overlap.
func checkTiling(tensors []placed, size int64) error {
	slices.SortFunc(tensors, func(a, b placed) int {
		if a.begin != b.begin {
			return cmp.Compare(a.begin, b.begin)
		}
		return cmp.Compare(a.end, b.end)
	})
	var at int64
	for i, t := range tensors {
		if t.end > size {
			return fmt.Errorf("tensor %q ends at byte %d of the data, which has %d", t.Name, t.end, size)
		}
		if t.begin > at {
			return fmt.Errorf("hole of %d bytes before tensor %q at byte %d of the data", t.begin-at, t.Name, t.begin)
		}
		if t.begin < at {
			return fmt.Errorf("tensors %q and %q overlap at byte %d of the data", tensors[i-1].Name, t.Name, t.begin)
		}
		at = t.end
	}
	if at != size {
		return fmt.Errorf("%d bytes of data after the last tensor belong to none", size-at)
	}
	return nil
}

// eachField calls f for every field of a JSON object, in order, and refuses a
// name that stands twice, which encoding/json alone would take silently.
func eachField(object []byte, f func(key string, value json.RawMessage) error) error {
	dec := json.NewDecoder(bytes.NewReader(object))
	start, err := dec.Token()
	if err != nil {
		return err
	}
	if start != json.Delim('{') {
		return fmt.Errorf("%.20q is not a JSON object", object)
	}
	seen := map[string]bool{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return err
		}
		key := token.(string) // the decoder allows nothing else here
		if seen[key] {
			return fmt.Errorf("name %q stands twice", key)
		}
		seen[key] = true
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return fmt.Errorf("%q: %w", key, err)
		}
		if err := f(key, value); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return fmt.Errorf("object does not end: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return errors.New("text after the JSON object")
	}
	return nil
}

// decodeAs decodes a JSON string or list of numbers, which begins with first.
// encoding/json would take a null, alone or in a list, for a zero.
func decodeAs[T any](value json.RawMessage, first byte) (T, error) {
	var out T
	if len(value) == 0 || value[0] != first || first == '[' && bytes.Contains(value, []byte("null")) {
		return out, fmt.Errorf("%.40s is of the wrong kind", value)
	}
	err := json.Unmarshal(value, &out)
	return out, err
}

package tensorfile

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// The safetensors format: the length of the header as uint64, the header (JSON
// that begins with '{', padded with spaces), then the data. The header maps each
// name to its dtype, shape and [begin, end) in the data; together the tensors
// cover the data without holes or overlaps. "__metadata__" maps text to text.
// Source: github.com/huggingface/safetensors, README.md, section "Format".
const (
	metadataKey          = "__metadata__"
	maxSafetensorsHeader = 100_000_000 // bytes, the limit of the reference implementation
)

// WriteSafetensors writes arrays and metadata as a safetensors file. The header
// lists tensors by name and is padded with spaces to a multiple of 8 bytes; the
// data lies by falling element size, then name, as the reference implementation
// lays it, so that every tensor is aligned to its element. The bytes depend on
// the arguments alone, not on the order of arrays. Names must be unique, UTF-8
// and not empty or "__metadata__". Every type but complex128 can be written.
func WriteSafetensors(w io.Writer, arrays []Array, metadata map[string]string) error {
	if err := checkSafetensors(arrays, metadata); err != nil {
		return fmt.Errorf("safetensors: %w", err)
	}
	laid := slices.Clone(arrays)
	slices.SortFunc(laid, func(a, b Array) int {
		if d := b.DType.Size() - a.DType.Size(); d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
	header, err := safetensorsHeader(laid, metadata)
	if err != nil {
		return fmt.Errorf("safetensors: %w", err)
	}
	if _, err := w.Write(header); err != nil {
		return fmt.Errorf("safetensors: %w", err)
	}
	for _, a := range laid {
		if _, err := w.Write(a.Data); err != nil {
			return fmt.Errorf("safetensors: array %q: %w", a.Name, err)
		}
	}
	return nil
}

func checkSafetensors(arrays []Array, metadata map[string]string) error {
	if err := checkArrays(arrays); err != nil {
		return err
	}
	for _, a := range arrays {
		info, err := a.DType.info()
		switch {
		case err != nil:
			return fmt.Errorf("array %q: %w", a.Name, err)
		case info.safetensors == "":
			return fmt.Errorf("array %q: the format has no %s: write real and imaginary part as two arrays", a.Name, a.DType)
		case a.Name == metadataKey:
			return fmt.Errorf("an array is named %q, which the format reserves", a.Name)
		case !utf8.ValidString(a.Name):
			return fmt.Errorf("name %q is not UTF-8", a.Name)
		}
	}
	for k, v := range metadata {
		if !utf8.ValidString(k) || !utf8.ValidString(v) {
			return fmt.Errorf("metadata %q: %q is not UTF-8", k, v)
		}
	}
	return nil
}

// safetensorsHeader returns the length and the header for arrays in the order of
// their data.
func safetensorsHeader(laid []Array, metadata map[string]string) ([]byte, error) {
	entries := make(map[string]any, len(laid)+1) // encoding/json sorts the keys
	if len(metadata) > 0 {
		entries[metadataKey] = metadata
	}
	type entry struct {
		DType   string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets [2]int `json:"data_offsets"`
	}
	begin := 0
	for _, a := range laid {
		info, err := a.DType.info()
		if err != nil {
			return nil, err
		}
		end := begin + len(a.Data)
		shape := append([]int{}, a.Shape...) // a scalar's is [], never null
		entries[a.Name] = entry{info.safetensors, shape, [2]int{begin, end}}
		begin = end
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(entries); err != nil {
		return nil, err
	}
	header := bytes.TrimRight(text.Bytes(), "\n")
	for len(header)%8 != 0 {
		header = append(header, ' ')
	}
	if len(header) > maxSafetensorsHeader {
		return nil, fmt.Errorf("header of %d tensors takes %d bytes, readers accept %d", len(laid), len(header), maxSafetensorsHeader)
	}
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...), nil
}

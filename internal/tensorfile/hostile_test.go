package tensorfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func npyOf(header string, data ...byte) []byte {
	out := append([]byte(npyMagic), 1, 0)
	out = binary.LittleEndian.AppendUint16(out, uint16(len(header)))
	return append(append(out, header...), data...)
}

// skipNarrow skips the wording of rows whose numbers a 32-bit int cannot hold:
// there they are refused one step earlier.
func skipNarrow(t *testing.T, row string) {
	if strconv.IntSize < 64 && (row == "overflow" || row == "terabytes") {
		t.Skip("needs a 64-bit int")
	}
}

func dict(descr, order, shape string) string {
	return fmt.Sprintf("{'descr': %s, 'fortran_order': %s, 'shape': %s, }\n", descr, order, shape)
}

func TestReadNPYHostile(t *testing.T) {
	for _, tt := range []struct {
		name, file, want string
	}{
		{"empty", "", "magic and version: truncated: 0 of 8 bytes"},
		{"other file", "PK\x03\x04 whatever", "not a .npy file"},
		{"version", npyMagic + "\x09\x01\x00\x00", "format version 9.1"},
		{"no length", npyMagic + "\x01\x00\x00", "length of the header"},
		{"huge header", npyMagic + "\x02\x00\xff\xff\xff\xff", "header of 4294967295 bytes"},
		{"truncated header", npyMagic + "\x01\x00\x40\x00{", "truncated: 1 of 64 bytes"},
		{"no dict", string(npyOf("None")), `"{" expected`},
		{"no end", string(npyOf("{'descr': '<f4'")), `"}" expected`},
		{"no colon", string(npyOf("{'descr' '<f4'}")), `":" expected`},
		{"open string", string(npyOf("{'descr': '<f4")), "does not end"},
		{"escape", string(npyOf(dict(`'\x41'`, "False", "()"))), "escapes"},
		{"missing key", string(npyOf("{'descr': '<f4', 'shape': ()}")), `"fortran_order" is missing`},
		{"twice", string(npyOf("{'shape': (), 'shape': ()}")), `"shape" stands twice`},
		{"unknown key", string(npyOf("{'x': ()}")), "not one of descr"},
		{"order", string(npyOf(dict("'<f4'", "Maybe", "()"))), "neither True nor False"},
		{"list", string(npyOf(dict("'<f4'", "False", "[3]"))), `"(" expected`},
		{"negative", string(npyOf(dict("'<f4'", "False", "(-1,)"))), "dimension 0"},
		{"too large a number", string(npyOf(dict("'<f4'", "False", "(99999999999999999999,)"))), "dimension 0"},
		{"overflow", string(npyOf(dict("'<f4'", "False", "(4611686018427387904, 4)"))), "too large for this machine"},
		{"terabytes", string(npyOf(dict("'<f4'", "False", "(1000000000000,)"), 1, 2, 3)), "truncated: 3 of 4000000000000 bytes"},
		{"dimensions", string(npyOf(dict("'<f4'", "False", "("+strings.Repeat("1,", 65)+")"))), "more than 64 dimensions"},
		{"tail", string(npyOf("{'descr': '<f4', 'fortran_order': False, 'shape': ()} x")), "after the dict"},
		{"no type", string(npyOf(dict("''", "False", "()"))), "empty element type"},
		{"order alone", string(npyOf(dict("'<'", "False", "()"))), `element type "<" is of an unknown kind: save np.ascontiguousarray(a).astype('<f4')`},
		{"no byte order", string(npyOf(dict("'|f4'", "False", "()"))), `element type "|f4"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ReadNPY(strings.NewReader(tt.file))
			require.ErrorContains(t, err, "npy: ")
			skipNarrow(t, tt.name)
			require.ErrorContains(t, err, tt.want)
		})
	}
	_, err := ReadNPY(bytes.NewReader(npyOf(`{"shape":(2L,),"fortran_order":False,"descr":"<u1"}`, 1, 2)))
	require.NoError(t, err, "other quotes, order and spacing are Python too")
}

func TestReadNPZHostile(t *testing.T) {
	good := string(npyOf(dict("'|u1'", "False", "(2,)"), 1, 2))
	corrupt := zipOf(t, zip.Store, "a.npy", good)
	corrupt[bytes.Index(corrupt, []byte{1, 2, 'P'})] = 9
	bomb := zipOf(t, zip.Store, "a.npy", good)
	central := bytes.Index(bomb, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(bomb[central+24:], 0xfffffff0) // what the entry claims to hold
	for _, tt := range []struct {
		name string
		file []byte
		want string
	}{
		{"no archive", []byte("hello"), "not a valid zip file"},
		{"no array", zipOf(t, zip.Store, "readme.txt", "x"), `entry "readme.txt" is not an array`},
		{"twice", zipOf(t, zip.Store, "a.npy", good, "a.npy", good), `array "a" stands twice`},
		{"bad array", zipOf(t, zip.Deflate, "a.npy", "hello world"), `array "a": starts with`},
		{"big type", zipOf(t, zip.Deflate, "a.npy", string(npyOf(dict("'|O'", "False", "()")))), `array "a": element type "|O"`},
		{"tail", zipOf(t, zip.Deflate, "a.npy", good+"x"), `array "a": has bytes after its data`},
		{"checksum", corrupt, `array "a": zip: checksum error`},
		{"claim", bomb, "claims 4294967280 bytes, more than deflate can expand to"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ReadNPZ(bytes.NewReader(tt.file), int64(len(tt.file)))
			require.ErrorContains(t, err, "npz: ")
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func safetensorsOf(header string, data int) []byte {
	out := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(out, header...), make([]byte, data)...)
}

func TestReadSafetensorsHostile(t *testing.T) {
	tensor := func(name, dtype, shape, offsets string) string {
		return fmt.Sprintf(`"%s":{"dtype":"%s","shape":%s,"data_offsets":%s}`, name, dtype, shape, offsets)
	}
	for _, tt := range []struct {
		name, header string
		data         int
		want         string
	}{
		{"empty header", ``, 0, "not a safetensors file"},
		{"list", `[]`, 0, "not with '{'"},
		{"not UTF-8", "{\"\xff\":1}", 0, "not UTF-8"},
		{"syntax", `{"a"`, 0, "header: "},
		{"open", `{`, 0, "object does not end"},
		{"tail", `{} {}`, 0, "text after"},
		{"tensor no object", `{"a":3}`, 0, `tensor "a": "3" is not a JSON object`},
		{"null tensor", `{"a":null}`, 0, "not a JSON object"},
		{"missing field", `{"a":{"dtype":"F32","shape":[]}}`, 0, `tensor "a": needs dtype`},
		{"unknown field", `{"a":{"stride":[1]}}`, 0, `unknown field "stride"`},
		{"field twice", `{"a":{"shape":[1],"shape":[2]}}`, 0, `name "shape" stands twice`},
		{"name twice", "{" + tensor("a", "U8", "[1]", "[0,1]") + "," + tensor(`\u0061`, "U8", "[1]", "[1,2]") + "}", 2, `name "a" stands twice`},
		{"dtype", "{" + tensor("a", "F8_E4M3", "[1]", "[0,1]") + "}", 1, `tensor "a": dtype "F8_E4M3" is not supported`},
		{"no dtype", "{" + tensor("a", "", "[1]", "[0,1]") + "}", 1, `dtype "" is not supported`},
		{"dtype number", `{"a":{"dtype":1}}`, 0, "dtype: 1 is of the wrong kind"},
		{"null dimension", "{" + tensor("a", "U8", "[null]", "[0,0]") + "}", 0, "shape: [null] is of the wrong kind"},
		{"fraction", "{" + tensor("a", "U8", "[1.5]", "[0,1]") + "}", 1, "shape: "},
		{"negative dimension", "{" + tensor("a", "U8", "[-1]", "[0,1]") + "}", 1, "negative dimension"},
		{"overflow", "{" + tensor("a", "F32", "[4611686018427387904,4]", "[0,1]") + "}", 1, "too large for this machine"},
		{"three offsets", "{" + tensor("a", "U8", "[1]", "[0,1,2]") + "}", 1, "two data_offsets"},
		{"negative offset", "{" + tensor("a", "U8", "[2]", "[-1,1]") + "}", 1, "data_offsets [-1, 1]"},
		{"backwards", "{" + tensor("a", "U8", "[0]", "[1,0]") + "}", 1, "data_offsets [1, 0]"},
		{"size", "{" + tensor("a", "F32", "[2]", "[0,4]") + "}", 4, "takes 8 bytes"},
		{"past the end", "{" + tensor("a", "U8", "[9]", "[0,9]") + "}", 8, `tensor "a" ends at byte 9 of the data, which has 8`},
		{"terabytes", "{" + tensor("a", "U8", "[1000000000000]", "[0,1000000000000]") + "}", 8, "ends at byte 1000000000000"},
		{"hole", "{" + tensor("a", "U8", "[1]", "[0,1]") + "," + tensor("b", "U8", "[1]", "[3,4]") + "}", 4, `hole of 2 bytes before tensor "b"`},
		{"overlap", "{" + tensor("a", "U8", "[2]", "[0,2]") + "," + tensor("b", "U8", "[2]", "[1,3]") + "}", 3, `tensors "a" and "b" overlap at byte 1`},
		{"left over", "{" + tensor("a", "U8", "[1]", "[0,1]") + "}", 3, "2 bytes of data after the last tensor"},
		{"metadata list", `{"__metadata__":[]}`, 0, "not a JSON object"},
		{"metadata number", `{"__metadata__":{"k":1}}`, 0, `__metadata__: "k": 1 is of the wrong kind`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := safetensorsOf(tt.header, tt.data)
			_, _, err := ReadSafetensors(bytes.NewReader(file), int64(len(file)))
			require.ErrorContains(t, err, "safetensors: ")
			skipNarrow(t, tt.name)
			require.ErrorContains(t, err, tt.want)
		})
	}
	for claim, want := range map[uint64]string{1 << 63: "header claims", 99: "header claims 99 bytes", 100_000_001: "header claims"} {
		file := append(binary.LittleEndian.AppendUint64(nil, claim), "{}"...)
		_, _, err := ReadSafetensors(bytes.NewReader(file), int64(len(file)))
		require.ErrorContains(t, err, want)
	}
	_, _, err := ReadSafetensors(strings.NewReader("1234567"), 7)
	require.ErrorContains(t, err, "7 bytes has no room")
	_, _, err = ReadSafetensors(bytes.NewReader(safetensorsOf("{}", 0)), 1000)
	require.ErrorContains(t, err, "belong to none")
}

// A header that claims a terabyte must cost no more than the first piece.
func TestClaimsAllocateLittle(t *testing.T) {
	file := npyOf(dict("'<f4'", "False", "(1000000000000,)"), 1, 2, 3)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := ReadNPY(bytes.NewReader(file))
	runtime.ReadMemStats(&after)
	require.Error(t, err)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(2*firstRead))
}

package tensorfile

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// Run these with -fuzzminimizetime 1x, as in
//
//	go test -run '^$' -fuzz '^FuzzReadNPZ$' -fuzztime 20s -fuzzminimizetime 1x .
//
// With the default of a minute a target, the archive and safetensors fuzzers
// spend the whole time shrinking their first find (0 execs/sec) and still PASS.

// seed adds the files of testdata that match the patterns.
func seed(f *testing.F, patterns ...string) {
	for _, p := range patterns {
		names, err := filepath.Glob(filepath.Join("testdata", p))
		if err != nil || len(names) == 0 {
			f.Fatalf("no seeds in testdata/%s: %v", p, err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
}

func mustCheck(t *testing.T, arrays []Array, room int) {
	t.Helper()
	for _, a := range arrays {
		if err := a.check(); err != nil {
			t.Fatal(err)
		}
		room -= len(a.Data)
	}
	if room < 0 {
		t.Fatalf("arrays hold %d bytes more than the file can", -room)
	}
}

func FuzzReadNPY(f *testing.F) {
	seed(f, "*.npy")
	f.Fuzz(func(t *testing.T, file []byte) {
		a, err := ReadNPY(bytes.NewReader(file))
		if err != nil {
			return
		}
		mustCheck(t, []Array{a}, len(file))
		var out bytes.Buffer
		if err := WriteNPYArray(&out, a); err != nil {
			t.Fatal(err)
		}
		again, err := ReadNPY(&out)
		if err != nil || !bytes.Equal(a.Data, again.Data) {
			t.Fatalf("what was written does not read back: %v", err)
		}
	})
}

func FuzzReadNPZ(f *testing.F) {
	seed(f, "*.npz")
	f.Fuzz(func(t *testing.T, file []byte) {
		arrays, err := ReadNPZ(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			return
		}
		mustCheck(t, arrays, len(file)*maxInflate+maxEntrySlack)
	})
}

func FuzzReadSafetensors(f *testing.F) {
	seed(f, "*.safetensors")
	f.Fuzz(func(t *testing.T, file []byte) {
		arrays, metadata, err := ReadSafetensors(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			return
		}
		mustCheck(t, arrays, len(file))
		for _, a := range arrays {
			if a.Name == "" {
				return // readable, but not ours to write
			}
		}
		var out bytes.Buffer
		if err := WriteSafetensors(&out, arrays, metadata); err != nil {
			t.Fatal(err)
		}
		again, _, err := ReadSafetensors(bytes.NewReader(out.Bytes()), int64(out.Len()))
		if err != nil || len(again) != len(arrays) {
			t.Fatalf("what was written does not read back: %v", err)
		}
	})
}

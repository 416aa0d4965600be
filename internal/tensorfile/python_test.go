package tensorfile

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// readBack writes every array of a .npy, .npz or safetensors file as raw bytes
// with its type and shape, so that nothing is compared through text.
const readBack = `
import sys, numpy as np
from safetensors import safe_open
kind, file, out = sys.argv[1:]
if kind == "npy":
    arrays, metadata = {"": np.load(file)}, None
elif kind == "npz":
    arrays, metadata = dict(np.load(file)), None
else:
    with safe_open(file, framework="np") as f:
        arrays, metadata = {k: f.get_tensor(k) for k in f.keys()}, f.metadata()
with open(out, "wb") as f:
    for name in sorted(arrays):
        a = arrays[name]
        f.write(f"{name} {a.dtype} {list(a.shape)}\n".encode() + a.tobytes() + b"\n")
    if metadata:
        f.write(repr(sorted(metadata.items())).encode())
`

// TestPythonReadsWhatWeWrite needs python3 with numpy and safetensors; PYTHON
// names another interpreter.
func TestPythonReadsWhatWeWrite(t *testing.T) {
	python := os.Getenv("PYTHON")
	if python == "" {
		python = "python3"
	}
	if err := exec.Command(python, "-c", "import numpy, safetensors").Run(); err != nil {
		t.Skip("skipped: needs python3 with numpy and safetensors (PYTHON=… names an interpreter)")
	}
	arrays := []Array{goldenArrays()[3], goldenArrays()[0], goldenArrays()[10], goldenArrays()[14]} // sorted: bool, float32, int64, scalar
	lines := map[string]string{"bool": "bool [1, 3]", "float32": "float32 [2, 4]", "int64": "int64 [4]", "scalar": "float32 []"}
	var want bytes.Buffer
	for _, a := range arrays {
		want.WriteString(a.Name + " " + lines[a.Name] + "\n" + string(a.Data) + "\n")
	}
	var npy, npz, st bytes.Buffer
	values, err := Values[float32](arrays[1])
	require.NoError(t, err)
	require.NoError(t, WriteNPY(&npy, arrays[1].Shape, values))
	require.NoError(t, WriteNPZ(&npz, arrays))
	require.NoError(t, WriteSafetensors(&st, arrays, map[string]string{"seed": "7", "note": "ü"}))
	for _, tt := range []struct {
		kind string
		file bytes.Buffer
		want string
	}{
		{"npy", npy, " float32 [2, 4]\n" + string(arrays[1].Data) + "\n"},
		{"npz", npz, want.String()},
		{"safetensors", st, want.String() + "[('note', 'ü'), ('seed', '7')]"},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			file, out := filepath.Join(t.TempDir(), "file"), filepath.Join(t.TempDir(), "out")
			if tt.kind == "npz" {
				file += ".npz"
			}
			require.NoError(t, os.WriteFile(file, tt.file.Bytes(), 0o600))
			message, err := exec.Command(python, "-c", readBack, tt.kind, file, out).CombinedOutput()
			require.NoError(t, err, "%s", message)
			got, err := os.ReadFile(out)
			require.NoError(t, err)
			require.Equal(t, tt.want, string(got))
		})
	}
}

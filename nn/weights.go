package nn

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/actually-robust-training/art/internal/tensorfile"
	"github.com/actually-robust-training/art/train"
)

// WriteWeights writes all parameters and statistics of a learner. The extension
// of name gives the format: .safetensors or .npz. Python reads both.
func WriteWeights(w io.Writer, name string, l train.Learner) error {
	var arrays []tensorfile.Array
	for _, p := range l.Params() {
		a, err := tensorfile.New(p.Name, p.Shape, p.Value)
		if err != nil {
			return fmt.Errorf("weights: parameter %q: %w", p.Name, err)
		}
		arrays = append(arrays, a)
	}
	switch ext := filepath.Ext(name); ext {
	case ".safetensors":
		return tensorfile.WriteSafetensors(w, arrays, nil)
	case ".npz":
		return tensorfile.WriteNPZ(w, arrays)
	default:
		return fmt.Errorf("weights: %q ends in %q: use .safetensors or .npz", name, ext)
	}
}

// SaveWeights is WriteWeights to a file, which appears when it is complete.
func SaveWeights(path string, l train.Learner) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".weights-*"+filepath.Ext(path))
	if err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err := errors.Join(WriteWeights(f, path, l), f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// LoadWeights reads a .safetensors or .npz file into a learner. Every parameter
// must be in the file with its shape, and nothing else; otherwise the error
// lists what is missing and what is unexpected, and nothing is changed.
//
// rename, unless nil, turns a name of the file into one of the learner, or into
// "" for an array to be left out. Files written by PyTorch load with
// FromPyTorch. Dense weights are [units, features] and convolutions [filters,
// channels, height, width], as there; frameworks that store [features, units] or
// [height, width, channels, filters], such as Keras, need their arrays
// transposed when the file is written.
func LoadWeights(path string, l train.Learner, rename func(name string) string) error {
	arrays, err := readArrays(path)
	if err != nil {
		return fmt.Errorf("weights: %s: %w", path, err)
	}
	given := map[string]tensorfile.Array{}
	for _, a := range arrays {
		name := a.Name
		if rename != nil {
			name = rename(name)
		}
		if _, twice := given[name]; twice && name != "" {
			return fmt.Errorf("weights: %s: two arrays are called %q after renaming", path, name)
		}
		given[name] = a
	}
	delete(given, "")
	values, err := match(l.Params(), given)
	if err != nil {
		return fmt.Errorf("weights: %s: %w", path, err)
	}
	for i, p := range l.Params() {
		copy(p.Value, values[i])
	}
	return nil
}

func readArrays(path string) (arrays []tensorfile.Array, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	switch ext := filepath.Ext(path); ext {
	case ".safetensors":
		arrays, _, err = tensorfile.ReadSafetensors(f, info.Size())
	case ".npz":
		arrays, err = tensorfile.ReadNPZ(f, info.Size())
	default:
		err = fmt.Errorf("the name ends in %q: use .safetensors or .npz", ext)
	}
	return arrays, err
}

// match finds the values of the parameters in the order of the parameters.
func match(params []train.Param, given map[string]tensorfile.Array) ([][]float32, error) {
	var values [][]float32
	var missing []string
	for _, p := range params {
		a, ok := given[p.Name]
		if !ok {
			missing = append(missing, p.Name)
			continue
		}
		delete(given, p.Name)
		if !slices.Equal(a.Shape, p.Shape) {
			return nil, fmt.Errorf("array %q has shape %v, but parameter %q has %v", a.Name, a.Shape, p.Name, p.Shape)
		}
		v, err := a.Float32()
		if err != nil {
			return nil, fmt.Errorf("array %q: %w", a.Name, err)
		}
		values = append(values, v)
	}
	var unexpected []string
	for name := range given {
		unexpected = append(unexpected, name)
	}
	slices.Sort(unexpected)
	if len(missing) > 0 || len(unexpected) > 0 {
		return nil, fmt.Errorf("missing are %q, unexpected are %q: rename them, or return \"\" for what is to be left out", missing, unexpected)
	}
	return values, nil
}

// FromPyTorch returns a function for LoadWeights that turns the names of a
// PyTorch state_dict into those of l, if the modules are named like the layers:
// "block1.bn1.running_var" into "block1/bn1/variance".
func FromPyTorch(l train.Learner) func(name string) string {
	known := map[string]bool{}
	for _, p := range l.Params() {
		known[p.Name] = true
	}
	return func(name string) string {
		dot := strings.LastIndex(name, ".")
		module, last := strings.ReplaceAll(name[:max(dot, 0)], ".", "/"), name[dot+1:]
		if last == "num_batches_tracked" {
			return ""
		}
		if base, ok := strings.CutSuffix(module, "/out_proj"); ok && known[base+"/out/"+last] {
			return base + "/out/" + last
		}
		for _, ours := range append([]string{last}, pyTorchNames[last]...) {
			if known[joinName(module, ours)] {
				return joinName(module, ours)
			}
		}
		return joinName(module, last)
	}
}

// pyTorchNames are our suffixes for those of PyTorch.
var pyTorchNames = map[string][]string{
	"weight":         {"scale"},
	"bias":           {"shift"},
	"running_mean":   {"mean"},
	"running_var":    {"variance"},
	"in_proj_weight": {"in/weight"},
	"in_proj_bias":   {"in/bias"},
	"weight_ih_l0":   {"in/weight"},
	"bias_ih_l0":     {"in/bias"},
	"weight_hh_l0":   {"state/weight"},
	"bias_hh_l0":     {"state/bias"},
}

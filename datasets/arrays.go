package datasets

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/actually-robust-training/art/internal/tensorfile"
	"github.com/actually-robust-training/art/train"
)

// Arrays is a data set in files of NumPy: one .npz with inputs and targets, or a
// .npy for each. All plain element types are taken and become float32.
type Arrays struct {
	// Path of an .npz archive. Empty: Inputs and Targets are paths of .npy files.
	Path string
	// Inputs is the array of the inputs, [rows, …], and Targets that of the
	// targets: class ids [rows] or [rows, positions], or with Regression values
	// [rows] or [rows, values]. Defaults in an archive: "x" and "y".
	Inputs, Targets string
	// Regression makes the targets values.
	Regression bool
	// Classes names the classes. Default: "0", "1", … up to the highest id.
	Classes []string
	// ChannelsLast says that pictures are [rows, height, width, channels], as
	// TensorFlow and Pillow have them; they become [channels, height, width].
	ChannelsLast bool
	// Shape of an example, where it is not that of the array, as [1, 28, 28] for
	// [rows, 28, 28] or [rows, 784].
	Shape []int
	// Name of the set. Default: the name of the file.
	Name string
}

// Load reads the files. Lengths that disagree, ids out of range, NaN and infinity
// are errors that name file and row.
func (a Arrays) Load() (Set, error) {
	if a.Name == "" {
		a.Name = filepath.Base(a.Path)
		if a.Path == "" {
			a.Name = filepath.Base(a.Inputs)
		}
	}
	inputs, targets, err := a.read()
	if err != nil {
		return Set{}, err
	}
	if a.ChannelsLast {
		if inputs, err = channelsFirst(inputs); err != nil {
			return Set{}, fmt.Errorf("%s: %w", a.Name, err)
		}
	}
	if a.Shape != nil && inputs.Rows() > 0 {
		if slices.ContainsFunc(a.Shape, func(n int) bool { return n <= 0 }) || train.Size(a.Shape) != inputs.RowSize() {
			return Set{}, fmt.Errorf("%s: examples of shape %v cannot become %v", a.Name, inputs.Shape[1:], a.Shape)
		}
		inputs.Shape = append([]int{inputs.Rows()}, a.Shape...)
	}
	classes := a.Classes
	if a.Regression {
		classes = nil
	} else if classes == nil {
		if classes, err = numberedUpTo(targets); err != nil {
			return Set{}, fmt.Errorf("%s: %w", a.Name, err)
		}
	}
	s, err := FromTensors(inputs, targets, classes)
	if err != nil {
		return Set{}, fmt.Errorf("%s: %w", a.Name, err)
	}
	s.Name = a.Name
	return s, nil
}

func (a Arrays) read() (inputs, targets train.Tensor, err error) {
	if a.Path != "" {
		return a.readArchive()
	}
	for _, f := range []struct {
		path string
		to   *train.Tensor
	}{{a.Inputs, &inputs}, {a.Targets, &targets}} {
		err := open(f.path, func(r io.Reader) error {
			array, err := tensorfile.ReadNPY(r)
			if err == nil {
				*f.to, err = tensor(array)
			}
			return err
		})
		if err != nil {
			return train.Tensor{}, train.Tensor{}, err
		}
	}
	return inputs, targets, nil
}

func (a Arrays) readArchive() (inputs, targets train.Tensor, err error) {
	content, err := os.ReadFile(a.Path)
	if err != nil {
		return inputs, targets, err // names the path
	}
	arrays, err := tensorfile.ReadNPZ(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return inputs, targets, fmt.Errorf("%s: %w", a.Path, err)
	}
	names := make([]string, len(arrays))
	for i, array := range arrays {
		names[i] = array.Name
	}
	for _, f := range []struct {
		name, usual string
		to          *train.Tensor
	}{{a.Inputs, "x", &inputs}, {a.Targets, "y", &targets}} {
		if f.name == "" {
			f.name = f.usual
		}
		i := slices.Index(names, f.name)
		if i < 0 {
			return inputs, targets, fmt.Errorf("%s: there is no array %q, set Inputs and Targets to what there is: %s", a.Path, f.name, some(names))
		}
		if *f.to, err = tensor(arrays[i]); err != nil {
			return inputs, targets, fmt.Errorf("%s: %w", a.Path, err)
		}
	}
	return inputs, targets, nil
}

func tensor(a tensorfile.Array) (train.Tensor, error) {
	data, err := a.Float32()
	if err == nil && len(a.Shape) == 0 {
		err = fmt.Errorf("array %q is a single number: the first axis must count the rows", a.Name)
	}
	return train.Tensor{Shape: a.Shape, Data: data}, err
}

// channelsFirst turns [rows, height, width, channels] into [rows, channels,
// height, width].
func channelsFirst(t train.Tensor) (train.Tensor, error) {
	if len(t.Shape) != 4 {
		return t, fmt.Errorf("ChannelsLast needs inputs of four axes, [rows, height, width, channels]: these are %v", t.Shape)
	}
	rows, pixels, channels := t.Shape[0], t.Shape[1]*t.Shape[2], t.Shape[3]
	out := train.NewTensor(rows, channels, t.Shape[1], t.Shape[2])
	for row := range rows {
		for p := range pixels {
			for c := range channels {
				out.Data[(row*channels+c)*pixels+p] = t.Data[(row*pixels+p)*channels+c]
			}
		}
	}
	return out, nil
}

// numberedUpTo names classes by their numbers, up to the highest id.
func numberedUpTo(ids train.Tensor) ([]string, error) {
	highest := float32(0)
	for _, v := range ids.Data {
		highest = max(highest, v)
	}
	if highest >= maxClasses || highest != highest {
		return nil, fmt.Errorf("the targets go up to %v, which is no class id below %d: set Regression if they are numbers to predict", highest, maxClasses)
	}
	return numbers(int(highest) + 1), nil
}

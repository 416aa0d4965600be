package datasets

import (
	"fmt"
	"image"
	"image/draw"
	"os"
	"path/filepath"
	"slices"
	"strings"

	scale "golang.org/x/image/draw"

	"github.com/actually-robust-training/art/train"
)

// Folder is pictures in files, png, jpeg or gif (its first frame): one
// sub-folder a class, named after it. Files are decoded when a row is read, on
// all processors; put [Cache] around the set to keep what was decoded. Pixels of
// resized pictures may differ by 1/255 between architectures.
type Folder struct {
	// Path of the folder that holds the folders of the classes.
	Path string
	// Height and Width to which pictures are resized, without regard to their
	// proportions. Default: all pictures must have the size of the first.
	Height, Width int
	// Gray makes pictures [1, height, width]. Default: [3, height, width], red,
	// green, blue. Values are from 0 to 1; what is transparent is black. A
	// rotation that is only noted in a jpeg is not applied.
	Gray bool
	// Classes names the folders to read, in the order of their ids; others are an
	// error. Default: all, sorted by name.
	Classes []string
	// Name of the set. Default: the name of the folder.
	Name string
}

// Load lists the files and reads their headers. A folder without pictures, a file
// that is no picture, and sizes that differ are errors that name the file; so is
// a file that cannot be decoded, when its row is read.
func (f Folder) Load() (Set, error) {
	classes, err := f.classes()
	if err != nil {
		return Set{}, err
	}
	if (f.Height > 0) != (f.Width > 0) || f.Height < 0 || f.Width < 0 {
		return Set{}, fmt.Errorf("%s: height %d and width %d: set both or none", f.Path, f.Height, f.Width)
	}
	var files []string
	var ids []int
	for id, class := range classes {
		pictures, err := f.pictures(filepath.Join(f.Path, class))
		if err != nil {
			return Set{}, err
		}
		files = append(files, pictures...)
		for range pictures {
			ids = append(ids, id)
		}
	}
	if f.Height == 0 {
		if f.Height, f.Width, err = commonSize(files); err != nil {
			return Set{}, err
		}
	}
	if f.Name == "" {
		f.Name = filepath.Base(f.Path)
	}
	channels := 3
	if f.Gray {
		channels = 1
	}
	return Set{
		Name: f.Name, Rows: len(files), Shape: []int{channels, f.Height, f.Width}, Classes: classes, Parallel: true,
		class: func(row int) int { return ids[row] },
		Read: func(_ train.Pass, row int, inputs, targets []float32) error {
			targets[0] = float32(ids[row])
			return f.decode(files[row], inputs)
		},
	}, nil
}

// classes lists the folders of the classes.
func (f Folder) classes() ([]string, error) {
	entries, err := os.ReadDir(f.Path) // sorted
	if err != nil {
		return nil, err // names the path
	}
	var found []string
	for _, e := range entries {
		switch name := e.Name(); {
		case strings.HasPrefix(name, "."):
		case isFolder(f.Path, e):
			found = append(found, name)
		case isPicture(name):
			return nil, fmt.Errorf("%s: the picture is in no folder of a class: move it into one", filepath.Join(f.Path, name))
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s: %w: there are no folders in it, one for every class", f.Path, ErrNoExamples)
	}
	if f.Classes == nil {
		return found, nil
	}
	for _, name := range found {
		if !slices.Contains(f.Classes, name) {
			return nil, fmt.Errorf("%s: the class %q is out of range: the classes are %s", filepath.Join(f.Path, name), name, some(f.Classes))
		}
	}
	return f.Classes, nil
}

// isFolder follows links, as to a data set that is stored elsewhere.
func isFolder(dir string, e os.DirEntry) bool {
	info, err := os.Stat(filepath.Join(dir, e.Name()))
	return err == nil && info.IsDir()
}

func isPicture(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".png", ".jpg", ".jpeg", ".gif":
		return true
	}
	return false
}

// pictures lists the files of a class, sorted by name.
func (f Folder) pictures(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err // names the path
	}
	var files []string
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case strings.HasPrefix(e.Name(), "."):
		case !isPicture(e.Name()):
			return nil, fmt.Errorf("%s: this is no png, jpeg or gif: convert it or take it out of the folder", path)
		default:
			files = append(files, path)
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: %w: there are no pictures in it", dir, ErrNoExamples)
	}
	return files, nil
}

// commonSize is the size of all pictures, or an error that names the first that
// differs.
func commonSize(files []string) (height, width int, err error) {
	sizes := make([]image.Config, len(files))
	err = inParallel(len(files), func(i int) error {
		file, err := os.Open(files[i])
		if err != nil {
			return err // names the path
		}
		defer func() { _ = file.Close() }() // only read
		info, err := file.Stat()
		if err != nil {
			return err // names the path
		}
		if sizes[i], err = measurePicture(file, info.Size()); err != nil {
			return fmt.Errorf("%s: %w", files[i], err)
		}
		return nil
	})
	if err != nil {
		return 0, 0, err
	}
	first := sizes[0]
	for i, s := range sizes {
		if s.Width != first.Width || s.Height != first.Height {
			return 0, 0, fmt.Errorf("%s is %d wide and %d high, %s is %d wide and %d high: set Width and Height to resize them",
				files[i], s.Width, s.Height, files[0], first.Width, first.Height)
		}
	}
	return first.Height, first.Width, nil
}

// decode writes the pixels of a file to inputs, channel by channel.
func (f Folder) decode(path string, inputs []float32) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err // names the path
	}
	picture, err := decodePicture(content)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	box := image.Rect(0, 0, f.Width, f.Height)
	resize := func(to draw.Image) {
		if picture.Bounds().Size() == box.Size() {
			draw.Draw(to, box, picture, picture.Bounds().Min, draw.Src)
		} else {
			scale.BiLinear.Scale(to, box, picture, picture.Bounds(), draw.Src, nil)
		}
	}
	if f.Gray {
		gray := image.NewGray(box)
		resize(gray)
		for i, v := range gray.Pix {
			inputs[i] = float32(v) / 255
		}
		return nil
	}
	colour := image.NewRGBA(box)
	resize(colour)
	pixels := f.Width * f.Height
	for i := range pixels {
		for c := range 3 {
			inputs[c*pixels+i] = float32(colour.Pix[4*i+c]) / 255
		}
	}
	return nil
}

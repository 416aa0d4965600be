package tensorfile

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"
)

// npyExt ends the name of every array's entry in an .npz archive.
const npyExt = ".npy"

// maxInflate is more than deflate can expand a byte to (1032), and maxEntrySlack
// the bytes an empty entry may still claim.
const (
	maxInflate    = 1040
	maxEntrySlack = 1 << 12
)

// WriteNPZ writes arrays as np.savez does, in the order given: a zip archive of
// uncompressed .npy entries. Names must be unique and not empty. The bytes depend
// on the arrays alone (entries carry no date).
func WriteNPZ(w io.Writer, arrays []Array) error {
	if err := checkArrays(arrays); err != nil {
		return fmt.Errorf("npz: %w", err)
	}
	for _, a := range arrays { // before a byte is written
		if _, err := npyDescr(a.DType); err != nil {
			return fmt.Errorf("npz: array %q: %w", a.Name, err)
		}
	}
	archive := zip.NewWriter(w)
	for _, a := range arrays {
		entry, err := archive.CreateHeader(&zip.FileHeader{Name: a.Name + npyExt, Method: zip.Store})
		if err != nil {
			return fmt.Errorf("npz: array %q: %w", a.Name, err)
		}
		if err := WriteNPYArray(entry, a); err != nil {
			return fmt.Errorf("npz: %w", err)
		}
	}
	if err := archive.Close(); err != nil {
		return fmt.Errorf("npz: %w", err)
	}
	return nil
}

// ReadNPZ reads all arrays of an .npz archive of size bytes, stored or
// compressed, in the archive's order, named without their ".npy". See [ReadNPY]
// for the element types. An archive that claims to expand further than deflate
// can, as one with overlapping entries does, is refused before anything is read.
func ReadNPZ(r io.ReaderAt, size int64) ([]Array, error) {
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("npz: %w", err)
	}
	if err := checkExpansion(archive.File, size); err != nil {
		return nil, fmt.Errorf("npz: %w", err)
	}
	arrays := make([]Array, 0, len(archive.File))
	seen := make(map[string]bool, len(archive.File))
	for _, f := range archive.File {
		name, ok := strings.CutSuffix(f.Name, npyExt)
		if !ok {
			return nil, fmt.Errorf("npz: entry %q is not an array: its name does not end in %s", f.Name, npyExt)
		}
		if seen[name] {
			return nil, fmt.Errorf("npz: array %q stands twice in the archive", name)
		}
		seen[name] = true
		a, err := readEntry(f)
		if err != nil {
			return nil, fmt.Errorf("npz: array %q: %w", name, err)
		}
		a.Name = name
		arrays = append(arrays, a)
	}
	return arrays, nil
}

func readEntry(f *zip.File) (Array, error) {
	entry, err := f.Open()
	if err != nil {
		return Array{}, fmt.Errorf("%w (method %d, flags %#x): save it with np.savez or np.savez_compressed", err, f.Method, f.Flags)
	}
	defer func() { _ = entry.Close() }()
	a, err := readNPY(entry)
	if err != nil {
		return Array{}, err
	}
	var one [1]byte // reading to the end also verifies the checksum
	switch _, err := io.ReadFull(entry, one[:]); {
	case err == nil:
		return Array{}, errors.New("has bytes after its data")
	case err != io.EOF:
		return Array{}, err
	}
	return a, nil
}

// checkExpansion bounds what the entries claim to hold by the size of the
// archive itself. archive/zip never delivers more than an entry claims.
func checkExpansion(files []*zip.File, size int64) error {
	left := uint64(size)*maxInflate + maxEntrySlack
	for _, f := range files {
		if f.UncompressedSize64 > left {
			return fmt.Errorf("archive of %d bytes: entry %q claims %d bytes, more than deflate can expand to", size, f.Name, f.UncompressedSize64)
		}
		left -= f.UncompressedSize64
	}
	return nil
}

// checkArrays tells whether the arrays are valid and can be told apart by name.
func checkArrays(arrays []Array) error {
	seen := make(map[string]bool, len(arrays))
	for i, a := range arrays {
		if a.Name == "" {
			return fmt.Errorf("array %d of %d has no name", i, len(arrays))
		}
		if seen[a.Name] {
			return fmt.Errorf("two arrays are named %q", a.Name)
		}
		seen[a.Name] = true
		if err := a.check(); err != nil {
			return err
		}
	}
	return nil
}

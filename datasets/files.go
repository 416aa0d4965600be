package datasets

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// DataDirVariable is the environment variable that names the folder under which
// data sets are looked for, each in a folder of its own.
const DataDirVariable = "ART_DATA_DIR"

// File is one file of a public data set.
type File struct {
	// Folder of the data set, below ART_DATA_DIR: "mnist".
	Folder string
	// Name of the file as it is downloaded. Also lists other names under which it
	// is accepted. The reader looks into a file to see whether it is gzip.
	Name string
	Also []string
	// Bytes and SHA256 (hexadecimal) of the file as it is downloaded.
	Bytes  int64
	SHA256 string
	// URLs have the file; the first that answers is taken.
	URLs []string
}

// Files says where data sets that are files come from. The zero value looks
// under ART_DATA_DIR, then in the folder "art/datasets" of the user's cache.
type Files struct {
	// Dir replaces ART_DATA_DIR and the cache folder.
	Dir string
	// Fetch, if set, brings a file that is not there to path, whose folder it
	// makes: the Get of a download.Fetcher. Nil: a missing file is
	// an error.
	Fetch func(ctx context.Context, f File, path string) error
	// Context ends a fetch early. Default [context.Background].
	Context context.Context
}

// NotFoundError says that a file of a data set is not there, where it was looked
// for, and where it can be had. It is [fs.ErrNotExist] to errors.Is.
type NotFoundError struct {
	File File
	// Looked lists the folders that were searched.
	Looked []string
	// Cause is why it could not be fetched; nil when nobody tried.
	Cause error
}

// Error is one line, fit for a skipped test.
func (e *NotFoundError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: no file %s in %s: ", e.File.Folder, e.File.Name, strings.Join(e.Looked, ", "))
	if e.Cause != nil {
		fmt.Fprintf(&b, "%v: ", e.Cause)
	}
	if len(e.File.URLs) > 0 {
		fmt.Fprintf(&b, "download %s into the folder %s", e.File.URLs[0], e.Looked[0])
	} else {
		fmt.Fprintf(&b, "put it into the folder %s", e.Looked[0])
	}
	if os.Getenv(DataDirVariable) == "" {
		fmt.Fprintf(&b, ", or set %s to the folder that holds %s/", DataDirVariable, e.File.Folder)
	}
	if e.Cause == nil && len(e.File.URLs) > 0 {
		b.WriteString(", or set Files.Fetch to download.Fetcher{}.Get")
	}
	return b.String()
}

// Unwrap gives [fs.ErrNotExist] and the cause.
func (e *NotFoundError) Unwrap() []error {
	if e.Cause == nil {
		return []error{fs.ErrNotExist}
	}
	return []error{fs.ErrNotExist, e.Cause}
}

// Find returns the path of a file, fetching it if it is nowhere and Fetch is set.
func (f Files) Find(file File) (string, error) {
	folders, err := f.folders(file.Folder)
	if err != nil {
		return "", err
	}
	for _, folder := range folders {
		for _, name := range append([]string{file.Name}, file.Also...) {
			path := filepath.Join(folder, name)
			if info, err := os.Stat(path); err == nil && !info.IsDir() {
				return path, nil
			}
		}
	}
	missing := &NotFoundError{File: file, Looked: folders}
	if f.Fetch == nil {
		return "", missing
	}
	ctx := f.Context
	if ctx == nil {
		ctx = context.Background()
	}
	path := filepath.Join(folders[len(folders)-1], file.Name)
	if err := f.Fetch(ctx, file, path); err != nil {
		missing.Cause = err
		return "", missing
	}
	return path, nil
}

// folders lists where a data set may be, the place for downloads last.
func (f Files) folders(name string) ([]string, error) {
	if f.Dir != "" {
		return []string{filepath.Join(f.Dir, name)}, nil
	}
	var folders []string
	if dir := os.Getenv(DataDirVariable); dir != "" {
		folders = append(folders, filepath.Join(dir, name))
	}
	if cache, err := os.UserCacheDir(); err == nil {
		folders = append(folders, filepath.Join(cache, "art", "datasets", name))
	} else if len(folders) == 0 {
		return nil, fmt.Errorf("%s: there is neither %s nor a cache folder (%w): set %s", name, DataDirVariable, err, DataDirVariable)
	}
	return folders, nil
}

// open calls read with the content of a file, unpacked if it is gzip. Errors
// name the path.
func open(path string, read func(io.Reader) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err // names the path
	}
	defer func() { _ = file.Close() }() // only read
	if err := unpacked(file, read); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// unpacked calls read with the content of r, unpacked if it is gzip, and sees to
// it that a gzip stream is read to its checksum.
func unpacked(r io.Reader, read func(io.Reader) error) error {
	buffered := bufio.NewReader(r)
	magic, err := buffered.Peek(2)
	if err != nil || magic[0] != 0x1f || magic[1] != 0x8b {
		return read(buffered)
	}
	packed, err := gzip.NewReader(buffered)
	if err == nil {
		if err = read(packed); err == nil {
			_, err = io.Copy(io.Discard, packed) // the checksum is behind the last byte
		}
	}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the gzip stream ends early, as after a broken download: delete the file and fetch it again: %w", err)
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader):
		return fmt.Errorf("the gzip stream is damaged: delete the file and fetch it again: %w", err)
	}
	return err
}

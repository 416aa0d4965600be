package loggers

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// upload sends a file or a folder. Refusals are of this one alone.
func (n *neptune) upload(ctx context.Context, run string, u neptuneUpload) error {
	if u.set {
		return n.uploadFolder(ctx, run, u)
	}
	query := url.Values{"experimentIdentifier": {run}, "attribute": {u.path}, "ext": {u.ext}}
	return n.uploadFile(ctx, "attributes/storage/file/upload", query, u.file)
}

// uploadFile sends one file, whole or in parts, as its size says.
func (n *neptune) uploadFile(ctx context.Context, path string, query url.Values, name string) error {
	file, err := os.Open(name)
	if err != nil {
		return refusal{err}
	}
	defer file.Close() //nolint:errcheck // it was only read
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", name)
	}
	if err != nil {
		return refusal{err}
	}
	if info.Size() > n.config.Multipart.MaxSinglePart {
		return n.uploadParts(ctx, path, query, file, info)
	}
	content, err := io.ReadAll(file)
	if err != nil {
		return refusal{err}
	}
	if int64(len(content)) > n.config.Multipart.MaxSinglePart {
		return errChanged
	}
	return n.uploadBytes(ctx, path, query, nil, content)
}

var errChanged = errors.New("the file changed while it was uploaded")

func (n *neptune) uploadBytes(ctx context.Context, path string, query url.Values, header map[string]string, content []byte) error {
	header = maps.Clone(header)
	if header == nil {
		header = map[string]string{}
	}
	header["Content-Type"] = "application/octet-stream"
	if len(content) == 0 {
		content = nil
		delete(header, "Content-Type")
	}
	timeout := neptuneTimeout() + time.Duration(len(content))*time.Second/slowestUpload
	var got json.RawMessage
	if err := n.call(ctx, neptuneRequest{method: http.MethodPost, path: path, query: query, header: header, raw: content, timeout: timeout}, &got); err != nil {
		return err
	}
	return uploadErrors(got)
}

// chunkSize is that of the parts of a file: the smallest that does with as many parts
// as there may be.
func (n *neptune) chunkSize(total int64) (int64, error) {
	m := n.config.Multipart
	switch {
	case total <= m.MaxChunks*m.MinChunk:
		return m.MinChunk, nil
	case total > m.MaxChunks*m.MaxChunk:
		return 0, refusal{fmt.Errorf("a file of %d bytes is larger than the server takes, %d", total, m.MaxChunks*m.MaxChunk)}
	}
	return (total + m.MaxChunks - 1) / m.MaxChunks, nil
}

func (n *neptune) uploadParts(ctx context.Context, path string, query url.Values, file *os.File, info fs.FileInfo) error {
	total := info.Size()
	size, err := n.chunkSize(total)
	if err != nil {
		return err
	}
	start := maps.Clone(query)
	start.Set("totalLength", strconv.FormatInt(total, 10))
	var begun struct{ UploadID string }
	var got json.RawMessage
	if err := n.call(ctx, neptuneRequest{method: http.MethodPost, path: path + "/start", query: start}, &got); err != nil {
		return err
	}
	if err := errors.Join(uploadErrors(got), json.Unmarshal(got, &begun)); err != nil {
		return err
	}
	query = maps.Clone(query)
	query.Del("ext") // it belongs to the start
	query.Set("uploadId", begun.UploadID)
	part := maps.Clone(query)
	chunk := make([]byte, size)
	for i, from := 0, int64(0); from < total; i, from = i+1, from+size {
		content := chunk[:min(size, total-from)]
		if _, err := file.ReadAt(content, from); err != nil {
			return errChanged
		}
		part.Set("uploadPartIdx", strconv.Itoa(i))
		span := fmt.Sprintf("bytes=%d-%d/%d", from, from+int64(len(content))-1, total)
		err := n.uploadBytes(ctx, path+"/part", part, map[string]string{"X-Range": span}, content)
		if err != nil {
			return fromTheStart(err)
		}
		if now, err := file.Stat(); err != nil || now.ModTime().After(info.ModTime()) {
			return errChanged
		}
	}
	return fromTheStart(n.uploadBytes(ctx, path+"/finish", query, nil, nil))
}

// fromTheStart makes troubles that pass of those that are over when the file is
// uploaded anew: it changed, or the server has forgotten its first parts.
func fromTheStart(err error) error {
	if err != nil && (strings.Contains(err.Error(), "Length of stream does not match given range") || isMissing(err)) {
		return errors.New(err.Error())
	}
	return err
}

// The most that one archive has.
const (
	maxArchiveFiles = 500
	maxArchiveBytes = 5 << 20
)

// uploadFolder sends all files in a folder in place of what the set had: small ones
// together, large ones alone.
func (n *neptune) uploadFolder(ctx context.Context, run string, u neptuneUpload) error {
	names, err := filesIn(u.file)
	if err != nil {
		return refusal{err}
	}
	root, err := os.OpenRoot(u.file)
	if err != nil {
		return refusal{err}
	}
	defer root.Close() //nolint:errcheck // it was only read
	a := newArchive()
	reset := true
	send := func() error {
		content, err := a.bytes()
		if err != nil {
			return err
		}
		query := url.Values{"experimentId": {run}, "attribute": {u.path}, "reset": {map[bool]string{true: "True", false: "False"}[reset]}}
		reset, a = false, newArchive()
		return n.uploadBytes(ctx, "attributes/uploadFileSetTar", query, nil, content)
	}
	var large []string
	for _, name := range names {
		info, err := root.Stat(name)
		if err != nil {
			return refusal{err}
		}
		if info.Size() > maxArchiveBytes {
			large = append(large, name)
			continue
		}
		if a.files > 0 && (a.files == maxArchiveFiles || a.size+info.Size() > maxArchiveBytes) {
			if err := send(); err != nil {
				return err
			}
		}
		content, err := root.ReadFile(name)
		if err == nil {
			err = a.add(name, content)
		}
		if err != nil {
			return refusal{err}
		}
	}
	if a.files > 0 || reset {
		if err := send(); err != nil {
			return err
		}
	}
	for _, name := range large {
		query := url.Values{"experimentIdentifier": {run}, "attribute": {u.path}, "subPath": {filepath.ToSlash(name)}}
		if err := n.uploadFile(ctx, "attributes/storage/fileset/upload", query, filepath.Join(u.file, name)); err != nil {
			return err
		}
	}
	return nil
}

// filesIn lists the regular files below a folder, relative to it.
func filesIn(dir string) (names []string, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		names = append(names, name)
		return err
	})
	return names, err
}

// archive is a tar file that is compressed as it grows.
type archive struct {
	out    bytes.Buffer
	packer *gzip.Writer
	tar    *tar.Writer
	files  int
	size   int64
}

func newArchive() *archive {
	a := &archive{}
	a.packer = gzip.NewWriter(&a.out)
	a.tar = tar.NewWriter(a.packer)
	return a
}

func (a *archive) add(name string, content []byte) error {
	a.files, a.size = a.files+1, a.size+int64(len(content))
	header := &tar.Header{Typeflag: tar.TypeReg, Name: filepath.ToSlash(name), Mode: 0o644, Size: int64(len(content))}
	if err := a.tar.WriteHeader(header); err != nil {
		return err
	}
	_, err := a.tar.Write(content)
	return err
}

func (a *archive) bytes() ([]byte, error) {
	err := errors.Join(a.tar.Close(), a.packer.Close())
	return a.out.Bytes(), err
}

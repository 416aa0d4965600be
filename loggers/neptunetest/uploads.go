package neptunetest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
)

// upload is a file that arrives in parts.
type upload struct {
	run        *run
	path, kind string
	name       string // ext of a file, name within a file set
	total      int64
	parts      map[int]part
}

type part struct {
	from    int64
	content []byte
}

// success is the answer to an upload.
func (s *Server) success(err error, also object) (any, error) {
	out := object{"errors": []OperationError{}}
	var e operationError
	switch {
	case errors.As(err, &e):
		s.errors = append(s.errors, OperationError(e))
		out["errors"] = []OperationError{OperationError(e)}
	case err != nil:
		return nil, err
	}
	for name, value := range also {
		out[name] = value
	}
	return out, nil
}

// target reads the parameters that all uploads have.
func (s *Server) target(c *call, kind string) (u upload, err error) {
	if u.run, err = s.findRun(c, "experimentIdentifier"); err != nil {
		return u, err
	}
	if u.path, err = c.need("attribute"); err != nil {
		return u, err
	}
	if err := s.checkPath(u.path); err != nil {
		return u, err
	}
	u.kind = kind
	if kind == "fileSet" {
		if u.name, err = c.need("subPath"); err == nil && !filepath.IsLocal(u.name) {
			err = badRequest("subPath %q is not a relative path", u.name)
		}
	}
	return u, err
}

// raw checks the headers of a request whose body is bytes.
func (s *Server) raw(c *call) error {
	if c.ContentLength < 0 || len(c.TransferEncoding) > 0 {
		return s.violated("%s %s does not say its Content-Length", c.Method, c.URL.Path)
	}
	if kind := c.Header.Get("Content-Type"); kind != "" && kind != "application/octet-stream" {
		return &trouble{Status: http.StatusUnsupportedMediaType, Title: "HTTP 415 Unsupported Media Type: " + kind}
	}
	return nil
}

// put stores a file, or one of a set.
func (s *Server) put(u upload, content []byte) error {
	f, err := s.field(u.run, u.path, u.kind)
	if err != nil {
		return err
	}
	if u.kind == "file" {
		f.Ext, f.Content = u.name, content
		return nil
	}
	if f.Files == nil {
		f.Files = map[string][]byte{}
	}
	f.Files[u.name] = content
	return nil
}

func uploadWhole(kind string) func(*Server, *call) (any, error) {
	return func(s *Server, c *call) (any, error) {
		u, err := s.target(c, kind)
		if err == nil && kind == "file" {
			u.name, err = c.need("ext")
		}
		if err == nil {
			err = s.raw(c)
		}
		if err != nil {
			return nil, err
		}
		if int64(len(c.body)) > s.limits.MaxSinglePart {
			return nil, s.violated("%d bytes in one request are more than maxSinglePartSize, %d", len(c.body), s.limits.MaxSinglePart)
		}
		return s.success(s.put(u, c.body), nil)
	}
}

func uploadStart(kind string) func(*Server, *call) (any, error) {
	return func(s *Server, c *call) (any, error) {
		u, err := s.target(c, kind)
		if err == nil && kind == "file" {
			u.name, err = c.need("ext")
		}
		if err == nil {
			err = s.noBody(c)
		}
		if err != nil {
			return nil, err
		}
		if u.total, err = strconv.ParseInt(c.query.Get("totalLength"), 10, 64); err != nil || u.total < 0 {
			return nil, badRequest("totalLength %q is not a number of bytes", c.query.Get("totalLength"))
		}
		id := newUUID()
		u.parts = map[int]part{}
		s.uploads[id] = &u
		return s.success(nil, object{"uploadId": id})
	}
}

func uploadPart(kind string) func(*Server, *call) (any, error) {
	return func(s *Server, c *call) (any, error) {
		u, err := s.ongoing(c, kind)
		if err == nil {
			err = s.raw(c)
		}
		if err != nil {
			return nil, err
		}
		index, err := strconv.Atoi(c.query.Get("uploadPartIdx"))
		if err != nil || index < 0 || int64(index) >= s.limits.MaxChunks {
			return nil, badRequest("uploadPartIdx %q is not a number from 0 to below maxChunkCount, %d", c.query.Get("uploadPartIdx"), s.limits.MaxChunks)
		}
		from, end, total, err := parseRange(c.Header.Get("X-Range"))
		size := int64(len(c.body))
		switch {
		case err != nil:
			return nil, err
		case end-from+1 != size:
			return nil, badRequest("Length of stream does not match given range")
		case total != u.total:
			return nil, badRequest("X-Range is of %d bytes, the upload was begun with %d", total, u.total)
		case size > s.limits.MaxChunk || size < s.limits.MinChunk && end+1 != total:
			return nil, s.violated("a part of %d bytes is not within minChunkSize, %d, and maxChunkSize, %d", size, s.limits.MinChunk, s.limits.MaxChunk)
		}
		u.parts[index] = part{from, c.body}
		return s.success(nil, nil)
	}
}

// ongoing finds an upload that was started.
func (s *Server) ongoing(c *call, kind string) (*upload, error) {
	want, err := s.target(c, kind)
	if err != nil {
		return nil, err
	}
	if c.query.Has("ext") {
		return nil, s.violated("%s has the parameter ext, which belongs to the start of an upload", c.URL.Path)
	}
	u := s.uploads[c.query.Get("uploadId")]
	if u == nil || u.run != want.run || u.path != want.path || u.kind != kind || kind == "fileSet" && u.name != want.name {
		return nil, notFound("", "no upload %q of %s", c.query.Get("uploadId"), want.path)
	}
	return u, nil
}

// parseRange reads "bytes=0-999/2500": the end is inclusive.
func parseRange(header string) (from, end, total int64, err error) {
	if n, err := fmt.Sscanf(header, "bytes=%d-%d/%d", &from, &end, &total); err != nil || n != 3 || from < 0 || end < from || end >= total {
		return 0, 0, 0, badRequest("X-Range %q is not like bytes=0-999/2500", header)
	}
	return from, end, total, nil
}

func uploadFinish(kind string) func(*Server, *call) (any, error) {
	return func(s *Server, c *call) (any, error) {
		u, err := s.ongoing(c, kind)
		if err == nil {
			err = s.noBody(c)
		}
		if err != nil {
			return nil, err
		}
		var content []byte
		for i := range len(u.parts) {
			p, found := u.parts[i]
			if !found || p.from != int64(len(content)) {
				return nil, badRequest("part %d is missing, or does not begin where the one before ends", i)
			}
			content = append(content, p.content...)
		}
		if int64(len(content)) != u.total {
			return nil, badRequest("%d of %d bytes have been uploaded", len(content), u.total)
		}
		delete(s.uploads, c.query.Get("uploadId"))
		return s.success(s.put(*u, content), nil)
	}
}

func uploadTar(s *Server, c *call) (any, error) {
	r, err := s.findRun(c, "experimentId")
	if err != nil {
		return nil, err
	}
	path, err := c.need("attribute")
	if err == nil {
		err = s.checkPath(path)
	}
	if err == nil {
		err = s.raw(c)
	}
	if err != nil {
		return nil, err
	}
	reset := false
	switch c.query.Get("reset") {
	case "True", "true":
		reset = true
	case "False", "false":
	default:
		return nil, badRequest("reset %q is neither True nor False", c.query.Get("reset"))
	}
	files, err := untar(c.body)
	if err != nil {
		return nil, err
	}
	f, err := s.field(r, path, "fileSet")
	if err == nil {
		if reset || f.Files == nil {
			f.Files = map[string][]byte{}
		}
		for name, content := range files {
			f.Files[name] = content
		}
	}
	return s.success(err, nil)
}

func untar(body []byte) (map[string][]byte, error) {
	unpacked, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, badRequest("the body is not gzip: %s", err)
	}
	files := map[string][]byte{}
	for archive := tar.NewReader(unpacked); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, badRequest("the body is not a tar file: %s", err)
		}
		if !filepath.IsLocal(strings.TrimSuffix(h.Name, "/")) {
			return nil, badRequest("%q is not a relative path", h.Name)
		}
		if h.Typeflag == tar.TypeReg {
			if files[h.Name], err = io.ReadAll(archive); err != nil {
				return nil, badRequest("%s: %s", h.Name, err)
			}
		}
	}
}

package neptunetest

import (
	"archive/zip"
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

func getAttributes(s *Server, c *call) (any, error) {
	r, err := s.findRun(c, "experimentId")
	if err != nil {
		return nil, err
	}
	_, name, _ := strings.Cut(Project, "/")
	return object{"id": r.id, "projectName": name, "trashed": false, "attributes": r.attributes()}, nil
}

// find returns the field that a question is about.
func (s *Server) find(c *call, kind string) (*Field, string, error) {
	r, err := s.findRun(c, "experimentId")
	if err != nil {
		return nil, "", err
	}
	path, err := c.need("attribute")
	if err != nil {
		return nil, "", err
	}
	f := r.fields[path]
	if f == nil || f.Type != kind {
		return nil, "", notFound("", "no field %s of type %s", path, kind)
	}
	return f, path, nil
}

func getAttribute(kind string) func(*Server, *call) (any, error) {
	return func(s *Server, c *call) (any, error) {
		f, path, err := s.find(c, kind)
		if err != nil {
			return nil, err
		}
		return f.properties(path), nil
	}
}

// number reads a parameter of the query that is one.
func (c *call) number(name string) (int, error) {
	n, err := strconv.Atoi(c.query.Get(name))
	if err != nil || n < 0 {
		return 0, badRequest("%s %q is not a number", name, c.query.Get(name))
	}
	return n, nil
}

func getSeries(kind string) func(*Server, *call) (any, error) {
	return func(s *Server, c *call) (any, error) {
		f, _, err := s.find(c, kind)
		if err != nil {
			return nil, err
		}
		limit, err := c.number("limit")
		if err != nil {
			return nil, err
		}
		offset, err := c.number("offset")
		if err != nil {
			return nil, err
		}
		values := []object{}
		from := min(offset, len(f.Points))
		for _, p := range f.Points[from:min(from+limit, len(f.Points))] {
			v := object{"step": p.Step, "timestampMillis": p.Time.UnixMilli()}
			switch kind {
			case "floatSeries":
				v["value"] = p.Value
			case "stringSeries":
				v["value"] = p.Text
			}
			values = append(values, v)
		}
		return object{"totalItemCount": len(f.Points), "values": values}, nil
	}
}

func getImage(s *Server, c *call) (any, error) {
	f, _, err := s.find(c, "imageSeries")
	if err != nil {
		return nil, err
	}
	index, err := c.number("index")
	if err != nil {
		return nil, err
	}
	if index >= len(f.Points) {
		return nil, notFound("", "no image %d", index)
	}
	content := f.Points[index].Image
	c.w.Header().Set("Content-Type", http.DetectContentType(content))
	_, _ = c.w.Write(content) // to memory
	return written, nil
}

func download(s *Server, c *call) (any, error) {
	f, path, err := s.find(c, "file")
	if err != nil {
		return nil, err
	}
	s.send(c, f.Content, "application/octet-stream", fileName(path, f.Ext))
	return written, nil
}

// send answers with bytes, or with a signed address where they are.
func (s *Server) send(c *call, content []byte, kind, name string) {
	if s.redirect {
		signature := newUUID()
		s.signed[signature] = content
		http.Redirect(c.w, c.Request, s.StorageURL+"/object?signature="+signature, http.StatusTemporaryRedirect)
		return
	}
	c.w.Header().Set("Content-Type", kind)
	c.w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name))
	c.w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	_, _ = c.w.Write(content) // to memory
}

// prepareZip begins to pack a file set. It is ready when it is first asked for.
func prepareZip(s *Server, c *call) (any, error) {
	f, _, err := s.find(c, "fileSet")
	if err == nil {
		err = s.noBody(c)
	}
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	archive := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(f.Files)) {
		w, err := archive.Create(name)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(f.Files[name]); err != nil {
			return nil, err
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	id := newUUID()
	s.prepared[id] = b.Bytes()
	return object{"id": id}, nil
}

func preparedZip(s *Server, c *call) (any, error) {
	id := c.query.Get("id")
	if _, found := s.prepared[id]; !found {
		return nil, notFound("", "no download %s", id)
	}
	return object{"id": id, "downloadUrl": s.URL + apiRoot + "download/zip?id=" + id}, nil
}

func downloadZip(s *Server, c *call) (any, error) {
	content, found := s.prepared[c.query.Get("id")]
	if !found {
		return nil, notFound("", "no download %s", c.query.Get("id"))
	}
	s.send(c, content, "application/zip", "files.zip")
	return written, nil
}

func listFiles(s *Server, c *call) (any, error) {
	f, _, err := s.find(c, "fileSet")
	if err != nil {
		return nil, err
	}
	prefix := c.query.Get("path")
	if prefix != "" {
		prefix = strings.TrimSuffix(prefix, "/") + "/"
	}
	out, folders := []object{}, map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(f.Files)) {
		rest, within := strings.CutPrefix(name, prefix)
		folder, _, deeper := strings.Cut(rest, "/")
		mtime := time.Now().UTC().Format(time.RFC3339)
		switch {
		case !within, folders[folder]:
		case deeper:
			folders[folder] = true
			out = append(out, object{"name": folder, "fileType": "directory", "size": 0, "mtime": mtime})
		default:
			out = append(out, object{"name": rest, "fileType": "file", "size": len(f.Files[name]), "mtime": mtime})
		}
	}
	return out, nil
}

package wandbtest

import (
	"bytes"
	"crypto/md5"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
)

// grant is what a signed address allows.
type grant struct {
	method  string
	headers []string // "Name:value" that have to come with it
	ends    time.Time
	put     func([]byte)
	get     func() []byte
}

// sign returns an address of the object store that lets one thing be done.
func (s *Server) sign(g *grant) string {
	g.ends = time.Now().Add(time.Hour)
	token := rand.Text()
	s.grants[token] = g
	return s.StorageURL + "/bucket/" + strings.ToLower(token[:6]) + "?X-Expires=" + fmt.Sprint(g.ends.Unix()) + "&X-Signature=" + token
}

// ExpireURLs ends all signed addresses that were handed out.
func (s *Server) ExpireURLs() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range s.grants {
		g.ends = time.Time{}
	}
}

// denied is an answer of the object store.
type denied struct {
	status        int
	code, message string
}

// store serves the object store.
func (s *Server) store(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.grants[r.URL.Query().Get("X-Signature")]
	if d := s.deny(r, g, body); d != nil {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(d.status)
		_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", d.code, d.message)
		return
	}
	if g.get != nil {
		_, _ = w.Write(g.get())
		return
	}
	g.put(body)
	w.Header().Set("ETag", etag(body))
}

func (s *Server) deny(r *http.Request, g *grant, body []byte) *denied {
	switch {
	case r.Header.Get("Authorization") != "" || r.Header.Get("Cookie") != "":
		s.violations = append(s.violations, "credentials went to the object store: "+r.Method+" "+r.URL.Path)
		return &denied{http.StatusBadRequest, "InvalidArgument", "Only one auth mechanism allowed"}
	case g == nil || g.method != r.Method:
		return &denied{http.StatusForbidden, "SignatureDoesNotMatch", "The request signature does not match"}
	case time.Now().After(g.ends):
		return &denied{http.StatusForbidden, "AccessDenied", "Request has expired"}
	case r.Method == http.MethodGet:
		return nil
	case r.ContentLength < 0 || len(r.TransferEncoding) > 0:
		s.violations = append(s.violations, "a file was sent without Content-Length: "+r.URL.Path)
		return &denied{http.StatusNotImplemented, "NotImplemented", "A header you provided implies functionality that is not implemented: Transfer-Encoding"}
	}
	signed := map[string]bool{}
	for _, h := range g.headers {
		name, value, _ := strings.Cut(h, ":")
		signed[http.CanonicalHeaderKey(name)] = true
		if r.Header.Get(name) != value {
			return &denied{http.StatusForbidden, "SignatureDoesNotMatch", "header " + name + " is not the signed one"}
		}
	}
	if got := r.Header.Get("Content-Type"); got != "" && !signed["Content-Type"] {
		s.violations = append(s.violations, "a file was sent with a Content-Type that was not given: "+got)
		return &denied{http.StatusForbidden, "SignatureDoesNotMatch", "Content-Type is not signed"}
	}
	if sum := md5.Sum(body); signed["Content-Md5"] && r.Header.Get("Content-MD5") != base64.StdEncoding.EncodeToString(sum[:]) {
		return &denied{http.StatusBadRequest, "BadDigest", "The Content-MD5 you specified did not match what we received"}
	}
	return nil
}

func (s *Server) createRunFiles(a arguments) (any, error) {
	in, err := inputOf("CreateRunFilesInput", a)
	if err != nil {
		return nil, err
	}
	r := s.find(in.text("entityName"), in.text("projectName"), in.text("runName"))
	if r == nil {
		return nil, &trouble{status: http.StatusNotFound, message: "run not found", path: "createRunFiles"}
	}
	var files []object
	names, _ := in["files"].([]any)
	for _, n := range names {
		name, _ := n.(string)
		if name == "" || path.IsAbs(name) || path.Clean(name) != name || strings.HasPrefix(name, "../") || strings.Contains(name, "\\") {
			return nil, s.violated("createRunFiles: %q is not a path inside of the run", name)
		}
		url := s.sign(&grant{method: http.MethodPut, put: func(b []byte) { r.Files[name] = b }})
		files = append(files, object{"__typename": "File", "name": name, "uploadUrl": url})
	}
	return object{"__typename": "CreateRunFilesPayload", "runID": r.id, "uploadHeaders": []string{}, "files": files}, nil
}

// runFiles lists the files of a run, with addresses to read them.
func (s *Server) runFiles(r *run) func(arguments) (any, error) {
	return func(a arguments) (any, error) {
		wanted, _ := a["names"].([]any)
		var nodes []object
		for name, b := range r.Files {
			if len(wanted) > 0 && !slices.Contains(wanted, any(name)) {
				continue
			}
			url := s.sign(&grant{method: http.MethodGet, get: func() []byte { return bytes.Clone(b) }})
			nodes = append(nodes, object{"__typename": "File", "id": name, "name": name, "url": url, "directUrl": url, "sizeBytes": len(b),
				"mimetype": "", "updatedAt": created, "md5": ""})
		}
		return edges("File", nodes), nil
	}
}

package neptunetest

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"time"
)

// Fault is trouble that the server makes. The first of those injected that fits a
// request befalls it.
type Fault struct {
	// Operation that it befalls: the last part of its path, like "operations",
	// "experiments", "ping", "upload", "part", "oauth-token", "token". Empty is all.
	Operation string
	// After is the number of fitting requests that are spared first.
	After int
	// Times it happens; 0 is until [Server.Recover].
	Times int
	// Delay before anything else.
	Delay time.Duration
	// Status, Header and Body are answered instead of doing anything, if Status is
	// not 0.
	Status int
	Header map[string]string
	Body   string
	// Reset closes the connection in the middle of the body of the request, before
	// it has had an effect.
	Reset bool
	// Lose closes it after the request has had its effect, before the answer.
	Lose bool
	// Cut closes it in the middle of the answer.
	Cut bool
}

// Request is one that the server got.
type Request struct {
	Method, Host, URL, Operation string
	Header                       http.Header
	// Body is kept after [Server.KeepBodies].
	Body []byte
	// Status is 0 if the connection was closed without one.
	Status int
	At     time.Time
}

// Inject adds a fault.
func (s *Server) Inject(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// Recover ends all faults.
func (s *Server) Recover() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// Requests returns what came in, in order.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// KeepBodies keeps the bodies of requests from now on.
func (s *Server) KeepBodies() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bodies = true
}

// meddle notes every request and makes trouble.
func (s *Server) meddle(serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		at, f := s.note(r)
		time.Sleep(f.Delay)
		if f.Reset {
			_, _ = io.CopyN(io.Discard, r.Body, max(r.ContentLength/2, 0)) // the client may be gone
			panic(http.ErrAbortHandler)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client is gone
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		s.keepBody(at, body)
		held := httptest.NewRecorder()
		if f.Status != 0 {
			for name, value := range f.Header {
				held.Header().Set(name, value)
			}
			held.WriteHeader(f.Status)
			held.Body.WriteString(f.Body)
		} else {
			serve(held, r)
		}
		if f.Lose {
			panic(http.ErrAbortHandler)
		}
		s.done(at, held.Code)
		maps.Copy(w.Header(), held.Header())
		w.WriteHeader(held.Code)
		if f.Cut {
			_, _ = w.Write(held.Body.Bytes()[:held.Body.Len()/2])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write(held.Body.Bytes()) // the client may be gone
	}
}

func (s *Server) note(r *http.Request) (at int, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	operation := path.Base(r.URL.Path)
	s.requests = append(s.requests, Request{
		Method: r.Method, Host: r.Host, URL: r.URL.String(), Operation: operation, Header: r.Header.Clone(), At: time.Now(),
	})
	at = len(s.requests) - 1
	for i, f := range s.faults {
		if f.Operation != "" && f.Operation != operation {
			continue
		}
		if f.After > 0 {
			f.After--
			continue
		}
		switch f.Times {
		case 0:
		case 1:
			s.faults = slices.Delete(s.faults, i, i+1)
		default:
			f.Times--
		}
		return at, *f
	}
	return at, Fault{}
}

func (s *Server) keepBody(at int, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bodies {
		s.requests[at].Body = body
	}
}

func (s *Server) done(at, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[at].Status = status
}

// Package faults lets a server for tests note the requests that it gets, and make
// trouble with them: answer otherwise, late, in part, or not at all.
//
// It stands below loggers/neptunetest and loggers/wandbtest, which hand its types
// on to their users, and imports nothing of ours.
package faults

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"time"
)

// Fault is trouble that a server makes. The first of those injected that fits a
// request befalls it.
type Fault struct {
	// Operation that it befalls, as in Request. Empty is all.
	Operation string
	// After is the number of fitting requests that are spared first.
	After int
	// Times it happens; 0 is until [Meddler.Recover].
	Times int
	// Delay before anything else.
	Delay time.Duration
	// Status, Header and Body are answered instead of doing anything, if Status is
	// not 0.
	Status int
	Header map[string]string
	Body   string
	// Reset closes the connection in the middle of the body of the request, Drop when
	// all of it has come, before it has had an effect.
	Reset, Drop bool
	// Lose closes it after the request has had its effect, before the answer.
	Lose bool
	// Cut closes it in the middle of the answer.
	Cut bool
}

// Request is one that the server got.
type Request struct {
	Method, Host, URL, Operation string
	Header                       http.Header
	// Body is kept after [Meddler.KeepBodies].
	Body []byte
	// Status is 0 if the connection was closed without one.
	Status int
	At     time.Time
}

// Meddler holds the faults of a server and the requests that it got. Its methods may
// be called at any time, from any goroutine.
type Meddler struct {
	mu       sync.Mutex
	faults   []*Fault
	requests []Request
	bodies   bool
}

// Inject adds a fault.
func (m *Meddler) Inject(f Fault) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.faults = append(m.faults, &f)
}

// Recover ends all faults.
func (m *Meddler) Recover() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.faults = nil
}

// Requests returns what came in, in order.
func (m *Meddler) Requests() []Request {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.requests)
}

// KeepBodies keeps the bodies of requests from now on.
func (m *Meddler) KeepBodies() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bodies = true
}

// Wrap makes a handler that notes every request and makes trouble. Operation names a
// request, ok is false if its client is gone; if it reads the body it puts it back.
func Wrap(m *Meddler, operation func(*http.Request) (name string, ok bool), serve http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name, ok := operation(r)
		if !ok {
			return
		}
		at, f := m.note(r, name)
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
		m.keepBody(at, body)
		if f.Drop {
			panic(http.ErrAbortHandler)
		}
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
		m.done(at, held.Code)
		answer(w, held, f.Cut)
	}
}

func answer(w http.ResponseWriter, held *httptest.ResponseRecorder, cut bool) {
	maps.Copy(w.Header(), held.Header())
	w.WriteHeader(held.Code)
	if cut {
		_, _ = w.Write(held.Body.Bytes()[:held.Body.Len()/2])
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(held.Body.Bytes()) // the client may be gone
}

// note returns the place of the request in the list, and what befalls it.
func (m *Meddler) note(r *http.Request, operation string) (at int, f Fault) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests = append(m.requests, Request{
		Method: r.Method, Host: r.Host, URL: r.URL.String(), Operation: operation, Header: r.Header.Clone(), At: time.Now(),
	})
	at = len(m.requests) - 1
	for i, f := range m.faults {
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
			m.faults = slices.Delete(m.faults, i, i+1)
		default:
			f.Times--
		}
		return at, *f
	}
	return at, Fault{}
}

func (m *Meddler) keepBody(at int, body []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.bodies {
		m.requests[at].Body = body
	}
}

func (m *Meddler) done(at, status int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests[at].Status = status
}

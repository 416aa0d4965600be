package loggers

import (
	"fmt"
	"io"
	"sync"
)

// runPage learns what a server calls the run, and tells people, once. Its service
// and w are set before the run begins.
type runPage struct {
	service string
	w       io.Writer

	mu      sync.Mutex
	id, url string
}

func (p *runPage) say(id, url string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.url == "" {
		_, _ = fmt.Fprintf(p.w, "%s run %s: %s\n", p.service, id, url) // nobody would hear of the error
	}
	p.id, p.url = id, url
}

// what is empty until the server has said so.
func (p *runPage) what() (id, url string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.id, p.url
}

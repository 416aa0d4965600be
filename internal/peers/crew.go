package main

import (
	"context"
	"time"
)

// crew holds the running workers of a number of threads, one an engine. Workers
// are started when they are first asked; one that has died is started again.
type crew struct {
	threads int
	workers map[string]*worker
}

func newCrew(threads int) *crew {
	return &crew{threads: threads, workers: map[string]*worker{}}
}

// ask has an engine answer. After an error its worker is replaced.
func (c *crew) ask(ctx context.Context, e Engine, r Request, limit time.Duration) (Reply, error) {
	w := c.workers[e.Name]
	if w == nil {
		var err error
		if w, err = start(ctx, e, c.threads); err != nil {
			return Reply{}, err
		}
		c.workers[e.Name] = w
	}
	reply, err := w.ask(ctx, r, limit)
	if err != nil {
		w.stop()
		delete(c.workers, e.Name)
	}
	return reply, err
}

func (c *crew) stop() {
	for name, w := range c.workers {
		w.stop()
		delete(c.workers, name)
	}
}

package arttest

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// interrupts remembers that a signal asked this process to end, so that no
// later step or recipe begins. Signals belong to the process, and so does this.
type interrupts struct {
	mu    sync.Mutex
	cause error
}

var interrupted interrupts

// err is not nil once a signal has come.
func (i *interrupts) err() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.cause
}

// watch calls stop at the first signal; a second one ends the process, as it
// would without us. Signals are watched during steps only: between them
// there is nothing to save.
func (i *interrupts) watch(ctx context.Context, stop context.CancelCauseFunc) (end func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case s := <-signals:
			signal.Stop(signals)
			i.mu.Lock()
			i.cause = stopError(fmt.Sprintf("interrupted (signal %v)", s))
			i.mu.Unlock()
			stop(i.cause)
		case <-ctx.Done():
		}
	}()
	return func() { signal.Stop(signals) }
}

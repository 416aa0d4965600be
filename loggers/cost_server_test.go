package loggers

import (
	"fmt"
	"io"
	"os"

	"github.com/actually-robust-training/art/loggers/neptunetest"
	"github.com/actually-robust-training/art/loggers/wandbtest"
)

// serveForCosts is a process that has the stand-in servers, so that what they cost is
// not counted as that of a client. It prints the environment of clients, and ends with
// its input.
func serveForCosts() error {
	var tb processTB
	defer tb.end()
	w, n := wandbtest.NewServer(&tb), neptunetest.NewServer(&tb)
	fmt.Printf("WANDB_BASE_URL=%s\nWANDB_API_KEY=%s\nNEPTUNE_API_TOKEN=%s\nNEPTUNE_PROJECT=%s\n\n", w.URL, w.Key(), n.Token(), neptunetest.Project)
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// processTB is what a server needs of a test, in a process that is none.
type processTB struct{ cleanups []func() }

func (*processTB) Helper()            {}
func (p *processTB) Cleanup(f func()) { p.cleanups = append(p.cleanups, f) }

func (*processTB) Errorf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
}

func (p *processTB) end() {
	for i := len(p.cleanups) - 1; i >= 0; i-- {
		p.cleanups[i]()
	}
}

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// Engine is a program that trains rows when asked. It reads requests, one JSON
// object a line, from its standard input and writes replies to file descriptor 3;
// what it prints is kept for error messages.
type Engine struct {
	Name    string
	Command []string
	Dir     string
	Env     []string // beside the environment of this process and the threads
	// Variants of running a row, the plain one first.
	Variants func(Row) []string
	// Runs tells whether the engine has the row.
	Runs func(Row) bool
}

// Request asks a worker for one thing.
type Request struct {
	// Op is "about" (versions), "export" (write weights and batch of the row to
	// Folder), "losses" (of the first iterations) or "measure".
	Op      string
	Row     *Row   `json:",omitempty"`
	Variant string `json:",omitempty"`
	// Folder that holds weights.npz and batch.npz of the row.
	Folder string `json:",omitempty"`
	// WarmUp and Window are how long to train before measuring and while, in seconds.
	WarmUp, Window float64
	// Iterations whose losses are wanted.
	Iterations int
}

// Reply answers a request.
type Reply struct {
	Error string
	// Milliseconds is the median over blocks of iterations.
	Milliseconds float64
	Losses       []float64
	// Versions of what the worker is made of.
	Versions map[string]string
}

// worker is a running engine.
type worker struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	replies chan []byte
	printed *tail
}

// start runs an engine with a number of threads.
func start(ctx context.Context, e Engine, threads int) (*worker, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer write.Close() //nolint:errcheck // the worker has its own copy
	w := &worker{cmd: exec.CommandContext(ctx, e.Command[0], e.Command[1:]...), replies: make(chan []byte), printed: &tail{}}
	w.cmd.Dir = e.Dir
	w.cmd.Env = append(append(os.Environ(), threadEnv(threads)...), e.Env...)
	w.cmd.Stdout, w.cmd.Stderr = w.printed, w.printed
	w.cmd.ExtraFiles = []*os.File{write}
	if w.in, err = w.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := w.cmd.Start(); err != nil {
		read.Close() //nolint:errcheck // nothing was read
		return nil, fmt.Errorf("starting %s: %w", e.Name, err)
	}
	go func() {
		defer read.Close() //nolint:errcheck // it is only read
		defer close(w.replies)
		lines := bufio.NewScanner(read)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			w.replies <- []byte(lines.Text())
		}
	}()
	return w, nil
}

// threadEnv bounds the threads of everything an engine may be built on.
func threadEnv(threads int) []string {
	n := fmt.Sprint(threads)
	return []string{"GOMAXPROCS=" + n, "OMP_NUM_THREADS=" + n, "MKL_NUM_THREADS=" + n, "OPENBLAS_NUM_THREADS=" + n, "ART_PEERS_THREADS=" + n}
}

// ask sends a request and waits for the reply, at most so long.
func (w *worker) ask(ctx context.Context, r Request, limit time.Duration) (Reply, error) {
	line, err := json.Marshal(r)
	if err != nil {
		return Reply{}, err
	}
	if _, err := w.in.Write(append(line, '\n')); err != nil {
		return Reply{}, w.died(err)
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case line, ok := <-w.replies:
		if !ok {
			return Reply{}, w.died(errors.New("it ended"))
		}
		var reply Reply
		if err := json.Unmarshal(line, &reply); err != nil {
			return Reply{}, fmt.Errorf("reply %q: %w", line, err)
		}
		if reply.Error != "" {
			return Reply{}, errors.New(reply.Error)
		}
		return reply, nil
	case <-timer.C:
		return Reply{}, fmt.Errorf("no reply within %s", limit)
	case <-ctx.Done():
		return Reply{}, context.Cause(ctx)
	}
}

// died is err with what the worker printed last, all of it once it is waited for.
func (w *worker) died(err error) error {
	w.stop()
	return fmt.Errorf("%w; last lines: %s", err, w.printed)
}

// stop ends the worker, which does so when its input is closed.
func (w *worker) stop() {
	w.in.Close() //nolint:errcheck // it may have ended already
	done := make(chan struct{})
	go func() {
		for range w.replies { // a late reply must not keep it from ending
		}
		w.cmd.Wait() //nolint:errcheck // the replies have told what there is to know
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		w.cmd.Process.Kill() //nolint:errcheck // it may have ended just now
		<-done
	}
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if cut := len(t.text) - 600; cut > 0 {
		t.text = t.text[cut:]
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(strings.Fields(string(t.text)), " ")
}

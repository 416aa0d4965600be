package loggers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/actually-robust-training/art/record"
)

// bounds are the most that is sent at once.
type bounds struct {
	events int
	bytes  int64 // of the spool
}

// batchBounds are those of destinations that do not say more.
var batchBounds = bounds{events: 1000, bytes: 1 << 20}

// spool is what one logger has to send of one run, on disk: an event file,
// written by the process that trains, and the position up to which it has been
// sent, written by whoever sends and holds the lock. See the package comment.
type spool struct {
	events, state string // paths
}

const (
	eventsSuffix = ".jsonl"
	stateSuffix  = ".state.json"
	filesSuffix  = ".files"         // a folder of what was logged beside events
	outputSuffix = "." + outputName // the console of a run, for W&B
)

func spoolAt(dir, name string) spool {
	return spool{filepath.Join(dir, name+eventsSuffix), filepath.Join(dir, name+stateSuffix)}
}

// position is how far sending has come, and all that is needed to go on with
// it in another process. It holds no secrets.
type position struct {
	Schema int    `json:"schema"`
	Logger string `json:"logger"`
	// Target is what the logger needs to find its server again; Remote what
	// the server called things.
	Target map[string]string `json:"target"`
	Remote map[string]string `json:"remote,omitempty"`
	// Recipe, Run and Directory are those of the run.
	Recipe    string `json:"recipe"`
	Run       string `json:"run"`
	Directory string `json:"directory,omitempty"`
	// Sent is the number of bytes of the event file that have arrived. If Trying
	// is larger, what lies between was being sent and may have arrived.
	Sent   int64 `json:"sent"`
	Trying int64 `json:"trying"`
	// Refused is the number of events that the server will never take.
	Refused int64 `json:"refused,omitempty"`
}

// spoolFile is the event file of a spool, open for writing, and the folder, which
// says so.
type spoolFile struct {
	*record.File
	folder *os.File
}

// Close closes both.
func (f *spoolFile) Close() error { return errors.Join(f.File.Close(), f.folder.Close()) }

// open returns the event file to append to, after making the spool or keeping
// what an earlier process of the same run left of it.
func (s spool) open(fresh position) (*spoolFile, error) {
	dir := filepath.Dir(s.events)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	folder, err := holdFolder(dir)
	if err != nil {
		return nil, err
	}
	file, err := s.openEvents(fresh)
	if err != nil {
		return nil, errors.Join(err, folder.Close())
	}
	return &spoolFile{file, folder}, nil
}

func (s spool) openEvents(fresh position) (*record.File, error) {
	if _, err := os.Stat(s.events); !errors.Is(err, fs.ErrNotExist) {
		return record.Append(s.events)
	}
	if old, err := s.load(); err == nil {
		fresh.Remote = old.Remote
	}
	// The position first: it must never be that of another file.
	if err := s.save(fresh); err != nil {
		return nil, err
	}
	return record.Create(s.events)
}

// clear removes the events, which have all arrived, and what was kept for them.
func (s spool) clear() error {
	path := strings.TrimSuffix(s.events, eventsSuffix)
	return errors.Join(os.Remove(s.events), os.RemoveAll(path+filesSuffix), os.RemoveAll(path+outputSuffix))
}

// discard clears the spool if all has arrived and no process is there that may add to
// it. The lock is held.
func (s spool) discard() error {
	folder, err := os.Open(filepath.Dir(s.events))
	if err != nil {
		return err
	}
	defer folder.Close() //nolint:errcheck // it was only locked
	if busy, err := lockFile(folder); busy || err != nil {
		return nil // a run that goes on, or a file system without locks: what has arrived may stay
	}
	at, err := s.load()
	if err != nil {
		return err
	}
	if _, waiting, err := s.count(at.Sent); err != nil || waiting > 0 {
		return err
	}
	return s.clear()
}

func (s spool) load() (p position, err error) {
	b, err := os.ReadFile(s.state)
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(b, &p); err != nil {
		return p, fmt.Errorf("%s: %w", s.state, err)
	}
	if p.Schema > record.Schema {
		return p, fmt.Errorf("%s has schema %d, newer than %d: update the project", s.state, p.Schema, record.Schema)
	}
	return p, nil
}

// save replaces the position, whole or not at all, even in a power cut.
func (s spool) save(p position) error {
	p.Schema = record.Schema
	b, err := json.MarshalIndent(p, "", "\t")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(s.state), ".tmp-*")
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), s.state)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// lock opens the event file and makes this process the one that sends it. Busy
// is true if another one is.
func (s spool) lock() (f *os.File, busy bool, err error) {
	if f, err = os.Open(s.events); err != nil {
		return nil, false, err
	}
	if busy, err = lockFile(f); busy || err != nil {
		return nil, busy, errors.Join(err, f.Close())
	}
	// The process that held the lock may have removed the file as done.
	held, err1 := f.Stat()
	there, err2 := os.Stat(s.events)
	if err := errors.Join(err1, err2); err != nil {
		return nil, false, errors.Join(err, f.Close())
	}
	if !os.SameFile(held, there) {
		return nil, false, errors.Join(fs.ErrNotExist, f.Close())
	}
	return f, false, nil
}

// batch is what is sent at once: the events in bytes from to end of the file.
type batch struct {
	events    []record.Event
	from, end int64
	ends      []int64 // where each event ends
	most      bounds
}

// read returns the next batch: exactly what lies between the two offsets if
// until is after from, else what there is, within bounds.
func read(f *os.File, from, until int64, most bounds) (b batch, err error) {
	b = batch{from: from, end: from, most: most}
	size := until - from
	if until <= from {
		size = most.bytes + record.MaxLine
	}
	reader := record.NewRestReader(io.NewSectionReader(f, from, size))
	for e, err := range reader.All() {
		if err != nil {
			return b, err
		}
		b.end = from + reader.Offset()
		b.events, b.ends = append(b.events, e), append(b.ends, b.end)
		if until <= from && b.full() {
			break
		}
	}
	return b, nil
}

func (b batch) full() bool {
	return len(b.events) >= b.most.events || b.end-b.from >= b.most.bytes
}

// first is the batch of the first n events.
func (b batch) first(n int) batch {
	if n == 0 {
		return batch{from: b.from, end: b.from, most: b.most}
	}
	b.events, b.ends, b.end = b.events[:n], b.ends[:n], b.ends[n-1]
	return b
}

// count returns the number of events in the spool, and of those after the
// position.
func (s spool) count(sent int64) (all, waiting int, err error) {
	f, err := os.Open(s.events)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	block, at := make([]byte, 64<<10), int64(0)
	for {
		n, err := f.Read(block)
		all += bytes.Count(block[:n], []byte("\n"))
		after := min(max(sent-at, 0), int64(n))
		waiting += bytes.Count(block[after:n], []byte("\n"))
		at += int64(n)
		if errors.Is(err, io.EOF) {
			return all, waiting, nil
		}
		if err != nil {
			return all, waiting, err
		}
	}
}

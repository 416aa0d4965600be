package loggers

import (
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/actually-robust-training/art/record"
)

// CSV writes one row a number, scalars and scores, for spreadsheets and data
// frames. Other events are left out. Rows of several runs may share a file: the
// first column is the run.
//
// The columns are those of CSVColumns. Times are RFC 3339 with nanoseconds;
// numbers read back bit for bit, NaN, +Inf, -Inf and -0 included.
type CSV struct {
	// W is written to; nil means the file at Path.
	W io.Writer
	// Path of the file, which is made or added to. Empty means numbers.csv in the
	// directory of the run.
	Path string

	out   output
	dir   string // of the run
	buf   []byte
	run   string
	begun bool
}

// CSVColumns are the names in the first row of a CSV file.
func CSVColumns() []string {
	return []string{"run", "time", "kind", "step", "trial", "model", "stage", "name", "iteration", "epoch", "value", "rows"}
}

// Emit writes a row, if the event is a scalar or a score.
func (c *CSV) Emit(e record.Event) error {
	if e.Kind == record.RunStart {
		c.run, c.dir = e.Text, e.Settings["directory"]
	}
	if c.out.closed {
		return lost("CSV", &e, os.ErrClosed)
	}
	if e.Kind != record.Scalar && e.Kind != record.Score {
		return nil
	}
	path := c.Path
	if path == "" && c.dir != "" {
		path = filepath.Join(c.dir, "numbers.csv")
	}
	if _, err := c.out.open(c.W, path); err != nil {
		return lost("CSV", &e, err)
	}
	if !c.begun && c.empty() {
		err := c.out.write([]byte(strings.Join(CSVColumns(), ",") + "\n"))
		c.begun = err == nil || len(c.out.half) > 0
		if err != nil {
			return lost("CSV", &e, err)
		}
	}
	c.begun = true
	if err := c.out.write(c.row(&e)); err != nil {
		return lost("CSV", &e, err)
	}
	return nil
}

func (c *CSV) row(e *record.Event) []byte {
	b := append(appendCSV(c.buf[:0], c.run), ',')
	b = append(e.Time.UTC().AppendFormat(b, time.RFC3339Nano), ',')
	for _, field := range [...]string{string(e.Kind), e.Step, e.Trial, e.Model, e.Stage, e.Name} {
		b = append(appendCSV(b, field), ',')
	}
	b = append(strconv.AppendInt(b, int64(e.Iteration), 10), ',')
	b = append(strconv.AppendInt(b, int64(e.Epoch), 10), ',')
	b = append(strconv.AppendFloat(b, e.Value, 'g', -1, 64), ',')
	c.buf = append(strconv.AppendInt(b, int64(e.Rows), 10), '\n')
	return c.buf
}

// appendCSV writes a field as RFC 4180 says. encoding/csv does the same, but
// wants each number as a string of its own.
func appendCSV(b []byte, field string) []byte {
	if !strings.ContainsAny(field, "\",\r\n") && strings.TrimSpace(field) == field {
		return append(b, field...)
	}
	b = append(b, '"')
	for i := range len(field) {
		if field[i] == '"' {
			b = append(b, '"')
		}
		b = append(b, field[i])
	}
	return append(b, '"')
}

// empty says whether the names of the columns are still to be written.
func (c *CSV) empty() bool {
	if c.out.file == nil {
		return true
	}
	info, err := c.out.file.Stat()
	return err == nil && info.Size() == 0
}

// Close closes the file.
func (c *CSV) Close() error { return c.out.close() }

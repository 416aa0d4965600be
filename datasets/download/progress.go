package download

import (
	"fmt"
	"time"

	"github.com/actually-robust-training/art/datasets"
)

// meter counts the bytes of a body and writes lines about them.
type meter struct {
	Fetcher
	file  datasets.File
	done  int64 // bytes of the file that are there
	began time.Time
	said  time.Time
}

func newMeter(f Fetcher, file datasets.File, done int64) *meter {
	if f.Every == 0 {
		f.Every = 2 * time.Second
	}
	m := &meter{Fetcher: f, file: file, done: done, began: time.Now()}
	m.said = m.began
	what := ""
	if done > 0 {
		what = fmt.Sprintf(", going on after %s", megabytes(done))
	}
	m.say("%s/%s: %s%s", file.Folder, file.Name, megabytes(file.Bytes), what)
	return m
}

// Write counts.
func (m *meter) Write(b []byte) (int, error) {
	m.done += int64(len(b))
	if now := time.Now(); now.Sub(m.said) >= m.Every {
		m.said = now
		percent := ""
		if m.file.Bytes > 0 {
			percent = fmt.Sprintf(" (%d%%)", 100*m.done/m.file.Bytes)
		}
		m.say("%s/%s: %s%s", m.file.Folder, m.file.Name, megabytes(m.done), percent)
	}
	return len(b), nil
}

func (m *meter) end() {
	m.say("%s/%s: done in %s", m.file.Folder, m.file.Name, time.Since(m.began).Round(100*time.Millisecond))
}

// say writes a line. Whether anybody can read it does not matter to the download.
func (m *meter) say(format string, args ...any) {
	if m.Progress != nil {
		_, _ = fmt.Fprintf(m.Progress, "download "+format+"\n", args...)
	}
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

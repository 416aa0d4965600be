package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/record"
	"github.com/actually-robust-training/art/store"
)

// Whatever an event file holds, all commands that look at it end well, print nothing
// that steers a terminal, and have it as JSON.
func FuzzEventFile(f *testing.F) {
	f.Add([]byte(""))
	f.Add([]byte("\x00\xff\n"))
	f.Add([]byte(`{"schema":1,"kind":"run-start","settings":{"command":"\u001b[2J","flags":"a\tb"}}` + "\n" + `{"kind":"score","step":"\n","stage":"training","name":"x","value":"NaN"}` + "\n"))
	f.Add([]byte(`{"schema":1,"kind":"verdict","step":"s","verdict":{"check":"c","mark":"fail","try":["\u202e"]}}` + "\n" + `{"kind":"artifact","step":"s","artifact":{"path":"../x","shape":[1,2]}}` + "\n" + `{"kind":"artifact","step":"s"}` + "\n"))
	dir := f.TempDir()
	run := filepath.Join(dir, "r", "A")
	require.NoError(f, os.MkdirAll(run, 0o755))
	s, err := store.Open(f.Context(), dir)
	require.NoError(f, err)
	f.Cleanup(func() { assert.NoError(f, s.Close()) })
	f.Fuzz(func(t *testing.T, events []byte) {
		require.NoError(t, os.WriteFile(filepath.Join(run, "events.jsonl"), events, 0o644))
		require.NoError(t, s.Refresh(t.Context()))
		runs, err := s.Runs(t.Context(), store.Query{})
		require.NoError(t, err)
		require.Len(t, runs, 1)
		var out bytes.Buffer
		for _, ascii := range []bool{false, true} {
			a := &app{stdout: &out, dir: dir, now: time.Now, ascii: ascii}
			folded, err := a.load(s, &runs[0])
			require.NoError(t, err)
			for _, text := range []string{
				a.listing(runs), view{a, &runs[0], folded, run}.text(), a.compared(compare(&runs[0], &runs[0], folded, &record.Run{}), &runs[0], &runs[0]),
			} {
				out.Reset()
				require.NoError(t, a.say(text))
				for _, r := range out.String() {
					if r != '\n' && !unicode.IsPrint(r) || ascii && r > '~' {
						t.Fatalf("%q in %q", r, &out)
					}
				}
			}
			for _, value := range []any{runOf(&runs[0]), wholeOf(s, &runs[0], folded), compare(&runs[0], &runs[0], &record.Run{}, folded)} {
				require.NoError(t, a.sayJSON(value))
			}
		}
	})
}

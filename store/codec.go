package store

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/actually-robust-training/art/record"
)

// The index keeps summaries in a binary form: decoding the JSON of 10,000 took a
// second, this takes a tenth. Its version is indexVersion.

// appendSummary appends all fields but those that come from elsewhere: the outcome
// of a run without an end is empty.
func appendSummary(b []byte, s *Summary) []byte {
	for _, text := range []string{s.ID, s.Recipe, s.Path, string(s.Outcome), s.Seed, s.Commit, s.Pin, s.Trouble} {
		b = appendText(b, text)
	}
	for _, n := range []int64{int64(s.Duration), s.Events, s.Bytes, truth(s.Dirty), truth(s.DryRun), truth(s.Pinned)} {
		b = binary.AppendVarint(b, n)
	}
	for _, t := range []time.Time{s.Started, s.Last} {
		b = binary.AppendVarint(b, t.Unix())
		b = binary.AppendVarint(b, int64(t.Nanosecond()))
	}
	b = binary.AppendVarint(b, int64(len(s.Uses)))
	for _, id := range s.Uses {
		b = appendText(b, id)
	}
	b = binary.AppendVarint(b, int64(len(s.Steps)))
	for i := range s.Steps {
		b = appendStep(b, &s.Steps[i])
	}
	return b
}

func appendStep(b []byte, s *Step) []byte {
	b = appendText(appendText(appendText(appendText(b, s.Name), s.Model), string(s.Outcome)), s.Reused)
	for _, n := range []int64{int64(s.Duration), int64(s.Passed), int64(s.Warned), int64(s.Failed), int64(len(s.Scores))} {
		b = binary.AppendVarint(b, n)
	}
	for _, c := range s.Scores {
		b = appendText(appendText(appendText(appendText(b, c.Trial), c.Model), c.Stage), c.Metric)
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(float64(c.Value)))
		b = binary.AppendVarint(b, int64(c.Rows))
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendVarint(b, int64(len(s))), s...)
}

func truth(v bool) int64 {
	if v {
		return 1
	}
	return 0
}

// unpacker takes apart what appendSummary made. After the first error it returns zeros.
type unpacker struct {
	rest []byte
	err  error
	// known keeps names, which repeat from run to run, from being allocated again.
	known map[string]string
}

var errSummary = errors.New("a summary cannot be read")

func (u *unpacker) summary(b []byte) (Summary, error) {
	u.rest, u.err = b, nil
	var s Summary
	s.ID, s.Recipe, s.Path, s.Outcome = u.text(), u.text(), u.text(), record.Outcome(u.text())
	s.Seed, s.Commit, s.Pin, s.Trouble = u.text(), u.text(), u.text(), u.text()
	s.Duration, s.Events, s.Bytes = time.Duration(u.int()), u.int(), u.int()
	s.Dirty, s.DryRun, s.Pinned = u.int() == 1, u.int() == 1, u.int() == 1
	s.Started, s.Last = u.time(), u.time()
	s.Uses = make([]string, u.size(1))
	for i := range s.Uses {
		s.Uses[i] = u.text()
	}
	s.Steps = make([]Step, u.size(9))
	for i := range s.Steps {
		u.step(&s.Steps[i])
	}
	if len(u.rest) > 0 {
		u.err = errSummary
	}
	return s, u.err
}

func (u *unpacker) step(s *Step) {
	s.Name, s.Model, s.Outcome, s.Reused = u.text(), u.text(), record.Outcome(u.text()), u.text()
	s.Duration = time.Duration(u.int())
	s.Passed, s.Warned, s.Failed = int(u.int()), int(u.int()), int(u.int())
	s.Scores = make([]Score, u.size(13))
	for i := range s.Scores {
		c := &s.Scores[i]
		c.Trial, c.Model, c.Stage, c.Metric = u.text(), u.text(), u.text(), u.text()
		if len(u.rest) < 8 {
			u.fail()
			return
		}
		c.Value = Number(math.Float64frombits(binary.LittleEndian.Uint64(u.rest)))
		u.rest = u.rest[8:]
		c.Rows = int(u.int())
	}
}

func (u *unpacker) fail() { u.rest, u.err = nil, errSummary }

func (u *unpacker) int() int64 {
	v, n := binary.Varint(u.rest)
	if n <= 0 {
		u.fail()
		return 0
	}
	u.rest = u.rest[n:]
	return v
}

// size is the length of a list whose items take least bytes or more: no claim is
// believed that the rest cannot hold.
func (u *unpacker) size(least int) int {
	n := u.int()
	if n < 0 || n > int64(len(u.rest)/least) {
		u.fail()
		return 0
	}
	return int(n)
}

func (u *unpacker) text() string {
	n := u.size(1)
	raw := u.rest[:n]
	u.rest = u.rest[n:]
	if s, ok := u.known[string(raw)]; ok {
		return s
	}
	s := string(raw)
	if u.known == nil {
		u.known = map[string]string{}
	}
	if n < 64 && len(u.known) < 4096 {
		u.known[s] = s
	}
	return s
}

func (u *unpacker) time() time.Time {
	seconds, nanos := u.int(), u.int()
	return time.Unix(seconds, nanos).UTC()
}

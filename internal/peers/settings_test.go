package main

import (
	"bytes"
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	s, err := parse(nil, 2, &bytes.Buffer{})
	require.NoError(t, err)
	assert.Len(t, s.rows, 8)
	assert.Equal(t, []int{1, 2}, s.threads)
	assert.Equal(t, 5, s.rounds)
	assert.Equal(t, "make bench-peers", s.command)

	s, err = parse([]string{"-rows", "mlp-b128, cnn-32-64-b16", "-threads", "4,2,1,2", "-write"}, 2, &bytes.Buffer{})
	require.NoError(t, err)
	assert.Equal(t, []string{"mlp-b128", "cnn-32-64-b16"}, []string{s.rows[0].Name, s.rows[1].Name})
	assert.Equal(t, []int{1, 2}, s.threads, "threads beyond the cores are left out")
	assert.True(t, s.write)
	assert.Equal(t, "make bench-peers ARGS='-rows mlp-b128, cnn-32-64-b16 -threads 4,2,1,2 -write'", s.command)

	s, err = parse([]string{"-rows=none"}, 1, &bytes.Buffer{})
	require.NoError(t, err)
	assert.Empty(t, s.rows)

	for problem, args := range map[string][]string{
		`no row "svm"`:              {"-rows=svm"},
		`"x" is not a number`:       {"-threads=x"},
		`"0" is not a number`:       {"-threads=0"},
		"this machine has 2 cores":  {"-threads=3"},
		"at least one is needed":    {"-rounds=0"},
		`unknown argument "nonsen"`: {"nonsen"},
	} {
		_, err := parse(args, 2, &bytes.Buffer{})
		assert.ErrorContains(t, err, problem)
	}
}

func TestProgress(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	p := newProgress(&out, func() time.Time { return now })
	p.plan(100)
	now = now.Add(20 * time.Second) // twice as long as expected
	p.finish(10, "row %s", "mlp")
	now = now.Add(time.Second)
	p.finish(95, "rest")
	assert.Equal(t, " 10% · 3m0s left · row mlp\n100% · 0s left · rest\n", out.String())
}

// A worker here is a shell that plays its part.
func TestWorker(t *testing.T) {
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("no /bin/sh")
	}
	tests := []struct {
		name, script, problem string
	}{
		{"answers", `read r; echo '{"Milliseconds":1.5}' >&3`, ""},
		{"knows its threads", `read r; echo "{\"Milliseconds\":$GOMAXPROCS.5}" >&3`, ""},
		{"fails", `read r; echo '{"Error":"no such row"}' >&3`, "no such row"},
		{"dies", `read r; echo out of luck >&2; exit 3`, "last lines: out of luck"},
		{"talks nonsense", `read r; echo hello >&3`, `reply "hello"`},
		{"says nothing", `read r; read forever`, "no reply within"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			limit := 20 * time.Second
			if tt.problem == "no reply within" {
				limit = 50 * time.Millisecond
			}
			c := newCrew(1)
			defer c.stop()
			e := Engine{Name: "shell", Command: []string{"/bin/sh", "-c", tt.script}}
			reply, err := c.ask(context.Background(), e, Request{Op: "measure"}, limit)
			if tt.problem != "" {
				require.ErrorContains(t, err, tt.problem)
				assert.Empty(t, c.workers, "a worker that failed is not asked again")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, 1.5, reply.Milliseconds)
		})
	}
	_, err := newCrew(1).ask(context.Background(), Engine{Name: "absent", Command: []string{"/no/such/program"}}, Request{}, time.Second)
	assert.ErrorContains(t, err, "starting absent")
}

func TestRun(t *testing.T) {
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("no /bin/sh")
	}
	o, err := run(context.Background(), process{Env: []string{"A=b"}, Command: []string{"/bin/sh", "-c", "echo $A"}})
	require.NoError(t, err)
	assert.Equal(t, "b\n", string(o.Output))
	assert.Positive(t, o.Peak)
	_, err = run(context.Background(), process{Command: []string{"/bin/sh", "-c", "echo why; exit 2"}})
	assert.ErrorContains(t, err, "sh: exit status 2: why")
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/actually-robust-training/art/store"
)

func (a *app) doctorCommand() *cli.Command {
	return &cli.Command{
		Name: "doctor", Usage: "say whether all is in order here, and what to do if not",
		Flags: []cli.Flag{jsonFlag()},
		Action: func(ctx context.Context, c *cli.Command) error {
			if _, err := arguments(c, 0, 0); err != nil {
				return err
			}
			findings := []finding{a.goVersion(ctx)}
			findings = append(findings, a.pins(ctx)...)
			findings = append(findings, a.runsFolder(c), a.index(ctx, c), a.room(c), a.terminal())
			var err error
			if c.Bool("json") {
				err = a.sayJSON(findings)
			} else {
				err = a.say(a.diagnosis(findings))
			}
			bad := 0
			for _, f := range findings {
				if !f.OK {
					bad++
				}
			}
			if bad > 0 {
				return errors.Join(err, fmt.Errorf("%s not in order", map[bool]string{true: "1 thing is", false: fmt.Sprintf("%d things are", bad)}[bad == 1]))
			}
			return err
		},
	}
}

// finding is what doctor found out about one thing.
type finding struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Text string `json:"text"`
	// Do is what to do when it is not OK.
	Do string `json:"do"`
}

func (a *app) diagnosis(findings []finding) string {
	var t table
	for _, f := range findings {
		sign, text := "✓", f.Text
		if a.ascii {
			sign = "ok"
		}
		if !f.OK {
			sign, text = a.mark("fail"), f.Text+": "+f.Do
		}
		t.add(sign+" "+f.Name, text)
	}
	return t.align("", 2)
}

// least is the version of Go that the module asks for.
var least = [2]int{1, 26}

// goVersion looks at the go command that runs the recipes.
func (a *app) goVersion(ctx context.Context) finding {
	f := finding{Name: "Go", Do: fmt.Sprintf("install Go %d.%d or newer from https://go.dev/dl and put it first in PATH", least[0], least[1])}
	version, err := a.goTool(ctx, "env", "GOVERSION")
	if err != nil {
		f.Text = "the go command cannot be run (" + oneLine(err.Error()) + ")"
		return f
	}
	var major, minor int
	if _, err := fmt.Sscanf(version, "go%d.%d", &major, &minor); err != nil && !strings.HasPrefix(version, "devel") {
		f.Text = fmt.Sprintf("its version %q cannot be understood", version)
		return f
	}
	f.Text = version
	f.OK = strings.HasPrefix(version, "devel") || major > least[0] || major == least[0] && minor >= least[1]
	if !f.OK {
		f.Text = version + " is too old"
	}
	return f
}

// Modules whose versions matter: gorgonia as it was tested, and what it needs to start
// with this version of Go. It is older code than go.mod tells: without the pin it
// panics when the program begins.
const (
	gorgonia  = "gorgonia.org/gorgonia"
	tested    = "v0.9.18"
	startPin  = "go4.org/unsafe/assume-no-moving-gc"
	startLike = "v0.0.0-20231121144256-b99613f794b6"
)

// pins looks at the modules of the project one is in.
func (a *app) pins(ctx context.Context) []finding {
	if _, err := os.Stat(filepath.Join(a.module(), "go.mod")); err != nil {
		return []finding{{Name: "module", Text: "there is no go.mod here or above", Do: "go to the folder of your module, or make one: go mod init NAME"}}
	}
	list, err := a.goTool(ctx, "list", "-m", "-e", "-f", "{{.Path}} {{with .Replace}}{{.Path}}@{{end}}{{.Version}}", gorgonia, startPin)
	if err != nil {
		return []finding{{Name: "module", Text: "its modules cannot be listed (" + oneLine(err.Error()) + ")", Do: "repair go.mod, as with go mod tidy"}}
	}
	versions := map[string]string{}
	for line := range strings.Lines(list) {
		path, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		versions[path] = version
	}
	findings := []finding{{Name: "module", OK: true, Text: a.shown(filepath.Join(a.module(), "go.mod"))}}
	if versions[gorgonia] == "" {
		return findings
	}
	g := finding{Name: "gorgonia", OK: versions[gorgonia] == tested, Text: versions[gorgonia], Do: fmt.Sprintf("its operators were verified at %s only: go get %s@%s", tested, gorgonia, tested)}
	p := finding{Name: "assume-no-moving-gc", OK: versions[startPin] >= startLike, Text: or(versions[startPin], "not there"), Do: fmt.Sprintf("gorgonia does not start with it: go get %s@%s", startPin, startLike)}
	return append(findings, g, p)
}

// runsFolder finds out whether runs can be kept.
func (a *app) runsFolder(c *cli.Command) finding {
	root := a.root(c)
	f := finding{Name: "runs", Text: a.shown(root), Do: "make it writable, or name another folder with ART_DIR"}
	dir := root
	info, err := os.Stat(root)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.Text += ", which the first run makes"
		dir = existing(root)
	case err == nil && !info.IsDir():
		f.Text += " is not a folder"
		return f
	}
	tmp, err := os.CreateTemp(dir, ".tmp-doctor-*")
	if err != nil {
		f.Text += " cannot be written (" + oneLine(err.Error()) + ")"
		return f
	}
	if err := errors.Join(tmp.Close(), os.Remove(tmp.Name())); err != nil {
		f.Text += ": " + oneLine(err.Error())
		return f
	}
	f.OK = true
	return f
}

// existing is the nearest folder above that is there.
func existing(dir string) string {
	for d := dir; ; d = filepath.Dir(d) {
		if info, err := os.Stat(d); err == nil && info.IsDir() || d == filepath.Dir(d) {
			return d
		}
	}
}

// index reads all runs.
func (a *app) index(ctx context.Context, c *cli.Command) finding {
	f := finding{Name: "index", OK: true, Text: "no runs yet"}
	s, err := a.open(ctx, c)
	if err != nil {
		var bad usage
		if !errors.As(err, &bad) {
			f.OK, f.Text, f.Do = false, oneLine(err.Error()), "delete the files .index-* in the folder of runs"
		}
		return f
	}
	defer s.Close() //nolint:errcheck // the answer does not depend on it
	runs, err := s.Runs(ctx, store.Query{})
	if err != nil {
		return finding{Name: "index", Text: oneLine(err.Error()), Do: "delete the files .index-* in the folder of runs"}
	}
	damaged := ""
	n := 0
	for _, run := range runs {
		if run.Trouble != "" {
			n++
			damaged = run.Path
		}
	}
	f.Text = count(len(runs), "run")
	if s.Index() == "" {
		f.OK = false
		f.Text += ", read anew by every command, for the index cannot be kept"
		f.Do = "make the folder of runs writable, or delete what is called .index-* there"
	}
	if n > 0 {
		f.OK = false
		f.Text += fmt.Sprintf(", %d with damaged event files, as %s", n, damaged)
		f.Do = "look at them with art show, and delete their folders if they are of no use"
	}
	return f
}

// little is the room below which a training may fill the disk, in bytes.
const little = 1 << 30

func (a *app) room(c *cli.Command) finding {
	f := finding{Name: "disk", OK: true, Text: "free space is not known here", Do: "art gc deletes old runs"}
	if free, ok := space(existing(a.root(c))); ok {
		f.OK = free >= little
		f.Text = size(int64(min(free, 1<<62))) + " free"
	}
	return f
}

// terminal says where progress of a training will be shown; nothing is wrong without.
func (a *app) terminal() finding {
	f := finding{Name: "terminal", OK: true, Text: "none: a training prints plain lines now and then"}
	tty, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0)
	if err != nil {
		return f
	}
	_ = tty.Close() // nothing was written
	f.Text = "a training shows its progress on it"
	return f
}

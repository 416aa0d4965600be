package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/actually-robust-training/art/internal/suggest"
)

// The library of commands is urfave/cli: it brings no dependency of its own and
// takes flags with one dash, as go test does, which cobra does not.

// app is the world as the commands see it.
type app struct {
	stdout io.Writer
	env    func(string) string
	dir    string // where one is
	now    func() time.Time
	// goTool runs the go command and returns what it prints.
	goTool func(ctx context.Context, args ...string) (string, error)
	ascii  bool
}

// usage is an error of the one who asked: exit status 2.
type usage struct{ error }

func (u usage) Unwrap() error { return u.error }

// badInput is a usage error made of a format.
func badInput(format string, args ...any) error { return usage{fmt.Errorf(format, args...)} }

// execute carries out one command line and returns the exit status.
func execute(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := &app{stdout: stdout, env: os.Getenv, now: time.Now, goTool: runGo}
	a.ascii = asciiLocale(a.env)
	dir, err := os.Getwd()
	if err == nil {
		a.dir = dir
		err = a.command().Run(ctx, args)
	}
	if err == nil {
		return 0
	}
	line := strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' }), "; ")
	fmt.Fprintf(stderr, "art: %s\n", a.plain(line)) //nolint:errcheck // who has no standard error cannot be told
	var bad usage
	if errors.As(err, &bad) {
		return 2
	}
	return 1
}

// command is all that art can do.
func (a *app) command() *cli.Command {
	root := &cli.Command{
		Name:      "art",
		Usage:     "look at the runs of recipes: list, show, compare, keep, delete, send",
		UsageText: "art COMMAND [FLAGS] [ARGUMENTS]",
		Version:   version(),
		Description: "RUN is the beginning of a run's ID, RECIPE/ID, the name of its pin, last, or last:RECIPE.\n" +
			"Flags may be written with one dash or two.",
		Writer:    a.stdout,
		ErrWriter: io.Discard, // execute prints errors
		Flags: []cli.Flag{&cli.StringFlag{
			Name: "dir", Usage: "`FOLDER` of runs, in place of .art beside go.mod (ART_DIR)",
		}},
		Commands: []*cli.Command{
			a.runsCommand(), a.showCommand(), a.compareCommand(), a.pinCommand(), a.unpinCommand(), a.gcCommand(),
			a.syncCommand(), a.doctorCommand(),
		},
		ExitErrHandler: func(context.Context, *cli.Command, error) {},
		Action: func(_ context.Context, c *cli.Command) error {
			if c.Args().Len() == 0 {
				return cli.ShowRootCommandHelp(c)
			}
			return unknownCommand(c)
		},
	}
	for _, c := range append(root.Commands, root) {
		c.OnUsageError = func(_ context.Context, c *cli.Command, err error, _ bool) error {
			return badInput("%w: %s --help lists the flags", err, c.FullName())
		}
	}
	return root
}

func unknownCommand(c *cli.Command) error {
	var names []string
	for _, sub := range c.Commands {
		names = append(names, sub.Name)
	}
	name := c.Args().First()
	return badInput("there is no command %q: %s", name, suggest.Hint(name, names))
}

// arguments refuses more or fewer than a command takes.
func arguments(c *cli.Command, least, most int) ([]string, error) {
	args := c.Args().Slice()
	switch {
	case len(args) < least:
		return nil, badInput("%s needs %s: %s %s", c.FullName(), count(least, "argument"), c.FullName(), c.ArgsUsage)
	case len(args) > most:
		return nil, badInput("%s takes %s and not %q: %s %s", c.FullName(), atMost(most), args[most], c.FullName(), c.ArgsUsage)
	}
	return args, nil
}

func atMost(n int) string {
	if n == 0 {
		return "no arguments"
	}
	return "at most " + count(n, "argument")
}

// version is that of the module art was built from.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(unknown)"
}

func runGo(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("go %s: %s", strings.Join(args, " "), strings.TrimSpace(string(exit.Stderr)))
	}
	return strings.TrimSpace(string(out)), err
}

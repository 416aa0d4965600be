package main

import (
	"context"
	"errors"
	"os"

	"github.com/urfave/cli/v3"

	"github.com/actually-robust-training/art/loggers"
)

func (a *app) syncCommand() *cli.Command {
	return &cli.Command{
		Name: "sync", Usage: "send what loggers could not send", ArgsUsage: "[DIR]",
		Flags: []cli.Flag{jsonFlag()},
		Description: "DIR is searched with all folders below it; without it, the folder of runs. Keys come from the\n" +
			"environment, as for the loggers. What was sent is not sent again. A server that does not answer is\n" +
			"tried for fifteen seconds.",
		Action: func(ctx context.Context, c *cli.Command) error {
			args, err := arguments(c, 0, 1)
			if err != nil {
				return err
			}
			dir := a.root(c)
			if len(args) == 1 {
				dir = absolute(a.dir, args[0])
			}
			if info, err := os.Stat(dir); err != nil || !info.IsDir() {
				return badInput("%s is not a folder: name the one that holds the runs", a.shown(dir))
			}
			done, asJSON := synced{Sent: []string{}, NotSent: []string{}}, c.Bool("json")
			var trouble error
			say := func(line string) {
				if !asJSON { // at once: it may take long
					trouble = errors.Join(trouble, a.say(line+"\n"))
				}
			}
			failed := loggers.Sync(ctx, dir, func(line string) {
				done.Sent = append(done.Sent, oneLine(line))
				say(oneLine(line))
			})
			for _, err := range parts(failed) {
				done.NotSent = append(done.NotSent, oneLine(err.Error()))
				say("not sent: " + oneLine(err.Error()))
			}
			switch {
			case failed != nil:
				err = errors.New("not all could be sent, nothing is lost: type it again when that is mended")
			case len(done.Sent) == 0:
				say("nothing is waiting to be sent below " + a.shown(dir))
			}
			if asJSON {
				trouble = a.sayJSON(done)
			}
			return errors.Join(trouble, err)
		},
	}
}

// synced is what sync did: a line for each run that was sent to a server, and for each
// that was not.
type synced struct {
	Sent    []string `json:"sent"`
	NotSent []string `json:"not-sent"`
}

// parts are the errors that were joined to one.
func parts(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err != nil {
		return []error{err}
	}
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/urfave/cli/v3"

	"github.com/actually-robust-training/art/loggers"
)

func (a *app) syncCommand() *cli.Command {
	return &cli.Command{
		Name: "sync", Usage: "send what loggers could not send", ArgsUsage: "[DIR]",
		Description: "DIR is searched with all folders below it; without it, the folder of runs. Keys come from the\n" +
			"environment, as for the loggers. What was sent is not sent again.",
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
			lines := 0
			var trouble error
			say := func(line string) {
				lines++
				trouble = errors.Join(trouble, a.say(oneLine(line)+"\n"))
			}
			failed := parts(loggers.Sync(ctx, dir, say))
			for _, err := range failed {
				say("not sent: " + err.Error())
			}
			switch {
			case len(failed) > 0:
				err = fmt.Errorf("not all could be sent, nothing is lost: type it again when that is mended")
			case lines == 0:
				say("nothing is waiting to be sent below " + a.shown(dir))
			}
			return errors.Join(err, trouble)
		},
	}
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

package main

import (
	"context"

	"github.com/urfave/cli/v3"

	"github.com/actually-robust-training/art/store"
)

func (a *app) pinCommand() *cli.Command {
	return &cli.Command{
		Name: "pin", Usage: "keep a run from art gc, under a name that stands for it", ArgsUsage: "RUN [NAME]",
		Action: func(ctx context.Context, c *cli.Command) error {
			args, err := arguments(c, 1, 2)
			if err != nil {
				return err
			}
			name := ""
			if len(args) == 2 {
				name = args[1]
			}
			return a.withStore(ctx, c, func(s *store.Store) error {
				run, err := a.find(ctx, s, args[0])
				if err != nil {
					return err
				}
				if err := store.PinName(name); err != nil {
					return usage{err}
				}
				if err := s.Pin(run, name); err != nil {
					return err
				}
				if name == "" {
					return a.say(run.Path + " is pinned\n")
				}
				return a.say(run.Path + " is pinned as " + name + "\n")
			})
		},
	}
}

func (a *app) unpinCommand() *cli.Command {
	return &cli.Command{
		Name: "unpin", Usage: "let art gc delete a run again", ArgsUsage: "RUN",
		Action: func(ctx context.Context, c *cli.Command) error {
			args, err := arguments(c, 1, 1)
			if err != nil {
				return err
			}
			return a.withStore(ctx, c, func(s *store.Store) error {
				run, err := a.find(ctx, s, args[0])
				if err != nil {
					return err
				}
				if !run.Pinned {
					return a.say(run.Path + " is not pinned\n")
				}
				if err := s.Unpin(run); err != nil {
					return err
				}
				return a.say(run.Path + " is no longer pinned\n")
			})
		},
	}
}

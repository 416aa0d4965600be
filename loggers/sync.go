package loggers

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/actually-robust-training/art/record"
)

// Sync sends what loggers could not send: all spools in folders named spool,
// anywhere below dir. It tells report, in a line each, what it sent. Keys come
// from the environment, as for the loggers themselves. Runs that another process
// is sending are left to it.
//
// A spool that cannot be sent does not keep others from it; the error joins one for
// each ([errors.Join]).
func Sync(ctx context.Context, dir string, report func(line string)) error {
	return syncAll(ctx, dir, report, destinationOf, patience{shortestWait, longestWait, syncAttempts})
}

// syncAttempts is how often Sync tries a batch: some fifteen seconds in all.
const syncAttempts = 6

// finder finds the destination of a spool that another process left.
type finder func(position) (name string, to destination, err error)

// destinationOf is the finder that knows all loggers.
func destinationOf(p position) (name string, to destination, err error) {
	switch p.Logger {
	case "mlflow":
		return mlflowDestination(p.Target)
	case "neptune":
		return neptuneDestination(p.Target)
	case "wandb":
		return wandbDestination(p.Target)
	}
	return "", nil, fmt.Errorf("it is of a logger that this version does not know, %q", p.Logger)
}

func syncAll(ctx context.Context, dir string, report func(string), find finder, patience patience) error {
	var errs []error
	tired := map[string]bool{} // servers that did not answer: the next runs do not wait for them
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, isState := strings.CutSuffix(d.Name(), stateSuffix)
		if d.IsDir() || !isState || filepath.Base(filepath.Dir(path)) != spoolDir {
			return ctx.Err()
		}
		line, err := syncOne(ctx, spoolAt(filepath.Dir(path), name), find, patience, tired)
		if err != nil {
			errs = append(errs, err)
		}
		if line != "" {
			report(line)
		}
		return ctx.Err()
	})
	return errors.Join(append(errs, err)...)
}

// serverNames are those of loggers whose server could not be found.
var serverNames = map[string]string{"mlflow": "MLflow", "neptune": "Neptune", "wandb": "W&B"}

// syncOne sends one spool; the line is empty if there was nothing to send.
func syncOne(ctx context.Context, spool spool, find finder, patience patience, tired map[string]bool) (line string, err error) {
	p, err := spool.load()
	if err != nil {
		return "", err
	}
	_, waiting, err := spool.count(p.Sent)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	s := sender{spool: spool, patience: patience}
	name := ""
	if waiting > 0 {
		if name, s.to, err = find(p); err != nil {
			return "", lacking(cmp.Or(serverNames[p.Logger], spool.state), waiting, p, err)
		}
	}
	if tired[name] {
		s.attempts = 1
	}
	switch err := s.begin(ctx, false); {
	case errors.Is(err, fs.ErrNotExist), waiting == 0 && errors.Is(err, errBusy):
		return "", nil // its own process has sent it meanwhile, or will
	case err != nil:
		return "", lacking(name, waiting, p, err)
	}
	if waiting == 0 {
		return "", errors.Join(spool.discard(), s.end())
	}
	err = s.drain(ctx, true)
	_, left, countErr := spool.count(s.at.Sent)
	if countErr == nil && left < waiting {
		line = s.sent(name, waiting-left, p)
	}
	if err == nil {
		err = spool.discard()
	} else {
		tired[name] = !errors.As(err, new(hopeless))
		err = lacking(name, left, p, err)
	}
	return line, errors.Join(err, countErr, s.end())
}

// sent says what arrived, since the position.
func (s *sender) sent(name string, n int, p position) string {
	line := fmt.Sprintf("%s: sent %d events of %s", name, n, nameRun(p.Run, p.Recipe))
	if page, knows := s.to.(paged); knows && s.at.Remote != nil {
		line += ", " + page.page(&s.at)
	}
	if refused := s.at.Refused - p.Refused; refused > 0 {
		line += fmt.Sprintf("; %d were refused and are kept, with the reasons, in %s", refused, filepath.Dir(s.spool.events))
	}
	return line
}

// lacking says what a server still does not have.
func lacking(name string, n int, p position, why error) error {
	return fmt.Errorf("%s does not have %d events of %s: %w", name, n, nameRun(p.Run, p.Recipe), why)
}

// paged is a destination that has a page for people to look at.
type paged interface{ page(p *position) string }

// spoolDir is the folder of spools in the directory of a run.
const spoolDir = "spool"

// spoolOf opens the spool of a logger for the run that the event begins.
func spoolOf(e *record.Event, dir, logger string, target map[string]string) (spool, position, error) {
	p := position{Logger: logger, Target: target, Directory: e.Settings["directory"]}
	if e.Kind == record.RunStart {
		p.Recipe, p.Run = e.Name, e.Text
	}
	if p.Run == "" {
		p.Run = rand.Text() // so that the server can tell runs apart
	}
	switch {
	case dir != "":
		dir = filepath.Join(dir, fileName(p.Recipe), fileName(p.Run), spoolDir)
	case p.Directory != "":
		dir = filepath.Join(p.Directory, spoolDir)
	default:
		return spool{}, p, errors.New("it has nowhere to keep what the server has not got yet: set its Spool (inside a recipe the run has a directory)")
	}
	return spoolAt(dir, logger+"-"+fingerprint(target)), p, nil
}

package loggers

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/actually-robust-training/art/record"
)

// Neptune sends a run to a server of Neptune 2.x. The hosted service, app.neptune.ai,
// ended in March 2026 and its data was deleted: this speaks to servers that run
// elsewhere, and to what is compatible with them; not to Neptune 3.x. In a recipe it
// needs no more than the project and the token:
//
//	Loggers: []record.Sink{&loggers.Neptune{Project: "acme/iris"}},
//
// Scalars and scores are float series STEP/TRIAL/STAGE/NAME, each part left out where
// there is none, over iterations. Neptune wants these to increase: a second value of
// an iteration comes at a fraction after it, and one of an earlier iteration at the
// next whole number. Values that are not finite are in a string series beside, NAME
// not finite. Texts are string series STEP/text/NAME, in pieces of 1000 characters;
// settings are strings STEP/settings/NAME, and run/settings/NAME for the run; verdicts
// STEP/checks/CHECK; outcomes and durations STEP/outcome and STEP/duration. Artifacts
// are files STEP/artifacts/NAME. Vectors stay in the event file. A run that did not pass
// is marked as failed.
//
// A run is found again by an id that is made of the recipe and its run, so that
// a process that goes on with a run goes on with the run on the server.
//
// The token is taken from NEPTUNE_API_TOKEN; it holds the address of the server.
// NEPTUNE_ALLOW_SELF_SIGNED_CERTIFICATE, if not empty, turns off the check of
// certificates. NEPTUNE_REQUEST_TIMEOUT is how long a request may take, in seconds;
// default 600.
type Neptune struct {
	// Project is workspace/name; the name alone does where there is one of that
	// name. Default NEPTUNE_PROJECT.
	Project string
	// Run is an id that several processes or recipes give to share a run, of up to
	// 36 characters; longer ones are shortened. Default NEPTUNE_CUSTOM_RUN_ID, then one
	// that no other run has.
	Run string
	// Name is shown for the run. Default the recipe and its run.
	Name string
	// Description of the run.
	Description string
	// Tags of the run.
	Tags []string
	// Mode is "async"; "sync", which is the same but Strict; "offline", which sends
	// nothing until art sync; "read-only" and "debug", which keep and send nothing.
	// Default NEPTUNE_MODE, then async. "disabled" is another word for debug.
	Mode string
	// Hosts are further hosts, beside that in the token, to which credentials may go
	// if the server says that its interface or its sign-in is there.
	Hosts []string
	// Spool is where runs keep what is not sent yet, as RECIPE/RUN. Empty means
	// the directory of the run.
	Spool string
	// Grace is how long Close may wait for the server. Default 10 s.
	Grace time.Duration
	// Strict makes the trouble that Emit and Close tell of a failure of the test: their
	// errors have a method Strict() bool that returns true.
	Strict bool
	// W gets one line, with the address of the run, from another goroutine; offline,
	// where art sync finds it. Nil is standard error.
	W io.Writer

	courierPatience patience // of tests, and how long they let events gather
	linger          time.Duration

	mu      sync.Mutex
	out     record.Sink
	mode    string
	files   string // folder of what was logged beside events
	spool   spool
	page    runPage
	pending []neptunePending // logged before the first event
	last    record.Event
	closed  bool
	err     error
}

// The modes of the official client.
const (
	neptuneAsync    = "async"
	neptuneSync     = "sync"
	neptuneOffline  = "offline"
	neptuneReadOnly = "read-only"
	neptuneDebug    = "debug"
)

// Emit puts the event into the spool.
func (n *Neptune) Emit(e record.Event) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return n.trouble(lost("Neptune", &e, os.ErrClosed))
	}
	if n.out == nil && n.err == nil {
		n.err = n.open(&e)
	}
	if n.err != nil {
		return n.trouble(lost("Neptune", &e, n.err))
	}
	n.last.Seq, n.last.Time = e.Seq, e.Time
	return n.trouble(n.out.Emit(e))
}

func (n *Neptune) trouble(err error) error {
	if err != nil && (n.Strict || n.mode == neptuneSync) {
		return strictTrouble{err}
	}
	return err
}

func (n *Neptune) open(e *record.Event) error {
	n.mode = cmp.Or(n.Mode, os.Getenv("NEPTUNE_MODE"), neptuneAsync)
	switch n.mode {
	case neptuneAsync, neptuneSync, neptuneOffline:
	case neptuneReadOnly, neptuneDebug, "disabled":
		n.out, n.pending = record.Discard, nil
		return nil
	default:
		return fmt.Errorf("mode %q is not known: it is async, sync, offline, read-only or debug", n.mode)
	}
	target := n.target()
	own := map[string]string{"address": target["address"], "project": target["project"], "run": target["run"]}
	spool, fresh, err := spoolOf(e, n.Spool, "neptune", own)
	if err != nil {
		return err
	}
	fresh.Target = target
	n.spool, n.files = spool, strings.TrimSuffix(spool.events, eventsSuffix)+filesSuffix
	if n.mode == neptuneOffline {
		n.out, err = spool.open(fresh)
	} else {
		n.out, err = n.start(fresh)
	}
	if err != nil {
		n.out = nil
		return err
	}
	return n.flush(e)
}

// flush logs what came before there was a run: at once, after its beginning.
func (n *Neptune) flush(e *record.Event) error {
	pending := n.pending
	n.pending = nil
	var errs []error
	for _, p := range pending {
		p.event.Seq, p.event.Time = e.Seq, e.Time
		errs = append(errs, n.keep(p))
	}
	return errors.Join(errs...)
}

// neptunePending is something that was logged: an event, and the content of its
// file if it has one.
type neptunePending struct {
	event   record.Event
	content []byte
}

// start begins to send. A token that is wrong ends the sending before it begins;
// events are kept until there is a right one.
func (n *Neptune) start(fresh position) (record.Sink, error) {
	n.page.service, n.page.w = "Neptune", n.writer()
	name, to, err := neptuneDestination(fresh.Target)
	if err != nil {
		name, to = "Neptune", unreachable{err}
	} else {
		to.(*neptune).found = n.page.say
	}
	c := &courier{name: name, spool: n.spool, grace: n.Grace, linger: n.linger}
	c.sender.patience = n.courierPatience
	return c, c.start(to, fresh)
}

func (n *Neptune) writer() io.Writer {
	if n.W == nil {
		return os.Stderr
	}
	return n.W
}

// target is what the server is told of the run, and what Sync needs to find it. It
// holds no secrets.
func (n *Neptune) target() map[string]string {
	t := map[string]string{
		"project": cmp.Or(n.Project, os.Getenv("NEPTUNE_PROJECT")), "run": cmp.Or(n.Run, os.Getenv("NEPTUNE_CUSTOM_RUN_ID")),
		"name": n.Name, "description": n.Description, "tags": jsonList(n.Tags), "hosts": jsonList(n.Hosts),
	}
	if key, err := readNeptuneToken(os.Getenv(neptuneTokenVariable)); err == nil {
		t["address"] = key.address
	}
	maps.DeleteFunc(t, func(_, value string) bool { return value == "" })
	return t
}

// jsonList writes a list as one text, empty for none.
func jsonList(list []string) string {
	if len(list) == 0 {
		return ""
	}
	b, err := json.Marshal(list)
	if err != nil {
		panic(err) // strings can be written
	}
	return string(b)
}

// readList reads what jsonList wrote.
func readList(text string) (list []string) {
	_ = json.Unmarshal([]byte(text), &list) // what another version wrote is left out
	return list
}

// Close sends what is left, for no longer than Grace.
func (n *Neptune) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil
	}
	n.closed = true
	c, ok := n.out.(io.Closer)
	switch {
	case !ok && len(n.pending) > 0 && n.err == nil:
		return n.trouble(fmt.Errorf("Neptune: no run began, so what was logged is lost: %d files and tags", len(n.pending)))
	case !ok:
		return nil
	}
	err := c.Close()
	if n.mode == neptuneOffline {
		_, _ = fmt.Fprintln(n.writer(), "Neptune is offline: art sync sends what is in "+filepath.Dir(n.spool.events)) // nobody would hear of the error
	}
	return n.trouble(err)
}

// RunID returns what people and the server call the run, like IR-12, and the
// address of its page. They are empty until the server has said so.
func (n *Neptune) RunID() (id, page string) {
	return n.page.what()
}

// localPath is where an artifact of the run is, if it is within its directory.
func (p *position) localPath(a *record.Artifact) (string, error) {
	path := filepath.FromSlash(a.Path)
	if p.Directory == "" || !filepath.IsLocal(path) {
		return "", fmt.Errorf("the artifact %s cannot be found: the run has no directory, or it is outside of it", a.Path)
	}
	return filepath.Join(p.Directory, path), nil
}

package loggers

import (
	"cmp"
	"context"
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

// WandB sends a run to Weights & Biases. In a recipe it needs no more than the key:
//
//	Loggers: []record.Sink{&loggers.WandB{Project: "iris"}},
//
// Scalars and scores are rows of the history, one for each iteration, drawn over
// STEP/iteration; their columns are named STEP/TRIAL/STAGE/NAME, each part left out
// where there is none. Vectors of more than ten numbers are histograms. Settings are
// the config; verdicts and outcomes the summary; texts, verdicts and the begin
// and end of steps the console. Pictures and figures are media of the history, weights
// are artifacts of type model named RECIPE-STEP-FILE, all other artifacts are files of
// the run. The run is finished with exit code 0 if it passed or was skipped, else 1.
//
// Without a recipe, Start returns a run with the methods that users of the Python
// client know.
//
// The variables WANDB_…, ~/.config/wandb/settings, ./wandb/settings and netrc mean
// what they mean to the official client; fields win over them. The key is taken
// from WANDB_API_KEY, netrc or a settings file, and kept nowhere.
type WandB struct {
	// Project that the run belongs to. Default WANDB_PROJECT, then the name of the
	// recipe.
	Project string
	// Entity is the user or team. Default WANDB_ENTITY, then that of the key.
	Entity string
	// Name is shown for the run. Default WANDB_NAME, then the recipe and the run.
	Name string
	// Notes, Group and JobType describe it. Default WANDB_NOTES, WANDB_RUN_GROUP,
	// WANDB_JOB_TYPE.
	Notes, Group, JobType string
	// Tags of 1 to 64 characters each, without commas. Default WANDB_TAGS, which has
	// commas between them.
	Tags []string
	// ID of the run, which no run of the project has ever had. Default WANDB_RUN_ID,
	// then that of the recipe's run in lower case.
	ID string
	// Resume says what happens if the run exists: "allow" goes on with it, "must"
	// refuses a new one, "never" an old one; "auto" goes on with the last run of
	// WANDB_DIR if that has not ended well. Default WANDB_RESUME, then allow.
	Resume string
	// Mode is "online"; "offline", which sends nothing until art sync; or "disabled".
	// Default WANDB_MODE, then online.
	Mode string
	// Address of the server. Default WANDB_BASE_URL, then https://api.wandb.ai.
	Address string
	// Spool is where runs keep what is not sent yet, as RECIPE/RUN. Empty means the
	// directory of the run.
	Spool string
	// Grace is how long Close may wait for the server. Default 10 s.
	Grace time.Duration
	// Strict makes the trouble that Emit and Close tell of a failure of the test: their
	// errors have a method Strict() bool that returns true.
	Strict bool
	// W gets one line, with the address of the run, from another goroutine. Nil is
	// standard error; WANDB_SILENT makes it nothing.
	W io.Writer
	// OnStop is called, once, from another goroutine, when the user presses Stop on
	// the page of the run. It may cancel the training. Nil goes on.
	OnStop func()

	patience patience // of tests, and how long they let events gather
	linger   time.Duration
	out      *wandbOutput
	closed   bool
	err      error
	began    bool // with a RunStart
	ended    bool // with a RunEnd or a finish
	last     record.Event
}

// wandbOutput is where events go: a courier, a file for later, or nowhere.
type wandbOutput struct {
	record.Sink
	mode string
	p    position
	dir  string // of the run
	page *wandbPage
	auto autoResume
}

// wandbPage learns the address of the run.
type wandbPage struct {
	mu      sync.Mutex
	w       io.Writer
	address string
	stopped bool
	onStop  func()
}

func (p *wandbPage) say(name, address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.address == "" {
		_, _ = fmt.Fprintf(p.w, "W&B run %s: %s\n", name, address) // nobody would hear of an error
	}
	p.address = address
}

func (p *wandbPage) stop() {
	p.mu.Lock()
	first := !p.stopped
	p.stopped = true
	p.mu.Unlock()
	if first && p.onStop != nil {
		p.onStop()
	}
}

// strictTrouble is an error that is to fail the test.
type strictTrouble struct{ error }

func (s strictTrouble) Unwrap() error { return s.error }
func (s strictTrouble) Strict() bool  { return true }

func (w *WandB) trouble(err error) error {
	if err != nil && w.Strict {
		return strictTrouble{err}
	}
	return err
}

// Emit puts the event into the spool.
func (w *WandB) Emit(e record.Event) error {
	if w.closed {
		return w.trouble(lost("W&B", &e, os.ErrClosed))
	}
	if w.out == nil && w.err == nil {
		w.out, w.err = w.open(&e)
	}
	if w.err != nil {
		return w.trouble(lost("W&B", &e, w.err))
	}
	w.began = w.began || e.Kind == record.RunStart
	if e.Kind == record.RunEnd && exitCode(e.Outcome) == 0 || e.Kind == wandbFinishKind && e.Iteration == 0 {
		w.out.auto.end()
	}
	w.ended = w.ended || e.Kind == record.RunEnd || e.Kind == wandbFinishKind
	w.last.Seq, w.last.Time = e.Seq, e.Time
	return w.trouble(w.out.Emit(e))
}

// Close sends what is left, for no longer than Grace. A run that has not ended
// is finished: as failed if it was that of a recipe.
func (w *WandB) Close() error {
	if w.closed {
		return nil
	}
	if w.out != nil && !w.ended {
		code := 0
		if w.began {
			code = 1
		}
		_ = w.Emit(record.Event{Seq: w.last.Seq + 1, Time: w.last.Time, Kind: wandbFinishKind, Iteration: code})
	}
	w.closed = true
	if w.out == nil {
		return nil
	}
	var err error
	if c, ok := w.out.Sink.(io.Closer); ok {
		err = c.Close()
	}
	if w.out.mode == modeOffline {
		_, _ = fmt.Fprintf(w.out.page.w, "W&B run %s is offline: art sync sends what is in %s\n", w.out.p.Target["run"], w.out.dir)
	}
	return w.trouble(err)
}

// The modes.
const (
	modeOnline   = "online"
	modeOffline  = "offline"
	modeDisabled = "disabled"
)

func (w *WandB) mode(s wandbSettings) (string, error) {
	switch mode := cmp.Or(w.Mode, s["mode"], modeOnline); mode {
	case modeOnline, "run":
		return modeOnline, nil
	case modeOffline, "dryrun":
		return modeOffline, nil
	case modeDisabled:
		return modeDisabled, nil
	default:
		return "", fmt.Errorf("mode %q is not known: it is online, offline or disabled", mode)
	}
}

func (w *WandB) open(e *record.Event) (*wandbOutput, error) {
	settings := loadWandBSettings()
	mode, err := w.mode(settings)
	if err != nil {
		return nil, err
	}
	out := &wandbOutput{Sink: record.Discard, mode: mode, page: &wandbPage{w: w.W, onStop: w.OnStop}}
	if out.page.w == nil {
		out.page.w = os.Stderr
	}
	if settings.isTrue("silent") {
		out.page.w = io.Discard
	}
	if mode == modeDisabled {
		return out, nil
	}
	out.auto = autoResume{file: settings.resumeFile(), on: cmp.Or(w.Resume, settings["resume"]) == "auto"}
	target, err := w.target(settings, e)
	if err != nil {
		return nil, err
	}
	// The spool is found again by what the user said, not by what was made up.
	own := map[string]string{"address": target["address"], "project": target["project"], "entity": target["entity"], "id": cmp.Or(w.ID, settings["run_id"])}
	spool, fresh, err := spoolOf(e, w.Spool, "wandb", own)
	if err != nil {
		return nil, err
	}
	target["run"] = cmp.Or(own["id"], out.auto.last(), runID(fresh.Run))
	out.auto.begin(target["run"])
	fresh.Target = target
	out.p, out.dir = fresh, filepath.Dir(spool.events)
	if mode == modeOffline {
		out.Sink, err = spool.open(fresh)
		return out, err
	}
	c := &courier{name: "W&B at " + target["address"], spool: spool, grace: w.Grace, linger: cmp.Or(w.linger, wandbLinger), eager: true}
	c.sender.patience = w.patience
	var to destination
	if _, service, err := wandbDestination(target); err != nil {
		to = unreachable{err} // what happens is kept
	} else {
		service.say, service.stopped = out.page.say, out.page.stop
		to = service
	}
	if err := c.start(to, fresh); err != nil {
		return nil, err
	}
	out.Sink = c
	return out, nil
}

// unreachable is a destination that there is no key for.
type unreachable struct{ err error }

func (u unreachable) deliver(context.Context, *position, []record.Event, bool) error {
	return hopeless(u)
}

// wandbLinger is how often the official client sends.
const wandbLinger = 15 * time.Second

// target is what the service is told of the run, and what Sync needs to find it. It
// holds no secrets.
func (w *WandB) target(s wandbSettings, e *record.Event) (map[string]string, error) {
	address, err := s.address(w.Address)
	if err != nil {
		return nil, err
	}
	title := ""
	if e.Kind == record.RunStart && e.Name != "" {
		title = strings.TrimSpace(e.Name + " " + e.Text)
	}
	t := map[string]string{
		"address": address, "project": cmp.Or(w.Project, s["project"], projectName(e.Name), "uncategorized"), "entity": cmp.Or(w.Entity, s["entity"]),
		"name": cmp.Or(w.Name, s["name"], title), "notes": cmp.Or(w.Notes, s["notes"]), "group": cmp.Or(w.Group, s["run_group"]),
		"job-type": cmp.Or(w.JobType, s["job_type"]), "tags": cmp.Or(strings.Join(w.Tags, ","), s["tags"]), "resume": cmp.Or(w.Resume, s["resume"]),
		"sweep": s["sweep_id"], "host": cmp.Or(s["host"], e.Settings["host"]), "program": cmp.Or(s["program"], e.Settings["package"]),
		"commit": cmp.Or(s["git_commit"], e.Settings["vcs.revision"]), "repo": s["git_remote_url"],
	}
	if s["console"] == "off" {
		t["console"] = "off"
	}
	if strings.ContainsAny(t["project"], `/\#?%:`) || len(t["project"]) > 128 {
		return nil, fmt.Errorf(`project %q: none of / \ # ? %% : may be in a name, which has up to 128 characters`, t["project"])
	}
	if id := cmp.Or(w.ID, s["run_id"]); strings.ContainsAny(id, `:;,#?/'\%`) || id != strings.TrimSpace(id) || len(id) > 128 {
		return nil, fmt.Errorf(`run id %q: it has up to 128 characters, and none of : ; , # ? / ' \ %%`, id)
	}
	for _, tag := range splitTags(t["tags"]) {
		if n := len([]rune(tag)); n < 1 || n > 64 {
			return nil, fmt.Errorf("tag %q: it has 1 to 64 characters", tag)
		}
	}
	switch t["resume"] {
	case "", "allow", "must", "never":
	case "auto":
		t["resume"] = "allow"
	default:
		return nil, fmt.Errorf("resume %q is not known: it is allow, must, never or auto", t["resume"])
	}
	if title != "" && t["name"] == title {
		t["name"] = cut(title, 128)
	}
	maps.DeleteFunc(t, func(_, value string) bool { return value == "" })
	return t, nil
}

// cut keeps the first characters of a text.
func cut(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most])
	}
	return text
}

// projectName is a recipe's name as that of a project.
func projectName(recipe string) string {
	return cut(strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`/\#?%:`, r) {
			return '-'
		}
		return r
	}, recipe)), 120)
}

// runID is the run's own id as the service takes it, if it is one that no other
// run has.
func runID(run string) string {
	id := strings.ToLower(run)
	for _, r := range id {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') {
			id = ""
			break
		}
	}
	if len(id) < 8 || len(id) > 64 {
		return clientID()[:8]
	}
	return id
}

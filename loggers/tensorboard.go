package loggers

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"

	"github.com/actually-robust-training/art/record"
)

// TensorBoard writes event files that TensorBoard shows:
//
//	tensorboard --logdir .art
//
// Scalars and scores are Time Series, by iteration; vectors are histograms of
// their finite values; PNG artifacts are images; texts, verdicts, findings and
// the settings of the run are text; each step is a session of the HParams page,
// with its settings, scores and outcome. TensorBoard keeps numbers as float32 and
// knows neither models nor the size of a set.
//
// Every step, trial of it and stage has a directory, so that training and
// validation share a chart: RUN/STEP/TRIAL/STAGE, each part left out where there
// is none. Characters that file systems do not allow are percent-encoded.
type TensorBoard struct {
	// Dir is where runs go, as RECIPE/RUN. Empty means the folder tensorboard in
	// the directory of the run.
	Dir string

	run       string // directory of all files
	artifacts string // directory of the run
	files     map[place]*tbFile
	closed    bool
}

// place says which file an event is in.
type place struct{ step, trial, stage string }

// Emit writes the event.
func (t *TensorBoard) Emit(e record.Event) error {
	if t.closed {
		return lost("TensorBoard", &e, os.ErrClosed)
	}
	if err := t.emit(&e); err != nil {
		return lost("TensorBoard", &e, err)
	}
	return nil
}

func (t *TensorBoard) emit(e *record.Event) error {
	switch e.Kind {
	case record.RunStart:
		return t.start(e)
	case record.StepStart:
		return t.write(e, place{step: e.Step}, func(b []byte, _ *tbFile) ([]byte, int64) { return sessionStart(b, e), 0 })
	case record.StepEnd:
		return t.end(e)
	case record.Scalar, record.Score:
		f, err := t.open(e, place{e.Step, e.Trial, e.Stage})
		if err != nil {
			return err
		}
		return f.write(e, int64(e.Iteration), scalarValue(f.value[:0], e.Name, e.Value))
	case record.Vector:
		return t.write(e, place{e.Step, e.Trial, e.Stage}, func(b []byte, _ *tbFile) ([]byte, int64) {
			return histogramValue(b, e.Name, e.Values), int64(e.Iteration)
		})
	case record.Text:
		return t.text(e, "text/"+e.Name, e.Text)
	case record.Judged, record.Found:
		if e.Verdict != nil {
			return t.text(e, "checks/"+e.Verdict.Check, markdown(e.Verdict))
		}
	case record.ArtifactSaved:
		if a := e.Artifact; a != nil && strings.EqualFold(filepath.Ext(a.Path), ".png") {
			return t.picture(e, a)
		}
	}
	return nil
}

// start learns where to write, and writes the settings of the run.
func (t *TensorBoard) start(e *record.Event) error {
	if err := t.closeFiles(func(place) bool { return true }); err != nil {
		return err
	}
	t.artifacts = e.Settings["directory"]
	switch {
	case t.Dir != "":
		t.run = filepath.Join(t.Dir, fileName(e.Name), fileName(e.Text))
	case t.artifacts != "":
		t.run = filepath.Join(t.artifacts, "tensorboard")
	default:
		return errNoDir
	}
	var table strings.Builder
	table.WriteString("setting | value\n---|---\n")
	for name, value := range sorted(e.Settings) {
		fmt.Fprintf(&table, "%s | %s\n", cell.Replace(name), cell.Replace(value))
	}
	return t.text(e, "text/settings", table.String())
}

var cell = strings.NewReplacer("|", "\\|", "\n", " ", "\r", " ")

var errNoDir = errors.New("it does not know where to write: set TensorBoard.Dir (inside a recipe the run has a directory)")

// end closes the session of a step, and its files.
func (t *TensorBoard) end(e *record.Event) error {
	err := t.write(e, place{step: e.Step}, func(b []byte, _ *tbFile) ([]byte, int64) { return sessionEnd(b, e), 0 })
	return errors.Join(err, t.closeFiles(func(p place) bool { return p.step == e.Step }))
}

func (t *TensorBoard) write(e *record.Event, p place, value func([]byte, *tbFile) ([]byte, int64)) error {
	f, err := t.open(e, p)
	if err != nil {
		return err
	}
	b, step := value(f.value[:0], f)
	return f.write(e, step, b)
}

// text and picture count for themselves: of two with one step TensorBoard
// would show the later only.
func (t *TensorBoard) text(e *record.Event, tag, text string) error {
	return t.write(e, place{e.Step, e.Trial, e.Stage}, func(b []byte, f *tbFile) ([]byte, int64) {
		f.count++
		return textValue(b, tag, text), f.count
	})
}

func (t *TensorBoard) picture(e *record.Event, a *record.Artifact) error {
	path := filepath.FromSlash(a.Path)
	if t.artifacts == "" || !filepath.IsLocal(path) {
		return fmt.Errorf("the picture %s cannot be found: the run has no directory, or it is outside of it", a.Path)
	}
	file, err := os.ReadFile(filepath.Join(t.artifacts, path))
	if err != nil {
		return err
	}
	size, err := png.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return fmt.Errorf("%s: %w", a.Path, err)
	}
	return t.write(e, place{e.Step, e.Trial, e.Stage}, func(b []byte, f *tbFile) ([]byte, int64) {
		f.count++
		return imageValue(b, a.Name, size.Width, size.Height, file), f.count
	})
}

func (t *TensorBoard) open(e *record.Event, p place) (*tbFile, error) {
	if f := t.files[p]; f != nil {
		return f, nil
	}
	if t.run == "" {
		if t.Dir == "" {
			return nil, errNoDir
		}
		t.run = t.Dir
	}
	dir := t.run
	for _, part := range []string{p.step, p.trial, p.stage} {
		if part != "" {
			dir = filepath.Join(dir, fileName(part))
		}
	}
	f, err := createTB(dir, e)
	if err != nil {
		return nil, err
	}
	if t.files == nil {
		t.files = map[place]*tbFile{}
	}
	t.files[p] = f
	return f, nil
}

func (t *TensorBoard) closeFiles(which func(place) bool) error {
	var errs []error
	for p, f := range t.files {
		if which(p) {
			errs = append(errs, f.f.Close())
			delete(t.files, p)
		}
	}
	return errors.Join(errs...)
}

// Close closes the files.
func (t *TensorBoard) Close() error {
	t.closed = true
	return t.closeFiles(func(place) bool { return true })
}

// markdown is a verdict for the text page.
func markdown(v *record.Verdict) string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s**", verdict(v))
	for _, list := range []struct {
		name  string
		lines []string
	}{{"evidence", v.Evidence}, {"likely", v.Likely}, {"try", v.Try}, {"files", v.Files}} {
		if len(list.lines) > 0 {
			fmt.Fprintf(&b, "\n\n%s\n\n- %s", list.name, strings.Join(list.lines, "\n- "))
		}
	}
	return b.String()
}

// fileName makes a name that every file system takes, is never empty or the
// name of a folder above, and differs for different names.
func fileName(s string) string {
	var b strings.Builder
	for i, r := range s {
		hidden := i == 0 && r == '.'
		last := i == len(s)-1 && (r == '.' || r == ' ')
		if r < ' ' || r == 0x7f || strings.ContainsRune(`%/\:*?"<>|`, r) || hidden || last {
			for _, c := range []byte(string(r)) {
				fmt.Fprintf(&b, "%%%02X", c)
			}
			continue
		}
		b.WriteRune(r)
	}
	name := b.String()
	if name == "" {
		return "%"
	}
	if len(name) > 150 {
		sum := sha256.Sum256([]byte(s))
		name = strings.ToValidUTF8(name[:120], "") + "%" + hex.EncodeToString(sum[:8])
	}
	return name
}

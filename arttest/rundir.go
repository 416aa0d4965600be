package arttest

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	_ "image/png" // so that the manifest knows the size of pictures
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/actually-robust-training/art/internal/tensorfile"
	"github.com/actually-robust-training/art/record"
)

// runDir is the directory of one run: the event file, a manifest, and a folder
// of artifacts for each step.
type runDir struct {
	id     string
	path   string // absolute
	shown  string // relative to the module, for people
	events *record.File
}

const (
	eventFile    = "events.jsonl"
	manifestFile = "manifest.json"
	attachedFile = "art.json" // the manifest in a test's artifact directory
)

// newRunDir makes a directory that no other run has, below root, which is
// relative to the module.
func newRunDir(module, root, recipe string) (*runDir, error) {
	if root == "" {
		root = ".art"
	}
	if !filepath.IsAbs(root) {
		root = filepath.Join(module, root)
	}
	remedy := func(err error) error {
		return fmt.Errorf("runs cannot be kept in %s: %w; choose another folder with -art.dir or ART_DIR", root, err)
	}
	parent := filepath.Join(root, recipe)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return nil, remedy(err)
	}
	// Runs are results of this machine: keep them out of version control even
	// where the project's own ignore file does not know them.
	if err := ignored(root); err != nil {
		return nil, remedy(err)
	}
	keepUncached(module, root)
	d := &runDir{}
	for d.path == "" {
		id := newID()
		switch err := os.Mkdir(filepath.Join(parent, id), 0o755); {
		case err == nil:
			d.id, d.path = id, filepath.Join(parent, id)
		case !errors.Is(err, fs.ErrExist):
			return nil, remedy(err)
		}
	}
	d.shown = d.path
	if rel, err := filepath.Rel(module, d.path); err == nil && filepath.IsLocal(rel) {
		d.shown = filepath.ToSlash(rel)
	}
	events, err := record.Create(filepath.Join(d.path, eventFile))
	if err != nil {
		return nil, remedy(err)
	}
	d.events = events
	return d, nil
}

// ignored puts a folder out of sight of version control.
func ignored(folder string) error {
	ignore := filepath.Join(folder, ".gitignore")
	if _, err := os.Stat(ignore); errors.Is(err, fs.ErrNotExist) {
		return os.WriteFile(ignore, []byte("*\n"), 0o644)
	}
	return nil
}

// newID is 40 random bits as eight characters of Crockford's base32, which has
// no letters that are mistaken for digits.
func newID() string {
	const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	b := make([]byte, 8)
	rand.Read(b) // never fails
	for i := range b {
		b[i] = alphabet[b[i]%32]
	}
	return string(b)
}

// save writes an artifact whole or not at all, and describes it.
func (d *runDir) save(step, name string, write func(io.Writer) error) (record.Artifact, error) {
	if err := artifactName(name); err != nil {
		return record.Artifact{}, err
	}
	a := record.Artifact{Name: name, Path: path.Join(step, name), Kind: kindOf(name)}
	file := filepath.Join(d.path, filepath.FromSlash(a.Path))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return a, err
	}
	hash := sha256.New()
	var head bytes.Buffer
	size, err := writeFile(file, func(w io.Writer) error {
		return write(io.MultiWriter(w, hash, &limited{&head, 64 << 10}))
	})
	if err != nil {
		return a, err
	}
	a.Bytes, a.SHA256 = size, hex.EncodeToString(hash.Sum(nil))
	a.Shape, a.DType = describe(file, head.Bytes())
	return a, nil
}

// artifactName refuses names that lead out of the folder of the step, or that do
// not say what they hold.
func artifactName(name string) error {
	switch {
	case !filepath.IsLocal(filepath.FromSlash(name)) || path.Clean(name) != name || strings.ContainsAny(name, "\\\n\r\x00"):
	case path.Ext(name) == "" || path.Ext(name) == path.Base(name) || path.Ext(name) == ".":
	case name == attachedFile:
		return errors.New("files attached to a test are listed in a file of this name; choose another")
	default:
		return nil
	}
	return errors.New("the name must be a relative path with an extension, like batch.png or decay/loss.svg")
}

// writeFile writes a file under another name first, so that its own name never
// holds half of it.
func writeFile(file string, write func(io.Writer) error) (size int64, err error) {
	tmp, err := os.CreateTemp(filepath.Dir(file), ".tmp-*")
	if err != nil {
		return 0, err
	}
	defer func() {
		_, _ = tmp.Close(), os.Remove(tmp.Name()) // done already when all went well
	}()
	if err := write(tmp); err != nil {
		return 0, err
	}
	size, err = tmp.Seek(0, io.SeekCurrent)
	if err := errors.Join(err, tmp.Chmod(0o644), tmp.Close()); err != nil {
		return 0, err
	}
	return size, os.Rename(tmp.Name(), file)
}

// limited keeps the first bytes of what is written.
type limited struct {
	*bytes.Buffer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.left -= n
	l.Buffer.Write(p[:n])
	return len(p), nil
}

func kindOf(name string) string {
	switch path.Ext(name) {
	case ".npy", ".npz":
		return "tensor"
	case ".png":
		return "picture"
	case ".svg":
		return "plot"
	case ".safetensors":
		return "weights"
	case ".txt", ".md", ".log":
		return "text"
	}
	return "data"
}

// describe reads shape and type of a tensor or a picture from its file.
func describe(file string, head []byte) (shape []int, dtype string) {
	switch path.Ext(file) {
	case ".npy":
		f, err := os.Open(file)
		if err != nil {
			return nil, ""
		}
		a, err := tensorfile.ReadNPY(f)
		if errors.Join(err, f.Close()) == nil {
			return a.Shape, string(a.DType)
		}
	case ".png":
		if c, _, err := image.DecodeConfig(bytes.NewReader(head)); err == nil {
			return []int{c.Height, c.Width}, "uint8"
		}
	}
	return nil, ""
}

// manifest lists what a run left, for people and tools that do not read events.
type manifest struct {
	Schema    int               `json:"schema"`
	Recipe    string            `json:"recipe"`
	Run       string            `json:"run"`
	Step      string            `json:"step,omitempty"` // in the artifact directory of a step
	Outcome   record.Outcome    `json:"outcome,omitempty"`
	Artifacts []record.Artifact `json:"artifacts"`
}

// writeManifest lists the artifacts of the run.
func (d *runDir) writeManifest(run *record.Run) error {
	m := manifest{Schema: record.Schema, Recipe: run.Recipe, Run: run.ID, Outcome: run.Outcome, Artifacts: []record.Artifact{}}
	for _, s := range run.Steps {
		m.Artifacts = append(m.Artifacts, saved(s)...)
	}
	return writeJSON(filepath.Join(d.path, manifestFile), m)
}

// saved lists the artifacts of a step: of those that were saved more than once,
// the last, which is what the file holds.
func saved(s *record.StepRun) []record.Artifact {
	var list []record.Artifact
	at := map[string]int{}
	for _, a := range s.Artifacts {
		if i, ok := at[a.Path]; ok {
			list[i] = a
			continue
		}
		at[a.Path] = len(list)
		list = append(list, a)
	}
	return list
}

func writeJSON(file string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	_, err = writeFile(file, func(w io.Writer) error {
		_, err := io.Copy(w, strings.NewReader(string(text)+"\n"))
		return err
	})
	return err
}

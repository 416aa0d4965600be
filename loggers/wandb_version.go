package loggers

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/actually-robust-training/art/record"
)

// WandBArtifact is a version of an artifact to log.
type WandBArtifact struct {
	// Name of letters, digits, dots, dashes and underscores, up to 128.
	Name string
	// Type like "model" or "dataset", the same for all versions of a name.
	Type        string
	Description string
	// Metadata has up to 100 values.
	Metadata map[string]any
	// Aliases beside "latest", such as "best". Not "v" with a number.
	Aliases []string
	// Files by their path inside of the artifact, with slashes. A folder stands for all
	// files in it.
	Files map[string]string
}

// LogArtifact copies the files and sends them as a new version, unless the last
// one has the same content.
func (r *WandBRun) LogArtifact(a WandBArtifact) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.w.out.mode == modeDisabled {
		return nil
	}
	version, err := a.version()
	if err == nil {
		err = a.stage(r.dir, version)
	}
	if err != nil {
		return r.w.trouble(fmt.Errorf("artifact %q: %w", a.Name, err))
	}
	return r.emitVersion(version)
}

func (r *WandBRun) emitVersion(a *wandbArtifact) error {
	text, err := json.Marshal(a)
	if err != nil {
		return r.w.trouble(err)
	}
	return r.emit(record.Event{Kind: wandbArtifactKind, Text: string(text)})
}

// version checks what the service would refuse.
func (a WandBArtifact) version() (*wandbArtifact, error) {
	v := &wandbArtifact{Name: a.Name, Type: a.Type, Description: a.Description, Aliases: a.Aliases, Client: clientID(), Sequence: clientID(),
		Metadata: map[string]string{}, Files: map[string]string{}}
	switch {
	case artifactName(a.Name) != a.Name:
		return nil, errors.New("its name has up to 128 letters, digits, dots, dashes and underscores")
	case a.Type == "" || len(a.Type) > maxArtifactName || strings.ContainsAny(a.Type, "/:") || strings.HasPrefix(a.Type, "wandb-") || a.Type == "job":
		return nil, fmt.Errorf("type %q: set one like model or dataset; job and wandb-… are the service's own", a.Type)
	case len(a.Files) == 0 || len(a.Metadata) > 100:
		return nil, fmt.Errorf("it has %d files and %d metadata: at least 1, and up to 100", len(a.Files), len(a.Metadata))
	}
	for _, alias := range a.Aliases {
		number := strings.TrimLeft(strings.TrimPrefix(alias, "v"), "0123456789") == ""
		if alias == "" || strings.ContainsAny(alias, "/:") || strings.HasPrefix(alias, "v") && number {
			return nil, fmt.Errorf("alias %q: it has no slash or colon, and is not v with a number", alias)
		}
	}
	for name, value := range a.Metadata {
		text, err := appendValue(nil, reflect.ValueOf(value), 0)
		if err != nil {
			return nil, fmt.Errorf("metadata %s: %w", name, err)
		}
		if string(text) == "NaN" {
			text = []byte("null")
		}
		if quoteNumbers(string(text)) != string(text) {
			return nil, fmt.Errorf("metadata %s: the service takes no infinities here", name)
		}
		v.Metadata[name] = string(text)
	}
	return v, nil
}

// stage copies the files, which the user may change at once.
func (a WandBArtifact) stage(dir string, v *wandbArtifact) error {
	place := filepath.Join("files", "artifacts", v.Client[:16])
	add := func(inside, file string) error {
		if inside != path.Clean(inside) || !filepath.IsLocal(filepath.FromSlash(inside)) {
			return fmt.Errorf("path %q leads out of the artifact", inside)
		}
		local := filepath.Join(place, filepath.FromSlash(inside))
		v.Files[inside] = filepath.ToSlash(local)
		return copyFile(file, filepath.Join(dir, local))
	}
	for inside, file := range a.Files {
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		if !info.IsDir() {
			if err := add(inside, file); err != nil {
				return err
			}
			continue
		}
		err = fs.WalkDir(os.DirFS(file), ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			return add(path.Join(inside, name), filepath.Join(file, filepath.FromSlash(name)))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // it was only read
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

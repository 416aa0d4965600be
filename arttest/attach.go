package arttest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/actually-robust-training/art/checks"
	"github.com/actually-robust-training/art/record"
)

// attributes is the most that one step sets: they are for a glance, the event
// file has all.
const attributes = 32

// artifactDir asks for the artifact directory of a step's subtest when
// -artifacts is set, "" if not. It must come before anything else that the subtest
// reports: gotestsum forgets what it saw of a test before this.
func (r *R) artifactDir(t *testing.T) string {
	if !r.settings.artifacts {
		return ""
	}
	return t.ArtifactDir()
}

// attach puts the step's scores and files on its subtest: attributes, and
// copies in dir with a manifest of their own.
func (r *R) attach(t *testing.T, st *step, dir string) {
	t.Helper()
	s := r.run.Step(st.plan.Name)
	t.Attr("art.outcome", string(st.state.outcome()))
	t.Attr("art.seed", fmt.Sprint(r.recipe.Seed))
	set := 0
	for _, series := range s.Series {
		p, ok := series.Last()
		if !ok || !series.Whole || series.Stage == "" || set == attributes {
			continue
		}
		key := []string{"art", series.Trial, series.Name, series.Stage}
		t.Attr(attrKey(key), checks.Number(p.Value))
		set++
	}
	if dir == "" {
		return
	}
	m := manifest{Schema: record.Schema, Recipe: r.recipe.Name, Run: r.dir.id, Step: st.plan.Name, Outcome: st.state.outcome(), Artifacts: []record.Artifact{}}
	for _, a := range saved(s) {
		from := filepath.Join(r.dir.path, filepath.FromSlash(a.Path))
		a.Path = a.Name
		if err := copyFile(filepath.Join(dir, filepath.FromSlash(a.Name)), from); err != nil {
			t.Errorf("artifact %s cannot be copied to the artifact directory: %v", a.Name, err)
			continue
		}
		m.Artifacts = append(m.Artifacts, a)
	}
	if err := writeJSON(filepath.Join(dir, attachedFile), m); err != nil {
		t.Errorf("%v", err)
	}
}

// attrKey joins the parts that are not empty; a key has no white space.
func attrKey(parts []string) string {
	var kept []string
	for _, p := range parts {
		if p = checks.Slug(p); p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, ".")
}

func copyFile(to, from string) (err error) {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	_, err = writeFile(to, func(w io.Writer) error {
		_, err := io.Copy(w, src)
		return err
	})
	return err
}

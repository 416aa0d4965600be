package steps_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/steps"
	"github.com/actually-robust-training/art/train"
)

// The comment of every step names all its default checks, and no others.
func TestCommentsNameTheChecks(t *testing.T) {
	comments := typeComments(t)
	list := regexp.MustCompile(`(?s)Default checks: (.*?)\.(\n|$)`)
	name := regexp.MustCompile(`[a-z]+(-[a-z]+)+`)
	for _, s := range append(everyStep(train.Model{}, train.Data{}), arttest.Stepper(steps.ExploreData{})) {
		step := reflect.TypeOf(s).Name()
		found := list.FindStringSubmatch(comments[step])
		require.NotNil(t, found, "the comment of %s lists no checks", step)
		var want []string
		for _, c := range s.Plan().Checks {
			if strings.Contains(c.Name, "-") {
				want = append(want, c.Name)
			}
		}
		assert.ElementsMatch(t, want, name.FindAllString(found[1], -1), step)
	}
}

func typeComments(t *testing.T) map[string]string {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	comments := map[string]string{}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE && len(g.Specs) == 1 {
				comments[g.Specs[0].(*ast.TypeSpec).Name.Name] = g.Doc.Text()
			}
		}
	}
	return comments
}

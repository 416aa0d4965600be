package fingerprint

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestModules(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	put("main/go.mod", `module "example.com/main" // the main one

go 1.26
godebug asynctimerchan=0

require example.com/one v1.0.0
require (
	example.com/two v1.2.3 // indirect
	example.com/two/sub v0.1.0
	example.com/beside v0.0.0
	example.com/fork v1.0.0
)

replace (
	example.com/beside => ../beside
	example.com/fork v1.0.0 => example.com/forked v1.1.0
	example.com/one v9.9.9 => ../nowhere
)
`)
	put("main/go.sum", "example.com/one v1.0.0 h1:aaa=\nexample.com/one v1.0.0/go.mod h1:bbb=\nexample.com/forked v1.1.0 h1:ccc=\n")
	put("beside/go.mod", "module example.com/other\n\ngo 1.25\n")
	put("beside/deep/x.go", "package deep\n")
	put("main/models/x.go", "package models\n")

	r, err := NewReader()
	require.NoError(t, err)
	r.requires, r.sums = map[string]requirement{}, map[string]string{}
	r.modules = r.modulesOf(filepath.Join(dir, "main"))
	assert.Equal(t, []module{
		{path: "example.com/main", dir: filepath.Join(dir, "main"), goLine: "1.26 asynctimerchan=0"},
		{path: "example.com/beside", dir: filepath.Join(dir, "beside"), goLine: "1.25"},
	}, r.modules)
	assert.Equal(t, requirement{version: "v1.0.0"}, r.requires["example.com/one"])
	assert.Equal(t, requirement{version: "example.com/forked v1.1.0", sum: "h1:ccc="}, r.requires["example.com/fork"])
	assert.Equal(t, "h1:aaa=", r.sums["example.com/one v1.0.0"])

	assert.Equal(t, filepath.Join(dir, "main", "models"), r.folder("example.com/main/models"))
	assert.Equal(t, filepath.Join(dir, "beside", "deep"), r.folder("example.com/beside/deep"))
	for _, path := range []string{"fmt", "example.com/one", "example.com/two/sub/x", "example.com/mainly", "example.com/main/none"} {
		assert.Empty(t, r.folder(path), path)
	}
	assert.Equal(t, "example.com/main/models", r.importPath(filepath.Join(dir, "main", "models")))
	assert.Equal(t, "example.com/main", r.importPath(filepath.Join(dir, "main")))
	assert.True(t, r.knows("math/rand"))
	assert.True(t, r.knows("example.com/two/sub/x"))
	assert.False(t, r.knows("example.com/stranger"))
}

// TestBuiltWith: what of the modules below the user's code counts.
func TestBuiltWith(t *testing.T) {
	dir := t.TempDir()
	files := map[string]string{
		"main/go.mod": "module example.com/main\n\nrequire (\n\texample.com/one v1.0.0\n\texample.com/beside v0.0.0\n" +
			"\tgithub.com/stretchr/testify v1.0.0\n)\n\nreplace example.com/beside => ../beside\n",
		"main/go.sum":                      "example.com/one v1.0.0 h1:aaa=\n",
		"main/vendor/example.com/one/x.go": "package one\n",
		"beside/go.mod":                    "module example.com/beside\n",
		"beside/x.go":                      "package beside\n",
	}
	sum := func(name, text string) string {
		for n, s := range files {
			if n == name {
				s = text
			}
			require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, n)), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dir, n), []byte(s), 0o644))
		}
		r, err := NewReader()
		require.NoError(t, err)
		r.requires, r.sums, r.built = map[string]requirement{}, map[string]string{}, r.built.AddDate(1, 0, 0)
		r.modules = r.modulesOf(filepath.Join(dir, "main"))
		in, err := r.builtWith()
		require.NoError(t, err)
		for _, i := range in {
			require.NotEqual(t, "test binary", i.Name, i.Shown)
			assert.NotContains(t, i.Name, "testify")
		}
		p := Print{in}
		return p.Sum()
	}
	want := sum("", "")
	assert.Equal(t, want, sum("", ""))
	assert.Equal(t, want, sum("main/go.mod", strings.Replace(files["main/go.mod"], "testify v1.0.0", "testify v1.1.0", 1)))
	for name, text := range map[string]string{
		"main/go.mod":                      strings.Replace(files["main/go.mod"], "one v1.0.0", "one v1.0.1", 1),
		"main/go.sum":                      "example.com/one v1.0.0 h1:bbb=\n",
		"main/vendor/example.com/one/x.go": "package one\n\nvar X = 1\n",
		"beside/x.go":                      "package beside\n\nvar X = 1\n",
	} {
		assert.NotEqual(t, want, sum(name, text), name)
	}
}

func TestWorkspace(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.work":    "go 1.26\n\nuse (\n\t./a\n\t./b\n)\n",
		"a/go.mod":   "module example.com/a\n\ngo 1.26\n",
		"b/go.mod":   "module example.com/b\n\ngo 1.26\n\nrequire example.com/c v1.0.0\n",
		"b/x/one.go": "package x\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	t.Setenv("GOWORK", "")
	r, err := NewReader()
	require.NoError(t, err)
	r.requires, r.sums = map[string]requirement{}, map[string]string{}
	r.modules = r.modulesOf(filepath.Join(dir, "a"))
	assert.Equal(t, filepath.Join(dir, "b", "x"), r.folder("example.com/b/x"))
	assert.Equal(t, "v1.0.0", r.requires["example.com/c"].version)
}

func TestDepth(t *testing.T) {
	for _, tt := range []struct {
		function, name string
		want           int
	}{
		{"example.com/m.TestA.func1", "TestA", 1},
		{"example.com/m.TestA.func1.2", "TestA", 2},
		{"example.com/m_test.TestA.TestA.func2.func5", "TestA", 2},
		{"example.com/m_test.TestA.Make.func6", "Make", 1},
		{"example.com/m.(*Block).Build.func1.1", "(Block).Build", 2},
		{"example.com/m.gen[...].func7", "gen", 1},
		{"example.com/m.init.func2", "table", 1},
		{"example.com/m.glob..func2", "table", 1},
		{"example.com/m.Other.func2", "TestA", -1},
		{"example.com/v1.2/m.TestA.func1", "TestA", 1},
	} {
		assert.Equal(t, tt.want, depth(tt.function, tt.name), tt.function)
	}
}

func TestConstraint(t *testing.T) {
	assert.Equal(t, " linux amd64", constraint("/x/kernel_linux_amd64.go", []byte("package x\n")))
	assert.Equal(t, "//go:build fast && !slow", constraint("/x/kernel.go", []byte("// About.\n\n//go:build  fast && !slow\n\npackage x\n\n//go:build no\n")))
	assert.Empty(t, constraint("/linux/model_test.go", []byte("package x\n")))
}

func FuzzNames(f *testing.F) {
	f.Add("example.com/m.gen[...].func7", "gen")
	f.Add("a.b[c[d]].e", "(x).b")
	f.Fuzz(func(t *testing.T, function, name string) {
		if n := depth(function, name); n < -1 || n > len(function) {
			t.Errorf("depth %d", n)
		}
		isLiteral(function)
		if strings.ContainsAny(lastName(function), "/") && !strings.Contains(function, "/") {
			t.Error("a path out of nothing")
		}
	})
}

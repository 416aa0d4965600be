package fingerprint_test

import (
	"go/format"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// edit is a change of the recipe's module, and the steps whose own fingerprint
// it must change. No other may change.
type edit struct {
	name, file, old, new string
	steps                string
	more                 func(m *mutant)
}

const (
	testFile  = "recipe/recipe_test.go"
	dataFile  = "recipe/data_test.go"
	modelFile = "recipe/models/model.go"
	blockFile = "recipe/models/block.go"
	layerFile = "recipe/layers/layers.go"
	scaleFile = "recipe/registry/registry.go"
)

// meaningful edits can change what a step computes.
var meaningful = []edit{
	{name: "constant of the build function", file: modelFile, old: "Width = 16", new: "Width = 17", steps: "o"},
	{name: "constant of an iota group", file: modelFile, old: "iota + 1", new: "iota + 2", steps: "o"},
	{name: "helper of the build function", file: modelFile, old: "v * slope", new: "v + slope", steps: "o"},
	{name: "variable that a helper reads", file: modelFile, old: "slope = 0.25", new: "slope = 0.5", steps: "o"},
	{name: "helper's helper in another package", file: layerFile, old: "1 / (1", new: "1 / (2", steps: "o"},
	{name: "constant of a helper's helper", file: layerFile, old: "beta = 1.5", new: "beta = 2.5", steps: "o"},
	{name: "method called through an interface", file: blockFile, old: "x.Dense(b.Width)", new: "x.Dense(b.Width + 1)", steps: "o"},
	{name: "method's method", file: blockFile, old: `"double"`, new: `"plain"`, steps: "o"},
	{name: "import under the same name", file: layerFile, old: `import "math"`, new: `import math "math/cmplx"`, steps: "o",
		more: func(m *mutant) {
			m.replace(layerFile, "math.Exp(-beta*x)", "math.Abs(complex(beta*x, 0))")
		}},
	{name: "init of a package", file: scaleFile, old: `["double"] = 2`, new: `["double"] = 3`, steps: "eor"},
	{name: "a package variable set by another function", file: testFile, old: "func pick(", new: "func TestMain(m *testing.M) { models.Slope(3); m.Run() }\n\nfunc pick(", steps: "eor",
		more: func(m *mutant) { m.put(modelFile, m.get(modelFile)+"\nfunc Slope(v float64) { slope = v }\n") }},
	{name: "captured variable", file: testFile, old: "rate := 0.1", new: "rate := 0.2", steps: "r"},
	{name: "captured variable's maker", file: testFile, old: "pick(3)", new: "pick(4)", steps: "r"},
	{name: "code of the captured variable's maker", file: testFile, old: "float64(n) / 2", new: "float64(n) / 3", steps: "r"},
	{name: "captured variable changed later", file: testFile, old: "factor := pick(3)", new: "factor := pick(3)\n\tif testing.Short() == false {\n\t\trate *= 2\n\t}", steps: "r"},
	{name: "captured variable changed through a pointer", file: testFile, old: "factor := pick(3)", new: "factor := pick(3)\n\tp := &rate\n\t*p = 2", steps: "r"},
	{name: "captured argument of a model's maker", file: testFile, old: "Wide(32, 0.75)", new: "Wide(32, 0.7)", steps: "r"},
	{name: "variable of a model's maker", file: modelFile, old: "gain / 2", new: "gain / 3", steps: "r"},
	{name: "function literal", file: testFile, old: "rate * factor", new: "rate / factor", steps: "r"},
	{name: "field set after making", file: testFile, old: "train.Adam(0.01)", new: "train.Adam(0.02)", steps: "o"},
	{name: "call for its effect", file: testFile, old: "rate := 0.1", new: "rand.Seed(1)\n\trate := 0.1", steps: "eor",
		more: func(m *mutant) { m.replace(testFile, `"context"`, "\"context\"\n\t\"math/rand\"") }},
	{name: "setting", file: testFile, old: "Epochs: 60", new: "Epochs: 61", steps: "o"},
	{name: "seed", file: testFile, old: "Seed: 1", new: "Seed: 2", steps: "eor"},
	{name: "decorator's captured limit", file: testFile, old: "clip(0.5)", new: "clip(0.6)", steps: "eor"},
	{name: "decorator", file: testFile, old: "min(s.LearningRate", new: "max(s.LearningRate", steps: "eor"},
	{name: "one value of one row", file: dataFile, old: "3, 4,", new: "3, 4.0001,", steps: "eor"},
	{name: "class names", file: dataFile, old: `"c"`, new: `"d"`, steps: "eor"},
	{name: "augmentation", file: dataFile, old: "*= 1.5", new: "*= 1.6", steps: "eor"},
	{name: "size of a batch", file: dataFile, old: "BatchSize: 2", new: "BatchSize: 3", steps: "eor"},
	{name: "engine", file: "art/nn/nn.go", old: "float32(width)", new: "float32(width+0)", steps: "eor"},
	{name: "debug setting of the language", file: "recipe/go.mod", old: "go 1.26", new: "go 1.26\n\ngodebug asynctimerchan=0", steps: "eor"},
	{name: "environment", file: layerFile, old: "return 1 / (1 +", new: "_ = os.Getenv(\"BETA\")\n\treturn 1 / (1 +", steps: "o",
		more: func(m *mutant) { m.replace(layerFile, `import "math"`, "import (\n\t\"math\"\n\t\"os\"\n)") }},
	{name: "embedded file", file: modelFile, old: "var slope = 0.25", new: "//go:embed slope.txt\nvar text string\n\nvar slope = float64(len(text))", steps: "o",
		more: func(m *mutant) {
			m.replace(modelFile, "import (", "import (\n\t_ \"embed\"")
			m.put("recipe/models/slope.txt", "0.25")
		}},
}

// harmless edits cannot.
var harmless = []edit{
	{name: "comment in the build function", file: modelFile, old: "for _, b := range stack {", new: "// every block\n\tfor _, b := range stack { // in order"},
	{name: "comment in the test", file: testFile, old: "rate := 0.1", new: "// the rate\n\trate := 0.1 // is small"},
	{name: "doc comment", file: blockFile, old: "// Add is called", new: "// Add is sometimes called"},
	{name: "unformatted code", file: modelFile, old: "func Build(x nn.Node) nn.Node {", new: "func  Build( x nn.Node,\n) (nn.Node) {\n\n\n"},
	{name: "parentheses", file: layerFile, old: "x * squash(x)", new: "(x * (squash(x)))"},
	{name: "declaration moved within a file", file: layerFile, old: "const beta = 1.5\n", new: "", more: func(m *mutant) {
		m.replace(layerFile, "// Swish is", "const beta = 1.5\n\n// Swish is")
	}},
	{name: "declaration moved to another file", file: layerFile, old: "const beta = 1.5\n", new: "", more: func(m *mutant) {
		m.put("recipe/layers/a.go", "package layers\n\nconst beta = 1.5\n")
	}},
	{name: "file renamed", file: blockFile, old: "// Block is", new: "// Block is", more: func(m *mutant) {
		m.put("recipe/models/zz.go", m.get(blockFile))
		require.NoError(m.t, os.Remove(m.path(blockFile)))
	}},
	{name: "imports reordered", file: blockFile, old: "import (\n\t\"github.com/actually-robust-training/art/nn\"", new: "import (",
		more: func(m *mutant) {
			m.replace(blockFile, "recipe/registry\"\n", "recipe/registry\"\n\t\"github.com/actually-robust-training/art/nn\"\n")
		}},
	{name: "function that no step uses", file: modelFile, old: "x.Dense(7)", new: "x.Dense(8)"},
	{name: "function added", file: modelFile, old: "// Other is", new: "func more() int { return 1 }\n\n// Other is"},
	{name: "constant added beside others", file: layerFile, old: "const beta = 1.5", new: "const gamma = 2\n\nconst beta = 1.5"},
	{name: "test added", file: "recipe/other_test.go", old: "func TestOther", new: "func TestMore(t *testing.T) { t.Log(rows[0]) }\n\nfunc TestOther"},
	{name: "package that no step uses", file: "recipe/unrelated/unrelated.go", old: "return 42", new: "return 43"},
	{name: "check added to a step", file: testFile, old: `checks.AtLeast("accuracy", 0.9))`, new: `checks.AtLeast("accuracy", 0.9), checks.AtLeast("f1", 0.5))`},
	{name: "check changed", file: testFile, old: `"accuracy", 0.8`, new: `"accuracy", 0.7`},
	{name: "step added", file: testFile, old: `checks.AtLeast("accuracy", 0.8))`, new: "checks.AtLeast(\"accuracy\", 0.8))\n\tarttest.Step(r, named{steps.Overfit{Model: mlp, Epochs: 2}})",
		more: func(m *mutant) {
			m.put("recipe/named_test.go", "package recipe\n\nimport \"github.com/actually-robust-training/art/recipe/layers\"\n\n"+
				"type named struct{ steps.Overfit }\n\nfunc (named) Name() string { _ = layers.Unused(); return \"named\" }\n")
			m.replace("recipe/named_test.go", "recipe/layers\"", "recipe/layers\"\nimport \"github.com/actually-robust-training/art/steps\"")
		}},
	{name: "log line in the test", file: testFile, old: "rate := 0.1", new: "t.Log(\"begin\", 1)\n\tprintln(\"x\")\n\trate := 0.1"},
	{name: "unrelated variable in the test", file: testFile, old: "rate := 0.1", new: "unused := 5\n\t_ = unused\n\trate := 0.1"},
	{name: "early return in the test", file: testFile, old: "rate := 0.1", new: "if testing.Short() {\n\t\treturn\n\t}\n\trate := 0.1"},
	{name: "name of the data", file: dataFile, old: `Name: "rows"`, new: `Name: "rows"`},
}

func (e edit) apply(m *mutant) {
	m.t.Helper()
	m.replace(e.file, e.old, e.new)
	if e.more != nil {
		e.more(m)
	}
}

// TestEdits makes one edit after another and compares the decisions with what
// they must be. The short suite makes the harmless edits of the test all at once,
// and two of the others.
func TestEdits(t *testing.T) {
	m := newMutant(t)
	before := m.run()
	falseReuse, falseChange := 0, 0
	try := func(e edit) {
		t.Run(strings.ReplaceAll(e.name, " ", "-"), func(t *testing.T) {
			m.t = t
			m.reset()
			e.apply(m)
			got, why := changed(before, m.run())
			assert.Equal(t, e.steps, got, why)
			for _, letter := range "eor" {
				must, does := strings.ContainsRune(e.steps, letter), strings.ContainsRune(got, letter)
				if must && !does {
					falseReuse++
				}
				if does && !must {
					falseChange++
				}
			}
		})
	}
	if testing.Short() {
		try(edit{name: "all harmless edits", file: testFile, old: "rate := 0.1", new: "// here\n\trate := 0.1", more: func(m *mutant) {
			for _, e := range harmless {
				if e.file == testFile && strings.Contains(m.get(e.file), e.old) && e.name != "step added" {
					e.apply(m)
				}
			}
		}})
		try(edit{name: "one edit for each model", file: layerFile, old: "beta = 1.5", new: "beta = 2.5", steps: "or", more: func(m *mutant) {
			m.replace(testFile, "rate := 0.1", "rate := 0.2")
		}})
		return
	}
	for _, e := range append(meaningful, harmless...) {
		try(e)
	}
	total := 3 * (len(meaningful) + len(harmless))
	t.Logf("%d decisions: %d falsely reused, %d falsely changed", total, falseReuse, falseChange)
}

// TestElsewhere: the same module in another folder, of another user, at another
// time has the same fingerprint.
func TestElsewhere(t *testing.T) {
	if testing.Short() {
		t.Skip("builds twice")
	}
	a, b := newMutant(t), newMutant(t)
	before := a.run()
	after := b.exec([]string{"USER=somebody", "HOME=" + os.Getenv("HOME"), "TZ=Asia/Tokyo", "LANG=C"}, "go", "test", "-count=1", "-v", "-run=TestRecipe", "-cpu=1")
	got, why := changed(before, after)
	assert.Empty(t, got, why)
}

// TestGofmt: what gofmt does to a file changes nothing.
func TestGofmt(t *testing.T) {
	if testing.Short() {
		t.Skip("builds twice")
	}
	m := newMutant(t)
	for _, file := range []string{modelFile, blockFile, layerFile} {
		text := strings.ReplaceAll(strings.ReplaceAll(m.get(file), "\n\t", "\n  "), ", ", " ,  ")
		m.put(file, text)
	}
	before := m.run()
	for _, file := range []string{modelFile, blockFile, layerFile} {
		text, err := format.Source([]byte(m.get(file)))
		require.NoError(t, err)
		m.put(file, string(text))
	}
	got, why := changed(before, m.run())
	assert.Empty(t, got, why)
}

// TestNoSource: where source is missing, older or newer than the binary, the
// binary stands for it, so that nothing is reused that should not be.
func TestNoSource(t *testing.T) {
	if testing.Short() {
		t.Skip("builds")
	}
	m := newMutant(t)
	build := exec.Command("go", "test", "-c", "-o", "recipe.test", ".")
	build.Dir = m.path("recipe")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	stands := func(why string, want bool, command ...string) {
		t.Helper()
		for _, in := range m.exec(nil, command...)["overfit"].Ingredients {
			if in.Name == "test binary" {
				assert.True(t, want, in.Shown)
				assert.Contains(t, in.Shown, why)
				return
			}
		}
		assert.False(t, want, "no binary stands in")
	}
	binary := []string{"./recipe.test", "-test.run=TestRecipe", "-test.v"}
	stands("", false, binary...)
	m.put(modelFile, m.get(modelFile))
	stands("model.go was changed after the test binary was built", true, binary...)
	require.NoError(t, os.Remove(m.path(modelFile)))
	stands("", true, binary...)
	m.reset()
	stands("", true, "go", "test", "-count=1", "-v", "-trimpath", "-run=TestRecipe")
	m.put(scaleFile, "package registry\n\n// #include <math.h>\nimport \"C\"\n\nfunc Scale(name string) float64 { return 1 }\n")
	if _, err := exec.LookPath("gcc"); err == nil {
		stands("registry.go uses cgo", true, "go", "test", "-count=1", "-v", "-run=TestRecipe")
	}
}

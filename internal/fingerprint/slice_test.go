package fingerprint

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const head = `package m

import (
	"encoding/json"
	"sort"
	"testing"

	"github.com/actually-robust-training/art/arttest"
	"github.com/actually-robust-training/art/nn"
	"github.com/actually-robust-training/art/steps"
	"example.com/m/sub"
)

type config struct {
	Width int
	Sizes []int
	next  *config
}

func (c *config) set(w int) { c.Width = w }
func (c *config) self() *config { return c }

var keep = func(c *config) *config { return c }
var registry = map[string]int{}
var level = 1

func register(name string, v int) int { registry[name] = v; return v }
func fill(s []int) { s[0] = 7 }
func address(c *config) *config { return c }
func apply(f func()) { f() }
func build(v any) any { return v }
func twice[T any](v T) T { return v }
func wrap(r any, s any) { arttest.Step(r, s) }
func levels() int { return level + sub.Level }

`

const subFile = `package sub

import "os"

var Level = 1
var hidden = 1

func Hidden() int { return hidden }
func Raise() { hidden++ }
func Load(n int) error { return os.Setenv("N", string(rune(n))) }

type Inner struct{ N int }

func (i Inner) Get() int { return i.N }
`

// codeSum reads a module of two packages and returns the sum of the code of the
// step at the line that ends in STEP, in a function called from the line that
// ends in CALL, and so on. The name of a function other than TestM follows.
func codeSum(t *testing.T, body, sub string) string {
	t.Helper()
	return sumOf(t, head+body, sub)
}

func sumOf(t *testing.T, text, sub string) string {
	t.Helper()
	dir := t.TempDir()
	put := func(name, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	put("go.mod", "module example.com/m\n\ngo 1.26\n")
	put("m_test.go", text)
	put("sub/sub.go", sub)
	r, err := NewReader()
	require.NoError(t, err)
	r.modules, r.requires, r.built = r.modulesOf(dir), map[string]requirement{}, r.built.AddDate(1, 0, 0)
	call := Call{places: []place{{function: "github.com/actually-robust-training/art/arttest.Step"}}}
	for _, mark := range []string{"STEP", "CALL", "OUTER"} {
		before, after, ok := strings.Cut(text, "// "+mark)
		if function, _, _ := strings.Cut(after, "\n"); ok {
			name := cmp.Or(strings.TrimSpace(function), "TestM")
			call.places = append(call.places, place{"example.com/m." + name, filepath.Join(dir, "m_test.go"), 1 + strings.Count(before, "\n")})
		}
	}
	in, err := r.Code([]Site{{Call: call, First: 1, Last: 1}})
	require.NoError(t, err)
	for _, i := range in {
		require.NotEqual(t, "test binary", i.Name, i.Shown)
	}
	p := Print{in}
	return p.Sum()
}

const (
	over = "func over(r any, n int) {\n\tm := nn.Classifier(\"m\", func() int { return n })\n\tarttest.Step(r, m) // STEP over\n}\n"
	with = "func with(f func(int)) {\n\tk := «3|4»\n\tf(k) // CALL with\n}\n"
)

// test wraps the statements of a test.
func test(body string) string {
	return "func TestM(t *testing.T) {\n\tr := arttest.New(t)\n" + body + "\n}\n"
}

// TestSliceChanges: each case has «old|new» in it, an edit that changes what the
// step gets.
func TestSliceChanges(t *testing.T) {
	step := "\n\tarttest.Step(r, steps.Overfit{Model: m}) // STEP\n"
	model := "\n\tm := nn.Classifier(\"m\", func(x any) any { _ = n; return cfg })\n" + step
	base := "\tn := 1\n\tcfg := &config{Width: 2, Sizes: []int{1}}\n"
	tests := map[string]string{
		"literal":                     test(base + "\tm := nn.Classifier(\"«m|k»\", build)" + step),
		"argument":                    test(base + "\tm := nn.Classifier(\"m\", build)\n\tarttest.Step(r, steps.Overfit{Model: m, Epochs: «1|2»}) // STEP\n"),
		"declared":                    test(strings.Replace(base, "n := 1", "n := «1|2»", 1) + model),
		"assigned":                    test(base + "\tn = «3|4»" + model),
		"assigned after":              test(base + model + "\tn = «3|4»\n"),
		"moved over the step":         test(base + "«n = 3|»" + model + "«|n = 3»\n"),
		"incremented":                 test(base + "\tn«++|--»" + model),
		"field":                       test(base + "\tcfg.Width = «3|4»" + model),
		"nested field":                test(base + "\tcfg.next.next.Width = «3|4»" + model),
		"element":                     test(base + "\tcfg.Sizes[0] = «3|4»" + model),
		"pointer":                     test(base + "\tp := &n\n\t*p = «3|4»" + model),
		"alias":                       test(base + "\tq := cfg.Sizes\n\tq[0] = «3|4»" + model),
		"alias of an alias":           test(base + "\tq := cfg\n\tp := q.next\n\tp.Width = «3|4»" + model),
		"alias in a literal":          test(base + "\tq := []*config{cfg}\n\tq[0].Width = «3|4»" + model),
		"alias by a call":             test(base + "\tq := address(cfg)\n\tq.Width = «3|4»" + model),
		"alias by a generic call":     test(base + "\tq := twice[*config](cfg)\n\tq.Width = «3|4»" + model),
		"alias by append":             test(base + "\tq := append(cfg.Sizes[:0], «3|4»)\n\t_ = q" + model),
		"alias by another package":    test(base + "\tq := sort.IntSlice(cfg.Sizes)\n\tq[0] = «3|4»" + model),
		"alias by range":              test(base + "\tfor _, p := range []*config{cfg} {\n\t\tp.Width = «3|4»\n\t}" + model),
		"alias by a type switch":      test(base + "\tswitch p := any(cfg).(type) {\n\tcase *config:\n\t\tp.Width = «3|4»\n\t}" + model),
		"method":                      test(base + "\tcfg.set(«3|4»)" + model),
		"method's code":               strings.Replace(test(base+"\tcfg.set(3)"+model), "func TestM", "func (c *config) other(w int) { c.Width = w + «0|1» }\nfunc TestM", 1),
		"result of a method":          test(base + "\tcfg.self().Width = «3|4»" + model),
		"result of a variable":        test(base + "\tkeep(cfg).Width = «3|4»" + model),
		"helper that changes":         test(base + "\tfill(cfg.Sizes«[0:]|[1:]»)" + model),
		"decoder":                     test(base + "\t_ = json.Unmarshal([]byte(`{\"Width\": «3|4»}`), cfg)" + model),
		"decoder in a condition":      test(base + "\tif err := json.Unmarshal([]byte(`{\"Width\": «3|4»}`), cfg); err != nil {\n\t\tt.Fatal(err)\n\t}" + model),
		"copy":                        test(base + "\tother := []int{«3|4»}\n\tcopy(cfg.Sizes, other)" + model),
		"sort":                        test(base + "\tsort.Slice(cfg.Sizes, func(i, j int) bool { return i «<|>» j })" + model),
		"closure":                     test(base + "\tinc := func() { n «+=|-=» 2 }\n\tinc()" + model),
		"closure's call":              test(base + "\tinc := func() { n += 2 }\n\t«inc()|_ = inc»" + model),
		"closure in a field":          test(base + "\ts := struct{ f func() }{func() { n += 2 }}\n\t«s.f()|_ = s»" + model),
		"closure handed on":           test(base + "\tapply(func() { n «+=|-=» 2 })" + model),
		"deferred closure":            test(base + "\tfunc() {\n\t\tdefer func() { n «+=|-=» 2 }()\n\t}()" + model),
		"loop":                        test(base + "\tfor range «3|4» {\n\t\tn++\n\t}" + model),
		"loop's condition":            test(base + "\tfor i := 0; i < «3|4»; i++ {\n\t\tn++\n\t}" + model),
		"loop's variable":             test(base + "\tfor i := «0|1»; i < 3; i++ {\n\t\tn++\n\t}" + model),
		"break":                       test(base + "\tfor range 9 {\n\t\tif n > «3|4» {\n\t\t\tbreak\n\t\t}\n\t\tn++\n\t}" + model),
		"labelled continue":           test(base + "outer:\n\tfor i := range 9 {\n\t\tfor j := range 9 {\n\t\t\tif i > j*«3|4» {\n\t\t\t\tcontinue outer\n\t\t\t}\n\t\t\tn++\n\t\t}\n\t}" + model),
		"branch":                      test(base + "\tif len(cfg.Sizes) > «3|4» {\n\t\tn = 2\n\t}" + model),
		"else":                        test(base + "\tif len(t.Name()) > «3|4» {\n\t\tt.Log()\n\t} else {\n\t\tn = 2\n\t}" + model),
		"case":                        test(base + "\tswitch len(t.Name()) {\n\tcase «3|4»:\n\t\tt.Log()\n\tdefault:\n\t\tn = 2\n\t}" + model),
		"channel":                     test(base + "\tch := make(chan int, 1)\n\tch <- «3|4»\n\tn = <-ch" + model),
		"swap":                        test(base + "\tk := «3|4»\n\tn, k = k, n" + model),
		"var block":                   test(strings.Replace(base, "n := 1", "var (\n\t\ta = «1|2»\n\t\tn = a\n\t)", 1) + model),
		"local constant":              test(strings.Replace(base, "n := 1", "const n = «1|2»", 1) + model),
		"local type":                  test(base + "\ttype local struct{ X [«1|2»]int }\n\tm := nn.Classifier(\"m\", build(local{}))" + step),
		"helper":                      "func help() int { return «1|2» }\n" + test(base+"\tn = help()"+model),
		"helper's variable":           "func help() int { return level }\nfunc init() { level = «1|2» }\n" + test(base+"\tn = help()"+model),
		"variable set in a test":      test("\tlevel = «1|2»\n\tm := nn.Classifier(\"m\", build(levels()))" + step),
		"variable set by TestMain":    "func TestMain(m *testing.M) { level = «1|2»; m.Run() }\n" + test("\tm := nn.Classifier(\"m\", build(levels()))"+step),
		"variable of a package":       "func init() { sub.Level = «1|2» }\n" + test("\tm := nn.Classifier(\"m\", build(sub.Level))"+step),
		"set through its package":     test("\t«sub.Raise()|»\n\tm := nn.Classifier(\"m\", build(sub.Hidden()))" + step),
		"registered":                  "var _ = register(\"a\", «1|2»)\n" + test("\tm := nn.Classifier(\"m\", build(registry))"+step),
		"registered by a test":        "func TestA(t *testing.T) { register(\"a\", «1|2») }\n" + test("\tm := nn.Classifier(\"m\", build(registry))"+step),
		"promoted method":             "type outer struct{ sub.Inner }\n" + test("\tm := nn.Classifier(\"m\", build(outer{sub.Inner{N: «1|2»}}.Get()))"+step),
		"wrapper's maker":             "func maker(n int) any { k := n + «1|2»; return nn.Classifier(\"m\", func() int { return k }) }\n" + test("\tm := maker(1)"+step),
		"subtest":                     test(base + "\tt.Run(\"x\", func(t *testing.T) {\n\t\tn = «3|4»" + model + "\t})\n"),
		"variable around a subtest":   test(base + "\tn = «3|4»\n\tt.Run(\"x\", func(t *testing.T) {" + model + "\t})\n"),
		"table of subtests":           test(base + "\tfor _, n := range []int{1, «2|3»} {\n\t\tt.Run(\"x\", func(t *testing.T) {" + model + "\t\t})\n\t}\n"),
		"test made by a function":     "func make1(n int) func(*testing.T) {\n\treturn func(t *testing.T) {\n\t\tr, cfg := arttest.New(t), 1" + model + "\t}\n}\n\nfunc TestM(t *testing.T) {\n\tt.Run(\"x\", make1(«1|2»))\n}\n",
		"function that sets":          "func raise() { level++ }\n" + test("\t«raise()|»\n\tm := nn.Classifier(\"m\", build(levels()))"+step),
		"function that sets, deep":    "func raise() { level++ }\nfunc more() { raise() }\nfunc TestZ(t *testing.T) { «more()|» }\n" + test("\tm := nn.Classifier(\"m\", build(levels()))"+step),
		"set by a variable":           "func raise() int { level++; return 1 }\nvar x = «raise()|1»\n" + test("\tm := nn.Classifier(\"m\", build(levels()))"+step),
		"set by a method":             "type s int\nfunc (s) raise() { level++ }\n" + test("\t«s(1).raise()|»\n\tm := nn.Classifier(\"m\", build(levels()))"+step),
		"effect with an error":        test(base + "\tif err := sub.Load(«1|2»); err != nil {\n\t\tt.Fatal(err)\n\t}" + model),
		"effect in a helper":          "func load() error { return sub.Load(«1|2») }\n" + test(base+"\terr := load()\n\tif err != nil {\n\t\tt.Fatal(err)\n\t}"+model),
		"effect in a helper's body":   "func load() error { sub.Load(1); return nil }\n" + test(base+"\t«err := load()\n\t_ = err|»"+model),
		"argument kept elsewhere":     "var global *config\nfunc store(c *config) { global = c }\n" + test(base+"\tstore(cfg)\n\tglobal.Width = «3|4»"+model),
		"helper's code":               "func mutate(c *config) { c.Width = «3|4» }\n" + test(base+"\tmutate(cfg)"+model),
		"helper's helper's code":      "func mutate(c *config) { again(c) }\nfunc again(c *config) { c.Width = «3|4»; mutate(c) }\n" + test(base+"\tmutate(cfg)"+model),
		"wrapper that changes":        "func other(r any, c *config) { c.Width = «3|4»; arttest.Step(r, c) }\n" + test(base+"\tother(r, cfg)"+model),
		"goto":                        test(base + "again:\n\tif n < «3|4» {\n\t\tgoto again\n\t}\n\tn++" + model),
		"handed to a wrapper":         over + test(base+"\tover(r, «3|4») // CALL"),
		"made for a wrapper":          over + test(strings.Replace(base, "n := 1", "n := «1|2»", 1)+"\tover(r, n) // CALL"),
		"in a wrapper":                strings.Replace(over, "\"m\"", "\"«m|k»\"", 1) + test(base+"\tover(r, 3) // CALL"),
		"handed to a literal":         with + test("\twith(func(m int) {\n\t\tarttest.Step(r, m) // STEP TestM.func1\n\t}) // OUTER"),
		"layer in another model":      test(base + "\tk := nn.Classifier(\"k\", func(x nn.Node) nn.Node { return x.Apply(\"a\", custom{«1|2»}) })" + model),
		"node that is something else": test(base + "\tk := nn.Classifier(\"k\", func(x nn.Node) nn.Node { return x.Dense(\"a\", 1) })\n\tx := setter\n\tx.set(«1|2»)\n\t_ = k" + model),
		"code that a step runs":       test(base + "\tarttest.Step(r, arttest.StepFunc{Func: func(s *arttest.Scope) error { return s.Save(\"a\", other(«1|2»)) }})" + model),
		"what data gives a step":      test(base + "\tarttest.Step(r, arttest.StepFunc{Func: func(s *arttest.Scope) error { return s.Data().Training(«1|2») }})" + model),
		"environment":                 test(base + "\tt.Setenv(\"X\", \"«1|2»\")" + model),
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			before, after := variants(t, text)
			assert.NotEqual(t, codeSum(t, before, subFile), codeSum(t, after, subFile), "reused after:\n%s", after)
		})
	}
}

// TestSliceStays: each edit changes nothing for the step.
func TestSliceStays(t *testing.T) {
	step := "\n\tarttest.Step(r, steps.Overfit{Model: m}) // STEP\n"
	model := "\n\tm := nn.Classifier(\"m\", func(x any) any { _ = n; return cfg })\n" + step
	base := "\tn := 1\n\tcfg := &config{Width: 2, Sizes: []int{1}}\n"
	tests := map[string]string{
		"step before":                 test(base + "\t«|arttest.Step(r, steps.Explore{Width: cfg.Width})»" + model),
		"step after":                  test(base + model + "\t«|arttest.Step(r, steps.Regularize{Model: m})»\n"),
		"step by a wrapper":           test(base + model + "\t«|wrap(r, steps.Regularize{Model: m})»\n"),
		"another model":               test(base + "\t«|k := nn.Classifier(\"k\", build)»\n\t«|arttest.Step(r, steps.Overfit{Model: k})»" + model),
		"another model of a function": test(base + "\t«|k := nn.Classifier(\"k\", build)»\n\tm := nn.Classifier(\"m\", build)" + step),
		"layers of another model":     test(base + "\tk := nn.Classifier(\"k\", func(y nn.Node) nn.Node { return y.Dense(\"a\", «1|2»).ReLU().Dense(\"b\", y.Classes()) })\n\t_ = k" + model),
		"parts of another model":      test(base + "\tk := nn.Classifier(\"k\", func(y nn.Node) nn.Node {\n\t\th := y.Dense(\"a\", «1|2»)\n\t\ty = h.ReLU().Add(y)\n\t\treturn y.Dense(\"b\", 3)\n\t})\n\t_ = k" + model),
		"reports of another step":     test(base + "\tarttest.Step(r, arttest.StepFunc{Func: func(s *arttest.Scope) error {\n\t\ts.Score(\"training\", \"height\", «1|2»)\n\t\treturn nil\n\t}})" + model),
		"standard library":            test(base + "\t«|k := json.Valid(nil); _ = k»" + model),
		"other call of a wrapper":     over + test(base+"\tover(r, 3) // CALL\n\t«|over(r, 4)»"),
		"other use of a callback":     strings.NewReplacer("«3|4»", "3").Replace(with) + test("\twith(func(m int) {\n\t\tarttest.Step(r, m) // STEP TestM.func1\n\t}) // OUTER\n\t«|t.Log(1)»"),
		"check":                       test(base + strings.Replace(model, "{Model: m})", "{Model: m}«|, check(1)»)", 1)),
		"comment":                     test(base + "\t«|// about n»" + model),
		"log":                         test(base + "\tt.Log(n, cfg«|, 2»)" + model),
		"assertion":                   test(base + "\tif n != «1|2» {\n\t\tt.Fatal(cfg)\n\t}" + model),
		"skip":                        test("\t«|if testing.Short() { t.Skip(\"long\") }»\n" + base + model),
		"early return":                test("\t«|if testing.Short() { return }»\n" + base + model),
		"unrelated variable":          test(base + "\t«|k := 5; k++; _ = k»" + model),
		"unrelated loop":              test(base + "\t«|for i := range 3 { t.Log(i) }»" + model),
		"unrelated function":          "«|func more() int { return level }»\n" + test(base+model),
		"unrelated test":              "func TestOther(t *testing.T) {\n\tn := «1|2»\n\tarttest.Step(arttest.New(t), steps.Overfit{Epochs: n})\n}\n" + test(base+model),
		"unrelated variable set":      "var other = 1\nfunc helper() { other = «1|2» }\n" + test(base+model),
		"other subtest":               test(base + "\tt.Run(\"a\", func(t *testing.T) {\n\t\tk := «1|2»\n\t\t_ = k\n\t})\n\tt.Run(\"b\", func(t *testing.T) {" + model + "\t})\n"),
		"name of a subtest":           test(base + "\tt.Run(\"«a|b»\", func(t *testing.T) {" + model + "\t})\n"),
		"order of declarations":       "«func a() {}\nfunc b() {}|func b() {}\nfunc a() {}»\n" + test(base+model),
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			before, after := variants(t, text)
			assert.Equal(t, codeSum(t, before, subFile), codeSum(t, after, subFile), "not reused after:\n%s", after)
		})
	}
}

// variants splits a text with «old|new» marks.
func variants(t *testing.T, text string) (before, after string) {
	t.Helper()
	require.Contains(t, text, "«")
	for text != "" {
		plain, rest, _ := strings.Cut(text, "«")
		mark, rest, _ := strings.Cut(rest, "»")
		old, new, _ := strings.Cut(mark, "|")
		before, after, text = before+plain+old, after+plain+new, rest
	}
	return before, after
}

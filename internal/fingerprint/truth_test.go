package fingerprint

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The programs of TestTruth are made of these statements; # is a number, @ is
// another statement.
var grammar = strings.Split(`a = #
a += b
b = a*# + c
c -= #
a, b = b, a
s[0] = a
s[#%len(s)] = #
s = append(s[:1], #)
u = s
u[1] = #
u = s[1:]
copy(u, s)
s, u = u, s
p = &a
p = &b
p = &cfg.Width
p = &s[0]
*p = #
*p += c
cfg.Width = #
cfg.next = &config{Width: #}
cfg = cfg.next
cfg.next.Width += #
q = cfg
q.Width = #
q = &config{Width: #, Sizes: s}
q.Sizes[0] = #
*cfg = *q
cfg.Sizes = u
m["x"] = #
a = m["x"]
n = m
n["x"] = #
delete(n, "x")
inc = func() { t.Log(); a += # }
inc = func() { t.Log(); @ }
inc()
other = inc
other()
box.f = func() { t.Log(); c += # }
box.f()
box.c = q
box.c.Width = #
apply(func() { t.Log(); @ })
apply(inc)
func() { @ }()
defer func() { @ }()
for i := 0; i < #%4; i++ { @; @ }
for i := range #%4 { if a > #+i { break }; @; a++ }
for _, x := range []*config{cfg, q} { x.Width += # }
for i := range s { s[i] += # }
for i, v := range s { u[i] = v + # }
if b > # { @ } else { @ }
if a < c { @ }
if v := b % #; v > 1 { @ } else if v == 0 { @ }
switch a % 3 { case 0: @; case c: b++; default: @ }
switch { case a > b: @; case b > #: @ }
switch x := any(q).(type) { case *config: x.Width = #; case nil: @ }
fill(s, #)
fill(u, c)
cfg.set(#)
q.self().Width = #
raise(#)
twice()
a = get()
level = #
store(cfg)
global.Width = #
*address(&b) = #
e := address(&c); *e = #
keep(q).Width = #
w := cfg; w.Width -= #
w := *cfg; w.Width -= #
z := []*int{&a, &b}; *z[#%len(z)] = #
k := # ; b += k
k := a; k++
k := a; h := &k; *h = #; c = k
set := cfg.set; set(#)
box.g = q.set
box.g(#)
pair[0] = q
pair[0].Width = #
pair[1], pair[0] = pair[0], cfg
pair[(#+len(s))%2].Width = #
chain(cfg, q)
cfg.next.next = q
var x, y = a, &b; *y = x + #
hook = func(v int) int { return v + # }
b = hook(c)
sort.Ints(s)
fmt.Sscan("#", &c)
fmt.Sscan("#", p)
label: for i := range 3 { for j := range 3 { if i*j > #%5 { continue label }; @ } }`, "\n")

// observed are the arguments of the step.
var observed = []string{"a", "b+c", "s", "cfg", "q.Width", "m", "func() any { return a + s[0] }", "func() any { return *cfg }", "func() any { inc(); return a }",
	"get()", "box.c", "*p", "func() any { return level }", "u", "pair", "hook(1)", "[]any{a, cfg}", "config{Width: b}", "cfg.self", "global"}

const truthHead = `
type config struct {
	Width int
	Sizes []int
	next  *config
}

func (c *config) set(w int)     { c.Width = w }
func (c *config) self() *config { return c }

var level = 1
var global = &config{Sizes: []int{1, 2}}
var hook = func(v int) int { return v }
var keep = func(c *config) *config { return c }

func fill(s []int, v int)      { s[0] = v }
func raise(v int)              { level += v }
func twice()                   { raise(level) }
func get() int                 { return level }
func apply(f func())           { f() }
func store(c *config)          { global = c }
func address(p *int) *int      { return p }
func chain(a, b *config)       { link(a, b) }
func link(a, b *config)        { a.next = b }
`

const truthVars = `	a := 1
	b := 2
	c := 3
	s := []int{1, 2}
	u := []int{3, 4}
	m := map[string]int{"x": 1}
	n := map[string]int{"x": 2}
	p := new(int)
	cfg := &config{Width: 1, Sizes: []int{1, 2}, next: &config{Width: 5, Sizes: []int{1}, next: &config{Sizes: []int{1}}}}
	q := &config{Width: 2, Sizes: []int{3, 4}}
	inc := func() {}
	other := func() {}
	box := struct { f func(); g func(int); c *config }{f: func() {}, g: func(int) {}, c: &config{}}
	pair := [2]*config{{Width: 8}, {Width: 9}}
	t.Log(a, b, c, s, u, m, n, p, cfg, q, inc, other, box, pair)
`

// statement draws a statement, complete.
func statement(rng *rand.Rand, depth int) string {
	text := grammar[rng.IntN(len(grammar))]
	for strings.Contains(text, "#") {
		text = strings.Replace(text, "#", fmt.Sprint(2+rng.IntN(8)), 1)
	}
	for strings.Contains(text, "@") {
		inner := "a++"
		if depth < 2 {
			inner = statement(rng, depth+1)
		}
		text = strings.Replace(text, "@", inner, 1)
	}
	for _, name := range []string{"e", "w", "z", "k", "h", "set", "x, y"} { // declared in a block of its own
		if strings.HasPrefix(text, name+" :=") || strings.HasPrefix(text, "var "+name) {
			text = "{ " + text + "; t.Log(" + name + ") }"
		}
	}
	return strings.ReplaceAll(text, "label", fmt.Sprintf("label%d", rng.IntN(1e9)))
}

// mutate makes one change to a list of statements.
func mutate(rng *rand.Rand, body []string) []string {
	body = slices.Clone(body)
	i := rng.IntN(len(body))
	switch rng.IntN(4) {
	case 0:
		return slices.Delete(body, i, i+1)
	case 1:
		return slices.Insert(body, i, statement(rng, 0))
	case 2:
		j := rng.IntN(len(body))
		body[i], body[j] = body[j], body[i]
	default:
		digits := "23456789"
		for _, at := range rng.Perm(len(body[i])) {
			isName := at > 0 && (body[i][at-1] >= '0' && body[i][at-1] <= '9' || body[i][at-1] == 'l')
			if strings.IndexByte(digits, body[i][at]) >= 0 && !isName && !strings.Contains(body[i], "label") {
				body[i] = body[i][:at] + string(digits[rng.IntN(len(digits))]) + body[i][at+1:]
				break
			}
		}
	}
	return body
}

// TestTruth runs random programs full of pointers, aliases and closures, with and
// without a random change, and looks at what they hand to the step: when that
// differs, the code must have differed.
func TestTruth(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles 2000 functions")
	}
	const pairs = 1000
	rng := rand.New(rand.NewPCG(3, 4))
	var bodies []string
	for range pairs {
		var body []string
		for range 4 + rng.IntN(12) {
			body = append(body, statement(rng, 0))
		}
		at := rng.IntN(len(body) + 1)
		step := "STEP(" + observed[rng.IntN(len(observed))] + ")"
		body = slices.Insert(body, at, step)
		changed := mutate(rng, body)
		for !slices.Contains(changed, step) {
			changed = mutate(rng, body)
		}
		bodies = append(bodies, strings.Join(body, "\n"), strings.Join(changed, "\n"))
	}
	values := runAll(t, bodies)
	differ, same, reused := 0, 0, 0
	for i := 0; i < len(bodies); i += 2 {
		before, after := truthSum(t, bodies[i]), truthSum(t, bodies[i+1])
		if values[i] == "early" || values[i+1] == "early" {
			continue // the step is not reached
		}
		if values[i] != values[i+1] {
			differ++
			assert.NotEqual(t, before, after, "reused, though %s became %s:\n%s\n\n-- after --\n%s", values[i], values[i+1], bodies[i], bodies[i+1])
			continue
		}
		same++
		if before == after {
			reused++
		}
	}
	require.NotZero(t, differ)
	require.NotZero(t, reused)
	t.Logf("%d pairs with other values; %d with equal values, of which %d would be reused", differ, same, reused)
}

// truthSum is the sum of the code of the step in a body.
func truthSum(t *testing.T, body string) string {
	before, rest, _ := strings.Cut(body, "STEP(")
	expr, after, _ := strings.Cut(rest, "\n")
	text := "package m\n\nimport (\n\"fmt\"\n\"sort\"\n\"testing\"\n\"github.com/actually-robust-training/art/arttest\"\n)\n" + truthHead +
		"func TestM(t *testing.T) {\n\tr := arttest.New(t)\n" + truthVars + before + "arttest.Step(r, " + expr + " // STEP\n" + after + "\n}\n"
	return sumOf(t, text, subFile)
}

// runAll compiles all bodies into one program and returns what each handed to
// its step.
func runAll(t *testing.T, bodies []string) []string {
	dir := t.TempDir()
	var text strings.Builder
	text.WriteString(`package main

import (
	"fmt"
	"sort"
)

type logger struct{}

// Log ends what runs for ever.
func (logger) Log(...any) {
	if calls++; calls > 1000 {
		panic("too long")
	}
}

var calls int

func show(v any, depth int) string {
	switch x := v.(type) {
	case func() any:
		return show(x(), depth)
	case func() *config:
		return show(x(), depth)
	case *config:
		if x == nil || depth > 3 {
			return "nil"
		}
		return show(*x, depth+1)
	case config:
		return fmt.Sprint(x.Width, x.Sizes, show(x.next, depth+1))
	case [2]*config:
		return show(x[0], depth) + show(x[1], depth)
	case []any:
		s := ""
		for _, e := range x {
			s += show(e, depth) + ","
		}
		return s
	}
	return fmt.Sprint(v)
}

func reset() { calls, level, global, hook = 0, 1, &config{Sizes: []int{1, 2}}, func(v int) int { return v } }

var _ = sort.Ints

func main() {
	for _, f := range all {
		reset()
		func() {
			defer func() {
				if recover() != nil {
					fmt.Println("panic")
				}
			}()
			f(logger{})
		}()
	}
}
` + truthHead)
	for i, body := range bodies {
		body = strings.Replace(body, "STEP(", "panic(done(", 1)
		before, rest, _ := strings.Cut(body, "panic(done(")
		expr, after, _ := strings.Cut(rest, "\n")
		expr = strings.TrimSuffix(expr, ")")
		fmt.Fprintf(&text, "func f%d(t logger) {\n%s\nout := \"\"\ndefer func() { if out == \"\" { out = \"early\" }; recover(); fmt.Println(out) }()\n%s\nout = show(%s, 0)\n%s\n}\n", i, truthVars, before, expr, after)
	}
	text.WriteString("var all = []func(logger){")
	for i := range bodies {
		fmt.Fprintf(&text, "f%d, ", i)
	}
	text.WriteString("}\n")
	file := filepath.Join(dir, "main.go")
	require.NoError(t, os.WriteFile(file, []byte(text.String()), 0o644))
	out, err := exec.Command("go", "run", "-gcflags=-N -l", file).CombinedOutput()
	require.NoError(t, err, "%s", out[:min(len(out), 3000)])
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	require.Len(t, lines, len(bodies))
	return lines
}

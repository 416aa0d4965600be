package archtest

// Row is one package of this module and the packages of this module that its
// non-test code may import. Tests may import any of them.
type Row struct {
	Package string // folder, relative to the root
	Imports []string
}

// Table is the import table of docs/design.md, lowest packages first. A package may
// stand here before it exists; one that exists must stand here.
var Table = []Row{
	// The two vocabularies know nothing of ours.
	{"record", nil},
	{"train", nil},

	// Leaves: one technique each, no vocabulary.
	{"internal/faults", nil},
	{"internal/kernel", nil},
	{"internal/plot", nil},
	{"internal/pythonenv", nil},
	{"internal/suggest", nil},
	{"internal/tensorfile", nil},

	// Level 1: leans on one vocabulary.
	{"metrics", []string{"train", "internal/suggest"}},
	{"datasets", []string{"train", "internal/plot", "internal/suggest", "internal/tensorfile"}},
	{"datasets/download", []string{"datasets"}},
	{"baselines", []string{"train", "internal/kernel"}},
	{"nn", []string{"train", "internal/kernel", "internal/suggest", "internal/tensorfile"}},
	{"internal/fingerprint", []string{"train"}},
	{"checks", []string{"record", "internal/suggest"}},
	{"loggers", []string{"record"}},
	{"loggers/neptunetest", []string{"internal/faults"}},
	{"loggers/wandbtest", []string{"internal/faults"}},
	{"store", []string{"record"}},
	{"sweep", []string{"record"}},
	{"record/recordtest", []string{"record"}},
	{"train/traintest", []string{"train"}},

	// Level 2: joins them. steps alone knows how a recipe trains.
	{"decorators", []string{"train", "record", "internal/plot", "internal/tensorfile"}},
	{"arttest", []string{"record", "train", "checks", "internal/fingerprint", "internal/plot", "internal/suggest", "internal/tensorfile"}},
	{"steps", []string{"record", "train", "metrics", "checks", "arttest", "internal/plot", "internal/suggest", "internal/tensorfile"}},
	{"dashboard", []string{"record", "store"}},

	// Commands and what keeps the house. Examples and docs have only tests; those of
	// examples see what a user sees: nothing under internal.
	{"cmd/art", []string{"record", "checks", "store", "loggers", "dashboard", "sweep", "internal/suggest"}},
	{"docs", nil},
	{"examples_test", nil},
	{"internal/archtest", nil},
	{"internal/gotestsum", []string{"internal/suggest"}},
	{"internal/peers", nil},
	{"internal/peers/ours", nil},
}

// Owner is an outside module and the packages whose non-test code may import it. A
// module without a row may have one importing package, whichever it is.
type Owner struct {
	Module   string // a module path, or the beginning of several up to a slash
	Packages []string
	Why      string
}

// Owners lists the outside modules with a fixed place, and the exceptions to the
// rule that a dependency has one importing package.
var Owners = []Owner{
	{"github.com/stretchr/testify", nil, "assertions belong to tests"},
	{"github.com/google/go-cmp", []string{"arttest", "checks"}, "differences from the last passing run are shown to the user; otherwise for tests"},
	{"gorgonia.org", []string{"nn"}, "only the engine knows gorgonia, so that it can be replaced"},
	{"go4.org/unsafe/assume-no-moving-gc", []string{"nn"}, "gorgonia needs this version to start; whoever imports gorgonia pins it"},
	{"github.com/rogpeppe/go-internal", nil, "scripts of command lines are tests"},
	{"modernc.org/sqlite", []string{"store"}, "the index is a file of SQLite, read by one package"},
	{"github.com/urfave/cli", []string{"cmd/art"}, "one command reads a command line of its own"},
	{"github.com/go-resty/resty", []string{"loggers"}, "only loggers speak REST"},
	{"resty.dev", []string{"loggers"}, "only loggers speak REST"},
	{"github.com/go-analyze/charts", []string{"internal/plot"}, "one package draws"},
	{"golang.org/x/image", []string{"internal/plot", "datasets"}, "letters: beside the axes of a plot, and as the pictures of a data set"},
}

// LongFiles are the non-test files that may have more than MaxFileLines lines, with
// the reason. A row that is no longer needed fails.
var LongFiles = map[string]string{}

// LongFunctions are the non-test functions that may have more than MaxFuncLines
// lines, as "file: name", with the reason. A row that is no longer needed fails.
var LongFunctions = map[string]string{
	"internal/kernel/gen/pool.go: maxPool2":         oneRoutine,
	"internal/kernel/gen/pool.go: maxPool2Backward": oneRoutine,
	"internal/kernel/gen/tile.go: tileEpilogue":     oneRoutine,
	"internal/kernel/gen/vector.go: activations":    oneRoutine,
}

// oneRoutine is the reason of functions that write assembly.
const oneRoutine = "emits one assembly routine, instruction by instruction, with registers shared from first to last"

// Unwanted are standard packages and modules that must not be linked into
// a user's test binary by any package of UserPackages: they are heavy, or they have
// no business in a test.
var Unwanted = []Owner{
	{"net/http", nil, "only loggers and datasets/download talk to servers"},
	{"database/sql", nil, "a run is written to files; indexes are for cmd/art"},
	{"github.com/spf13", nil, "flags are those of package flag"},
	{"github.com/urfave/cli", nil, "flags are those of package flag"},
	{"github.com/alecthomas", nil, "flags are those of package flag"},
	{"github.com/peterbourgon/ff", nil, "flags are those of package flag"},
	{"github.com/stretchr/testify", nil, "the user chooses the assertions"},
}

// UserPackages are what a recipe links. Left out are loggers and datasets/download:
// they are where net/http comes from, for those who ask for it.
var UserPackages = []string{
	"arttest", "baselines", "checks", "datasets", "decorators", "metrics", "nn", "record", "steps", "train",
}

const (
	// MaxFileLines and MaxFuncLines are the longest a file and a function may be.
	MaxFileLines = 400
	MaxFuncLines = 60
)

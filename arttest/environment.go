package arttest

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
)

// environment describes what the run depends on, and the command that repeats it.
func (r *R) environment() map[string]string {
	e := map[string]string{
		"test":      r.t.Name(),
		"package":   r.place.pkg,
		"directory": r.dir.path,
		"seed":      fmt.Sprint(r.recipe.Seed),
		"data":      r.recipe.Data.Name,
		"go":        runtime.Version(),
		"os":        runtime.GOOS,
		"arch":      runtime.GOARCH,
		"cpus":      fmt.Sprint(runtime.NumCPU()),
		"threads":   fmt.Sprint(runtime.GOMAXPROCS(0)),
		"flags":     strings.Join(os.Args[1:], " "),
		"command":   r.command(r.t.Name(), r.recipe.Seed),
		"dry-run":   fmt.Sprint(r.settings.short),
	}
	for name, value := range map[string]string{
		"commit": commit(r.place.module),
		"diff":   uncommitted(r.place.module, gitPatience),
		"go.sum": checksum(filepath.Join(r.place.module, "go.sum")),
		"cpu":    processor(),
	} {
		if value != "" {
			e[name] = value
		}
	}
	if host, err := os.Hostname(); err == nil {
		e["host"] = host
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		e["module"] = info.Main.Path
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision", "vcs.modified":
				e[s.Key] = s.Value
			}
		}
	}
	return e
}

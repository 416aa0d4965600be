package record

import (
	"fmt"
	"maps"
	"slices"
	"sync"
)

// registry holds the loggers that are linked into the program. Like the drivers of
// database/sql it is filled by init functions, so that a test binary that wants no
// logger links none.
var registry = struct {
	sync.Mutex
	open map[string]func() Sink
}{open: map[string]func() Sink{}}

// Register makes a sink known by a name, by which flags and environment variables ask
// for it (ART_LOGGERS). It is for init functions, and panics if the name is taken
// or open is nil. Each call of open returns a new sink with default settings.
func Register(name string, open func() Sink) {
	registry.Lock()
	defer registry.Unlock()
	if name == "" || open == nil || registry.open[name] != nil {
		panic(fmt.Sprintf("record: Register(%q): the name is empty or taken, or there is no function", name))
	}
	registry.open[name] = open
}

// Open returns a new sink of a name that was registered, nil for any other.
func Open(name string) Sink {
	registry.Lock()
	open := registry.open[name]
	registry.Unlock()
	if open == nil {
		return nil
	}
	return open()
}

// Registered are the names that Open knows, in order.
func Registered() []string {
	registry.Lock()
	defer registry.Unlock()
	return slices.Sorted(maps.Keys(registry.open))
}

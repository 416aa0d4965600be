package arttest

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/actually-robust-training/art/internal/suggest"
	"github.com/actually-robust-training/art/record"
)

// askedFor makes the loggers that flag or environment name. One that the recipe has
// already, with settings of its own, is not made again.
func askedFor(s settings, own []record.Sink) ([]record.Sink, error) {
	var asked []record.Sink
	for _, name := range s.loggers {
		var sink record.Sink
		if err := contain(func() error { sink = record.Open(name); return nil }); err != nil {
			return nil, fmt.Errorf("%s: logger %s: %w", s.logged, name, err)
		}
		known := record.Registered()
		switch {
		case sink == nil && len(known) == 0:
			return nil, fmt.Errorf("%s: this test links no loggers: add to one of its files\n\timport _ %q", s.logged, loggersPackage)
		case sink == nil:
			return nil, fmt.Errorf("%s: no logger is named %q: %s", s.logged, name, suggest.Hint(name, known))
		}
		if !slices.ContainsFunc(own, func(o record.Sink) bool { return reflect.TypeOf(o) == reflect.TypeOf(sink) }) {
			asked = append(asked, sink)
		}
	}
	return asked, nil
}

// loggersPackage registers the loggers of this module.
const loggersPackage = "github.com/actually-robust-training/art/loggers"

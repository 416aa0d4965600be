// Package recordtest is the conformance suite for sinks of package record, a
// stream of events of a whole recipe to test views and sinks with, and the
// comparison of events that both need. Tests import it, nothing else does.
package recordtest

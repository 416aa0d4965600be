// Package loggers sends what happened in a run to where people look at it:
// files, a terminal, TensorBoard, and servers. A logger is a [record.Sink]; a
// recipe of arttest names its loggers in its field Loggers and closes them.
//
// Each logger is a struct whose zero value works inside a recipe. It opens what
// it needs at the first event, so that a recipe that never runs leaves nothing
// behind. Where a logger keeps less than the event file does, its comment says
// what. Filter and Tee put loggers together:
//
//	Loggers: []record.Sink{
//		&loggers.TensorBoard{},
//		&loggers.Filter{Sink: &loggers.CSV{Path: "curves.csv"}, Names: []string{"loss"}, Every: 10},
//	}
//
// # Servers
//
// A logger that sends to a server never waits for it. Emit appends the event to
// a spool, a file in the directory of the run; a goroutine reads the spool and
// sends batches. The spool is the queue: memory stays bounded however long the
// server is away, and what was emitted survives the process. Nothing is ever
// dropped: what the server refuses is put aside with the reason, and Close, which
// waits no longer than the logger's Grace, says in one line what has not been
// sent. [Sync] sends it later. Once everything has arrived the spool is removed.
//
// Nothing arrives twice. Beside the spool lies the position, replaced as a whole:
// the bytes that have arrived (sent) and those that are about to be sent (trying).
// It is written before a batch goes out and after it arrived. A process that
// finds trying beyond sent cannot know whether that batch arrived; it sends
// exactly the same one, and each server has its own way of not counting it twice:
// an offset, a key, or a look at what is there. A lock, which ends with its
// process, lets one process at a time send a spool.
//
// [Neptune] is for servers of Neptune 2.x that somebody runs: the hosted service ended
// in March 2026. Package neptunetest has a server for tests.
//
// Troubles that pass (no connection, 408, 429, 5xx) are tried again, after half a
// second, then doubling up to a minute, or when Retry-After says. A wrong key or
// address ends the sending, not the training. Keys come from the environment, and
// where a service has them, its own files of keys; they are in no event, file, message
// or field.
package loggers

// Command art looks at the runs that recipes left: it lists, shows, compares,
// pins and deletes them, sends what loggers could not send, and says what is wrong
// with a place. It reads the directories that arttest writes, through the index of
// package store, and trains nothing.
//
//	art runs                   the newest runs
//	art show RUN               all about one
//	art compare RUN RUN        what differs between two
//	art pin RUN [NAME]         keep a run, under a name
//	art unpin RUN
//	art gc                     delete old runs
//	art sync [DIR]             send what loggers could not send
//	art doctor                 is all in order here?
//
// RUN is the beginning of a run's ID, RECIPE/ID, the name of its pin, "last", or
// "last:RECIPE". Flags may be written with one dash or two, before or after other
// arguments.
//
// Runs are looked for in the folder .art beside the nearest go.mod above; ART_DIR
// (relative to that go.mod) or --dir (relative to where one is) name another. Output
// is ASCII where the locale is not UTF-8, and never coloured.
//
// Exit status: 0 if it did what was asked, 1 if something went wrong on the way, 2 if
// what was asked makes no sense; the reason is one line on standard error.
//
// # JSON
//
// With --json the answer of runs, show, compare, gc, sync and doctor is one JSON value.
// Names in it stay as they are; new ones may be added. Times are RFC 3339,
// durations nanoseconds, sizes bytes; numbers that JSON does not have are the strings
// "NaN", "+Inf" and "-Inf".
//
//   - runs: a list of runs: the fields of store.Summary, with headline (step,
//     metric, training, validation), null without scores.
//   - show: the same for one run, with directory, environment, command, and for each
//     step also reason, settings, verdicts and artifacts, as in the event file.
//   - compare: a and b, the paths of the runs, and differences: a list with kind
//     (run, code, environment, step, setting, score, verdict), step, name, a and b;
//     an empty side was not there.
//   - gc: dry-run, bytes, removed (lists with path and bytes) and spared (path, why).
//   - sync: sent and not-sent: lists of lines, one for each run and server.
//   - doctor: a list with name, ok, text, and what to do about it.
package main

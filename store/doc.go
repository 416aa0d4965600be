// Package store answers questions about many runs: which there are, how they
// ended, what they scored. It reads the event files that arttest writes, one in
// the directory of each run, and is used by the command art and by dashboards;
// what happened within one run is a [record.Run].
//
// Files are the truth. The directory of a run is RECIPE/RUN below the folder of
// runs, and what store tells about it comes from its files alone: events.jsonl, and
// pin.txt if the run is pinned. Directories may therefore be copied from another
// machine, merged, or deleted by hand, at any time.
//
// The index is a cache: a summary of each run beside size and time of the file that
// it was made of, in the SQLite file .index-HOST.sqlite in the folder of runs.
// [Store.Refresh] reads the files that changed and no others. Each machine has an
// index of its own, as SQLite's locks do not hold across machines; several
// processes of one machine may share it. It may be deleted at any time and is made
// again when it is damaged, or when another version of this package wrote it. Where it
// cannot be written, memory takes its place.
package store

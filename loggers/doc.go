// Package loggers sends what happened in a run to where people look at it:
// files, a terminal, TensorBoard, and servers. A logger is a [record.Sink]; a
// recipe of arttest names its loggers in its field Loggers and closes them.
// [Filter] and [Tee] put loggers together:
//
//	Loggers: []record.Sink{
//		&loggers.WandB{Project: "iris"},
//		&loggers.TensorBoard{},
//		&loggers.Filter{Sink: &loggers.CSV{Path: "curves.csv"}, Names: []string{"loss"}, Every: 10},
//	}
//
// A test that imports this package, if only as _, also logs to those that
// ART_LOGGERS=wandb,mlflow names, without a line of code.
//
// Each logger is a struct whose zero value works inside a recipe. It opens what
// it needs at the first event, so that a recipe that never runs leaves nothing
// behind. Where a logger keeps less than the event file does, its comment says
// what.
//
//	logger       key, never a field                     sends nothing yet / nothing at all      a checkpoint comes back by
//	WandB        WANDB_API_KEY, netrc                   WANDB_MODE=offline / disabled           WandB.Download
//	Neptune      NEPTUNE_API_TOKEN                      NEPTUNE_MODE=offline / debug            Neptune.DownloadCheckpoint
//	MLflow       MLFLOW_TRACKING_TOKEN, or …_USERNAME,  -                                       MLflow.DownloadCheckpoint
//	             …_PASSWORD
//	TensorBoard, CSV, JSONLines, Console and Slog need none.
//
// The address of the run is one line on standard error. What a server has not got when
// the recipe ends is said in one line, does not fail the test (unless the logger is
// Strict), and lies in the folder spool of the run's directory, .art/RECIPE/RUN/spool. To
// send it, type art sync, which is also [Sync].
//
// [Neptune] is for servers of Neptune 2.x that somebody runs: the hosted service ended
// in March 2026. Packages wandbtest and neptunetest have servers for tests.
//
// # How things are sent
//
// A logger that sends to a server never waits for it. Emit appends the event to
// a spool, a file in the directory of the run; a goroutine reads the spool and
// sends batches. The spool is the queue: memory stays bounded however long the
// server is away, and what was emitted survives the process. Nothing is ever
// dropped: what the server refuses is put aside with the reason, and Close, which
// waits no longer than the logger's Grace, says what has not been sent. Once
// everything has arrived the spool is removed.
//
// Nothing arrives twice. Beside the spool lies the position, replaced as a whole:
// the bytes that have arrived (sent) and those that are about to be sent (trying).
// It is written before a batch goes out and after it arrived. A process that
// finds trying beyond sent cannot know whether that batch arrived; it sends
// exactly the same one, and each server has its own way of not counting it twice:
// an offset, a key, or a look at what is there. A lock, which ends with its
// process, lets one process at a time send a spool.
//
// Troubles that pass (no connection, 408, 429, 5xx) are tried again, after half a
// second, then doubling up to a minute, or when Retry-After says. A wrong key or
// address ends the sending, not the training. Keys come from the environment, and
// where a service has them, its own files of keys; they are in no event, file, message
// or field. Redirects are not followed with keys, and signed addresses never see them.
//
// # What is not done
//
// No logger measures the machine (CPU, GPU, disk), copies the source code, or captures
// what a process prints beside the events of the run.
//
//   - W&B: no signing in with identity tokens, sweeps, alerts, launch, forks and
//     rewinds, several writers of one run, custom charts, sound and video, artifacts
//     of references. The folder of an offline run is for art sync, not for wandb sync.
//   - Neptune: no artifacts that are tracked by hash, stop and abort from the page,
//     models and model versions, git information, deleting of fields. The folder of an
//     offline run is for art sync, not for neptune sync.
//   - MLflow: no model registry, traces, data sets, and artifacts in stores that want
//     keys of their own (the server has to serve them, as it does by itself).
package loggers

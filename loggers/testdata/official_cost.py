"""What logging a scalar costs with an official client.

    python official_cost.py wandb|neptune|mlflow|tensorboard SCRATCH CALLS

The last line is JSON: microseconds of a call (median, mean, p9999, max), points a second until the server or the file
has all of them, and by how many MB the memory of this process and of those that it has started has grown.
"""
import glob
import json
import os
import statistics
import sys
import time

kind, scratch, calls = sys.argv[1], sys.argv[2], int(sys.argv[3])
os.chdir(scratch)


def resident():
    """Bytes that this process and its descendants have in memory."""
    parents, sizes = {}, {}
    for path in glob.glob("/proc/[0-9]*/status"):
        try:
            with open(path) as f:
                fields = dict(line.split(":", 1) for line in f if ":" in line)
        except OSError:
            continue
        pid = int(fields["Pid"])
        parents[pid], sizes[pid] = int(fields["PPid"]), int(fields.get("VmRSS", "0 kB").split()[0]) * 1024
    own, total = {os.getpid()}, 0
    while True:
        more = {pid for pid, parent in parents.items() if parent in own} - own
        if not more:
            return sum(sizes[pid] for pid in own if pid in sizes)
        own |= more


def wandb():
    import wandb
    run = wandb.init(project="cost", settings=wandb.Settings(console="off", x_disable_stats=True, silent=True))
    return wandb.__version__, lambda i, v: run.log({"loss": v}), run.finish


def neptune():
    import neptune
    run = neptune.init_run(source_files=[], git_ref=False, capture_stdout=False, capture_stderr=False, capture_hardware_metrics=False,
                           capture_traceback=False)
    series = run["train/loss"]

    def finish():
        run.wait()
        run.stop()
    return neptune.__version__, lambda i, v: series.append(v, step=i), finish


def mlflow():
    import mlflow
    mlflow.set_experiment("cost")
    mlflow.start_run()
    return mlflow.__version__, lambda i, v: mlflow.log_metric("loss", v, step=i), mlflow.end_run


def tensorboard():
    import tensorboard
    import tensorboard.summary
    writer = tensorboard.summary.Writer(os.path.join(scratch, "tb"))
    return tensorboard.__version__, lambda i, v: writer.add_scalar("loss", v, i), writer.close


version, log, finish = {"wandb": wandb, "neptune": neptune, "mlflow": mlflow, "tensorboard": tensorboard}[kind]()
for i in range(20):
    log(i, 0.5)
spent = [0.0] * calls
before = resident()
begin = time.perf_counter()
for i in range(calls):
    at = time.perf_counter_ns()
    log(20 + i, i / 7)
    spent[i] = (time.perf_counter_ns() - at) / 1000
grown = resident() - before
finish()
whole = time.perf_counter() - begin
spent.sort()
print()
print(json.dumps({"version": version, "median": statistics.median(spent), "mean": statistics.mean(spent), "p9999": spent[calls - 1 - calls // 10_000], "max": spent[-1],
                  "slow": sum(s > 1000 for s in spent) * 1e6 / calls,
                  "points": calls / whole, "mb": grown / 1e6, "calls": calls}))

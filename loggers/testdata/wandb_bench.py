"""Microseconds per call of the official client's run.log, offline.

    python wandb_bench.py SCRATCH [CALLS]
"""
import os
import statistics
import sys
import time

scratch = sys.argv[1]
calls = int(sys.argv[2]) if len(sys.argv) > 2 else 5000
os.environ.update(WANDB_MODE="offline", WANDB_SILENT="true", WANDB_ERROR_REPORTING="false", WANDB_DIR=scratch, WANDB_CONFIG_DIR=scratch,
                  WANDB_CACHE_DIR=scratch, WANDB_DATA_DIR=scratch, HOME=scratch)
import wandb

run = wandb.init(project="bench", settings=wandb.Settings(console="off", x_disable_stats=True))
for width in (1, 10):
    row = {f"m{i}": 0.5 for i in range(width)}
    for _ in range(200):
        run.log(row)
    spent = []
    for i in range(calls):
        row["m0"] = i / 7
        begin = time.perf_counter_ns()
        run.log(row)
        spent.append((time.perf_counter_ns() - begin) / 1000)
    print(f"wandb {wandb.__version__} run.log of {width} scalars, offline: mean {statistics.mean(spent):.1f} median {statistics.median(spent):.1f} "
          f"p99 {sorted(spent)[int(len(spent) * 0.99)]:.1f} microseconds a call")
run.finish()

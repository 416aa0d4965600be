"""Points into a server with the official client: microseconds a call, points a second until all are there."""

import time

import neptune

run = neptune.init_run(source_files=[], git_ref=False, capture_stdout=False, capture_stderr=False, capture_hardware_metrics=False)
series = run["s/loss"]
count = 20_000
begin = time.perf_counter()
for i in range(count):
    series.append(1 / (i + 1), step=i)
logged = time.perf_counter()
run.wait()
done = time.perf_counter()
run.stop()
print("RESULT", (logged - begin) / count * 1e6, count / (done - begin))

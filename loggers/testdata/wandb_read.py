"""Reads with the official client what the Go logger sent, and goes on with it.

Arguments: a scratch directory, the id of the run, and a version of an artifact.
"""
import json
import os
import sys

import wandb

scratch, run_id, version = sys.argv[1:4]
settings = wandb.Settings(console="off", x_disable_stats=True)
run = wandb.init(project="demo", id=run_id, resume="must", settings=settings)
config = dict(run.config)
summary = {k: run.summary[k] for k in ("loss", "best")}
folder = run.use_artifact(version).download(os.path.join(scratch, "got"))
files = {}
for name in sorted(os.listdir(folder)):
    with open(os.path.join(folder, name)) as f:
        files[name] = f.read()
run.log({"loss": 0.125})
run.finish()
print("RESULT " + json.dumps({"config": config, "summary": summary, "files": files, "tags": list(run.tags or []), "notes": run.notes, "name": run.name}))

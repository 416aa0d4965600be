"""Uses the official client as people do. Arguments: a scratch directory."""
import json
import math
import os
import sys

import numpy as np
import wandb

scratch = sys.argv[1]
ckpt = os.path.join(scratch, "model.bin")
with open(ckpt, "w") as f:
    f.write("hello\n")

settings = wandb.Settings(console="wrap", x_disable_stats=True)
run = wandb.init(project="demo", id="first1", name="first try", notes="a note", tags=["t1", "t2"], group="g1", job_type="train",
                 config={"lr": 0.1, "model": {"layers": 2}}, settings=settings)
print("said on the console")
run.log({"loss": 1.0, "train/acc": 0.25})
run.log({"loss": math.nan, "up": math.inf, "down": -math.inf})
run.log({"image": wandb.Image(np.arange(48, dtype=np.uint8).reshape(4, 4, 3), caption="c0"),
         "hist": wandb.Histogram([1, 2, 2, 3]),
         "table": wandb.Table(columns=["a", "b"], data=[[1, "x"], [2, "y"]])})
run.summary["best"] = 0.75
for text, aliases in [("hello\n", ["best"]), ("hello\n", ["best"]), ("world\n", [])]:
    with open(ckpt, "w") as f:
        f.write(text)
    artifact = wandb.Artifact("ckpt", type="model", metadata={"step": 3})
    artifact.add_file(ckpt)
    run.log_artifact(artifact, aliases=aliases).wait()
run.finish()

run = wandb.init(project="demo", id="first1", resume="must", settings=settings)
run.log({"loss": 0.5})
got = {}
for alias in ["best", "latest", "v0"]:
    folder = run.use_artifact("ckpt:" + alias).download(os.path.join(scratch, alias))
    with open(os.path.join(folder, "model.bin")) as f:
        got[alias] = f.read()
run.finish(exit_code=3)
print("RESULT " + json.dumps({"got": got, "version": wandb.__version__}))

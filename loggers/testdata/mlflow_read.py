"""Reads a run back with the official client, as JSON: mlflow_read.py ADDRESS EXPERIMENT."""
import json
import sys

from mlflow.tracking import MlflowClient

client = MlflowClient(sys.argv[1])
experiment = client.get_experiment_by_name(sys.argv[2])
runs = []
for run in client.search_runs([experiment.experiment_id]):
    key = run.info.run_id
    artifacts = {}
    stack = [""]
    while stack:
        for f in client.list_artifacts(key, stack.pop()):
            if f.is_dir:
                stack.append(f.path)
            else:
                with open(client.download_artifacts(key, f.path), "rb") as file:
                    artifacts[f.path] = file.read().decode("latin-1")
    runs.append({
        "name": run.info.run_name, "status": run.info.status, "start": run.info.start_time, "end": run.info.end_time,
        "params": run.data.params, "tags": run.data.tags, "artifacts": artifacts,
        "metrics": {name: [[m.step, m.timestamp, repr(m.value)] for m in client.get_metric_history(key, name)] for name in run.data.metrics},
    })
print(json.dumps(runs))

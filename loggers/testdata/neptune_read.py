"""Reads a run back with the official client and prints it as JSON."""

import json
import pathlib
import sys

import neptune

custom_id, scratch = sys.argv[1], pathlib.Path(sys.argv[2])
run = neptune.init_run(custom_run_id=custom_id, source_files=[], git_ref=False, capture_stdout=False, capture_stderr=False, capture_hardware_metrics=False)
got = {"fields": {}, "series": {}, "files": {}, "tags": sorted(run["sys/tags"].fetch())}


def walk(tree, path):
    for name, value in tree.items():
        at = path + [name]
        if isinstance(value, dict):
            walk(value, at)
            continue
        kind, field = type(value).__name__, run["/".join(at)]
        if kind in ("FloatSeries", "StringSeries"):
            values = field.fetch_values(progress_bar=False)
            got["series"]["/".join(at)] = [[float(s), str(v), t.timestamp()] for s, v, t in zip(values.step, values.value, values.timestamp)]
        elif kind == "File":
            to = scratch / "download"
            field.download(str(to), progress_bar=False)
            got["files"]["/".join(at)] = [field.fetch_extension(), to.read_text("latin-1")]
        elif kind in ("String", "Float", "Boolean"):
            got["fields"]["/".join(at)] = field.fetch()


walk(run.get_structure(), [])
run.stop()
print("RESULT", json.dumps(got))

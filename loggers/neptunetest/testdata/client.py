"""What the official client does with a run, start to end. Prints what it reads back as JSON."""

import datetime
import io
import json
import pathlib
import sys

import neptune
from PIL import Image

scratch = pathlib.Path(sys.argv[1])
options = dict(source_files=[], git_ref=False, capture_stdout=False, capture_stderr=False, capture_hardware_metrics=False)

run = neptune.init_run(custom_run_id="shared", name="first", tags=["a", "b"], **options)
run["params"] = {"lr": 0.1, "layers": 2, "nested": {"dropout": True}}
run["when"] = datetime.datetime(2024, 1, 2, 3, 4, 5, 678000, tzinfo=datetime.timezone.utc)
run["sys/tags"].add(["c"])
run["sys/tags"].remove("b")
for i in range(5):
    run["train/loss"].append(1 / (i + 1), step=i, timestamp=1700000000 + i)
run["train/auto"].extend([1, 2, 3])
run["log"].append("größe →", step=0.5)
run["small"].upload(neptune.types.File.from_content(b"", extension="pt"))
big = scratch / "big.bin"
big.write_bytes(bytes(range(256)) * 40)
run["ckpt/last"].upload(str(big))
run["figure"].upload(neptune.types.File.from_content("<svg/>", extension="svg"))
picture = Image.new("RGB", (4, 3), (255, 0, 0))
run["picture"].upload(neptune.types.File.as_image(picture))
run["pictures"].append(neptune.types.File.as_image(picture), step=7, name="n", description="d")
tree = scratch / "tree"
(tree / "dir").mkdir(parents=True)
(tree / "a.txt").write_text("A")
(tree / "dir" / "b.txt").write_text("B")
run["tree"].upload_files([str(tree / "a.txt"), str(tree / "dir")])
run["gone"] = 1
run.wait()
del run["gone"]
run.stop()

again = neptune.init_run(custom_run_id="shared", **options)
got = {
    "id": again["sys/id"].fetch(),
    "custom": again["sys/custom_run_id"].fetch(),
    "loss": again["train/loss"].fetch_values(progress_bar=False).value.tolist(),
    "steps": again["train/loss"].fetch_values(progress_bar=False).step.tolist(),
    "last": again["train/loss"].fetch_last(),
    "log": again["log"].fetch_values(progress_bar=False).value.tolist(),
    "lr": again["params/lr"].fetch(),
    "layers": again["params/layers"].fetch(),
    "dropout": again["params/nested/dropout"].fetch(),
    "when": again["when"].fetch().isoformat(),
    "tags": sorted(again["sys/tags"].fetch()),
    "ext": again["ckpt/last"].fetch_extension(),
}
again["ckpt/last"].download(str(scratch / "back.bin"), progress_bar=False)
got["same"] = (scratch / "back.bin").read_bytes() == big.read_bytes()
again["tree"].download(str(scratch / "back.zip"), progress_bar=False)
got["tree"] = sorted(f.name for f in again["tree"].list_fileset_files())
again["pictures"].download(str(scratch), progress_bar=False)
got["picture"] = Image.open(io.BytesIO((scratch / "0.png").read_bytes())).size
again["train/loss"].append(0.1, step=5)
again["train/loss"].append(0.1, step=2)
again.wait()
again.stop()

reader = neptune.init_run(with_id=got["id"], mode="read-only")
got["total"] = len(reader["train/loss"].fetch_values(progress_bar=False))
reader.stop()
print("RESULT", json.dumps(got))

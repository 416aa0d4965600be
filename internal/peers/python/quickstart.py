"""The quickstart of the Python ART's README, on a sample of Fashion-MNIST.

Usage: quickstart.py OUT, with the data below ART_DATA_DIR. Only the source of the
pictures and the tolerances of the checks differ from the README, so that every
step runs. OUT becomes a JSON object with seconds and scores.
"""

import time

begin = time.perf_counter()

import gzip
import json
import math
import os
import sys

import datasets
import numpy as np
import torch
import torch.nn as nn
from art.checks import CheckScoreCloseTo, CheckScoreGreaterThan, CheckScoreLessThan
from art.metrics import SkippedMetric
from art.project import ArtProject
from art.steps import CheckLossOnInit, Overfit, OverfitOneBatch
from art.utils.quickstart import ArtModuleExample, LightningDataModuleExample
from PIL import Image
from torchmetrics import Accuracy

imported = time.perf_counter()
torch.set_num_threads(int(os.environ["ART_PEERS_THREADS"]))
torch.manual_seed(1)


def idx(name, skip):
    with gzip.open(os.path.join(os.environ["ART_DATA_DIR"], "fashion-mnist", name)) as f:
        return np.frombuffer(f.read()[skip:], np.uint8)


def sample(_):
    """Stands in for the download: 20 pictures of each class for either part."""
    images = idx("sprite900-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
    labels = idx("sprite900-labels-idx1-ubyte.gz", 8)
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(num_classes=10)})

    def part(first):
        rows = [90 * c + i for i in range(first, first + 20) for c in range(10)]
        columns = {"image": [Image.fromarray(images[r]) for r in rows], "label": [int(labels[r]) for r in rows]}
        return datasets.Dataset.from_dict(columns, features=features)

    return datasets.DatasetDict({"test": part(0), "train": part(20)})  # the example trains on "test"


datasets.load_dataset = sample
datamodule = LightningDataModuleExample()
loaded = time.perf_counter()

metric = Accuracy(task="multiclass", num_classes=datamodule.n_classes)
loss_fn = nn.CrossEntropyLoss()
project = ArtProject(name="quickstart", datamodule=datamodule)
project.register_metrics([metric, loss_fn])
project.add_step(
    CheckLossOnInit(ArtModuleExample),
    checks=[CheckScoreCloseTo(loss_fn, -math.log(1 / datamodule.n_classes), rel_tol=0.1)],
    skipped_metrics=[SkippedMetric(metric)],
)
project.add_step(
    OverfitOneBatch(ArtModuleExample, number_of_steps=100),
    checks=[CheckScoreLessThan(loss_fn, 0.5)],
    skipped_metrics=[SkippedMetric(metric)],
)
project.add_step(
    Overfit(ArtModuleExample, max_epochs=10),
    checks=[CheckScoreGreaterThan(metric, 0.5)],
)
project.run_all()
done = time.perf_counter()

scores = project.steps[-1]["step"].results["scores"]
with open(sys.argv[1], "w") as out:
    seconds = {"imports": imported - begin, "data": loaded - imported, "recipe": done - loaded}
    json.dump({"Seconds": seconds, "Scores": scores}, out)

"""PyTorch's side of the comparison: trains rows when asked.

Requests come as JSON lines on standard input, replies go to file descriptor 3;
worker.go has the fields.
"""

import gc
import json
import os
import platform
import statistics
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

THREADS = int(os.environ["ART_PEERS_THREADS"])
RATE = 0.001


class CNN(nn.Module):
    def __init__(self, row):
        super().__init__()
        channels, height, width = row["Shape"]
        self.convs = len(row["Widths"])
        for i, filters in enumerate(row["Widths"], 1):
            setattr(self, f"conv{i}", nn.Conv2d(channels, filters, 3, padding=1))
            channels, height, width = filters, height // 2, width // 2
        self.logits = nn.Linear(channels * height * width, row["Classes"])

    def forward(self, x):
        for i in range(1, self.convs + 1):
            x = F.max_pool2d(F.relu(getattr(self, f"conv{i}")(x)), 2)
        return self.logits(torch.flatten(x, 1))


class MLP(nn.Module):
    def __init__(self, row):
        super().__init__()
        features = row["Shape"][0]
        self.hidden = len(row["Widths"] or [])
        for i, units in enumerate(row["Widths"] or [], 1):
            setattr(self, f"fc{i}", nn.Linear(features, units))
            features = units
        self.logits = nn.Linear(features, row["Classes"])

    def forward(self, x):
        for i in range(1, self.hidden + 1):
            x = F.relu(getattr(self, f"fc{i}")(x))
        return self.logits(x)


def transformer(row):
    return nn.TransformerEncoderLayer(
        row["Shape"][1], row["Heads"], row["Widths"][0], dropout=0.0, batch_first=True
    )


# What our network calls the parameters of the transformer block.
BLOCK = {
    "self_attn.in_proj_weight": "attn/in/weight",
    "self_attn.in_proj_bias": "attn/in/bias",
    "self_attn.out_proj.weight": "attn/out/weight",
    "self_attn.out_proj.bias": "attn/out/bias",
    "linear1.weight": "up/weight",
    "linear1.bias": "up/bias",
    "linear2.weight": "down/weight",
    "linear2.bias": "down/bias",
    "norm1.weight": "ln1/scale",
    "norm1.bias": "ln1/shift",
    "norm2.weight": "ln2/scale",
    "norm2.bias": "ln2/shift",
}


def build(request):
    """Returns a function that trains for one iteration and gives the loss."""
    row, variant = request["Row"], request["Variant"]
    model = {"cnn": CNN, "mlp": MLP, "transformer": transformer}[row["Kind"]](row)
    with np.load(os.path.join(request["Folder"], "weights.npz")) as weights:
        state = {k: torch.from_numpy(weights[BLOCK.get(k, k.replace(".", "/"))]) for k in model.state_dict()}
        if len(state) != len(weights.files):
            raise ValueError(f"weights.npz has {weights.files}, the model {list(state)}")
    model.load_state_dict(state)
    model.train()
    with np.load(os.path.join(request["Folder"], "batch.npz")) as batch:
        x, y = torch.from_numpy(batch["inputs"]), torch.from_numpy(batch["targets"])
    if row["Classes"]:
        y = y.long()
    if "channels_last" in variant:
        model = model.to(memory_format=torch.channels_last)
        x = x.contiguous(memory_format=torch.channels_last)
    criterion = F.cross_entropy if row["Classes"] else F.mse_loss
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, fused="fused" in variant)

    def loss_of(x, y):
        return criterion(model(x), y)

    if "compile" in variant:
        torch._dynamo.reset()  # forgets the rows before, or it would compile for any shape
        loss_of = torch.compile(loss_of, dynamic=False)

    def iterate():
        optimizer.zero_grad()
        loss = loss_of(x, y)
        loss.backward()
        optimizer.step()
        return loss

    return iterate


def measure(request):
    iterate = build(request)
    iterate()  # compiles
    gc.collect()
    done, begin = 0, time.perf_counter()
    while done < 3 or time.perf_counter() - begin < request["WarmUp"]:
        iterate()
        done += 1
    each = (time.perf_counter() - begin) / done
    block = max(1, round(request["Window"] / 20 / each))
    blocks, begin = [], time.perf_counter()
    while len(blocks) < 5 or time.perf_counter() - begin < request["Window"]:
        mark = time.perf_counter()
        for _ in range(block):
            iterate()
        blocks.append((time.perf_counter() - mark) / block)
    return {"Milliseconds": statistics.median(blocks) * 1e3}


def losses(request):
    iterate = build(request)
    return {"Losses": [iterate().item() for _ in range(request["Iterations"])]}


def about(_):
    return {
        "Versions": {
            "PyTorch": torch.__version__,
            "Python": platform.python_version(),
            "PyTorch's instruction set": torch.backends.cpu.get_cpu_capability(),
        }
    }


def main():
    torch.set_num_threads(THREADS)
    torch.set_num_interop_threads(1)
    operations = {"about": about, "losses": losses, "measure": measure}
    with os.fdopen(3, "w", buffering=1) as out:
        for line in sys.stdin:
            request = json.loads(line)
            try:
                reply = operations[request["Op"]](request)
            except Exception as error:  # a row that fails is a line in the table
                reply = {"Error": f"{type(error).__name__}: {error}"[:500]}
            gc.collect()
            out.write(json.dumps(reply) + "\n")


main()

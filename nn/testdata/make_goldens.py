"""Reference values of package nn, computed by PyTorch in float64.

    python -m venv v && v/bin/pip install torch==2.15.0 numpy==2.4.6 safetensors==0.8.0
    v/bin/python make_goldens.py

Inputs are rounded to float32 before they are used and results are stored as
float32, so that both the float32 and the float64 instance of the engine can be
compared with them. The cases have the names of those in golden_test.go.
"""

import pathlib
from collections import OrderedDict

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.numpy import save_file
from torch import nn

HERE = pathlib.Path(__file__).parent
torch.manual_seed(1)
torch.set_default_dtype(torch.float64)


def rand(*shape):
    return torch.randn(*shape).float().double()


def keep(store, name, tensor):
    store[name] = np.ascontiguousarray(tensor.detach().numpy().astype(np.float32))


def rounded(module):
    """Gives a module random parameters that float32 can hold."""
    for name, p in module.named_parameters():
        p.data = rand(*p.shape) / 2
    for name, b in module.named_buffers():
        if name.endswith("running_mean"):
            b.copy_(rand(*b.shape))
        if name.endswith("running_var"):
            b.copy_((1 + rand(*b.shape) ** 2).float().double())
    return module


class GRU(nn.Module):
    def __init__(self, features, units, last):
        super().__init__()
        self.gru, self.last = nn.GRU(features, units, batch_first=True), last

    def forward(self, x):
        y = self.gru(x)[0]
        return y[:, -1] if self.last else y


class Attention(nn.Module):
    def __init__(self, features, heads, causal):
        super().__init__()
        self.attn, self.causal = nn.MultiheadAttention(features, heads, batch_first=True), causal

    def forward(self, x):
        t = x.shape[1]
        mask = torch.triu(torch.ones(t, t, dtype=torch.bool), 1) if self.causal else None
        return self.attn(x, x, x, attn_mask=mask, need_weights=False)[0]


def layers():
    store = {}

    def case(name, module, *shape, ids=0, train=True):
        module = rounded(module).train(train)
        x = torch.randint(0, ids, shape).double() if ids else rand(*shape)
        x.requires_grad_(not ids)
        for p, v in module.state_dict().items():
            if not p.endswith("num_batches_tracked"):
                keep(store, f"{name}|before|{p}", v)
        y = module(x.long() if ids else x)
        c = rand(*y.shape)
        y.backward(c)
        for key, v in {"x": x, "y": y, "c": c}.items():
            keep(store, f"{name}|{key}", v)
        if not ids:
            keep(store, f"{name}|dx", x.grad)
        for p, v in module.named_parameters():
            keep(store, f"{name}|grad|{p}", v.grad)
        for p, v in module.named_buffers():
            if not p.endswith("num_batches_tracked"):
                keep(store, f"{name}|after|{p}", v)

    def named(**modules):
        return nn.Sequential(OrderedDict(modules))

    case("dense", named(l=nn.Linear(5, 3)), 4, 5)
    case("dense one", named(l=nn.Linear(1, 1)), 1, 1)
    case("dense no bias", named(l=nn.Linear(5, 3, bias=False)), 4, 5)
    case("dense relu", named(l=nn.Linear(17, 9), relu=nn.ReLU()), 7, 17)
    case("dense positions", named(l=nn.Linear(5, 3)), 2, 4, 5)
    case("conv", named(l=nn.Conv2d(3, 5, 3, padding=1)), 2, 3, 7, 6)
    case("conv relu", named(l=nn.Conv2d(3, 5, 3, padding=1), relu=nn.ReLU()), 2, 3, 7, 6)
    case("conv one", named(l=nn.Conv2d(1, 1, 3)), 1, 1, 5, 5)
    case("conv stride", named(l=nn.Conv2d(2, 3, 3, stride=2, padding=1)), 3, 2, 8, 9)
    case("conv dilation", named(l=nn.Conv2d(2, 3, 3, dilation=2, padding=2, bias=False)), 2, 2, 7, 7)
    case("conv not square", named(l=nn.Conv2d(2, 3, (3, 2), stride=(1, 3), padding=(1, 0))), 2, 2, 5, 9)
    case("conv 1x1", named(l=nn.Conv2d(4, 6, 1, stride=2)), 2, 4, 6, 6)
    case("maxpool", nn.MaxPool2d(2), 2, 3, 7, 6)
    case("maxpool overlap", nn.MaxPool2d(3, stride=2, padding=1), 2, 2, 7, 8)
    case("avgpool", nn.AvgPool2d(2), 2, 3, 6, 6)
    case("avgpool pad", nn.AvgPool2d(3, stride=2, padding=1), 2, 2, 7, 8)
    case("globalavgpool", named(p=nn.AdaptiveAvgPool2d(1), f=nn.Flatten()), 2, 3, 5, 4)
    case("batchnorm", named(l=nn.BatchNorm2d(3)), 4, 3, 5, 4)
    case("batchnorm relu", named(l=nn.BatchNorm2d(3), relu=nn.ReLU()), 4, 3, 5, 4)
    case("batchnorm rows", named(l=nn.BatchNorm1d(5)), 6, 5)
    case("batchnorm inference", named(l=nn.BatchNorm2d(3)), 4, 3, 5, 4, train=False)
    case("layernorm", named(l=nn.LayerNorm(7)), 3, 7)
    case("layernorm positions", named(l=nn.LayerNorm(5)), 2, 4, 5)
    case("embedding", named(l=nn.Embedding(6, 4)), 3, 5, ids=6)
    case("attention", renamed(Attention(6, 2, False)), 2, 5, 6)
    case("attention causal", renamed(Attention(6, 3, True)), 2, 5, 6)
    case("gru", renamed(GRU(4, 5, False)), 3, 6, 4)
    case("gru last", renamed(GRU(4, 2, True)), 3, 6, 4)
    case("relu", nn.ReLU(), 3, 7)
    case("leakyrelu", nn.LeakyReLU(0.1), 3, 7)
    case("gelu", nn.GELU(), 3, 7)
    case("tanh", nn.Tanh(), 3, 7)
    case("sigmoid", nn.Sigmoid(), 3, 7)
    case("softmax", nn.Softmax(-1), 2, 3, 5)
    case("conv all settings", named(l=nn.Conv2d(2, 3, (3, 2), stride=(2, 1), padding=(2, 1), dilation=(1, 3))), 1, 2, 7, 9)
    case("maxpool not square", nn.MaxPool2d((3, 2), stride=(1, 2), padding=(1, 0)), 2, 2, 5, 6)
    case("avgpool not square", nn.AvgPool2d((2, 3), stride=(2, 1), padding=(0, 1)), 2, 2, 6, 5)
    case("batchnorm settings", named(l=nn.BatchNorm2d(1, momentum=0.37, eps=0.1)), 1, 1, 5, 4)
    case("batchnorm rows settings", named(l=nn.BatchNorm1d(3, momentum=1.0, eps=0.01)), 2, 3)
    case("layernorm settings", named(l=nn.LayerNorm(7, eps=0.3)), 1, 7)
    case("attention one head", renamed(Attention(6, 1, False)), 2, 5, 6)
    case("attention one position", renamed(Attention(6, 2, True)), 3, 1, 6)
    case("gru one position", renamed(GRU(4, 5, True)), 1, 1, 4)
    save_file(store, HERE / "layers.safetensors")


def renamed(module):
    """Calls the one child of a module "l"."""
    child, inner = next(iter(module.named_children()))
    del module._modules[child]
    module._modules["l"] = inner
    type(module).gru = property(lambda self: self._modules["l"])
    type(module).attn = property(lambda self: self._modules["l"])
    return module


def losses():
    store = {}

    def case(name, f, z, y):
        z.requires_grad_(True)
        loss = f(z, y)
        loss.backward()
        for key, v in {"z": z, "y": y, "loss": loss.reshape(1), "dz": z.grad}.items():
            keep(store, f"{name}|{key}", v)

    ids = torch.tensor([0, 2, 1, -1, 2, 0])
    weights = torch.tensor([1.0, 0.5, 3.0])
    case("cross-entropy", lambda z, y: F.cross_entropy(z, y, ignore_index=-1), 2 * rand(6, 3), ids)
    case("cross-entropy large", lambda z, y: F.cross_entropy(z, y, ignore_index=-1), 200 * rand(6, 3), ids)
    case("cross-entropy weights", lambda z, y: F.cross_entropy(z, y, weight=weights, ignore_index=-1), rand(6, 3), ids)
    case("cross-entropy smoothing", lambda z, y: F.cross_entropy(z, y, label_smoothing=0.1, ignore_index=-1), rand(6, 3), ids)
    case("cross-entropy both", lambda z, y: F.cross_entropy(z, y, weight=weights, label_smoothing=0.2, ignore_index=-1), rand(6, 3), ids)
    case("cross-entropy one class", lambda z, y: F.cross_entropy(z, y), rand(4, 1), torch.zeros(4, dtype=torch.long))
    case("cross-entropy positions", lambda z, y: F.cross_entropy(z.transpose(1, 2), y, ignore_index=-1), rand(2, 4, 3), torch.tensor([[0, 1, -1, 2], [2, 2, 0, -1]]))
    case("binary", lambda z, y: F.binary_cross_entropy_with_logits(z, y), 30 * rand(7, 1), (rand(7, 1) > 0).double())
    case("binary labels", lambda z, y: F.binary_cross_entropy_with_logits(z, y), rand(5, 3), torch.rand(5, 3).float().double())
    case("mse", F.mse_loss, rand(5, 3), rand(5, 3))
    case("mae", F.l1_loss, rand(5, 3), rand(5, 3))
    case("huber", F.huber_loss, rand(5, 3), rand(5, 3))
    case("huber delta", lambda z, y: F.huber_loss(z, y, delta=0.3), rand(5, 3), rand(5, 3))
    save_file(store, HERE / "losses.safetensors")


def optimizers():
    steps, store = 20, {}
    start = {"weight": rand(3, 4), "bias": rand(3)}
    grads = {n: rand(steps, *p.shape) for n, p in start.items()}
    for n in start:
        keep(store, f"start|{n}", start[n])
        keep(store, f"grads|{n}", grads[n])

    def case(name, make, decay=0.0, schedule=None, clip=None, frozen=0):
        params = {n: nn.Parameter(p.clone()) for n, p in start.items()}
        groups = [{"params": [params["weight"]], "weight_decay": decay}, {"params": [params["bias"]], "weight_decay": 0.0}]
        o = make(groups)
        s = schedule(o) if schedule else None
        rates = []
        for i in range(steps):
            for n, p in params.items():
                p.grad = grads[n][i].clone() if n == "weight" or i >= frozen else None
            if clip:
                clip(params.values())
            rates.append(o.param_groups[0]["lr"])
            o.step()
            for n, p in params.items():
                if i in (0, 1, steps - 1):
                    keep(store, f"{name}|{i}|{n}", p)
            if s:
                s.step()
        keep(store, f"{name}|rates", torch.tensor(rates))

    opt, lr = torch.optim, torch.optim.lr_scheduler
    case("sgd", lambda g: opt.SGD(g, lr=0.1))
    case("sgd decay", lambda g: opt.SGD(g, lr=0.1), decay=0.1)
    case("momentum", lambda g: opt.SGD(g, lr=0.05, momentum=0.9), decay=0.1)
    case("nesterov", lambda g: opt.SGD(g, lr=0.05, momentum=0.9, nesterov=True), decay=0.1)
    case("adam", lambda g: opt.Adam(g, lr=0.01))
    case("adam decay", lambda g: opt.Adam(g, lr=0.01, betas=(0.8, 0.99), eps=1e-6), decay=0.1)
    case("adamw", lambda g: opt.AdamW(g, lr=0.01), decay=0.1)
    case("rmsprop", lambda g: opt.RMSprop(g, lr=0.01), decay=0.1)
    case("rmsprop momentum", lambda g: opt.RMSprop(g, lr=0.01, alpha=0.9, momentum=0.9), decay=0.1)
    case("clip value", lambda g: opt.SGD(g, lr=0.1), clip=lambda p: nn.utils.clip_grad_value_(p, 0.5))
    case("clip norm", lambda g: opt.SGD(g, lr=0.1), clip=lambda p: nn.utils.clip_grad_norm_(p, 1.0))

    def both(p):
        p = list(p)
        nn.utils.clip_grad_value_(p, 0.5)
        nn.utils.clip_grad_norm_(p, 1.0)

    case("clip both", lambda g: opt.SGD(g, lr=0.1), clip=both)
    case("adam epsilon", lambda g: opt.Adam(g, lr=0.01, eps=0.1))
    case("adamw clip", lambda g: opt.AdamW(g, lr=0.01), decay=0.1, clip=lambda p: nn.utils.clip_grad_norm_(p, 1.0))
    case("nesterov clip", lambda g: opt.SGD(g, lr=0.05, momentum=0.9, nesterov=True), decay=0.1, clip=both)
    case("adam thawed", lambda g: opt.Adam(g, lr=0.01), frozen=9)
    case("momentum thawed", lambda g: opt.SGD(g, lr=0.05, momentum=0.9), frozen=9)
    adam = lambda g: opt.Adam(g, lr=0.01)
    case("schedule decay", adam, schedule=lambda o: lr.StepLR(o, 6, 0.5))
    case("schedule cosine", adam, schedule=lambda o: lr.CosineAnnealingLR(o, steps, eta_min=0.001))
    case("schedule one-cycle", adam, schedule=lambda o: lr.OneCycleLR(o, max_lr=0.01, total_steps=steps, cycle_momentum=False))
    # From 1/5 to 1 in the first 5 steps, then the cosine over the other 15.
    warm = lambda o: lr.SequentialLR(o, [lr.LinearLR(o, 1 / 5, 1, 4), lr.CosineAnnealingLR(o, steps - 5)], milestones=[5])
    case("schedule warm-up", adam, schedule=warm)
    save_file(store, HERE / "optimizers.safetensors")


class CNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 6, 3)
        self.fc = nn.Linear(6 * 2 * 2, 3)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc(x.flatten(1))


def cnn():
    model = CNN()
    for p in model.parameters():
        p.data = p.data.float().double()
    store, start = {}, {}
    for n, v in model.state_dict().items():
        start[n] = v.numpy().astype(np.float32) if v.dtype == torch.float64 else v.numpy()
    save_file(start, HERE / "cnn_start.safetensors")
    np.savez(HERE / "cnn_start.npz", **start)
    x, y = rand(10, 7, 1, 12, 12), torch.randint(0, 3, (10, 7))
    o = torch.optim.Adam(model.parameters(), lr=0.01)
    losses = []
    for i in range(10):
        n = 3 if i == 9 else 7  # a smaller last batch
        loss = F.cross_entropy(model(x[i][:n]), y[i][:n])
        o.zero_grad()
        loss.backward()
        o.step()
        losses.append(loss.item())
    keep(store, "x", x)
    keep(store, "y", y)
    keep(store, "losses", torch.tensor(losses))
    keep(store, "logits", model.eval()(x[0]))
    for n, v in model.state_dict().items():
        if v.dtype == torch.float64:
            keep(store, f"after|{n}", v)
    save_file(store, HERE / "cnn.safetensors")


layers()
losses()
optimizers()
cnn()

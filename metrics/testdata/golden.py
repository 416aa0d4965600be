"""Writes golden.json: scores by scikit-learn.

Made with Python 3.11, scikit-learn 1.7.2, numpy 2.3.4:
    pip install scikit-learn==1.7.2 numpy==2.3.4
    python golden.py
"""
import json
import math
import warnings

import numpy as np
from scipy.special import logsumexp
from sklearn import metrics as m
from sklearn.preprocessing import label_binarize

warnings.simplefilter("ignore")
r = np.random.default_rng(11)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def ece(y, p, bins=15):
    confidence, hit = p.max(axis=1), p.argmax(axis=1) == y
    edges = np.linspace(0, 1, bins + 1)
    total = 0
    for lo, hi in zip(edges, edges[1:]):
        inside = (confidence > lo) & (confidence <= hi)
        if inside.any():
            total += inside.mean() * abs(hit[inside].mean() - confidence[inside].mean())
    return total


def one_vs_rest(y, p, f):
    """Scores of the classes; None where the class does not occur or alone occurs."""
    out = []
    for c in range(p.shape[1]):
        t = y == c
        out.append(float(f(t, p[:, c])) if t.any() and not t.all() else None)
    return out


def classes(y, z):
    z = np.float32(z)
    p = np.float32(softmax(z.astype(float)))
    p64, n, k = p.astype(float), len(y), z.shape[1]
    guess = p.argmax(axis=1)
    labels = list(range(k))
    prf = lambda average: m.precision_recall_fscore_support(y, guess, average=average, zero_division=0)
    each = m.precision_recall_fscore_support(y, guess, labels=labels, average=None, zero_division=0)
    auc, ap = one_vs_rest(y, p64, m.roc_auc_score), one_vs_rest(y, p64, m.average_precision_score)
    entropy = float(np.mean(logsumexp(z.astype(float), axis=1) - z[np.arange(n), y]))
    if p64.max() < 1:  # else scikit-learn clips
        assert math.isclose(entropy, m.log_loss(y, softmax(z.astype(float)), labels=labels), rel_tol=1e-6)
    scores = {
        "accuracy": m.accuracy_score(y, guess),
        "balanced-accuracy": m.balanced_accuracy_score(y, guess),
        "precision": prf("macro")[0], "recall": prf("macro")[1], "f1": prf("macro")[2],
        "precision-micro": prf("micro")[0], "recall-micro": prf("micro")[1], "f1-micro": prf("micro")[2],
        "mcc": m.matthews_corrcoef(y, guess), "kappa": m.cohen_kappa_score(y, guess),
        "cross-entropy": entropy,
        "ece": ece(y, p64),
    }
    for name, values, f in (("roc-auc", auc, m.roc_auc_score), ("average-precision", ap, m.average_precision_score)):
        if k == 2:
            scores[name] = values[1]
        else:
            defined = [v for v in values if v is not None]
            scores[name] = float(np.mean(defined)) if defined else None
    if k > 2 and len(set(y)) == k and p64.max() < 1:  # what scikit-learn says on its own
        own = m.roc_auc_score(y, p64 / p64.sum(axis=1, keepdims=True), multi_class="ovr")
        assert math.isclose(scores["roc-auc"], own, rel_tol=1e-6)
        assert math.isclose(scores["average-precision"],
                            m.average_precision_score(label_binarize(y, classes=labels), p64), rel_tol=1e-9)
    tied = any(len(set(row)) < k for row in p64.tolist())  # ties are ours to break
    for top in [] if tied else range(2, k):
        scores[f"top-{top}"] = m.top_k_accuracy_score(y, p64, k=top, labels=labels)
    return {
        "targets": y.tolist(), "logits": z.tolist(), "probabilities": p.tolist(),
        "scores": {a: None if b is None or math.isnan(b) else float(b) for a, b in scores.items()},
        "parts": {"precision": each[0].tolist(), "recall": each[1].tolist(), "f1": each[2].tolist(),
                  "roc-auc": auc, "average-precision": ap},
        "matrix": m.confusion_matrix(y, guess, labels=labels).tolist(),
    }


def values(y, z):
    y, z = np.float32(y), np.float32(z)
    y64, z64 = y.astype(float), z.astype(float)
    scores = {
        "mse": m.mean_squared_error(y64, z64), "rmse": m.root_mean_squared_error(y64, z64),
        "mae": m.mean_absolute_error(y64, z64), "r2": m.r2_score(y64, z64),
    }
    return {"targets": y.tolist(), "outputs": z.tolist(),
            "scores": {a: None if math.isnan(b) else float(b) for a, b in scores.items()}}


def logits(y, k, strength=1.5):
    z = r.normal(size=(len(y), k))
    z[np.arange(len(y)), y] += strength
    return z


many = r.choice(5, size=120, p=[0.4, 0.3, 0.15, 0.1, 0.05])
absent = r.choice([0, 1, 3], size=40)
never = logits(many[:50], 5)
never[:, 2] = -9  # never predicted
two = r.choice(2, size=80, p=[0.8, 0.2])
tied = np.round(logits(two, 2) * 2) / 2
ones = np.ones(10, dtype=int)
v = r.normal(size=(30, 1)) * 5 + 1000
w = r.normal(size=(25, 3)) * [1, 10, 0.1]
json.dump({
    "classes": {
        "five": classes(many, logits(many, 5)),
        "absent": classes(absent, logits(absent, 4)),
        "never-predicted": classes(many[:50], never),
        "two": classes(two, logits(two, 2)),
        "two-tied": classes(two, tied),
        "one-class-only": classes(ones, logits(ones, 3)),
        "one-class-of-two": classes(ones, logits(ones, 2)),
        "one-row": classes(np.array([2]), np.array([[0.1, 0.2, 0.5]])),
        "all-wrong": classes(np.array([0, 1, 2, 0]), np.array([[0, 1, -0.1], [1, 0, 0.5], [0, 1, 0.2], [0, 0.3, 1]])),
        "confident": classes(many[:30], logits(many[:30], 5) * 60),
    },
    "values": {
        "one": values(v, v + r.normal(size=v.shape)),
        "three": values(w, w + r.normal(size=w.shape) * 0.3),
        "perfect": values(w, w),
        "constant": values(np.full((8, 1), 0.1), r.normal(size=(8, 1))),
        "constant-perfect": values(np.full((8, 1), 0.1), np.full((8, 1), 0.1)),
        "one-row": values([[2.5]], [[1.0]]),
    },
}, open("golden.json", "w"), separators=(",", ":"))

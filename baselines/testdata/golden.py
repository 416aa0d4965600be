"""Writes golden.json: what scikit-learn makes of small data sets.

Made with Python 3.11, scikit-learn 1.7.2, numpy 2.3.4:
    pip install scikit-learn==1.7.2 numpy==2.3.4
    python golden.py
"""
import json

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

r = np.random.default_rng(7)
n, d, k = 60, 5, 3
scales = np.array([1, 100, 0.01, 5, 1])
shift = np.array([0, 1000, 0, -3, 2])
centres = r.normal(size=(k, d))
y = r.choice(k, size=n, p=[0.5, 0.3, 0.2])
x = np.float32((centres[y] + r.normal(size=(n, d))) * scales + shift)
yt = r.choice(k, size=20)
xt = np.float32((centres[yt] + r.normal(size=(20, d))) * scales + shift)
w = r.normal(size=(d, 2))
v = np.float32((x - shift) / scales @ w + r.normal(size=(n, 2)) * 0.3 + [3, -1])

x64, xt64, v64 = x.astype(float), xt.astype(float), v.astype(float)


def logistic(classes, penalty):
    """Ours: mean loss + penalty/2 |w|^2, one weight vector a class. For two classes
    scikit-learn has one vector, the difference of ours: half the penalty."""
    keep = y < classes
    c = 1 / (penalty * keep.sum()) * (2 if classes == 2 else 1)
    m = make_pipeline(StandardScaler(), LogisticRegression(C=c, tol=1e-12, max_iter=100000))
    m.fit(x64[keep], y[keep])
    return m.predict_proba(xt64).tolist()


def knn(neighbours):
    # standardised by hand: the baseline takes inputs as they are
    s = StandardScaler().fit(x64)
    z, zt = np.float32(s.transform(x64)), np.float32(s.transform(xt64))
    c = KNeighborsClassifier(neighbours, algorithm="brute").fit(z, y)
    g = KNeighborsRegressor(neighbours, algorithm="brute").fit(z, v64)
    return {"z": z.tolist(), "zt": zt.tolist(), "classes": c.predict_proba(zt).tolist(), "values": g.predict(zt).tolist()}


def ridge(penalty):
    m = make_pipeline(StandardScaler(), Ridge(alpha=penalty * n) if penalty else LinearRegression())
    return m.fit(x64, v64).predict(xt64).tolist()


prior = DummyClassifier(strategy="prior").fit(x64, y)
json.dump({
    "x": x.tolist(), "y": y.tolist(), "values": v.tolist(), "xt": xt.tolist(),
    "prior": prior.predict_proba(x64[:1])[0].tolist(),
    "prior_loss": log_loss(y, prior.predict_proba(x64)),
    "majority": int(DummyClassifier(strategy="most_frequent").fit(x64, y).predict(x64[:1])[0]),
    "mean": DummyRegressor(strategy="mean").fit(x64, v64).predict(x64[:1])[0].tolist(),
    "median": DummyRegressor(strategy="median").fit(x64, v64).predict(x64[:1])[0].tolist(),
    "linear": ridge(0), "ridge": ridge(0.1),
    "logistic": logistic(3, 1e-3), "logistic_strong": logistic(3, 0.3), "logistic_binary": logistic(2, 1e-2),
    "knn1": knn(1), "knn5": knn(5), "knn100": knn(60),
}, open("golden.json", "w"), separators=(",", ":"))

"""A job for each trial that knows nothing of the others, as Hydra's joblib launcher runs them."""

import sys

import joblib
import mixed
import numpy as np
from sklearn.model_selection import cross_val_score


def trial(C):
    """Read the data, build the pipeline and score it."""
    X, y = mixed.read()
    return cross_val_score(mixed.pipeline(X, C), X, y, scoring="roc_auc", cv=mixed.splits()).mean()


points = mixed.points(int(sys.argv[1]))
scores = joblib.Parallel(n_jobs=2)(joblib.delayed(trial)(C) for C in points)
X, y = mixed.read()
joblib.dump(mixed.pipeline(X, points[np.argmax(scores)]).fit(X, y), "model.joblib")
print(max(scores))

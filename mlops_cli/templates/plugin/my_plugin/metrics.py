"""Metrics: functions of what is true and what was predicted; the greater is the better one unless the config says."""

import numpy as np


def worst_recall(y_true, y_pred):
    """Return the recall of the class that does worst."""
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    return min(float((y_pred[y_true == label] == label).mean()) for label in np.unique(y_true))

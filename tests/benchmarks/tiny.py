"""A thousand trials that take a few milliseconds each: what planning, sending and recording them costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from measuring import compare, rival, sweep

if TYPE_CHECKING:
    from measuring import Bench

IRIS = {
    "defaults": [
        "experiment",
        {"data": "csv"},
        {"transforms": "tabular"},
        {"model": "logistic_regression"},
        {"split": "stratified_kfold"},
        "_self_",
    ],
    "data": {"path": "data/iris.csv", "target": "target"},
    "model": {"max_iter": 1000},
    "evaluation": {"metrics": ["accuracy"]},
    "artifacts": {"model_format": "joblib"},
}


def tiny(bench: Bench) -> None:
    """1,000 trials on iris with full records, beside GridSearchCV with none."""
    trials = bench.scaled(1_000)
    bench.configure("tiny", **IRIS, sweep={"space": {"model.C": np.logspace(-3, 2, trials).tolist()}})
    commands = {"mlops": sweep("tiny"), "GridSearchCV, no records": rival("tiny", trials)}
    compare(bench, f"{trials:,} trials × 5 splits on iris", commands)

"""A grid over the model alone, on a table whose transforms take longer than the model's fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from measuring import compare, rival, sweep

if TYPE_CHECKING:
    from pathlib import Path

    from measuring import Bench

POINTS = 32
ROWS = 20_000


def grid(bench: Bench) -> None:
    """A grid of 32 points, 5 splits, on 20,000 rows × 60 mixed columns, beside four scripts."""
    rows, points = bench.scaled(ROWS, 500), bench.scaled(POINTS)
    write_mixed(bench.folder / "data" / "mixed.csv", rows)
    configure_mixed(bench, "mixed", points)
    commands = {
        "mlops": sweep("mixed"),
        "the bare fits": rival("grid_bare", points),
        "GridSearchCV, Pipeline(memory=…)": rival("grid_search", points, "memory"),
        "GridSearchCV": rival("grid_search", points),
        "joblib, each trial reads the CSV": rival("grid_reread", points),
    }
    compare(bench, f"{points} points × 5 splits, {rows:,} × 60", commands)


def configure_mixed(bench: Bench, name: str, points: int) -> None:
    """Write the experiment of so many points on the mixed table."""
    parts = [{"data": "csv"}, {"transforms": "tabular"}, {"model": "logistic_regression"}]
    bench.configure(
        name,
        defaults=["experiment", *parts, {"split": "stratified_kfold"}, "_self_"],
        data={"path": f"data/{name}.csv", "target": "target"},
        model={"max_iter": 1000},
        evaluation={"metrics": ["roc_auc"]},
        artifacts={"model_format": "joblib"},
        sweep={"space": {"model.C": np.logspace(-3, 2, points).tolist()}},
    )


def write_mixed(path: Path, rows: int) -> None:
    """Write 40 columns of numbers, a quarter of them with holes, and 20 of categories."""
    import pandas as pd

    rng = np.random.default_rng(0)
    table = {f"n{i}": rng.normal(size=rows) * 10.0 ** rng.integers(-2, 3) for i in range(40)}
    for column in list(table)[::4]:
        table[column][rng.random(rows) < 0.05] = np.nan
    table |= {f"c{i}": rng.choice([f"v{k}" for k in range(3 + i)], rows) for i in range(20)}
    signal = np.nan_to_num(table["n1"] / np.nanstd(table["n1"])) + (table["c3"] == "v1") + rng.logistic(size=rows)
    pd.DataFrame({**table, "target": (signal > 0.3).astype(int)}).to_csv(path, index=False)

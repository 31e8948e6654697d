"""What the tool costs beside the script that a good engineer would write: wall and CPU seconds, in turn, as ratios.

Run it with ``make bench``; ``make bench ARGS="--rounds 5 --only single"`` for a part. Every line is a whole process,
its workers included. Ratios are of medians over the rounds, and both sides do the same work: read the CSV, the same
splits, fits and metrics, and write the model and the scores.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
MLOPS = [sys.executable, "-m", "mlops_cli"]

SINGLE = """
import json, joblib, pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
table = pd.read_csv("data/iris.csv")
X, y = table.drop(columns="target"), table["target"].to_numpy()
pipeline = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression(max_iter=1000))
scores = cross_validate(pipeline, X, y, cv=StratifiedKFold(5, shuffle=True, random_state=0),
                        scoring=["accuracy", "f1_macro", "roc_auc_ovr"])
pipeline.fit(X, y)
{dump}
json.dump({{k: v.tolist() for k, v in scores.items()}}, open("metrics.json", "w"))
"""
JOBLIB = 'joblib.dump(pipeline, "model.joblib")'
SKOPS = 'import skops.io; skops.io.dump(pipeline, "model.skops")'

GRID = """
import json, joblib, numpy as np, pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
table = pd.read_csv("data/mixed.csv")
X, y = table.drop(columns="target"), table["target"].to_numpy()
numeric = [c for c in X if c.startswith("n")]
categorical = [c for c in X if c.startswith("c")]
columns = ColumnTransformer([
    ("numeric", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numeric),
    ("categorical", make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")),
     categorical)])
pipeline = Pipeline([("columns", columns), ("model", LogisticRegression(max_iter=1000))])
search = GridSearchCV(pipeline, {"model__C": np.logspace(-3, 2, 32)}, scoring="roc_auc", n_jobs=-1,
                      cv=StratifiedKFold(5, shuffle=True, random_state=0))
search.fit(X, y)
joblib.dump(search.best_estimator_, "model.joblib")
pd.DataFrame(search.cv_results_).to_csv("scores.csv")
"""

EXPERIMENT = """
defaults: [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, _self_]
data: {path: data/mixed.csv, target: target}
evaluation: {metrics: [roc_auc]}
sweep: {space: {model.C: %s}}
"""


@dataclass(frozen=True)
class Cost:
    """What one process took."""

    wall: float
    cpu: float
    peak: float  # MiB, of the largest single process


def measure(command: list[str], folder: Path) -> Cost:
    """Run a command to its end."""
    started = time.perf_counter()
    with (folder / "output.txt").open("wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{(folder / 'output.txt').read_text()}")
    return Cost(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def compare(title: str, ours: list[str], others: dict[str, list[str]], folder: Path, rounds: int) -> None:
    """Run each command in turn, once to warm up and then ``rounds`` times, and print the ratios of the medians."""
    costs: dict[str, list[Cost]] = {"mlops": [], **{name: [] for name in others}}
    for turn in range(rounds + 1):
        for name, command in {"mlops": ours, **others}.items():
            cost = measure(command, folder)
            if turn:
                costs[name].append(cost)
    print(f"\n{title}")
    print(f"  {'':34}{'wall s':>8}{'CPU s':>8}{'peak MiB':>10}{'wall ratio':>12}{'CPU ratio':>11}")
    mine = _median(costs["mlops"])
    for name, found in costs.items():
        theirs = _median(found)
        ratios = f"{mine.wall / theirs.wall:>12.2f}{mine.cpu / theirs.cpu:>11.2f}" if name != "mlops" else ""
        print(f"  {name:34}{theirs.wall:>8.2f}{theirs.cpu:>8.2f}{theirs.peak:>10.0f}{ratios}")


def _median(costs: list[Cost]) -> Cost:
    return Cost(*(statistics.median(getattr(c, part) for c in costs) for part in ("wall", "cpu", "peak")))


def single(folder: Path, rounds: int) -> None:
    """One experiment on iris, each format of the model against a script that writes the same one."""
    for name, dump in {"skops": SKOPS, "joblib": JOBLIB}.items():
        (folder / f"single_{name}.py").write_text(SINGLE.format(dump=dump))
        ours = [*MLOPS, "run", "config=iris", f"artifacts.model_format={name}", "--force", "--quiet"]
        others = {"script that does the same": [sys.executable, f"single_{name}.py"]}
        compare(f"mlops run config=iris, model by {name}", ours, others, folder, rounds)


def grid(folder: Path, rounds: int) -> None:
    """A grid of 32 points, 5 splits, on 20,000 rows × 60 mixed columns."""
    import numpy as np

    _mixed(folder / "data" / "mixed.csv")
    points = [float(c) for c in np.logspace(-3, 2, 32)]
    (folder / "configs" / "mixed.yaml").write_text(EXPERIMENT % points)
    (folder / "grid.py").write_text(GRID)
    ours = [*MLOPS, "run", "config=mixed", "--force", "--quiet"]
    compare("32 points × 5 splits, 20,000 × 60", ours, {"GridSearchCV": [sys.executable, "grid.py"]}, folder, rounds)


def _mixed(path: Path) -> None:
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    rows = 20_000
    table = {f"n{i}": rng.normal(size=rows) * 10.0 ** rng.integers(-2, 3) for i in range(40)}
    for column in list(table)[::4]:
        table[column][rng.random(rows) < 0.05] = np.nan
    table |= {f"c{i}": rng.choice([f"v{k}" for k in range(3 + i)], rows) for i in range(20)}
    signal = np.nan_to_num(table["n1"] / np.nanstd(table["n1"])) + (table["c3"] == "v1") + rng.logistic(size=rows)
    pd.DataFrame({**table, "target": (signal > 0.3).astype(int)}).to_csv(path, index=False)


def start(folder: Path, rounds: int) -> None:
    """What a start costs before any work."""
    others = {'python -c "import typer, rich"': [sys.executable, "-c", "import typer, rich"]}
    compare("mlops --help", [*MLOPS, "--help"], others, folder, max(rounds, 5))
    compare("mlops runs ls", [*MLOPS, "runs", "ls"], others, folder, max(rounds, 5))


PARTS = {"start": start, "single": single, "grid": grid}


def main() -> None:
    """Make a workspace in a temporary folder and measure in it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=sorted(PARTS), action="append")
    asked = parser.parse_args()
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(REPO / "mlops_cli")], check=True)
    folder = Path(tempfile.mkdtemp(prefix="mlops-bench-"))
    try:
        shutil.copytree(REPO / "configs", folder / "configs")
        shutil.copytree(REPO / "data", folder / "data")
        for name in asked.only or PARTS:
            PARTS[name](folder, asked.rounds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()

"""The work that pruning and learning samplers save on the way to the same best score."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from measuring import heading, sweep

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from measuring import Bench, Done

POINTS = 64
ROWS = 20_000
SPLITS = 5
METRIC = "roc_auc"

SPACE = {
    "model.learning_rate": "tag(log, interval(0.01, 1))",
    "model.max_leaf_nodes": "tag(log, int(interval(4, 128)))",
    "model.l2_regularization": "tag(log, interval(1e-6, 10))",
    "model.min_samples_leaf": "tag(log, int(interval(2, 200)))",
}
SHARES = (1 / 9, 1 / 3, 1.0)  # of the rows at each rung of halving over rows

VARIANTS: dict[str, dict[str, Any]] = {
    "random": {"sampler": "random"},
    "random, halving over splits": {"sampler": "random", "pruner": "halving"},
    "random, halving over rows": {"sampler": "random", "pruner": {"name": "halving", "over": "rows"}},
    "random, hyperband": {"sampler": "random", "pruner": "hyperband"},
    "random, wilcoxon": {"sampler": "random", "pruner": "wilcoxon"},
    "tpe": {"sampler": "tpe"},
    "tpe, halving over splits": {"sampler": "tpe", "pruner": "halving"},
}


@dataclass(frozen=True)
class _Trial:
    """What is to be known of one trial."""

    work: float  # fits, each counted by its share of the rows
    splits: tuple[float, ...]  # the scores, where it was not stopped

    @property
    def score(self) -> float:
        return statistics.fmean(self.splits) if self.splits else float("-inf")


def pruning(bench: Bench) -> None:
    """A sweep of histogram gradient boosting over four parameters, seven ways."""
    rows, points = bench.scaled(ROWS, 1_000), bench.scaled(POINTS, 8)
    _write_table(bench.folder / "data" / "boosting.csv", rows)
    heading(f"{points} points × {SPLITS} splits of hist_gradient_boosting, {rows:,} rows")
    print(f"  {'':28}{'wall s':>8}{'CPU s':>8}{'CPU':>6}{'fits':>8}{'work':>7}{'best':>9}", end="")
    print(f"{'to a std':>10}{'to the best':>13}   (shares: of the first line)")
    first: tuple[Sequence[_Trial], Done] | None = None
    for name, how in VARIANTS.items():
        _configure(bench, name, how, points)
        done = bench.run(sweep(_file(name)))
        trials = [_trial(line, how) for line in bench.journal(done)]
        first = first or (trials, done)
        print(f"  {name:28}{_row(trials, done, *first)}", flush=True)


def _file(name: str) -> str:
    return name.replace(", ", "_").replace(" ", "_")


def _configure(bench: Bench, name: str, how: Mapping[str, Any], points: int) -> None:
    parts = [{"data": "csv"}, {"model": "hist_gradient_boosting"}, {"split": "stratified_kfold"}]
    bench.configure(
        _file(name),
        defaults=["experiment", *parts, "_self_"],
        data={"path": "data/boosting.csv", "target": "target"},
        # By itself it stops early past 10,000 rows alone: then a fit on fewer rows takes longer than one on all.
        model={"early_stopping": False},
        evaluation={"metrics": [METRIC]},
        artifacts={"keep": "none", "predictions": False},
        sweep={**how, "trials": points, "space": SPACE},
    )


def _trial(line: Mapping[str, Any], how: Mapping[str, Any]) -> _Trial:
    """Return a line of the journal as work done; a pruned trial has work, and no score."""
    scores = tuple(line["scores"].get(METRIC, ()))
    by_rows = isinstance(how.get("pruner"), dict)
    work = sum(SHARES[: len(line["steps"])]) * SPLITS if by_rows else len(scores)
    return _Trial(work, scores if line["state"] == "completed" else ())


def _row(trials: Sequence[_Trial], done: Done, plain: Sequence[_Trial], plainly: Done) -> str:
    best, all_work = max(plain, key=lambda trial: trial.score), sum(trial.work for trial in plain)
    near = _work_until(trials, best.score - statistics.stdev(best.splits))
    same = _work_until(trials, best.score)
    work, found = sum(trial.work for trial in trials), max(trial.score for trial in trials)
    cost = f"{done.cost.wall:>8.1f}{done.cost.cpu:>8.1f}{done.cost.cpu / plainly.cost.cpu:>6.0%}"
    reached = f"{_share(near, all_work):>10}{_share(same, all_work):>13}"
    return f"{cost}{work:>8.1f}{work / all_work:>7.0%}{found:>9.4f}{reached}"


def _work_until(trials: Sequence[_Trial], score: float) -> float | None:
    """Return the work up to the first trial that is as good; None where there is none."""
    work = 0.0
    for trial in trials:
        work += trial.work
        if trial.score >= score - 1e-12:
            return work
    return None


def _share(work: float | None, whole: float) -> str:
    return "never" if work is None else f"{work / whole:.0%}"


def _write_table(path: Path, rows: int) -> None:
    import pandas as pd
    from sklearn.datasets import make_classification

    X, y = make_classification(
        rows,
        12,
        n_informative=8,
        n_redundant=2,
        n_clusters_per_class=8,
        flip_y=0.05,
        class_sep=0.8,
        random_state=0,
    )
    pd.DataFrame(X, columns=[f"x{i}" for i in range(12)]).assign(target=y).to_csv(path, index=False)

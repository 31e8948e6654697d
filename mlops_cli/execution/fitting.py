"""One node, or one trial, on one split: what a worker computes. Returns values and text; writes no record.

Equal to scikit-learn's ``cross_validate`` of the whole Pipeline: the same objects are fitted on the same rows, only
not more often than needed.
"""

from __future__ import annotations

import os
import re
import time
import warnings
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mlops_cli.components.checkpoints import checkpoints_in, folder_of
from mlops_cli.components.curves import curve_of
from mlops_cli.components.fit_rows import rows_known
from mlops_cli.components.launchers.provided import provided
from mlops_cli.components.launchers.verdicts import raised
from mlops_cli.components.layout import Columns, Node, Step, Union
from mlops_cli.components.pipeline import SPARSE_THRESHOLD
from mlops_cli.execution.job import mapped
from mlops_cli.execution.repeated import score_repetition
from mlops_cli.execution.sharing import Stored
from mlops_cli.records import ErrorInfo, Notice, SplitScore, Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlops_cli.components.pipeline import Builder
    from mlops_cli.execution.job import Job, Split, Travelling
    from mlops_cli.records import Trial


class Blocks(NamedTuple):
    """What a node gives."""

    train: Any
    test: Any
    y: Any = None  # the target of the training rows, where a step has made others of them


MENDS = {
    "Input X contains NaN": "a step that imputes helps: transforms=tabular",
    "Input X contains infinity": "a step that clips or imputes helps",
    "Input y contains": "the target has values that its transform cannot take: another target_transform helps",
    "to have a cardinality <=": "transforms.categories.max_categories=255 keeps the most frequent ones",
    "could not convert string to float": "a step that encodes helps: transforms=tabular or tree",
}
"""What helps, by a part of scikit-learn's message."""


MORE_ITERATIONS = "; give it more iterations, as by model.max_iter=5000, or scale the features"
"""What helps where a fit has not converged."""


class Places(NamedTuple):
    """The folders of a run in which workers may write; by trial and split."""

    checkpoints: str
    work: str


@dataclass(frozen=True)
class SplitTask:
    """One trial on one split, as it is sent to a worker; or one shared node, where ``store_as`` says where it goes."""

    job: Travelling[Job]
    splits: Travelling[tuple[Split, ...]]
    trial: Trial
    root: Node | Stored  # what the model is fitted on, or what is to be stored
    split: int
    share: float = 1.0  # of the training rows
    store_as: str | None = None
    alone: bool = True  # in its process: else whoever runs the threads settles what a process has one of
    places: Places | None = None  # where files may be kept, on a machine that sees the run's

    @property
    def checkpoint(self) -> Path | None:
        """Where this fit keeps how far it is; a fit on fewer rows is another one."""
        share = f"-{self.share:g}" if self.share < 1 else ""
        return None if self.places is None else Path(self.places.checkpoints, f"{self._name}{share}")

    @property
    def work(self) -> Path | None:
        """Where a repetition writes what is kept with the run, where its trial is the best."""
        return None if self.places is None else Path(self.places.work, self._name)

    @property
    def _name(self) -> str:
        return folder_of(self.trial.fingerprint, self.split)

    @property
    def rows(self) -> Split:
        """The training and the test rows."""
        train, test = self.splits.get()[self.split]
        return (train if self.share >= 1 else _fewer(train, self)), test


def run_task(task: SplitTask) -> SplitScore:
    """Do the task and return what came of it; whatever a component raises comes back as text."""
    started = time.perf_counter()
    with _caught_warnings(task) as caught, one_blas_thread() if task.alone else nullcontext():
        try:
            score = _computed(task)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt) and task.job.is_home:
                raise  # Ctrl-C: workers do not hear it
            spent = time.perf_counter() - started
            score = SplitScore(task.trial.number, task.split, fit_s=spent, error=describe(error))
    return replace(score, notices=notices_of(caught))


def _computed(task: SplitTask) -> SplitScore:
    if task.store_as is not None:
        return _store_node(task)
    return _score_trial(task) if task.job.get().task.has_table else score_repetition(task)


def _fewer(train: Any, task: SplitTask) -> Any:
    """Return a share of the training rows, of each class as far as there are classes; a greater share holds a smaller.

    The latest ones where rows come in the order of time: a draw would leave gaps.
    """
    job = task.job.get()
    if job.in_time:
        return train[-max(1, round(task.share * len(train))) :]
    drawn = np.random.default_rng([task.trial.spec.seed, task.split]).permutation(train)
    labels = job.y[drawn] if job.task is Task.CLASSIFICATION and job.y is not None else np.zeros(len(drawn))
    kept = [drawn[labels == label] for label in np.unique(labels)]
    return np.sort(np.concatenate([rows[: max(1, round(task.share * len(rows)))] for rows in kept]))


@contextmanager
def _caught_warnings(task: SplitTask) -> Iterator[list[warnings.WarningMessage]]:
    if not task.alone:
        yield []
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught


def describe(error: BaseException) -> ErrorInfo:
    """Return an exception as text, with what helps where that is known."""
    found = raised(error)
    mend = next((mend for part, mend in MENDS.items() if part in found.message), None)
    first, _, rest = found.message.partition("\n")
    return replace(found, message="\n".join(filter(None, [f"{first} ({mend})" if mend else first, rest])))


def one_blas_thread() -> Any:
    """Keep linear algebra to one thread: sums then come out the same whatever the number of workers."""
    return _thread_controller().limit(limits=1, user_api="blas")


@cache
def _thread_controller() -> Any:
    import scipy.linalg  # noqa: F401 - it brings a library of its own, which is found only once it is loaded
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def notices_of(caught: Sequence[warnings.WarningMessage]) -> tuple[Notice, ...]:
    """Return what libraries warned of, each thing once; what only their callers could change is left out."""
    from sklearn.exceptions import ConvergenceWarning

    found = {}
    for warning in caught:
        category = warning.category
        code = "not-converged" if issubclass(category, ConvergenceWarning) else "library-warning"
        if not issubclass(category, DeprecationWarning | PendingDeprecationWarning | FutureWarning):
            first_line = next(iter(str(warning.message).strip().splitlines()), category.__name__)
            if code == "not-converged":  # what it goes on with, in lines that are left out, begins after the colon
                first_line = re.sub(r" *\(status=\d+\)", "", first_line).rstrip(" :.") + MORE_ITERATIONS
            found[code, first_line] = Notice(code, first_line)
    return tuple(found.values())


# --- one trial ---------------------------------------------------------------------------------------------------


def _score_trial(task: SplitTask) -> SplitScore:
    job = task.job.get()
    trial, rows = task.trial, task.rows
    assembly = job.assembly(trial)
    started = time.perf_counter()
    train, test, y = _Fits(job, rows, assembly.builder, _folder(task)).blocks(task.root)
    with checkpoints_in(task.checkpoint), rows_known(job.known_of(rows[0])):
        model = _fitted(assembly.model(), train, job, rows[0], y)
    fitted = time.perf_counter()
    scores, predictions = _scored(model, train, test, job, rows)
    return SplitScore(
        trial.number,
        task.split,
        scores,
        fit_s=fitted - started,
        score_s=time.perf_counter() - fitted,
        predictions=predictions,
        curve=curve_of(model),
        error=_not_finite(scores),
    )


def _fitted(model: Any, train: Any, job: Job, rows: Any, y: Any) -> Any:
    from mlops_cli.components.build import takes_sample_weight

    if y is None and job.y is not None:
        y = job.y[rows]
    if job.weights is not None and takes_sample_weight(model):
        return model.fit(train, y, sample_weight=job.weights[rows])
    return model.fit(train, y)


def _scored(model: Any, train: Any, test: Any, job: Job, rows: Split) -> tuple[dict[str, float], dict[str, Any]]:
    from mlops_cli.components.metrics import evaluate

    held, features = rows[1], test
    if job.task is Task.CLUSTERING and not hasattr(model, "predict"):
        # Such a clustering labels only what it was fitted on.
        model, held, features = _Labels(model.labels_), rows[0], train
    y = None if job.y is None else job.y[held]
    weights = None if job.weights is None else job.weights[held]
    scores, responses = evaluate(job.resolved_metrics, model, features, y, weights)
    return scores, prediction_columns(responses, model, features, held, job.scoring.classes)


class _Labels:
    """The labels of a clustering in the form that scorers ask for."""

    def __init__(self, labels: Any) -> None:
        self.labels = labels

    def predict(self, _features: Any) -> Any:
        return self.labels


def prediction_columns(
    responses: Mapping[str, Any], model: Any, features: Any, rows: Any, classes: Sequence[Any] | None
) -> dict[str, Any]:
    """Return predictions as columns: row, prediction, and the probability of each class where there are any.

    A class that was missing from the training rows has the probability 0.
    """
    predicted = responses["predict"] if "predict" in responses else model.predict(features)
    columns = {"row": np.asarray(rows), "prediction": np.asarray(predicted)}
    probabilities = responses.get("predict_proba")
    if probabilities is None and classes is not None and hasattr(model, "predict_proba"):
        probabilities = model.predict_proba(features)
    if classes is None or probabilities is None or np.ndim(probabilities) != 2:
        return columns
    place = {label: index for index, label in enumerate(np.asarray(model.classes_).tolist())}
    for label in classes:
        known = place.get(label)
        column = np.zeros(len(probabilities)) if known is None else np.asarray(probabilities[:, known])
        columns[f"proba_{label}"] = column
    return columns


def _not_finite(scores: Mapping[str, float]) -> ErrorInfo | None:
    bad = [name for name, value in scores.items() if not np.isfinite(value)]
    if not bad:
        return None
    found = ", ".join(f"{name} is {scores[name]}" for name in bad)
    why = "often a class is missing from the test rows, or a prediction is not finite"
    return ErrorInfo("NonFiniteScore", f"{found}: {why}")


# --- the tree of fits --------------------------------------------------------------------------------------------


def _store_node(task: SplitTask) -> SplitScore:
    job = task.job.get()
    started = time.perf_counter()
    fits = _Fits(job, task.rows, job.assembly(task.trial).builder, _folder(task))
    _store(fits.blocks(task.root), Path(str(task.store_as)))
    return SplitScore(task.trial.number, task.split, fit_s=time.perf_counter() - started)


def _store(blocks: Blocks, path: Path) -> None:
    """Store blocks beside their place and then rename: whoever stored them before may have been killed half-way."""
    import joblib

    beside = path.with_suffix(f".{os.getpid()}")
    joblib.dump(blocks, beside)
    beside.replace(path)


def _folder(task: SplitTask) -> Path:
    """Return where this machine has the files of a run."""
    return provided(task.job.path).parent


@dataclass(frozen=True)
class _Fits:
    """Evaluates nodes of one trial's tree on one split, reading what is stored."""

    job: Job
    rows: Split
    builder: Builder
    folder: Path = Path()

    def blocks(self, node: Node | Stored) -> Blocks:
        if isinstance(node, Stored):
            return self._stored(node)
        if isinstance(node, Columns):
            return self._raw(node)
        if isinstance(node, Step):
            return self._step(node)
        return _joined([self.blocks(part) for part in node.parts], node)

    def _stored(self, node: Stored) -> Blocks:
        path = Path(node.path)
        if node.node is not None:
            path = self.folder / path.name
            if not path.exists():
                _store(self.blocks(node.node), path)
        stored: Blocks = mapped(str(path))
        return stored

    def _raw(self, node: Columns) -> Blocks:
        train, test = self.rows
        names: Any = node.names[0] if node.flat else list(node.names)
        table = self.job.X if names == list(self.job.X.columns) else self.job.X[names]
        return Blocks(table.iloc[train], table.iloc[test])

    def _step(self, node: Step) -> Blocks:
        train, test, changed = self.blocks(node.source)
        y = self.job.y[self.rows[0]] if changed is None and self.job.y is not None else changed
        transformer = self.builder.transformer(node)
        if node.resamples:
            train, y = transformer.fit_resample(train, y)
            return Blocks(train, test, y)
        return Blocks(transformer.fit_transform(train, y), transformer.transform(test), changed)


def _joined(parts: Sequence[Blocks], union: Union) -> Blocks:
    """Set parts side by side exactly as ColumnTransformer does: sparse where few enough values are not zero."""
    import pandas as pd
    from scipy import sparse

    trains, tests = [p.train for p in parts], [p.test for p in parts]
    y = parts[0].y  # who resamples acts on all columns, so there is one part then
    if union.frame:
        return Blocks(pd.concat(trains, axis=1), pd.concat(tests, axis=1), y)
    if _stays_sparse(trains, 0.0 if union.dense else SPARSE_THRESHOLD):
        return Blocks(sparse.hstack(_numeric(trains)).tocsr(), sparse.hstack(_numeric(tests)).tocsr(), y)
    return Blocks(np.hstack(_dense(trains)), np.hstack(_dense(tests)), y)


def _stays_sparse(blocks: Sequence[Any], threshold: float) -> bool:
    from scipy import sparse

    if not any(sparse.issparse(b) for b in blocks):
        return False
    stored = sum(b.nnz if sparse.issparse(b) else b.size for b in blocks)
    total = sum(b.shape[0] * b.shape[1] if sparse.issparse(b) else b.size for b in blocks)
    return bool(stored / total < threshold)


def _numeric(blocks: Sequence[Any]) -> list[Any]:
    from sklearn.utils import check_array

    return [check_array(b, accept_sparse=True, ensure_all_finite=False) for b in blocks]


def _dense(blocks: Sequence[Any]) -> list[Any]:
    from scipy import sparse

    return [b.toarray() if sparse.issparse(b) else b for b in blocks]

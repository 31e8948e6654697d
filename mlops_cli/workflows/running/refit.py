"""A trial's whole Pipeline fitted on training rows: on all of them for the model that is kept, on some for curves."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from joblib import cpu_count, parallel_config

from mlops_cli.components.build import takes_sample_weight
from mlops_cli.components.fit_rows import rows_known
from mlops_cli.execution.fitting import notices_of, one_blas_thread
from mlops_cli.workflows.silence import silent

if TYPE_CHECKING:
    from mlops_cli.execution.job import Indices
    from mlops_cli.records import Notice, Trial
    from mlops_cli.workflows.running.prepare import Prepared


@dataclass(frozen=True)
class Refit:
    """A fitted Pipeline, and what was said while it was fitted."""

    model: Any
    notices: tuple[Notice, ...] = ()


def refit(prepared: Prepared, trial: Trial, rows: Indices | None = None) -> Refit:
    """Fit the whole Pipeline of a trial on all training rows, or on those at some positions."""
    dataset = prepared.loaded.train
    X, y, weights = dataset.X, dataset.y, dataset.weights
    if rows is not None:
        X, y, weights = X.iloc[rows], None if y is None else y[rows], None if weights is None else weights[rows]
    pipeline = prepared.assembly(trial).pipeline()
    params = {}
    if weights is not None and takes_sample_weight(pipeline[-1]):
        params["model__sample_weight"] = weights
    # One fit has all cores, which is what an estimator's own n_jobs=None means inside this context; linear algebra
    # keeps to one thread as in the trials, so that its sums come out the same.
    all_cores = parallel_config("threading", n_jobs=cpu_count())
    known = rows_known(prepared.job.known_of(rows))
    with warnings.catch_warnings(record=True) as caught, all_cores, one_blas_thread(), silent(), known:
        warnings.simplefilter("always")
        pipeline.fit(X, y, **params)
    # Of a model that went on learning the Pipeline that it is by now: plain, and without the one that it began from.
    return Refit(getattr(pipeline[-1], "pipeline_", pipeline), notices_of(caught))

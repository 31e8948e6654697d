"""The functions that ``import mlops_cli`` offers; a command is a thin face over the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_cli.analysis.sameness import TOLERANCE
from mlops_cli.errors import MlopsError
from mlops_cli.records import RunStatus
from mlops_cli.store.index.fields import BY_NAME, columns_of, values_of
from mlops_cli.workflows.applying.agent import load_agent
from mlops_cli.workflows.applying.model import Model, saved_by
from mlops_cli.workflows.applying.python import evaluate, load_model, named, predict, predict_each
from mlops_cli.workflows.renewing.python import retrain
from mlops_cli.workflows.running.prepare import RunOptions
from mlops_cli.workflows.running.recording import ignore
from mlops_cli.workflows.running.rerun import rerun as run_again
from mlops_cli.workflows.running.resume import resume as finish_run
from mlops_cli.workflows.running.run import execute
from mlops_cli.workflows.runs.compare import Compared, compare_runs
from mlops_cli.workflows.runs.finding import Query, look_up, search
from mlops_cli.workflows.settings import checked, told_in_python
from mlops_cli.workflows.watching.check import drift_of as drift

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from mlops_cli.contracts import Observer
    from mlops_cli.records import BestTrial, MetricSummary, ModelVersion, Rerun, RunRecord, TrialResult


__all__ = [
    "Compared",
    "Model",
    "Run",
    "compare",
    "drift",
    "evaluate",
    "find_run",
    "load_agent",
    "load_model",
    "predict",
    "predict_each",
    "register",
    "rerun",
    "resume",
    "retrain",
    "run",
    "runs",
]


@dataclass(frozen=True, repr=False)
class Run:
    """A recorded run.

    Parameters
    ----------
    record : RunRecord
        All that ``run.json`` holds.
    results : tuple of TrialResult
        The trials in order.
    """

    record: RunRecord
    results: tuple[TrialResult, ...]

    def __repr__(self) -> str:
        return f"Run({self.id!r}, {self.record.status})"

    @property
    def id(self) -> str:
        """``EXPERIMENT/STAMP-HEX``."""
        return self.record.id

    @property
    def path(self) -> Path:
        """The run's directory."""
        return self.record.path

    @property
    def status(self) -> RunStatus:
        """Where the run stands."""
        return self.record.status

    @property
    def best(self) -> BestTrial | None:
        """The winner: its number and its swept parameters. None where no trial completed."""
        return self.record.best

    @property
    def metrics(self) -> Mapping[str, MetricSummary]:
        """Metric → mean, std, ci95, splits and test of the best trial."""
        return self.record.metrics

    @property
    def trials(self) -> pd.DataFrame:
        """One row per trial, shape (trials, …).

        Columns: ``trial``, ``state``, ``params.KEY`` for each swept key, the mean and ``.std`` of each metric,
        ``fit_s`` and ``score_s`` in seconds, ``error``.
        """
        import pandas as pd

        return pd.DataFrame([_row(result) for result in self.results])

    def predictions(self) -> pd.DataFrame:
        """Return the out-of-fold predictions of the best trial."""
        from mlops_cli.store.layout import RunPaths
        from mlops_cli.store.tables import read_predictions

        return read_predictions(RunPaths(self.path).predictions)

    @told_in_python()
    def report(self, path: str | Path | None = None, *, force: bool = False) -> Path:
        """Write everything about the run as one page that opens offline, and return where it is.

        Parameters
        ----------
        path : str or Path, optional
            The file; one in the current folder that is named after the run where not given.
        force : bool
            Overwrite a file that is no report.

        Raises
        ------
        UsageError
            A page cannot or should not be written there.
        """
        from pathlib import Path

        from mlops_cli.workflows.runs.report import write_report

        return write_report([str(self.path)], Path(path) if path is not None else None, force=force)

    @told_in_python()
    def tell(self, tracker: str, **settings: Any) -> str | None:
        """Tell a tracker of the run: ``run.tell("wandb", folder="x")``; return where it is to be seen there."""
        from mlops_cli.workflows.runs.telling import tell_of

        return tell_of(self.record, tracker, settings)

    @told_in_python()
    def model(self, *, allow_pickle: bool = False) -> Model:
        """Return the best trial fitted on all training rows; see `Model.predict` and `Model.pipeline`.

        Parameters
        ----------
        allow_pickle : bool
            Open a model that was saved by ``artifacts.model_format: joblib``; a pickle can run any code.

        Raises
        ------
        StoreError
            The run has no model, or its files are not those that were recorded.
        """
        return saved_by(self.record).open(allow_pickle=allow_pickle)


def _row(result: TrialResult) -> dict[str, Any]:
    row: dict[str, Any] = {"trial": result.trial, "state": str(result.state)}
    row |= {f"params.{key}": value for key, value in result.params.items()}
    for name in result.scores:
        row |= {name: result.mean(name), f"{name}.std": result.std(name)}
    error = result.error.text if result.error is not None else None
    return {**row, "fit_s": result.fit_s, "score_s": result.score_s, "error": error}


def run(
    experiment: str | Path,
    overrides: Sequence[str] = (),
    *,
    options: RunOptions | None = None,
    observer: Observer = ignore,
    **settings: Any,
) -> Run:
    """Run an experiment.

    Parameters
    ----------
    experiment : str or Path
        An experiment's name, or a path to a YAML file.
    overrides : sequence of str
        In Hydra's grammar: ``["model=random_forest", "model.max_depth=3,5"]``.
    options : RunOptions, optional
        As a record; or give its fields as keywords: ``n_jobs``, ``tags``, ``note``, ``force``, ``retry_failed``,
        ``workspace``.
    observer : callable, optional
        Told of each event while the run goes.

    Returns
    -------
    Run
        An identical finished run, if there is one and not ``force``.

    Raises
    ------
    ConfigError, DataError
        The config is wrong, or the data unusable. A failing trial is recorded and raises nothing.
    """
    if options is not None and settings:
        raise MlopsError("give options=RunOptions(...) or its fields as keywords, not both")
    chosen = options if options is not None else RunOptions(**checked(settings, RunOptions, "run"))
    outcome = execute(str(experiment), list(overrides), chosen, observer=observer)
    if outcome.record.status is RunStatus.INTERRUPTED:
        raise KeyboardInterrupt
    return Run(outcome.record, outcome.trials)


def resume(ref: str | Path, *, observer: Observer = ignore, **settings: Any) -> Run:
    """Finish an interrupted run: only the trials that are missing run.

    Parameters
    ----------
    ref : str or Path
        An id, a unique beginning of one, a path, ``latest`` …
    observer : callable, optional
        Told of each event while the run goes.
    **settings
        ``n_jobs``, ``workspace``; ``retry_failed`` runs failed and lost trials again too.

    Raises
    ------
    StoreError
        There is no such run, another process is writing it, or what its results rest on has changed.
    """
    outcome = finish_run(str(ref), RunOptions(**checked(settings, RunOptions, "run")), observer=observer)
    if outcome.record.status is RunStatus.INTERRUPTED:
        raise KeyboardInterrupt
    return Run(outcome.record, outcome.trials)


def rerun(
    ref: str | Path | Run,
    *,
    tolerance: float = TOLERANCE,
    at_commit: bool = False,
    observer: Observer = ignore,
    **settings: Any,
) -> Rerun:
    """Run a run again with its own config, data and seed, as a new run, and compare.

    Parameters
    ----------
    ref : str, Path or Run
        A run; or a registered model, ``"titanic/3"``.
    tolerance : float
        The share of the largest value beside them up to which two numbers are equal.
    at_commit : bool
        With the code of its commit, in a temporary git worktree and another process.
    observer : callable, optional
        Told of each event while the run goes; of nothing ``at_commit``.
    **settings
        ``n_jobs``, ``workspace``.

    Returns
    -------
    Rerun
        ``agreement`` is ``identical``, ``equal`` or ``different``; ``changed`` says what is another since.

    Raises
    ------
    StoreError
        There is no such run, or it has not ended; or its commit cannot be had again.
    DataError
        Its data cannot be had any more.
    """
    name = named(ref)
    options = RunOptions(**checked(settings, RunOptions, "run"))
    if not at_commit:
        return run_again(name, options, tolerance=tolerance, observer=observer)
    from mlops_cli.workflows.running.at_commit import rerun_there

    return rerun_there(name, options, tolerance=tolerance)


def find_run(ref: str | Path, *, workspace: str | Path | None = None) -> Run:
    """Return a recorded run.

    Parameters
    ----------
    ref : str or Path
        An id, a unique beginning of one, a path, ``latest``, ``EXPERIMENT:latest`` or ``EXPERIMENT:best``.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.
    """
    record, results = look_up(str(ref), workspace=workspace)
    return Run(record, results)


def runs(
    experiment: str | None = None,
    *,
    where: str = "",
    sort: str = "",
    limit: int | None = None,
    workspace: str | Path | None = None,
) -> pd.DataFrame:
    """Return the runs of a workspace, newest first, one row each.

    Parameters
    ----------
    experiment : str, optional
        Only the runs of this experiment.
    where : str
        A filter: ``"metrics.roc_auc > 0.8 and params.model.C < 1"``; ``mlops runs ls --help`` tells the language.
    sort : str
        Keys with commas between them; ``-KEY`` is descending, ``score`` the best first.
    limit : int, optional
        At most so many, the first ones.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Returns
    -------
    DataFrame
        Shape (runs, …): the keys that ``where`` knows, from ``id`` to ``fingerprint``, ``metrics.NAME`` (the mean of
        the best trial, its ``.std`` and its ``.test`` score), ``params.KEY`` of the best trial, ``tags.KEY``, and
        ``path``. ``started`` and ``ended`` are datetimes in UTC.
    """
    import pandas as pd

    found = search(Query(experiment, where, sort, limit), workspace).records
    rows = [{**values_of(record), "path": str(record.path)} for record in found]
    table = pd.DataFrame(rows, columns=columns_of([BY_NAME, *rows]))
    for name in ("started", "ended"):
        table[name] = pd.to_datetime(table[name], utc=True, format="ISO8601")
    return table


def register(
    run: str | Path | Run,
    name: str | None = None,
    *,
    alias: str | None = None,
    tags: Mapping[str, str] | None = None,
    description: str = "",
    workspace: str | Path | None = None,
) -> ModelVersion:
    """Register the model of a run, and return the version that it became.

    Parameters
    ----------
    run : str, Path or Run
        A run that has completed.
    name : str, optional
        Of the model; the experiment's where not given.
    alias : str, optional
        What the version is to be called, such as ``challenger``.
    tags : mapping of str to str, optional
        Of the version.
    description : str
        What it is for.
    workspace : str or Path, optional
        Where the registry is; the current folder's where not given.

    Raises
    ------
    StoreError
        The run has no model or has not completed, its files have changed, or the name cannot be one.
    """
    from mlops_cli.workflows.models.register import register as add_version

    ref = named(run)
    asked: dict[str, Any] = {"alias": alias, "tags": tags, "description": description}
    return add_version(ref, name, **asked, workspace=workspace).version


def compare(
    a: str | Path | Run, b: str | Path | Run, *others: str | Path | Run, workspace: str | Path | None = None
) -> Compared:
    """Return whether ``b``, and each of the others, is better than ``a``, or only seems so by chance.

    By the corrected resampled t-test over the same splits (Nadeau & Bengio 2003).

    Parameters
    ----------
    a, b, *others : str, Path or Run
        Runs, for their best trials; ``"RUN#4"`` for trial number 4.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Returns
    -------
    Compared
        Its ``table`` is a DataFrame, its ``sentences`` say what it comes to.

    Raises
    ------
    UsageError, StoreError
        One of them is not there, or has no scores.
    """
    refs = [named(ref) for ref in (a, b, *others)]
    return Compared(compare_runs(refs, workspace=workspace))

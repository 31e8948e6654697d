"""Runs as MLflow has them, whoever made them: read as plain values. No model of theirs is opened."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mlops_cli.components.trackers import require
from mlops_cli.components.trackers.mlflow_place import connect, import_mlflow, place_of, plain_errors
from mlops_cli.components.trackers.mlflow_told import PARENT
from mlops_cli.errors import StoreError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlops_cli.components.trackers.mlflow_place import Place

_PAGE = 1000


@dataclass(frozen=True)
class FoundData:
    """Data that a run read, as MLflow has it."""

    name: str
    digest: str
    source: str
    schema: str | None = None  # JSON
    profile: str | None = None  # JSON
    context: str = ""  # training, testing …


@dataclass(frozen=True)
class FoundRun:
    """A run of MLflow's."""

    id: str
    name: str
    experiment: str
    status: str  # FINISHED, FAILED, KILLED, RUNNING, SCHEDULED
    started: int  # milliseconds since 1970
    ended: int | None
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)  # at the last step
    steps: Mapping[str, int] = field(default_factory=dict)  # that step
    histories: Mapping[str, tuple[tuple[int, float], ...]] = field(default_factory=dict)  # step and value, ascending
    data: tuple[FoundData, ...] = ()
    children: tuple[FoundRun, ...] = ()  # nested in it, the first one first

    @property
    def parent(self) -> str | None:
        """The id of the run that it is nested in."""
        return self.tags.get(PARENT)


class MlflowReader:
    """Reads runs.

    Parameters
    ----------
    uri : str, optional
        As `place_of` takes it.
    workspace : Path
        Its folder.
    """

    def __init__(self, uri: str | None, workspace: Path) -> None:
        require("mlflow", "mlflow")
        import_mlflow()
        self.place: Place = place_of(uri, workspace)
        if self.place.file is not None and not self.place.file.exists():
            raise StoreError(f"MLflow has nothing at {self.place.shown}", hint="--uri says where it keeps its runs")
        self._client = connect(self.place)

    def roots(self, experiment: str | None = None, run: str | None = None) -> list[FoundRun]:
        """Return runs that are nested in no other, each with those that are nested in it, the oldest first.

        Parameters
        ----------
        experiment : str, optional
            The name of an experiment of MLflow's; all of them where not given.
        run : str, optional
            The id of one run, nested or not.

        Raises
        ------
        StoreError
            There is no such experiment or run.
        """
        with plain_errors(self.place):
            names = self._experiments(experiment)
            if run is not None:
                known = self._client.get_run(run)
                name = self._client.get_experiment(known.info.experiment_id).name
                names = {known.info.experiment_id: name}
            found = [_plain(item, names[item.info.experiment_id]) for item in self._search(list(names))]
        return _nested(found, run)

    def whole(self, run: FoundRun) -> FoundRun:
        """Return a run with every value of the metrics that have several steps, and so of those nested in it."""
        with plain_errors(self.place):
            return self._whole(run)

    def _whole(self, run: FoundRun) -> FoundRun:
        long = [key for key, step in run.steps.items() if step > 0]
        histories = {key: _ascending(self._client.get_metric_history(run.id, key)) for key in long}
        return replace(run, histories=histories, children=tuple(map(self._whole, run.children)))

    def config(self, run: FoundRun) -> str:
        """Return the ``config.yaml`` among a run's files; nothing where it has none."""
        import tempfile
        from pathlib import Path

        with plain_errors(self.place), tempfile.TemporaryDirectory(prefix="mlops-") as folder:
            if not any(file.path == "config.yaml" for file in self._client.list_artifacts(run.id)):
                return ""
            path = Path(self._client.download_artifacts(run.id, "config.yaml", folder))
            return path.read_text(encoding="utf-8", errors="replace")

    def _experiments(self, name: str | None) -> dict[str, str]:
        """Return id → name."""
        names: dict[str, str] = {}
        token = None
        while True:
            page = self._client.search_experiments(max_results=_PAGE, page_token=token)
            names |= {item.experiment_id: item.name for item in page}
            token = page.token
            if not token:
                break
        found = {key: value for key, value in names.items() if name in {None, value}}
        if not found:
            hint = did_you_mean(str(name), names.values()) if names else None
            raise StoreError(f"MLflow at {self.place.shown} has no experiment {name!r}", hint=hint)
        return found

    def _search(self, experiments: list[str]) -> list[Any]:
        found, token = [], None
        while True:
            page = self._client.search_runs(experiments, max_results=_PAGE, page_token=token)
            found += page
            token = page.token
            if not token:
                return found


def _plain(run: Any, experiment: str) -> FoundRun:
    info, data = run.info, run.data
    inputs = run.inputs.dataset_inputs if run.inputs is not None else []
    return FoundRun(
        id=info.run_id,
        name=info.run_name or info.run_id,
        experiment=experiment,
        status=info.status,
        started=info.start_time or 0,
        ended=info.end_time,
        params=dict(data.params),
        tags=dict(data.tags),
        metrics=dict(data.metrics),
        # The steps are told by nothing that is public but a call for each metric, which costs as much as its history.
        steps={metric.key: int(metric.step) for metric in data._metric_objs},
        data=tuple(map(_data, inputs)),
    )


def _data(item: Any) -> FoundData:
    data = item.dataset
    context = next((tag.value for tag in item.tags or () if tag.key == "mlflow.data.context"), "")
    return FoundData(data.name, data.digest, data.source, data.schema, data.profile, context)


def _ascending(history: Any) -> tuple[tuple[int, float], ...]:
    """Return a metric step by step; of several values at one step the one that came last."""
    ordered = sorted(history, key=lambda metric: (metric.step, metric.timestamp))
    return tuple({int(metric.step): float(metric.value) for metric in ordered}.items())


def _nested(found: list[FoundRun], wanted: str | None) -> list[FoundRun]:
    """Put runs below the topmost run that they are nested in."""
    by_id = {run.id: run for run in found}
    below: dict[str, list[FoundRun]] = {}
    for run in sorted(found, key=lambda run: (run.started, run.id)):
        below.setdefault(_root(run, by_id, wanted), []).append(run)
    return [
        replace(by_id[root], children=tuple(run for run in runs if run.id != root))
        for root, runs in below.items()
        if wanted in {None, root}
    ]


def _root(run: FoundRun, by_id: Mapping[str, FoundRun], wanted: str | None) -> str:
    seen = {run.id}
    while run.id != wanted and (parent := by_id.get(run.parent or "")) is not None and parent.id not in seen:
        run = parent
        seen.add(run.id)
    return run.id

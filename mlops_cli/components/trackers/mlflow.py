"""``tracker=mlflow``: a run as a run of MLflow's, its trials nested in it, its model, its data and its files.

Told twice, a run is still one: it is found by the tag ``mlops.run_id``, its trials by ``mlops.trial_of``. MLflow lets
no parameter and no measured value be changed; so what was said otherwise before is deleted there (it can be restored)
and said anew, and what is the same is left as it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_cli.components.trackers import require
from mlops_cli.components.trackers.mlflow_data import log_data
from mlops_cli.components.trackers.mlflow_model import (
    MODEL,
    MODEL_FILES,
    Registration,
    check_registration,
    log_model,
    register_model,
)
from mlops_cli.components.trackers.mlflow_names import NAME, Told, batches
from mlops_cli.components.trackers.mlflow_place import (
    Place,
    connect,
    experiment_of,
    import_mlflow,
    place_of,
    telling,
)
from mlops_cli.components.trackers.mlflow_told import (
    BEST,
    OF_RUN,
    OF_TRIAL,
    PARENT,
    RUN_ID,
    TRIAL,
    TRIAL_OF,
    USER_TAGS,
    is_sweep,
    milliseconds,
    of_run,
    of_trial,
    times_of_trial,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_cli.contracts import Ended
    from mlops_cli.records import RunRecord, TrialResult

_PAGE = 1000
_KEPT = frozenset({MODEL, BEST})  # tags of ours that are no part of what is told each time


@dataclass
class _Session:
    """One run of ours, and what MLflow has of it."""

    client: Any
    place: Place
    experiment: str
    run: Any  # mlflow.entities.Run; None where there is none yet
    trials: dict[int, Any] = field(default_factory=dict)  # number → mlflow.entities.Run
    only: TrialResult | None = None


class MlflowTracker:
    """Tells MLflow of a run.

    Parameters
    ----------
    uri : str, optional
        As MLflow takes it: ``http://127.0.0.1:5000``, ``sqlite:///mlflow.db`` … Where not given, what the environment
        says by ``MLFLOW_TRACKING_URI``, else ``mlflow.db`` in the workspace, with ``mlartifacts/`` beside it.
    experiment : str, optional
        Of MLflow's; the run's own where not given.
    register : str, optional
        The name of a model in MLflow's registry, of which the run's model becomes a version.
    alias : str or sequence of str, optional
        What that version is called: challenger.
    model : bool
        Whether the model is kept with the run.
    root : str, optional
        The workspace's folder; where not given, the one that the run lies in.

    Raises
    ------
    MissingExtraError
        MLflow is not installed.
    StoreError
        MLflow would refuse the name or the alias.
    """

    def __init__(
        self,
        uri: str | None = None,
        experiment: str | None = None,
        register: str | None = None,
        alias: str | Sequence[str] | None = None,
        *,
        model: bool = True,
        root: str | None = None,
    ) -> None:
        aliases = (alias,) if isinstance(alias, str) else tuple(alias or ())
        check_registration(register, aliases)
        self.uri = uri
        self.experiment = experiment
        self.model = model
        self.root = root
        self.registration = None if register is None else Registration(register, aliases)
        self.registered: str | None = None  # the number of the version in MLflow, once there is one
        self._session: _Session | None = None
        require("mlflow", "mlflow")

    def start(self, record: RunRecord, config: Mapping[str, Any]) -> None:  # noqa: ARG002 - it is among the files
        """Begin a run, or go on with the one that is there."""
        session = self._open(record)
        with telling(session.place):
            if session.run is None:
                session.run = _create(session.client, session.experiment, record)
            else:
                session.client.update_run(session.run.info.run_id, "RUNNING")
            trials = _search(session.client, session.experiment, TRIAL_OF, record.id)
            session.trials.update({_number(run): run for run in trials})

    def _open(self, record: RunRecord) -> _Session:
        import_mlflow()
        place = place_of(self.uri, record.path.parents[2] if self.root is None else Path(self.root))
        client = connect(place)
        with telling(place):
            experiment = experiment_of(client, place, self.experiment or record.experiment)
            found = next(iter(_search(client, experiment, RUN_ID, record.id)), None)
        self._session = _Session(client, place, experiment, found)
        return self._session

    def log_trial(self, record: RunRecord, result: TrialResult) -> None:
        """Nest the trial of a sweep in the run; the one trial of a run is told with it, at the end."""
        session = self._begun()
        if not is_sweep(record):
            session.only = result
            return
        begun, ended = times_of_trial(record, result)
        with telling(session.place):
            said = of_trial(record, result, session.run.info.run_id)
            found = session.trials.get(result.trial)
            if found is None or _contradicts(found, said):
                _delete(session.client, found)
                name = f"{record.id} trial {result.trial}"
                found = session.client.create_run(session.experiment, begun, run_name=name)
            _say(session.client, found, said, ended)
            if (found.info.status, found.info.end_time) != (OF_TRIAL[result.state], ended):
                session.client.set_terminated(found.info.run_id, OF_TRIAL[result.state], ended)
            session.trials[result.trial] = found

    def finish(self, ended: Ended) -> str | None:
        """Tell how the run ended, with its files and its model; return its page, or the file of the data base."""
        session, record = self._begun(), ended.record
        with telling(session.place):
            self._tell(session, record)
            self._mark_best(session, record)
            run_id = session.run.info.run_id
            log_data(session.client, run_id, record)
            for path, place in ended.files.items():
                if path not in MODEL_FILES:
                    session.client.log_artifact(run_id, str(place), path.rpartition("/")[0] or None)
            session.client.set_terminated(run_id, OF_RUN[record.status], milliseconds(record.ended or record.started))
            if self.model:
                self._model(session, ended)
        return session.place.page(session.experiment, run_id)

    def register(self, ended: Ended, registration: Registration) -> str | None:
        """Make the model of a run a version of MLflow's registry; a run that MLflow has not is told of first.

        Parameters
        ----------
        ended : Ended
            The run, and its model.
        registration : Registration
            As what.

        Returns
        -------
        str or None
            The version's number there; None where the run has no model.
        """
        session, record = self._open(ended.record), ended.record
        with telling(session.place):
            if session.run is None:
                session.run = _create(session.client, session.experiment, record)
                run_id = session.run.info.run_id
                _say(session.client, session.run, of_run(record), milliseconds(record.ended or record.started))
                log_data(session.client, run_id, record)
                session.client.set_terminated(
                    run_id, OF_RUN[record.status], milliseconds(record.ended or record.started)
                )
            self.registration = registration
            self._model(session, ended)
        return self.registered

    def close(self) -> None:
        """Let go of the client."""
        self._session = None

    def _begun(self) -> _Session:
        if self._session is None:
            raise RuntimeError("start comes before anything else is told")
        return self._session

    def _tell(self, session: _Session, record: RunRecord) -> None:
        said = of_run(record, session.only)
        if _contradicts(session.run, said):
            _delete(session.client, session.run)
            session.run = _create(session.client, session.experiment, record)
            for trial in session.trials.values():
                session.client.set_tag(trial.info.run_id, PARENT, session.run.info.run_id)
        _say(session.client, session.run, said, milliseconds(record.ended or record.started))

    def _mark_best(self, session: _Session, record: RunRecord) -> None:
        best = None if record.best is None else record.best.trial
        for number, trial in session.trials.items():
            if number == best or number in record.front:
                session.client.set_tag(trial.info.run_id, BEST, "true")
            elif BEST in trial.data.tags:
                session.client.delete_tag(trial.info.run_id, BEST)

    def _model(self, session: _Session, ended: Ended) -> None:
        model_id = log_model(session.client, session.run, ended)
        if model_id is not None and self.registration is not None:
            run_id = session.run.info.run_id
            self.registered = register_model(session.client, run_id, model_id, ended.record, self.registration)


# --- runs of MLflow's --------------------------------------------------------------------------------------------


def _search(client: Any, experiment: str, tag: str, value: str) -> list[Any]:
    """Return the runs with a tag, all pages of them."""
    found, token = [], None
    while True:
        page = client.search_runs(
            [experiment], f"tags.`{tag}` = '{value}'", max_results=_PAGE, page_token=token
        )  # an id has no quotes
        found += page
        token = page.token
        if not token:
            return found


def _number(run: Any) -> int:
    return int(run.data.tags.get(TRIAL, -1))


def _create(client: Any, experiment: str, record: RunRecord) -> Any:
    return client.create_run(experiment, milliseconds(record.started), {RUN_ID: record.id}, record.id)


def _delete(client: Any, run: Any) -> None:
    if run is not None:
        client.delete_run(run.info.run_id)


def _contradicts(run: Any, said: Told) -> bool:
    """Whether MLflow has a parameter or a measured value of a run that is now another one, or none."""
    latest = said.latest
    return any(said.params.get(key) != value for key, value in run.data.params.items()) or any(
        key not in latest or not math.isclose(latest[key], value, rel_tol=1e-12)
        for key, value in run.data.metrics.items()
    )


def _say(client: Any, run: Any, said: Told, timestamp: int) -> None:
    """Add to a run what it lacks, in as few calls as may be, and take away tags that are said no more."""
    from mlflow.entities import Metric, Param, RunTag

    data = run.data
    params = {key: value for key, value in said.params.items() if key not in data.params}
    metrics = tuple(point for point in said.metrics if point[0] not in data.metrics)
    tags = {key: value for key, value in said.tags.items() if data.tags.get(key) != value}
    for batch in batches(Told(params, metrics, tags)):
        client.log_batch(
            run.info.run_id,
            [Metric(key, value, timestamp, step) for key, value, step in batch.metrics],
            [Param(key, value) for key, value in batch.params],
            [RunTag(key, value) for key, value in batch.tags],
        )
    for key in _stale(data.tags, said.tags):
        client.delete_tag(run.info.run_id, key)


def _stale(found: Mapping[str, str], said: Mapping[str, str]) -> list[str]:
    """Return the tags that were told before and are no more: ours, and those of the user that were listed."""
    import json

    try:
        told = set(json.loads(found.get(USER_TAGS, "[]")))
    except (ValueError, TypeError):
        told = set()
    ours = {key for key in found if key.startswith("mlops.") and key not in _KEPT}
    return [key for key in {*ours, *(told & set(found))} if key not in said and not key.startswith(NAME)]

"""Tasks without a table: their repetitions stand where the rows and the splits of a table do."""

from __future__ import annotations

import sys
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from mlops_cli.components.commands import check_command, words_of
from mlops_cli.components.layout import Columns
from mlops_cli.components.sources.secrets import refuse_named_secrets, refuse_secrets, refuse_told_secrets
from mlops_cli.components.work import work_of
from mlops_cli.errors import DataError
from mlops_cli.execution.job import Candidate
from mlops_cli.execution.repeated import REPETITION
from mlops_cli.planning.plan import Basis
from mlops_cli.records import Dataset, DatasetVersion, Metric
from mlops_cli.store.provenance import file_hashes, versions
from mlops_cli.workflows.data.load import Loaded
from mlops_cli.workflows.running.basis import distributions
from mlops_cli.workflows.running.splits import split_key
from mlops_cli.workflows.running.trials import Maker

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.execution.job import Split
    from mlops_cli.planning.plan import Point
    from mlops_cli.records import ExperimentSpec, Notice, Task, Trial

_SAVED = ("command", "params", "env", "agent", "training")
"""What of a config may hold secrets."""

_SECRETS = 'leave it out, and read an environment variable where it is used: os.environ["NAME"]'


def repetitions(spec: ExperimentSpec, task: Task) -> Loaded:
    """Return what stands for the data: a row for each repetition.

    Raises
    ------
    ConfigError
        A password or token is written into the config.
    """
    import pandas as pd

    _refuse_saved(spec.config)
    for dimension in chain.from_iterable(spec.sweep.subspaces):
        for choice in dimension.choices:
            _refuse_saved({dimension.key: choice})
    count = spec.evaluation.repetitions
    numbers = pd.DataFrame({REPETITION: np.arange(count, dtype=np.int64)})
    version = DatasetVersion(f"{task}: {count} repetitions", count, ())
    return Loaded(Dataset(numbers, None, (), version), task, np.arange(count))


def _refuse_saved(config: Mapping[str, Any]) -> None:
    """Refuse passwords and tokens: all that a config says of a trial is saved with its run."""
    for key, value in config.items():
        section = key.partition(".")[0]
        if section in _SAVED:
            refuse_secrets(value, key, _SECRETS)
            refuse_named_secrets(value, key, _SECRETS)
        if section == "command" and value:
            refuse_told_secrets(words_of(value), key, _SECRETS)


def acting(spec: ExperimentSpec) -> tuple[str, ...]:
    """Return the distributions that environments come from, on which every result of an agent depends."""
    return ("gymnasium",) if spec.config.get("env") else ()


def repeated_basis(spec: ExperimentSpec, loaded: Loaded, found: Sequence[Point], workspace: Workspace) -> Basis:
    """Return the measures in order, and what results depend on besides each trial's own config."""
    config: Mapping[str, Any] = {key: spec.config.get(key) for key in ("script", "command", "env", "agent")}
    names = distributions([config, *(point.config for point in found)])
    facts = {
        "data": loaded.train.version.version,
        "inputs": _inputs(found, workspace),
        "python": list(sys.version_info[:2]),
        "versions": versions({*names, *acting(spec)}),
        "metric_settings": repr(spec.evaluation.metrics),
    }
    metrics = tuple(Metric(m.name, m.direction) for m in spec.evaluation.metrics)
    return Basis(loaded.task, metrics, None, facts)


def _inputs(found: Sequence[Point], workspace: Workspace) -> dict[str, str]:
    """Return path → sha256 of the files that trials read, as far as the config names them.

    Raises
    ------
    DataError
        A file of ``inputs`` is not there.
    """
    listed: dict[str, None] = {}
    for point in found:
        said = point.config.get("inputs") or []
        listed |= dict.fromkeys([said] if isinstance(said, str) else said)
    hashes: dict[str, str] = {}
    for pattern in listed:
        files = file_hashes([pattern], workspace.root)
        if not files:
            raise DataError(f"inputs: there is no file {pattern!r} in {workspace.root}")
        hashes |= files
    return hashes | file_hashes(_named(found), workspace.root)


def _named(found: Sequence[Point]) -> list[str]:
    """Return the texts of commands and parameters that may name files: a script that changed gives other results."""
    texts: dict[str, None] = {}
    for point in found:
        command = point.config.get("command") or []
        words = words_of(command)
        given = (point.config.get("params") or {}).values()
        texts |= dict.fromkeys([*words, *(value for value in given if isinstance(value, str))])
    return list(texts)


class RepeatedMaker(Maker):
    """Makes the trials of a run without a table: nothing of them is shared."""

    def candidate(self, trial: Trial) -> Candidate:
        """Return a trial as workers take it.

        Raises
        ------
        ConfigError
            It cannot work.
        """
        config = trial.spec.model.params["config"]
        _refuse_saved(config)  # also what an option of the config brings along
        if trial.spec.model.target == "command":
            check_command(config["command"], self.workspace.commands)
        work_of(trial.spec.model, self.workspace.trust)
        self.splits_of(trial)
        return Candidate(trial, Columns((trial.fingerprint,)), split_key(trial))

    def splits_of(self, trial: Trial) -> tuple[Split, ...]:
        """Return the repetitions of a trial."""
        key = split_key(trial)
        rows = [np.array([number]) for number in range(self.loaded.train.rows)]
        return self.made_splits.setdefault(key, tuple((row, row) for row in rows))

    def check(self, points: Sequence[Point], *, is_here: bool = True) -> tuple[Notice, ...]:  # noqa: ARG002 - as of a table
        """Look at a few points before the first one is done.

        Raises
        ------
        ConfigError
            One of them cannot work.
        """
        for number, point in enumerate(points):
            self.candidate(self.trial(number, point))
        return ()

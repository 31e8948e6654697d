"""How a model is made anew: what the command says, and its owner's policy where it says nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_cli.config.declared import of_owner, of_run
from mlops_cli.config.retrain import SECTION, check_triggers, read_retrain
from mlops_cli.errors import ConfigError, UsageError
from mlops_cli.records import RetrainOn, RetrainSpec
from mlops_cli.store.layout import VersionPaths
from mlops_cli.workflows.data.tables import is_version

if TYPE_CHECKING:
    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import ModelVersion


@dataclass(frozen=True)
class RetrainOptions:
    """What is asked of one retraining; None is as the policy has it.

    Parameters
    ----------
    data : str, optional
        New rows: a path, an address, a glob, a data set. The source of the recipe, read again, where nobody says.
    rows : {"all", "new", "window"}, optional
        Which rows are learned from.
    window : str, optional
        ``10000`` rows, or ``90d`` by ``data.time``.
    hold_out : float, optional
        The share of the new rows on which champion and challenger are compared.
    sweep : {"none", "around", "again"}, optional
        How parameters are found.
    warm_start : bool, optional
        Let the model go on learning, on the new rows.
    promote : bool, optional
        Try to, through the gates.
    forget : bool, optional
        Promote also what does worse than the champion on the rows of before: the world has changed.
    alias : str, optional
        Whose version is replaced.
    if_needed : bool
        Do nothing where the policy does not call for a new model.
    force : bool
        Also where nothing is new.
    n_jobs : int, optional
        Workers.
    allow_pickle : bool
        Open models that are pickles, which can run any code, to compare them.
    """

    data: str | None = None
    rows: str | None = None
    window: str | None = None
    hold_out: float | None = None
    sweep: str | None = None
    warm_start: bool | None = None
    promote: bool | None = None
    forget: bool | None = None
    alias: str | None = None
    if_needed: bool = False
    force: bool = False
    n_jobs: int | None = None
    allow_pickle: bool = False


_OF_POLICY = ("rows", "window", "hold_out", "sweep", "warm_start", "promote", "forget", "alias")


def policy_of(version: ModelVersion, workspace: Workspace) -> RetrainSpec:
    """Return the policy of a model: the owner's file, else what its run's config declares.

    Raises
    ------
    ConfigError
        It is declared wrongly, or speaks of a metric that the model is not scored by.
    """

    def of_model(value: object, key: str) -> RetrainSpec:
        spec = read_retrain(value, key)
        check_triggers(spec, version.record.metrics, f"{key}.when" if key else "when")
        return spec

    declared = of_owner(workspace, SECTION, version.name, of_model)
    found = of_run(VersionPaths(version.path).config, SECTION, of_model) if declared is None else declared
    return found if found.data is None else replace(found, data=_from_workspace(found.data, workspace))


def _from_workspace(data: str, workspace: Workspace) -> str:
    is_place = "://" not in data and not is_version(data, workspace)
    return str(workspace.root / Path(data).expanduser()) if is_place else data


def settled(policy: RetrainSpec, asked: RetrainOptions) -> RetrainSpec:
    """Return the policy with what is asked in its place.

    Raises
    ------
    UsageError
        What is asked is none of what is allowed.
    """
    given = {name: value for name in _OF_POLICY if (value := getattr(asked, name)) is not None}
    if given.get("rows") == "window" and policy.window is not None:
        given.setdefault("window", policy.window)
    try:
        read = read_retrain(given, "")
    except ConfigError as error:
        option = f"--{(error.key or '').replace('_', '-')}"
        raise UsageError(f"{option}: {error.message}", hint=error.hint) from error
    changed: dict[str, Any] = {name: getattr(read, name) for name in given}
    begins_anew = policy.warm_start and asked.warm_start is False  # whose rows, the new ones, were of that way alone
    if "rows" in given or "window" in given or read.warm_start or begins_anew:
        changed |= {"rows": read.rows, "window": read.window}
    found = replace(policy, **changed, data=asked.data if asked.data is not None else policy.data)
    if found.warm_start and found.rows is not RetrainOn.NEW:
        text = f"the model has learned the rows of before: it goes on with the new ones, not with {found.rows}"
        raise UsageError(text, hint="--rows new")
    return found

"""Registered models: what ``mlops models`` does, in Python.

import mlops_cli as mlops

version = mlops.register("titanic:best", "titanic", alias="challenger")
version.ref, version.record.metrics["roc_auc"].mean
mlops.models.ls()                               # a DataFrame, a row for each version
mlops.models.alias("titanic/4", "challenger")
mlops.models.promote("titanic/4").gates         # what each gate said; .done: whether it is the champion
mlops.models.handover("titanic/4").items        # what its owner answered; with a path that file's answers are kept
mlops.models.verify("titanic")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from mlops_cli.records import (
        Descent,
        Exported,
        Handover,
        Lineage,
        ModelVersion,
        Promotion,
        RolledBack,
        RunDiff,
        VersionCheck,
        VersionPage,
    )

__all__ = [
    "alias",
    "approve",
    "archive",
    "card",
    "describe",
    "diff",
    "export",
    "find",
    "handover",
    "lineage",
    "ls",
    "made_from",
    "promote",
    "reject",
    "rm",
    "rollback",
    "show",
    "tag",
    "verify",
]


def ls(name: str | None = None, *, workspace: str | Path | None = None) -> pd.DataFrame:
    """Return all versions, one row each, by name and number.

    Parameters
    ----------
    name : str, optional
        Only this model.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Returns
    -------
    DataFrame
        Shape (versions, …): ``name``, ``version``, ``aliases`` (a tuple), ``approval``, ``run``, ``data``,
        ``metrics.NAME`` (the mean), ``tags.KEY``, ``description``, ``by``, ``created`` (in UTC), ``path``.
    """
    import pandas as pd

    from mlops_cli.workflows.models.registry import list_models, row_of

    found, _ = list_models(name, workspace=workspace)
    table = pd.DataFrame([row_of(model, version) for model in found for version in model.versions])
    if len(table):
        table["created"] = pd.to_datetime(table["created"], utc=True, format="ISO8601")
    return table


def find(ref: str, *, workspace: str | Path | None = None) -> ModelVersion:
    """Return a version: ``titanic/3``, ``titanic@champion``; ``titanic`` is the champion, else the newest one."""
    from mlops_cli.workflows.models import registry

    return registry.find(ref, workspace=workspace)


def show(ref: str, *, workspace: str | Path | None = None) -> VersionPage:
    """Return a version with its aliases, what is said of it, and its files."""
    from mlops_cli.workflows.models import registry

    return registry.show(ref, workspace=workspace)


def diff(a: str, b: str, *, workspace: str | Path | None = None) -> RunDiff:
    """Return what differs between two versions: params, scores, data, code, packages, environment, config."""
    from mlops_cli.workflows.models import registry

    return registry.diff(a, b, workspace=workspace)


def lineage(ref: str, *, workspace: str | Path | None = None) -> Lineage:
    """Return where a version came from: its run, the data of that and their sources, the code."""
    from mlops_cli.workflows.models import lineage as tracing

    return tracing.lineage(ref, workspace=workspace)


def made_from(ref: str, *, workspace: str | Path | None = None) -> Descent:
    """Return the runs and versions that were made from a version of a data set (``titanic@3``), a run or a commit."""
    from mlops_cli.workflows.models import lineage as tracing

    return tracing.made_from(ref, workspace=workspace)


def alias(ref: str, word: str, *, remove: bool = False, workspace: str | Path | None = None) -> ModelVersion:
    """Let an alias mean a version, whatever it meant before; or take it away."""
    from mlops_cli.workflows.models import registry

    return registry.alias(ref, word, remove=remove, workspace=workspace)


def tag(
    ref: str, tags: Mapping[str, str], *, without: Sequence[str] = (), workspace: str | Path | None = None
) -> VersionPage:
    """Add tags to a version, or take some away."""
    from mlops_cli.workflows.models import registry

    return registry.tag(ref, tags, without, workspace=workspace)


def describe(ref: str, text: str, *, workspace: str | Path | None = None) -> VersionPage:
    """Say what a version is for."""
    from mlops_cli.workflows.models import registry

    return registry.describe(ref, text, workspace=workspace)


def card(ref: str, *, edit: str | None = None, workspace: str | Path | None = None) -> str:
    """Return a version's card as Markdown; with ``edit``, after its owner's own words were taken from that text."""
    from mlops_cli.workflows.models import registry

    if edit is not None:
        registry.edit_card(ref, edit, workspace=workspace)
    return registry.card(ref, workspace=workspace)


def handover(ref: str, path: str | Path | None = None, *, workspace: str | Path | None = None) -> Handover | None:
    """Return what the owner of a model answered, for a version or the nearest earlier one; None where nobody has.

    Parameters
    ----------
    ref : str
        ``titanic/3``, ``titanic@champion``.
    path : str or Path, optional
        Keep the answers that this file has, ``configs/handover/titanic.yaml``, with the version first.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    ConfigError
        The file says something that is not asked.
    """
    from mlops_cli.workflows.models import handover as answering

    if path is not None:
        return answering.keep(ref, path, workspace=workspace).handover
    return answering.handover_of(ref, workspace=workspace)


def approve(ref: str, *, note: str = "", workspace: str | Path | None = None) -> VersionPage:
    """Approve a version, in the name of who is logged in."""
    return _sign(ref, "approved", note, workspace)


def reject(ref: str, *, note: str = "", workspace: str | Path | None = None) -> VersionPage:
    """Reject a version, in the name of who is logged in."""
    return _sign(ref, "rejected", note, workspace)


def archive(ref: str, *, note: str = "", workspace: str | Path | None = None) -> VersionPage:
    """Say that a version is no longer to be used."""
    return _sign(ref, "archived", note, workspace)


def _sign(ref: str, verdict: str, note: str, workspace: str | Path | None) -> VersionPage:
    from mlops_cli.records import Approval
    from mlops_cli.workflows.models import registry

    return registry.sign(ref, Approval(verdict), note, workspace=workspace)


def promote(
    ref: str,
    *,
    alias: str = "champion",
    override: str | None = None,
    dry_run: bool = False,
    allow_pickle: bool = False,
    workspace: str | Path | None = None,
) -> Promotion:
    """Give an alias to a version, if it passes its gates; see ``done`` and ``gates`` of what is returned.

    Parameters
    ----------
    ref : str
        ``titanic/4``, or by another alias: ``titanic@challenger``.
    alias : str
        What it is to be called.
    override : str, optional
        Why gates that fail are passed over; it is recorded.
    dry_run : bool
        Run the gates and change nothing.
    allow_pickle : bool
        Open models that are pickles, which can run any code, where a gate needs them.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.
    """
    from mlops_cli.workflows.models import promote as promotion

    options = promotion.PromoteOptions(alias, override, dry_run, allow_pickle)
    return promotion.promote(ref, options, workspace=workspace)


def rollback(name: str, *, alias: str = "champion", workspace: str | Path | None = None) -> RolledBack:
    """Give an alias back to the version that had it before; once more goes further back."""
    from mlops_cli.workflows.models.rollback import rollback as give_back

    return give_back(name, alias, workspace=workspace)


def rm(ref: str, *, force: bool = False, workspace: str | Path | None = None) -> None:
    """Remove a version for good, ``titanic/3``; one that has an alias only with ``force``."""
    from mlops_cli.workflows.models import registry
    from mlops_cli.workflows.settings import told_in_python

    with told_in_python():
        registry.remove(ref, force=force, workspace=workspace)


def verify(
    ref: str | None = None, *, allow_pickle: bool = False, workspace: str | Path | None = None
) -> tuple[VersionCheck, ...]:
    """Read every byte of versions again and open their models; see ``faults`` of what is returned."""
    from mlops_cli.workflows.models import registry

    return registry.verify(ref, allow_pickle=allow_pickle, workspace=workspace)


def export(ref: str, path: str | Path, *, workspace: str | Path | None = None, **settings: Any) -> Exported:
    """Write a model for use without this package.

    Parameters
    ----------
    ref : str
        A registered version or a run.
    path : str or Path
        Where it goes; its ending says the format (``.zip``, ``.onnx``, ``.joblib``, ``.pkl``), none is a folder.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.
    **settings
        ``format`` (folder, zip, onnx, joblib, pickle), ``force``, ``allow_pickle``, ``tolerance``.

    Raises
    ------
    UsageError
        The place is taken, the model has no such form, or there is no such setting.
    """
    from pathlib import Path as AnyPath

    from mlops_cli.workflows.models.export_model import export as write
    from mlops_cli.workflows.models.export_model import options_of
    from mlops_cli.workflows.settings import told_in_python

    with told_in_python():
        return write(ref, AnyPath(path), options_of(settings), workspace=workspace)

"""Where a model came from as a tree and as plain data; and what was made from data, a run or a commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text
from rich.tree import Tree

from mlops_cli.records import HELD_OUT
from mlops_cli.store.audit import head_to_json
from mlops_cli.store.serialize import dataset_to_json
from mlops_cli.views.listing import dated_time
from mlops_cli.views.runs import STATUS_STYLE
from mlops_cli.views.text import clean, number, plain, plural

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mlops_cli.records import DataOrigin, Descent, Lineage, RunRecord

_SHOWN = 12  # digits of a hash
_MOST = 10  # runs and models that a tree shows


def roles(models: Mapping[str, str]) -> str:
    """Return the models that were made from data; of those that were only scored on it, that they were.

    Examples
    --------
    >>> roles({"titanic/3": "training", "other/1": "held out"})
    'titanic/3 other/1 (held out)'
    """
    return " ".join(f"{ref} ({HELD_OUT})" if role == HELD_OUT else ref for ref, role in models.items())


# --- where it came from ------------------------------------------------------------------------------------------


def tree(found: Lineage, now: datetime) -> Tree:
    """Return where a model came from: its run, the data of that with where it came from, the code."""
    version = found.version
    called = "".join(f"  @{alias}" for alias in found.aliases)
    root = Tree(Text.assemble((clean(version.ref), "bold"), clean(called)))
    audit = "" if version.audit is None else f", entry {version.audit.number} of the audit log"
    root.add(_fact("registered", f"{dated_time(version.created, now)} by {version.by}{audit}"))
    run = root.add(_run(found.run))
    if not found.is_run_there:
        run.add(_fact("removed", "the run is no longer there; its record and config are part of the version"))
    for origin in found.data:
        _add_data(run, origin, found)
    _add_code(run, found.run)
    if found.siblings:
        run.add(_fact("also registered as", " ".join(found.siblings)))
    return root


def _run(run: RunRecord) -> Text:
    score = run.metrics.get(run.primary or "")
    told = "" if score is None else f"  {clean(run.primary)} {number(score.mean)}"
    return Text.assemble(("run ", "dim"), clean(run.id), "  ", (str(run.status), STATUS_STYLE[run.status]), told)


def _fact(label: str, value: str) -> Text:
    return Text.assemble((f"{label} ", "dim"), clean(value))


def _add_data(run: Tree, origin: DataOrigin, found: Lineage) -> None:
    data = origin.version
    shape = f"{plural(data.rows, 'row')} × {plural(len(data.columns), 'column')}"
    branch = run.add(_fact(f"{origin.role} data", f"{data.source}  {shape}  {data.version[:_SHOWN]}"))
    for version in origin.named:
        branch.add(_fact("added", f"{version.ref} from {version.origin}, {version.added}"))
    if not origin.named:
        for place in origin.places:
            branch.add(_fact("from", place))
    for ref in origin.removed:
        branch.add(_fact("removed", f"{ref} is no longer there"))
    if origin.alike:
        branch.add(_fact("same content", " ".join(origin.alike)))
    branch.add(_fact("kept as", origin.kept) if origin.kept else plain("not kept: only its source has it", "yellow"))
    others = {ref: role for ref, role in origin.models.items() if ref != found.version.ref}
    more = [f"{plural(origin.runs - found.is_run_there, 'other run')}"] if origin.runs > found.is_run_there else []
    if others or more:
        branch.add(_fact("also made from it", "; ".join([*more, *([roles(others)] if others else [])])))


def _add_code(branch: Tree, run: RunRecord) -> None:
    changed = " with uncommitted changes, in source.diff" if run.git.dirty else ""
    where = "in no git repository" if run.git.commit is None else f"{run.git.commit[:_SHOWN]}{changed}"
    code = branch.add(_fact("code", where))
    for name, digest in run.code.items():
        code.add(_fact("own", f"{name}  {digest[:_SHOWN]}"))


def lineage_json(found: Lineage) -> dict[str, Any]:
    """Return where a model came from."""
    version, run = found.version, found.run
    return {
        "version": version.ref,
        "aliases": list(found.aliases),
        "audit": head_to_json(version.audit),
        "run": {"id": run.id, "is_there": found.is_run_there, "status": str(run.status)},
        "data": [_origin_json(origin) for origin in found.data],
        "git": {"commit": run.git.commit, "dirty": run.git.dirty},
        "code": dict(run.code),
        "siblings": list(found.siblings),
    }


def _origin_json(origin: DataOrigin) -> dict[str, Any]:
    read = [{"ref": v.ref, "origin": v.origin, "added": v.added, "audit": head_to_json(v.audit)} for v in origin.named]
    return {
        "role": origin.role,
        **dataset_to_json(origin.version),
        "named": read,
        "removed": list(origin.removed),
        "same_content": list(origin.alike),
        "from": list(origin.places),
        "kept": origin.kept or None,
        "runs": origin.runs,
        "models": dict(origin.models),
    }


# --- what was made from it ---------------------------------------------------------------------------------------


def descent(found: Descent) -> Tree:
    """Return what was made from something: runs, and below each the versions that were registered from it."""
    if found.kind == "run":
        root = Tree(_run(found.runs[0]))
        runs = {found.of: root}
    else:
        root = Tree(Text.assemble((f"{found.kind} ", "dim"), (clean(found.of), "bold")))
        runs = {run.id: root.add(_run(run)) for run in found.runs[:_MOST]}
    if len(found.runs) > _MOST:
        root.add(Text(f"… and {plural(len(found.runs) - _MOST, 'more run')}", style="dim"))
    for model in found.models:
        role = f" ({HELD_OUT})" if found.roles.get(model.ref) == HELD_OUT else ""
        runs.get(model.record.id, root).add(_fact("model", f"{model.ref}{role}"))
    return root


def descent_json(found: Descent) -> dict[str, Any]:
    """Return what was made from something."""
    models = [{"ref": m.ref, "run": m.record.id, "role": found.roles.get(m.ref)} for m in found.models]
    return {"of": found.of, "kind": found.kind, "runs": [run.id for run in found.runs], "models": models}

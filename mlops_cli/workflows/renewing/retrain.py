"""``mlops retrain``: a registered model made anew on new data, and promoted where it is better.

In order: is it needed, which rows are new, a run of the version's recipe on them, its model registered as the
challenger, and compared with the champion on rows that neither has learned from. Whatever ends it in between, the same
command goes on: a finished run is found again by its fingerprint, and a version that was registered by its run.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_cli.config import to_yaml
from mlops_cli.config.retrain import CHALLENGER, PASSED
from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import ConfigError, DataError, NoFilesError, UsageError
from mlops_cli.records import OUT_OF_USE, Action, Notice, Retrained, RunStatus, Task
from mlops_cli.store.audit import AuditLog
from mlops_cli.store.files import locked
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.registry import Registry
from mlops_cli.workflows.applying.model import registered
from mlops_cli.workflows.data.held_out import SNAPSHOT
from mlops_cli.workflows.data.keep import snapshots_of
from mlops_cli.workflows.models import registry as models
from mlops_cli.workflows.models.ancestors import RETRAIN_OF
from mlops_cli.workflows.models.promote import PromoteOptions, RefusedError, declared_gates, gates_of, promote
from mlops_cli.workflows.models.register import register
from mlops_cli.workflows.renewing.asked import RetrainOptions
from mlops_cli.workflows.renewing.case import Case, case_of
from mlops_cli.workflows.renewing.needed import Need, need
from mlops_cli.workflows.renewing.recipe import Rows, recipe
from mlops_cli.workflows.renewing.rows import Asked, Parted, TooFewError, compare_rows, gone, left_out, parted
from mlops_cli.workflows.renewing.seen import LEARNED, Grown, Seen, held_out_before, read_apart, seen_by
from mlops_cli.workflows.renewing.tables import NewRows, read_new, shown, version_of
from mlops_cli.workflows.running.prepare import RunOptions
from mlops_cli.workflows.running.recording import ignore
from mlops_cli.workflows.running.run import execute

if TYPE_CHECKING:
    import pandas as pd

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.contracts import Observer
    from mlops_cli.records import ModelVersion, Promotion
    from mlops_cli.workflows.running.recording import Outcome


def retrain(
    model: str,
    options: RetrainOptions | None = None,
    *,
    workspace: str | Path | None = None,
    observer: Observer = ignore,
) -> Retrained:
    """Make a model anew.

    Parameters
    ----------
    model : str
        ``titanic``, whose version with the alias is meant; or whose recipe is taken: ``titanic/3``.
    options : RetrainOptions, optional
        How; as the policy has it where not given.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.
    observer : callable
        Told of each event while the run goes.

    Returns
    -------
    Retrained
        Whether it was needed and why, the run, the version, and what the gates said.

    Raises
    ------
    StoreError
        There is no such version, or another process is making the model anew.
    DataError
        The new data cannot be read, rows of before are gone, or too few are new.
    UsageError, ConfigError
        What is asked, or the policy, is not allowed.
    """
    asked, place = options or RetrainOptions(), find_workspace(workspace)
    registry = Registry(WorkspacePaths(place.root))
    name = model.partition("@")[0].partition("/")[0]
    if not registry.is_known(name):
        raise registry.unknown(name)
    with locked(registry.paths.retraining_lock(name), f"{name} is being made anew by another process"):
        return _retrained(case_of(model, asked, registry, place), observer)


def _retrained(case: Case, observer: Observer) -> Retrained:
    _check_kind(case)
    done, found = _new(case)
    if found is None:
        return done
    kept = _kept(found, case.workspace)
    outcome = _run(case, kept, found, observer)
    done = replace(done, run=outcome.record.id, status=outcome.record.status, held_out=f"{SNAPSHOT}{kept.held_out}")
    if outcome.record.status is not RunStatus.COMPLETED:
        return done
    there = _version_of(case, outcome)
    if case.asked.if_needed and there is not None and (why_not := _refused(case, done, there)):
        return Retrained(done.model, needed=False, reasons=(*done.reasons, why_not), before=done.before)
    version = _registered(case, outcome, there)
    done = replace(done, version=version.ref, changed=_changed(case.version, version))
    if case.spec.promote:  # what the gates say is then in the entry of the promotion
        _write_down(case, done)
        return _promoted(case, done)
    done = _promoted(case, done)
    _write_down(case, done)
    return done


def _new(case: Case) -> tuple[Retrained, _Found | None]:
    """Return why a new model is called for and its rows; None where nothing calls for it, or nothing is new."""
    done = Retrained(case.version.name, needed=False, before=case.version.ref)
    try:
        why = _reasons(case)
        done = replace(done, reasons=why.reasons)
        found = _rows(case) if why.is_needed else None
    except (NoFilesError, TooFewError) as error:
        if not case.asked.if_needed:
            raise
        return replace(done, reasons=(*done.reasons, _not_yet(error, case))), None
    if found is None:
        return done, None
    done = replace(done, data=found.called, rows=found.rows.counts, notices=found.rows.notices)
    if found.nothing_new:
        return replace(done, reasons=(*done.reasons, found.nothing_new)), None
    return replace(done, needed=True), found


def _not_yet(error: DataError, case: Case) -> str:
    """Return why the rows that have come make no new model yet: there are none, or too few."""
    if isinstance(error, TooFewError):
        return error.message
    data = case.spec.data
    return (
        f"nothing is new: no file is in {shown(data, case.workspace) if data else f'the source of {case.version.ref}'}"
    )


def _check_kind(case: Case) -> None:
    """Refuse a forecast, whose held-out rows see their past in the rows of training."""
    if case.experiment.data.forecast is not None:
        text = f"{case.version.ref} is a forecast, whose new rows see their past in the old ones"
        hint = f"mlops run config={case.version.record.experiment}, which holds the last rows out; then mlops models"
        raise ConfigError(text, key="data.forecast", hint=hint)


def _reasons(case: Case) -> Need:
    if not case.asked.if_needed:
        return Need(True, ())
    return need(
        case.spec, case.champion or case.version, case.spec.data, case.workspace, allow_pickle=case.asked.allow_pickle
    )


# --- rows --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Found:
    """The rows of the new run, or that none of them is new."""

    rows: Parted
    called: str
    source: str  # of the training rows
    grown: tuple[Grown, ...] = ()
    takes_all: bool = False  # all of before, of every version that it was made from
    nothing_new: str = ""


def _rows(case: Case) -> _Found:
    new = read_new(case.spec.data, case.version, case.workspace)
    before = seen_by(case.version, new, case.workspace)
    others = _others(case, new)
    said = [*new.notices, *_new_classes(case, new), *_check_there(case, new, before)]
    said += _unknown(case, before, others)
    asked = _asked(case)
    compared = compare_rows(new, before, others, _gates_rows(case), asked)
    grown = tuple(one for seen in (before, *others) for one in seen.grown)
    if not (compared.is_fresh.any() or compared.is_changed.any()):
        return replace(_nothing(case, new, before, len(new.table)), grown=grown)
    rows = parted(compared, asked)
    takes_old = before.rows is not None and case.spec.rows != "new"
    source = ", ".join(dict.fromkeys([*(before.source.split(", ") if takes_old else []), *new.called.split(", ")]))
    said += [*gone(compared, before, new), *left_out(compared, case.version, case.champion)] if takes_old else []
    takes_all = case.spec.rows == "all" and not before.gaps
    rows = replace(rows, notices=(*said, *rows.notices))
    return _Found(rows, new.called, source, grown, takes_all)


def _gates_rows(case: Case) -> list[pd.DataFrame]:
    """Return the rows on which the owner's own gate compares: who learned from them would be compared on nothing."""
    gate = declared_gates(case.version, case.workspace).gates.champion
    if gate is None or gate.data is None:
        return []
    found = read_apart(gate.data, case.version, case.workspace)
    return [] if found is None else [found]


def _new_classes(case: Case, new: NewRows) -> list[Notice]:
    """Say which classes training did not have; where all are others, the target is written otherwise."""
    known, target = registered(case.version).signature().classes, case.experiment.data.target
    if not known or target is None:
        return []
    found = [str(value) for value in new.table[target].unique()]
    more = [value for value in found if value not in {str(name) for name in known}]
    if not more:
        return []
    text = f"{new.called}: '{target}' has classes that {case.version.ref} does not know: {', '.join(more[:5])}"
    if len(more) == len(found):
        raise DataError(text, hint=f"it knows {', '.join(map(str, known[:5]))}")
    return [Notice("new-classes", text)]


def _others(case: Case, new: NewRows) -> list[Seen]:
    """Return what the champion has seen, where it is another version than the one whose recipe it is."""
    if case.champion is None or case.champion.number == case.version.number:
        return []
    return [seen_by(case.champion, new, case.workspace)]


def _check_there(case: Case, new: NewRows, before: Seen) -> list[Notice]:
    """Refuse to guess what is new, or to leave out rows that are to be learned from."""
    fault = next(iter([before.fault] if before.fault else before.gaps if new.is_source else []), "")
    if not fault:
        return []
    hint = "mlops data add keeps versions; --data FILE --rows new takes a file of new rows alone"
    if new.is_source:
        raise DataError(f"{fault}, so nobody knows which of its rows are new", hint=hint)
    if case.spec.rows != "new":
        raise DataError(f"{fault}, so it cannot be learned from again", hint=hint)
    text = f"{fault}: that {case.version.ref} has not seen the rows of {new.called} is taken on trust"
    return [Notice("rows-unknown", text)]


def _unknown(case: Case, before: Seen, others: list[Seen]) -> list[Notice]:
    """Say of which versions nobody knows what they saw: of the champion, and of those that both were made from."""
    champion = case.champion.ref if case.champion is not None else ""
    whose = [(gap, case.version.ref) for gap in before.gaps]
    whose += [(fault, champion) for seen in others for fault in (seen.fault, *seen.gaps) if fault]
    return [
        Notice("rows-unknown", f"{fault}: whether {ref} has seen any of the new rows is not known")
        for fault, ref in dict.fromkeys(whose)
    ]


def _nothing(case: Case, new: NewRows, before: Seen, rows: int) -> _Found:
    """Return that nothing is new; where it is to be done all the same, the rows of before as they were parted."""
    both = [v.ref for v in (case.version, case.champion) if v is not None]
    has_seen = "has seen, or keeps apart," if before.apart or _gates_rows(case) else "has seen"
    text = f"nothing is new: {' or '.join(dict.fromkeys(both))} {has_seen} all {rows:,} rows of {new.called}"
    if not case.asked.force:
        known = 0 if before.rows is None else len(before.rows)
        return _Found(Parted(new.table, new.table, {"before": known, "new": 0}), new.called, "", nothing_new=text)
    if case.spec.warm_start:
        text = f"nothing is new, and {case.version.ref} would learn the rows of before a second time"
        raise UsageError(text, hint="--from-scratch begins anew with them")
    train, held_out = held_out_before(case.version, case.workspace)
    counts = {"before": len(train) + len(held_out), "new": 0, "trained": len(train), "held_out": len(held_out)}
    return _Found(Parted(train, held_out, counts, (Notice("nothing-new", text),)), new.called, before.source)


def _asked(case: Case) -> Asked:
    signature, experiment = registered(case.version).signature(), case.experiment
    names = tuple(column.name for column in signature.inputs)
    return Asked(case.spec, experiment.data, names, Task(signature.task), experiment.trial.seed)


# --- the run -----------------------------------------------------------------------------------------------------


def _kept(found: _Found, workspace: Workspace) -> Rows:
    """Keep both tables by their content, so that the run can see them again; and what a source had before it grew."""
    for grown in found.grown:
        _keep(grown.rows, grown.source, workspace)
    train = _keep(found.rows.train, found.source, workspace)
    passed = None if found.rows.passed is None else _keep(found.rows.passed, found.called, workspace)
    return Rows(train, _keep(found.rows.held_out, found.called, workspace), len(found.rows.train), passed)


def _keep(table: pd.DataFrame, source: str, workspace: Workspace) -> str:
    version = version_of(table)
    snapshots_of(workspace).keep_table(version, table, source, lambda read: version_of(read) == version)
    return version


def _run(case: Case, rows: Rows, found: _Found, observer: Observer) -> Outcome:
    """Run the recipe as an ordinary run, whose config names both tables; one that is there already is found."""
    tags = {LEARNED: "all" if found.takes_all else "some", **({PASSED: rows.passed} if rows.passed else {})}
    config = recipe(case.version, rows, case.spec, case.workspace)
    asked = RunOptions(
        n_jobs=case.asked.n_jobs,
        tags={RETRAIN_OF: case.version.ref, **tags},
        note=f"{case.version.ref} made anew",
        force=case.asked.force,
        workspace=case.workspace.root,
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{case.version.record.experiment}.yaml"
        path.write_text(to_yaml(config), encoding="utf-8")
        try:
            return execute(str(path), [], asked, observer=observer)
        except ConfigError as error:
            error.file = (error.file or "").replace(str(path), f"the config of {case.version.ref}")
            raise


# --- the version -------------------------------------------------------------------------------------------------


def _version_of(case: Case, outcome: Outcome) -> ModelVersion | None:
    """Return the version that a retraining before this has made of a run."""
    versions = (case.registry.version(case.version.name, n) for n in reversed(case.registry.numbers(case.version.name)))
    return next((version for version in versions if version.record.id == outcome.record.id), None)


def _registered(case: Case, outcome: Outcome, there: ModelVersion | None) -> ModelVersion:
    """Return the version that a run became: one that is there already, or a new one."""
    root = case.workspace.root
    if there is not None:
        return models.alias(there.ref, CHALLENGER, workspace=root)
    tags = {RETRAIN_OF: case.version.ref}
    return register(outcome.record.id, case.version.name, alias=CHALLENGER, tags=tags, workspace=root).version


def _changed(before: ModelVersion, after: ModelVersion) -> dict[str, Any]:
    old, new = before.record.params, after.record.params
    best = {} if after.record.best is None else after.record.best.params
    return {key: new.get(key, value) for key, value in best.items() if new.get(key, value) != old.get(key)}


def _write_down(case: Case, done: Retrained) -> None:
    """Add to the audit log that a version was made anew, once."""
    log = AuditLog(case.registry.paths)
    if any(e.action is Action.RETRAINED and e.subject == done.version for e in log.newest()):
        return
    said = {
        "before": done.before,
        "run": done.run,
        "data": done.data,
        "held_out": done.held_out,
        "rows": dict(done.rows),
        "reasons": list(done.reasons),
        **(gates_of(done.promotion) if done.promotion is not None and not done.promotion.done else {}),
    }
    log.append(Action.RETRAINED, str(done.version), said)


def _refused(case: Case, done: Retrained, version: ModelVersion) -> str:
    """Return why a version that was refused before stays so; nothing where it was not, or would pass by now."""
    before = None if case.champion is None else case.champion.number
    was_refused = any(
        entry.action is Action.PROMOTION_REFUSED and entry.details.get("before") == before
        for entry in AuditLog(case.registry.paths).newest()
        if entry.subject == version.ref
    )
    if not was_refused and case.registry.status(version).approval not in OUT_OF_USE:
        return ""
    try:
        draft = _judged(case, replace(done, version=version.ref), dry_run=True)
    except RefusedError as error:
        return error.message
    failed = next((gate for gate in draft.gates if not gate.passed), None)
    return (
        "" if failed is None else f"{version.ref}, of the same rows, was refused already: {failed.gate}, {failed.found}"
    )


def _promoted(case: Case, done: Retrained) -> Retrained:
    """Compare with the champion, and give its alias where the gates pass and that is asked for."""
    if case.champion is None:
        text = f"no version has @{case.spec.alias}, so {done.version} was compared with none and is not promoted"
        return replace(done, notices=(*done.notices, Notice("no-champion", text)))
    return replace(done, promotion=_judged(case, done))


def _judged(case: Case, done: Retrained, *, dry_run: bool = False) -> Promotion:
    asked = PromoteOptions(
        case.spec.alias,
        dry_run=dry_run or not case.spec.promote,
        allow_pickle=case.asked.allow_pickle,
        held_out=done.held_out,
        forget=case.spec.forget,
        unseen=bool(done.rows.get("new")),  # of rows of before that are parted again, some may be alike
    )
    return promote(str(done.version), asked, workspace=case.workspace.root)

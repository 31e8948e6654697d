"""What the workspace shows of registered models: where they come from, who answers for them, how they get into use."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mlops_cli.config.declared import owners_file
from mlops_cli.config.handover import SECTION
from mlops_cli.records import CHAMPION, OUT_OF_USE, Approval, Kind, Level
from mlops_cli.store.needed import has_snapshot
from mlops_cli.views.text import plural
from mlops_cli.workflows.assess.look import Found
from mlops_cli.workflows.assess.words import COMMIT, command, day, declared, parts_of, set_name, short, train

if TYPE_CHECKING:
    from mlops_cli.records import AliasMove, Evidence, Gates, ModelVersion, RegisteredModel
    from mlops_cli.workflows.assess.look import Look
    from mlops_cli.workflows.models.promote import Declared

_PROMOTING = ("models promote", "retrain")
_PROMOTION, _ROLLBACK = "promotion", "rollback"
"""Why an alias was moved, as its move says it."""


def model_registered(look: Look) -> Evidence:
    """Whether models are registered, each version with its run, its code and the data that it was made from."""

    def of(model: RegisteredModel) -> Found:
        version = look.used(model)
        if faults := look.faults(model.name):
            text = f"{plural(len(faults), 'version')} of {model.name} cannot be read: {faults[0]}"
            return Found(Level.NON_REPEATABLE, text, command("models", "verify", model.name))
        lacking, mend = _lacking(look, version)
        text = f"{_called(model, version)} from run {version.record.id}, {_data(look, version)}"
        if lacking:
            return Found(Level.NON_REPEATABLE, f"{text}: {lacking}", mend)
        again = command("models", "register", look.newest(version.record.experiment), "--name", model.name)
        return Found(Level.SEMI_AUTOMATED, f"{text}, commit {short(str(version.record.git.commit))}", again)

    return look.of_models("model-registered", of, ("models register", "retrain"))


def _called(model: RegisteredModel, version: ModelVersion) -> str:
    names = model.aliases.of(version.number)
    return f"{version.ref} (@{', @'.join(names)})" if names else version.ref


def _data(look: Look, version: ModelVersion) -> str:
    data = version.record.dataset
    if data is None:
        return "which reads no table"
    kept = _kept(look, version)
    return f"data {data.source}" + (f" = {kept}" if kept and kept != data.source else "")


def _kept(look: Look, version: ModelVersion) -> str:
    """Return as what the data of a version is kept; nothing where it is not."""
    data = version.record.dataset
    if data is None:
        return ""
    refs, others = parts_of(data)
    there = {known.ref for known in look.datasets}
    if refs and not others:
        return ", ".join(refs) if set(refs) <= there else ""
    if has_snapshot(look.paths, data.version):
        return f"snapshot {short(data.version)}"
    return next((same.ref for same in look.alike(data)), "")


def _lacking(look: Look, version: ModelVersion) -> tuple[str, str]:
    """Return what is not known of where a version came from, and what mends it."""
    run, name = version.record, version.name
    again = command("models", "register", f"{run.experiment}:latest", "--name", name)
    if run.dataset is not None and not _kept(look, version):
        source = look.readable(run.dataset.source)
        called = set_name(source, run.experiment)
        is_file = source and not parts_of(run.dataset)[0]
        return "its data is kept nowhere", command("data", "add", source, "--name", called) if is_file else ""
    if run.git.commit is None:
        return "no commit of its code", f"{COMMIT} && {train(run.experiment, '--force')} && {again}"
    return "", ""


# --- people ------------------------------------------------------------------------------------------------------


def handover_answered(look: Look) -> Evidence:
    """Whether the owner of each model has answered what must be known before it goes to production."""

    def of(model: RegisteredModel) -> Found:
        from mlops_cli.store.registry import Registry
        from mlops_cli.store.registry.checking import certain_handover

        version = look.used(model)
        found = certain_handover(Registry(look.paths), version)
        if found is None:
            return _unanswered(look, version)
        told = f"{found.by} answered {found.answered} of {len(found.items)} questions of {found.ref} on {day(found.at)}"
        if found.missing:
            text = f"{told}; {', '.join(found.missing[:4])} must be answered"
            return Found(Level.MANUAL, text, f"mlops models handover {version.ref}")
        if _gates(look, version).gates.handover is None:
            mend = declared("promotion", model.name, "handover: {}")
            return Found(Level.NON_REPEATABLE, f"{told}; no gate asks for it", mend)
        return Found(Level.SEMI_AUTOMATED, f"{told}, and a gate asks for it")

    return look.of_models("handover-answered", of, ())


def _unanswered(look: Look, version: ModelVersion) -> Found:
    text = f"nobody has answered what the owner of {version.ref} is asked"
    path = look.workspace.shown(owners_file(look.workspace, SECTION, version.name))
    if not look.is_here(path):
        return Found(Level.ABSENT, text, command("models", "handover", version.name, "--init"))
    text = f"{text}; {path} is there, and what it answers was not kept with a version"
    return Found(Level.ABSENT, text, command("models", "handover", version.ref))


def model_approved(look: Look) -> Evidence:
    """Whether somebody signed off what is in use: a person's word, which no machine gives."""

    def of(model: RegisteredModel) -> Found:
        version = look.used(model)
        signed = model.statuses[version.number].sign_offs
        mend = command("models", "approve", version.ref)
        if not signed:
            return Found(Level.ABSENT, f"nobody has approved {version.ref}", mend)
        last = signed[-1]
        text = f"{version.ref} was {last.verdict} by {last.by} on {day(last.at)}"
        if last.verdict in OUT_OF_USE or last.verdict is not Approval.APPROVED:
            return Found(Level.NON_REPEATABLE, text, mend)
        if _gates(look, version).gates.approval is None:
            asked = f"approval: {{by: {json.dumps(last.by)}}}"
            return Found(Level.MANUAL, f"{text}; no gate asks for it", declared("promotion", model.name, asked))
        return Found(Level.SEMI_AUTOMATED, f"{text}, and a gate asks for it")

    return look.of_models("model-approved", of, ())


# --- gates -------------------------------------------------------------------------------------------------------


def _gates(look: Look, version: ModelVersion) -> Declared:
    from mlops_cli.workflows.models.promote import declared_gates

    return declared_gates(version, look.workspace)


def promotion_gated(look: Look) -> Evidence:
    """Whether what is in use came there through gates that are declared."""

    def of(model: RegisteredModel) -> Found:
        version = look.used(model)
        gates = _gates(look, version)
        move = _last_move(model, version)
        if not gates.gates:
            mend = declared("promotion", model.name, f"metrics: {{{_bound(version)}}}")
            mend += f" && {command('models', 'promote', version.ref)}" if move is None else ""
            if move is None:
                return Found(Level.ABSENT, f"no gates are declared for {model.name}, and no version is promoted", mend)
            return Found(Level.MANUAL, f"{version.ref} was made @{CHAMPION} by {move.by}; no gates are declared", mend)
        where = f"the gates of {gates.where}"
        if move is None:
            text = f"no version of {model.name} has been through {where} yet"
            return Found(Level.MANUAL, text, command("models", "promote", version.ref))
        if move.override:
            text = f"{version.ref} was made @{CHAMPION} by {move.by} although {where} failed: {move.override}"
            return Found(Level.NON_REPEATABLE, text, command("retrain", model.name))
        if move.why != _PROMOTION or _was_before(look, move):
            text = f"{version.ref} was made @{CHAMPION} by {move.by}, past {where}"
            return Found(Level.NON_REPEATABLE, text, _anew(version))
        text = f"{version.ref} became @{CHAMPION} on {day(move.at)} through {where}"
        return Found(Level.SEMI_AUTOMATED, text, _renew(model))

    return look.of_models("promotion-gated", of, _PROMOTING)


def _last_move(model: RegisteredModel, version: ModelVersion) -> AliasMove | None:
    """Return how a version got the alias that it has; of one that was rolled back to, how it got it before."""
    if CHAMPION not in model.aliases.of(version.number):
        return None
    moves = [move for move in model.aliases.moves if move.alias == CHAMPION and move.to == version.number]
    return next((move for move in reversed(moves) if move.why != _ROLLBACK), moves[-1] if moves else None)


def _was_before(look: Look, move: AliasMove) -> bool:
    """Whether a version was promoted when no gates were declared: then its entry in the log has none."""
    entry = None if move.audit is None else look.chain.at(move.audit)
    return entry is not None and not entry.details.get("gates")


def _anew(version: ModelVersion) -> str:
    """Return how the gates are asked of a version that has the alias already: it keeps it, whatever they say."""
    return command("models", "promote", version.ref, "--dry-run")


def _renew(model: RegisteredModel) -> str:
    """Return the command that promotes without a person, where a schedule calls it."""
    return command("retrain", model.name, "--if-needed")


def _bound(version: ModelVersion) -> str:
    """Return a bound of the primary metric that the version keeps to."""
    run = version.record
    summary = run.metrics.get(run.primary or "")
    if summary is None:
        return "accuracy: {min: 0.5}"
    word, sign = ("max", 1) if str(run.direction) == "minimize" else ("min", -1)
    return f"{json.dumps(run.primary)}: {{{word}: {summary.mean + sign * (summary.std or 0.0):.3g}}}"


def fairness_checked(look: Look) -> Evidence:
    """Whether a gate compares groups of rows before a version gets into use."""

    def of(model: RegisteredModel) -> Found:
        version = look.used(model)
        gates: Gates = _gates(look, version).gates
        if not gates.fairness:
            text, mend = f"no gate compares groups of rows for {model.name}", _fairness(version)
            why = "" if mend else "; none of its columns has 2 to 10 groups to compare: a gate may name another one"
            return Found(Level.ABSENT, f"{text}{why}", mend)
        asked = ", ".join(f"{gate.metric} by {gate.group}" for gate in gates.fairness)
        if not _was_asked(look, model, version):
            is_used = _last_move(model, version) is not None
            mend = _anew(version) if is_used else command("models", "promote", version.ref)
            return Found(Level.MANUAL, f"{asked} is declared, and was not asked of {version.ref}", mend)
        return Found(Level.SEMI_AUTOMATED, f"{version.ref} was asked for {asked}", _renew(model))

    return look.of_models("fairness-checked", of, _PROMOTING)


def _was_asked(look: Look, model: RegisteredModel, version: ModelVersion) -> bool:
    """Whether a gate of fairness is among those that the promotion of a version wrote down."""
    move = _last_move(model, version)
    entry = None if move is None or move.audit is None else look.chain.at(move.audit)
    gates = [] if entry is None else entry.details.get("gates") or []
    return any(str(gate.get("gate", "")).startswith("fairness") for gate in gates)


def _fairness(version: ModelVersion) -> str:
    """Return how a gate is declared for the column with the fewest categories; nothing where there is none."""
    run = version.record
    columns = [] if run.dataset is None else [c for c in run.dataset.columns if c.name != run.dataset.target]
    groups = [c for c in columns if c.kind in {Kind.CATEGORICAL, Kind.BOOLEAN} and 1 < (c.unique or 0) <= 10]
    if not groups or run.primary is None:
        return ""
    group = min(groups, key=lambda column: column.unique or 0).name
    said = f"fairness: {{group: {json.dumps(group)}, metric: {json.dumps(run.primary)}, max_difference: 0.1}}"
    return declared("promotion", version.name, said)

"""``mlops models promote``: an alias given to a version that passes its gates.

Gates are computed before anything is locked. Whoever changes meanwhile what they rest on (the gates themselves, the
champion or the sign-offs where a gate asks for them) is seen, and they are computed again.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlops_cli.config.declared import of_owner, of_run, owners_file
from mlops_cli.config.promotion import SECTION, read_gates
from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import ConfigError, MlopsError, StoreError, UsageError
from mlops_cli.records import CHAMPION, OUT_OF_USE, Action, ChampionGate, Gates, Notice, Promotion
from mlops_cli.store.audit import AuditLog
from mlops_cli.store.layout import RunPaths, VersionPaths, WorkspacePaths
from mlops_cli.store.registry import Registry
from mlops_cli.store.registry.calling import Move, call, check_alias
from mlops_cli.store.registry.checking import announced, certain_aliases, check_version

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import Handover, ModelStatus, ModelVersion, RunRecord

PROMOTION, ROLLBACK = "promotion", "rollback"
"""Why an alias moved, as its history has it."""

_TRIES = 3


class RefusedError(MlopsError):
    """A version is out of use and cannot be promoted."""


@dataclass(frozen=True)
class PromoteOptions:
    """How a version is promoted.

    Parameters
    ----------
    alias : str
        What it is to be called.
    override : str, optional
        Why gates that fail are passed over.
    dry_run : bool
        Compute the gates and change nothing.
    allow_pickle : bool
        Open models that are pickles, which can run any code, where a gate needs them.
    held_out : str, optional
        Labelled rows on which the champion gate compares where it names none; where no such gate is declared, the
        version must be better on them beyond noise.
        As retraining has it where that made the version, and nothing is said.
    unseen : bool
        Whether such a version must not have learned from any of these rows.
    forget : bool, optional
        Whether such a version may do worse than the champion on the rows of before, where the champion falls on these;
        as the policy of its model has it where not given.
    """

    alias: str = CHAMPION
    override: str | None = None
    dry_run: bool = False
    allow_pickle: bool = False
    held_out: str | None = None
    unseen: bool = False
    forget: bool | None = None


@dataclass(frozen=True)
class Declared:
    """The gates of a model, and where they are declared."""

    gates: Gates
    where: str = ""  # nothing: nowhere
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Standing:
    """What others may change while gates are computed."""

    before: int | None  # the version that has the alias
    fault: str  # why it cannot be compared with
    status: ModelStatus
    handover: Handover | str | None  # what its owner answered, or why it cannot be read
    declared: Declared

    def has_same_ground(self, other: _Standing) -> bool:
        """Whether gates say now what they said then; who has the alias is asked by that of the champion alone."""
        gates = self.declared.gates
        return (
            self.declared == other.declared
            and (gates.approval is None or self.status == other.status)
            and (gates.handover is None or self.handover == other.handover)
            and (gates.champion is None or (self.before, self.fault) == (other.before, other.fault))
        )


# --- promoting ---------------------------------------------------------------------------------------------------


def promote(ref: str, options: PromoteOptions | None = None, *, workspace: str | Path | None = None) -> Promotion:
    """Give an alias to a version, if it passes its gates.

    Parameters
    ----------
    ref : str
        ``titanic/4``, or by another alias: ``titanic@challenger``.
    options : PromoteOptions, optional
        Which alias, and what is done where gates fail.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Returns
    -------
    Promotion
        What each gate said, and whether the alias was given.

    Raises
    ------
    UsageError
        The reference does not say which version, or the override has no reason.
    RefusedError
        The version is rejected or archived.
    ConfigError
        The gates are declared wrongly.
    StoreError
        There is no such version, or its files are not those that were registered.
    """
    asked = options or PromoteOptions()
    place = find_workspace(workspace)
    registry = Registry(WorkspacePaths(place.root))
    version = _meant(registry, ref, asked)
    asked, told = _as_remade(version, asked, place)
    said = list(told)
    for _ in range(_TRIES):
        standing = _standing(registry, version, asked, place)
        draft = _draft(registry, version, standing, asked, place, said)
        done = draft if draft.done or asked.dry_run else _settled(registry, version, draft, standing, asked, place)
        if done is not None:
            return done
        what = f"@{asked.alias}, the gates or what is said of {version.ref}"
        said = [*told, f"{what} changed meanwhile, and the gates were run again"]
    raise StoreError(f"@{asked.alias} of {version.name} keeps changing", hint="promote again when the others are done")


def _meant(registry: Registry, ref: str, asked: PromoteOptions) -> ModelVersion:
    check_alias(asked.alias)
    if asked.override is not None and not asked.override.strip():
        raise UsageError("an override needs a reason", hint="--override 'why its gates do not matter here'")
    version = registry.find(ref)
    if "/" not in ref and "@" not in ref:
        newest = f"{version.name}/{registry.numbers(version.name)[-1]}"
        raise UsageError(f"'{ref}' does not say which version", hint=f"mlops models promote {newest}")
    return version


def _as_remade(
    version: ModelVersion, asked: PromoteOptions, workspace: Workspace
) -> tuple[PromoteOptions, tuple[str, ...]]:
    """Return options that compare a version as retraining does, where that made it, and what there is to know of it."""
    from mlops_cli.workflows.models.remade import compared_as_remade

    if asked.held_out is not None and asked.forget is not None:
        return asked, ()
    how = compared_as_remade(version, workspace)
    forget = how.forget if asked.forget is None else asked.forget
    if asked.held_out is not None:
        return replace(asked, forget=forget), ()
    return replace(asked, held_out=how.held_out, unseen=how.unseen, forget=forget), how.said


def fault_of(registry: Registry, name: str, number: int) -> str:
    """Return in what a version is not as it was registered, by the audit log; nothing where it is."""
    faults = check_version(registry, name, number, announced(registry)).faults
    return faults[0] if faults else ""


def declared_gates(version: ModelVersion, workspace: Workspace) -> Declared:
    """Return the gates of the workspace's owner; those of the run's own config where there is no such file.

    Raises
    ------
    ConfigError
        They are declared wrongly.
    """
    config = VersionPaths(version.path).config
    owners = of_owner(workspace, SECTION, version.name, read_gates)
    if owners is None:
        found = of_run(config, SECTION, read_gates)
        return Declared(found, f"the config of {version.record.id}" if found else "")
    file = owners_file(workspace, SECTION, version.name).relative_to(workspace.root).as_posix()
    where = file if owners else ""
    with suppress(ConfigError):  # whatever is wrong with it, it is not asked
        if of_run(config, SECTION, read_gates) not in {Gates(), owners}:
            return Declared(owners, where, (f"the config of its run declares other gates; {file} comes first",))
    return Declared(owners, where)


def _standing(registry: Registry, version: ModelVersion, asked: PromoteOptions, workspace: Workspace) -> _Standing:
    """Return what others may change.

    Raises
    ------
    RefusedError
        The version is out of use.
    StoreError
        It is not as it was registered.
    """
    if version.number not in registry.numbers(version.name):
        raise StoreError(f"{version.ref} has been removed")
    if fault := fault_of(registry, version.name, version.number):
        raise StoreError(f"{version.ref}: {fault}", hint=f"mlops models verify {version.ref}")
    status = _in_use(registry, version, asked)
    before = certain_aliases(registry, version.name).versions.get(asked.alias)
    fault = "" if before in {None, version.number} else fault_of(registry, version.name, int(before or 0))
    declared = _compared_on(declared_gates(version, workspace), asked)
    handover = registry.readable_handover(version.name, version.number)
    return _Standing(before, fault, status, handover, declared)


def _compared_on(declared: Declared, options: PromoteOptions) -> Declared:
    """Return gates of which that against the champion compares on some rows, unless its owner names others."""
    gate, data = declared.gates.champion, options.held_out
    if data is None or (gate is not None and gate.data is not None):
        return declared
    if gate is not None:
        champion = replace(gate, data=data, unseen=options.unseen)
        return replace(declared, gates=replace(declared.gates, champion=champion))
    asked = "no gate against the champion is declared: better on the held-out rows, beyond noise, is asked"
    gates = replace(declared.gates, champion=ChampionGate(data=data, unseen=options.unseen, no_twins=True))
    return Declared(gates, declared.where or "retraining itself", (*declared.said, asked))


def _in_use(registry: Registry, version: ModelVersion, asked: PromoteOptions) -> ModelStatus:
    """Return what is said of a version that may be promoted."""
    status = registry.status(version)
    if status.approval in OUT_OF_USE:
        if not asked.dry_run:
            said = {"alias": asked.alias, "approval": str(status.approval)}
            AuditLog(registry.paths).append(Action.PROMOTION_REFUSED, version.ref, said)
        last = status.sign_offs[-1]
        note = f": {last.note}" if last.note else ""
        hint = f"mlops models approve {version.ref}, if that is no longer so"
        raise RefusedError(f"{version.ref} is {status.approval} by {last.by}{note}", hint=hint)
    return status


def _draft(
    registry: Registry,
    version: ModelVersion,
    standing: _Standing,
    asked: PromoteOptions,
    workspace: Workspace,
    said: Sequence[str] = (),
) -> Promotion:
    """Return what the gates say; of a version that has the alias already, that it has."""
    before, declared = _ref(version, standing.before), standing.declared
    draft = Promotion(version.ref, asked.alias, before, (), done=False, declared=declared.where, said=declared.said)
    if standing.before == version.number:
        return replace(draft, done=True)
    from mlops_cli.workflows.applying.model import registered
    from mlops_cli.workflows.models.champion import Remembered, remembered
    from mlops_cli.workflows.models.gates import closed, judge
    from mlops_cli.workflows.models.judged import Case, Judged

    champion, fault = None, ""
    if standing.fault:
        fault = f"{before}, which has @{asked.alias}, is not as it was registered: {standing.fault}"
    elif standing.before is not None:
        champion = Judged(registry.version(version.name, standing.before), workspace, asked.allow_pickle)
    case = Case(Judged(version, workspace, asked.allow_pickle), standing.status, champion, asked.alias, fault)
    unopened = closed(registered(version), allow_pickle=asked.allow_pickle)
    gate, found = declared.gates.champion, judge(case, declared.gates)
    is_of_new_rows = gate is not None and asked.held_out is not None and gate.data == asked.held_out
    kept = remembered(gate, case, forget=bool(asked.forget)) if gate and is_of_new_rows else Remembered()
    said = (*declared.said, *said, *(text for text in (unopened, kept.said) if text))
    return replace(draft, gates=(*found, *([kept.gate] if kept.gate else [])), said=said)


def _ref(version: ModelVersion, number: int | None) -> str | None:
    """Return how another version of a model is called."""
    return None if number is None else f"{version.name}/{number}"


def _settled(
    registry: Registry,
    version: ModelVersion,
    draft: Promotion,
    standing: _Standing,
    asked: PromoteOptions,
    workspace: Workspace,
) -> Promotion | None:
    """Give the alias, or write down why not; None where others have changed what the gates rest on."""
    with registry.changing():
        now = _standing(registry, version, asked, workspace)
        if not now.has_same_ground(standing):
            return None
        draft = replace(draft, before=_ref(version, now.before))
        if now.before == version.number:  # somebody else was first
            return replace(draft, done=True, gates=())
        if not draft.passed and asked.override is None:
            said = {"alias": asked.alias, "before": now.before, **gates_of(draft)}
            AuditLog(registry.paths).append(Action.PROMOTION_REFUSED, version.ref, said)
            return draft
        override = "" if draft.passed else str(asked.override).strip()
        move = Move(asked.alias, version.number, Action.PROMOTED, PROMOTION, override, gates_of(draft))
        call(registry, version.name, move)
    return replace(draft, done=True, override=override)


def gates_of(draft: Promotion) -> dict[str, Any]:
    """Return what the audit log keeps of the gates."""
    kept = ("gate", "passed", "wanted", "found", "value", "bound", "interval")
    gates = [{key: vars(gate)[key] for key in kept if vars(gate)[key] is not None} for gate in draft.gates]
    return {"declared": draft.declared, "gates": gates}


def other_gates(record: RunRecord, wanted: Gates) -> list[Notice]:
    """Say of a run that is found, in place of one that would compute the same, that its config declares other gates."""
    with suppress(ConfigError):
        if of_run(RunPaths(record.path).config, SECTION, read_gates) != wanted:
            file = f"configs/promotion/{record.experiment}.yaml"
            text = f"the run that is found has its own gates under promotion; {file} comes before them, or --force"
            return [Notice("other-gates", text)]
    return []

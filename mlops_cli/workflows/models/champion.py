"""A version against the champion: on the splits of both, on labelled rows, and on the rows of before."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mlops_cli.analysis import gates
from mlops_cli.errors import DataError, MlopsError
from mlops_cli.records import GateResult
from mlops_cli.workflows.models.judged import Judged, or_unknown
from mlops_cli.workflows.silence import silent

if TYPE_CHECKING:
    from mlops_cli.records import ChampionGate
    from mlops_cli.workflows.applying.labelled import Labelled
    from mlops_cli.workflows.models.judged import Case


def champion_gate(spec: ChampionGate, case: Case) -> GateResult:
    """Return whether a version is better than the champion, or as good, as is asked."""
    metric, own = _metric(spec, case), case.version.version.record.primary or ""
    if case.fault:
        return gates.unknown("champion", f"{metric} better", case.fault)
    if case.champion is None:
        detail = f"no version has @{case.alias}"
        return GateResult("champion", passed=True, wanted=f"{metric} better", found="no champion yet", detail=detail)
    wanted = gates.champion_wanted(spec, metric, case.champion.version.ref)
    if spec.metric is None and metric != own:
        why = f"that is what {case.champion.version.ref} is ranked by, and {case.version.version.ref} by {own}"
        return gates.unknown("champion", wanted, f"{why}: champion.metric says which")
    compute = _by_splits if spec.data is None else _by_rows
    champion = case.champion
    (found,) = or_unknown(
        lambda: [compute(spec, metric, champion, case.version)], lambda why: [gates.unknown("champion", wanted, why)]
    )
    return found


def _metric(spec: ChampionGate, case: Case) -> str:
    own = case.version.version.record.primary or ""
    return spec.metric or (case.champion.version.record.primary if case.champion else None) or own


def _by_splits(spec: ChampionGate, metric: str, champion: Judged, version: Judged) -> GateResult:
    from mlops_cli.workflows.runs.compare import contender_of

    for side in (champion, version):
        side.require_known(metric)
    sides = [contender_of(side.version.ref, side.version.record) for side in (champion, version)]
    return gates.champion_by_splits(spec, metric, sides[0], sides[1])


def _by_rows(spec: ChampionGate, metric: str, champion: Judged, version: Judged) -> GateResult:
    from mlops_cli.analysis.bootstrap import RESAMPLES
    from mlops_cli.analysis.paired_rows import paired_gain
    from mlops_cli.workflows.applying.evaluate import statistic_for

    data = spec.data or ""
    first, other = (side.rows(data) for side in (champion, version))
    _require_same(first, other, champion, version)
    champion.require_known(metric)
    score, size = version.metric(metric), len(other.X)
    gain = paired_gain(
        statistic_for(champion.opened, first, score),
        statistic_for(version.opened, other, score),
        score.direction,
        size,
        groups=other.groups,
        confidence=spec.confidence,
    )
    drawn = "rows" if other.groups is None else f"groups of {other.by}"
    how = f"both on the same {size:,} rows of {data}, {drawn} drawn {RESAMPLES:,} times"
    trained = [trained_on(side, rows) for side, rows in ((champion, first), (version, other))]
    wanted = gates.champion_wanted(spec, metric, champion.version.ref)
    found = gates.champion_gate(spec, wanted, gain, "; ".join([how, *(side.text for side in trained)]))
    learned = trained[1]
    if spec.no_twins and learned.twins > learned.seen:
        learned = replace(learned, seen=learned.twins, text=_of_twins(version.version.ref, learned.twins))
    if not (spec.unseen and learned.seen):
        return found
    return replace(found, passed=False, found=f"{found.found}; but that is void: {learned.text}")


def _require_same(first: Labelled, other: Labelled, champion: Judged, version: Judged) -> None:
    """Refuse to pair rows that the two read otherwise."""
    import numpy as np

    targets = [side.opened.model.signature.output for side in (champion, version)]
    if targets[0] != targets[1]:
        raise DataError(f"{champion.version.ref} predicts {targets[0]}, {version.version.ref} {targets[1]}")
    if first.y is None or other.y is None:
        raise DataError("a clustering has no target, and so nothing to be better at on the same rows")
    if not np.array_equal(first.y, other.y):
        raise DataError(f"{champion.version.ref} and {version.version.ref} read other rows of {other.version.source}")


# --- what it has learned from ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trained:
    """How many of some rows a model has seen in training."""

    text: str
    seen: int = 0
    twins: int = 0


def trained_on(side: Judged, rows: Labelled) -> Trained:
    """Return how many of the rows a model has seen in training, or why nobody knows.

    One that went on learning from another version has seen what that one had.
    """
    from mlops_cli.workflows.data.seen_rows import seen_in_training
    from mlops_cli.workflows.models.ancestors import ancestors, goes_on_from

    before, gap = ancestors(side.version, goes_on_from, side.workspace)
    who = f"{side.version.ref}{', with what it goes on from,' if before or gap else ''}"
    try:
        known = [seen_in_training(one.loaded, rows) for one in (side, *(Judged(v, side.workspace) for v in before))]
    except MlopsError as error:
        gap = error.message
    if gap:
        return Trained(f"whether {who} was trained on any of them is not known: {gap}")
    seen, twins = (min(count, len(rows.X)) for count in (sum(k.count for k in known), sum(k.twins for k in known)))
    if seen and not all(one.by for one in known):
        return Trained(_of_twins(who, seen), seen, twins)
    return Trained(f"{who} was trained on {f'{seen:,}' if seen else 'none'} of them", seen, twins)


def _of_twins(who: str, count: int) -> str:
    return f"{count:,} of them have a twin, equal in all features and the target, that {who} was trained on"


# --- what it has forgotten ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Remembered:
    """Whether a version still does on the rows of before what the champion does there."""

    gate: GateResult | None = None  # None: it is not asked, as the champion has not fallen, or nobody knows
    said: str = ""


def remembered(spec: ChampionGate, case: Case, *, forget: bool) -> Remembered:
    """Ask of a version that was made anew what it still knows, where the champion falls on the new rows.

    A world that has changed and labels that are wrong look alike on new rows: the champion fails, and whoever has
    learned from rows of the same kind does not. So both are compared on the rows that the champion itself held out,
    too; which of the two it is, an owner says.

    Parameters
    ----------
    spec : ChampionGate
        Compares on new rows: ``data``.
    case : Case
        Who is to be promoted over whom.
    forget : bool
        The world has changed: that a version does worse on the rows of before is said, and fails no gate.
    """
    champion, version = case.champion, case.version
    if champion is None or case.fault:
        return Remembered()
    metric = _metric(spec, case)
    with warnings.catch_warnings(), silent():
        warnings.simplefilter("ignore")
        found = or_unknown(
            lambda: _on_rows_of_before(spec, metric, champion, version),
            lambda why: [gates.unknown(gates.REMEMBERED, "", why)],
        )
    if not found:
        return Remembered()
    gate = found[0]
    if gate.value is None:
        return Remembered(said=f"what {version.version.ref} has forgotten is not known: {gate.detail}")
    if forget and not gate.passed:
        text = f"{version.version.ref} has forgotten: on the rows of before {metric} is {gate.found}"
        return Remembered(said=f"{text}; forget lets that be")
    return Remembered(gate)


def _on_rows_of_before(spec: ChampionGate, metric: str, champion: Judged, version: Judged) -> list[GateResult]:
    """Return the gate; none where the champion is as good on the new rows as it was on its own held-out rows."""
    from mlops_cli.analysis.paired_rows import change, paired_gain
    from mlops_cli.workflows.applying.evaluate import statistic_for

    champion.require_known(metric)
    score, new = version.metric(metric), champion.rows(spec.data or "")
    rows = [_held_out_by(champion, side) for side in (champion, version)]
    before, after = (statistic_for(champion.opened, some, score) for some in (rows[0], new))
    sides = (before, len(rows[0].X), rows[0].groups), (after, len(new.X), new.groups)
    fall = change(*sides, score.direction, spec.confidence)
    if fall.high >= 0:
        return []
    other, groups = statistic_for(version.opened, rows[1], score), rows[1].groups
    kept = paired_gain(before, other, score.direction, len(rows[1].X), groups=groups, confidence=spec.confidence)
    how = (
        f"both on the {len(rows[1].X):,} rows that {champion.version.ref} held out; {trained_on(version, rows[1]).text}"
    )
    return [gates.remembering_gate(metric, champion.version.ref, fall, kept, how)]


def _held_out_by(champion: Judged, side: Judged) -> Labelled:
    """Return the rows that the champion's run held out, as another version takes them."""
    from mlops_cli.components.tables import conform
    from mlops_cli.workflows.applying.labelled import Labelled

    test = champion.loaded.test
    if test is None or test.y is None:
        raise DataError(f"{champion.version.ref} held no rows out")
    X = conform(test.X, side.opened.inputs, side.spec.data.dtypes)
    return Labelled(X, test.y, test.version, test.X, test.ids, test.groups, weights=test.weights)

"""Whether what was computed twice is the same, bit for bit or within a tolerance.

A difference is a share of the largest value beside it (the scores of a trial by one metric, a column of predictions):
a probability of 1e-20 that becomes 2e-20 has not doubled in any way that matters. Pure; numpy is loaded where there
are tables to compare.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlops_cli.records import Agreeing, Agreement, TrialState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    import pandas as pd

    from mlops_cli.records import RunRecord, TrialResult

TOLERANCE = 1e-9
"""The share up to which two numbers are equal: what another order of adding leaves."""

WINNER = "the best trial"
HELD_OUT_SCORES = "held-out scores"


# --- trials ------------------------------------------------------------------------------------------------------


def trials_alike(
    before: Sequence[TrialResult], now: Sequence[TrialResult], tolerance: float = TOLERANCE, *, part: str = "split"
) -> tuple[Agreeing, ...]:
    """Return how far each trial agrees with the one of the same number, split by split.

    Parameters
    ----------
    before, now : sequence of TrialResult
        Both runs' trials.
    tolerance : float
        The share up to which two scores are equal.
    part : str
        What each score is of: a split, a repetition.
    """
    old, new = ({result.trial: result for result in results} for results in (before, now))
    return tuple(_trial(number, old.get(number), new.get(number), tolerance, part) for number in sorted({*old, *new}))


def _trial(number: int, old: TrialResult | None, new: TrialResult | None, tolerance: float, part: str) -> Agreeing:
    params = next(result.params for result in (old, new) if result is not None)
    found = Agreeing(f"trial {number}", Agreement.IDENTICAL, params=params)
    reason = _unlike(old, new)
    if reason or old is None or new is None:
        return replace(found, agreement=Agreement.DIFFERENT, detail=reason)
    scores = _columns(_numbers(old), _numbers(new), tolerance, part)
    return replace(scores, what=found.what, params=params)


def _unlike(old: TrialResult | None, new: TrialResult | None) -> str:
    """Return why there are no scores to be compared; nothing where there are, or where both failed alike."""
    if new is None or old is None:
        return "missing now" if old is not None else "new"
    if dict(old.params) != dict(new.params):
        return "another point"
    then, now = _ended(old), _ended(new)
    return "" if then == now else f"{then} then, {now} now"


def _ended(result: TrialResult) -> str:
    """Return how a trial ended; where a message says other addresses or times, its failure is still the same."""
    failed = result.state is TrialState.FAILED and result.error is not None
    return f"{result.state} ({result.error.type})" if failed and result.error is not None else str(result.state)


def _numbers(result: TrialResult) -> dict[str, Sequence[float]]:
    """Return the scores by metric, and of a pruned sweep what was seen at each step."""
    return {**result.scores, **({"the steps of pruning": result.steps} if result.steps else {})}


def _columns(
    old: Mapping[str, Sequence[float]], new: Mapping[str, Sequence[float]], tolerance: float, part: str = "split"
) -> Agreeing:
    found = Agreeing("", Agreement.IDENTICAL)
    for name in {**old, **new}:
        found = _worse(found, _parts(name, old.get(name, ()), new.get(name, ()), tolerance, part))
    return found


def _parts(name: str, old: Sequence[float], new: Sequence[float], tolerance: float, part: str) -> Agreeing:
    if len(old) != len(new):
        return Agreeing(name, Agreement.DIFFERENT, detail=f"{name} of {len(old)} {part}s then, of {len(new)} now")
    size = max((abs(value) for value in (*old, *new) if math.isfinite(value)), default=0.0)
    shares = [_share(a, b, size) for a, b in zip(old, new, strict=True)]
    if not any(share is not None for share in shares):
        return Agreeing(name, Agreement.IDENTICAL)
    worst = max(range(len(shares)), key=lambda i: -1.0 if shares[i] is None else shares[i] or 0.0)
    share = shares[worst] or 0.0
    where = f" of {part} {worst}" if len(old) > 1 else ""
    detail = f"{name}{where}: {old[worst]!r} is now {new[worst]!r}"
    return Agreeing(name, _judged(share, tolerance), share, detail)


def _share(a: float, b: float, size: float) -> float | None:
    """Return how far two numbers are apart as a share of a size; None where they are the same, bit for bit."""
    if float(a).hex() == float(b).hex():
        return None
    if not (math.isfinite(a) and math.isfinite(b)):
        return math.inf
    return abs(a - b) / size if size else 0.0


def _judged(share: float, tolerance: float) -> Agreement:
    return Agreement.EQUAL if share <= tolerance else Agreement.DIFFERENT


def _worse(a: Agreeing, b: Agreeing) -> Agreeing:
    """Return the one that agrees less, by its verdict and then by its largest difference."""

    def key(found: Agreeing) -> tuple[int, float]:
        worst = list(Agreement).index(found.agreement)
        return worst, math.inf if found.difference is None and found.detail else found.difference or 0.0

    return b if key(b) > key(a) else a


# --- the winner --------------------------------------------------------------------------------------------------


def winner_alike(before: RunRecord, now: RunRecord, tolerance: float = TOLERANCE) -> Iterator[Agreeing]:
    """Yield whether the same trial won, and whether it scores the same on held-out rows, where there are such."""
    old, new = (None if record.best is None else record.best.trial for record in (before, now))
    if old != new:
        first, second = ("none" if number is None else f"trial {number}" for number in (old, new))
        yield Agreeing(WINNER, Agreement.DIFFERENT, detail=f"{first} then, {second} now")
        return
    tests = _held_out(before), _held_out(now)
    if any(tests):
        yield replace(_columns(tests[0], tests[1], tolerance), what=HELD_OUT_SCORES)


def _held_out(record: RunRecord) -> dict[str, Sequence[float]]:
    return {name: (summary.test,) for name, summary in record.metrics.items() if summary.test is not None}


# --- tables ------------------------------------------------------------------------------------------------------


def tables_alike(what: str, before: pd.DataFrame, now: pd.DataFrame, tolerance: float = TOLERANCE) -> Agreeing:
    """Return how far two tables agree, row by row in their order.

    Parameters
    ----------
    what : str
        What they are, in words.
    before, now : DataFrame
        Both tables, shape (rows, columns).
    tolerance : float
        The share of a column's largest value up to which two numbers in it are equal.
    """
    names = [name for name in before if name in now]
    other = [f"no {name} now" for name in before if name not in now]
    other += [f"{name} is new" for name in now if name not in before]
    if len(before) != len(now):
        other.append(f"{len(before):,} rows are {len(now):,}")
    if other:
        return Agreeing(what, Agreement.DIFFERENT, detail=", ".join(other))
    found = Agreeing(what, Agreement.IDENTICAL)
    for name in names:
        found = _worse(found, _column(str(name), before[name], now[name], tolerance))
    return replace(found, what=what)


def _column(name: str, before: pd.Series[Any], now: pd.Series[Any], tolerance: float) -> Agreeing:
    import pandas as pd

    # Labels are whole or text: there a share of a difference means nothing, and each is the same or is not.
    if not (pd.api.types.is_float_dtype(before.dtype) and pd.api.types.is_float_dtype(now.dtype)):
        if before.dtype != now.dtype:
            before, now = before.astype(object), now.astype(object)
        differ = ~((before.to_numpy() == now.to_numpy()) | (before.isna() & now.isna()).to_numpy())
        if not differ.any():
            return Agreeing(name, Agreement.IDENTICAL)
        return Agreeing(name, Agreement.DIFFERENT, detail=_rows(name, int(differ.sum()), len(before)))
    shares = _shares(before.to_numpy(dtype="float64"), now.to_numpy(dtype="float64"))
    count = int((~(shares < 0)).sum())
    if not count:
        return Agreeing(name, Agreement.IDENTICAL)
    worst = float(shares.max())
    return Agreeing(name, _judged(worst, tolerance), worst, _rows(name, count, len(before)))


def _rows(name: str, count: int, rows: int) -> str:
    return f"{name} in {count:,} of {rows:,} rows"


def _shares(before: np.ndarray[Any, Any], now: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return for each row what `_share` does, and -1 where both are the same, bit for bit."""
    import numpy as np

    same = (before == now) & (np.signbit(before) == np.signbit(now)) | (np.isnan(before) & np.isnan(now))
    finite = np.isfinite(before) & np.isfinite(now)
    size = max((float(np.abs(part[np.isfinite(part)]).max(initial=0.0)) for part in (before, now)), default=0.0)
    apart = np.full(len(before), math.inf)
    apart[finite] = np.abs(before[finite] - now[finite]) / (size or 1.0)
    apart[same] = -1.0
    return apart

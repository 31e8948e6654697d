"""What has drifted, in one sentence each, with the numbers. Pure; text of the data is left as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_cli.records import ComparedBy, Direction, Kind

if TYPE_CHECKING:
    from mlops_cli.records import ColumnReference, MetricDrift, Shift

TESTS = {"ks": "KS", "chi2": "χ²", "fisher": "Fisher"}
_NAMED = 3


def percent(share: float) -> str:
    """Return a share.

    Examples
    --------
    >>> percent(0.5), percent(0.123), percent(0.0004), percent(0)
    ('50 %', '12.3 %', '< 0.1 %', '0 %')
    """
    if 0 < share < 0.001:
        return "< 0.1 %"
    return f"{100 * share:.1f}".removesuffix(".0") + " %"


def quantity(kind: Kind, value: float) -> str:
    """Return a number in four digits, or the day and time that it is in seconds since 1970."""
    if kind is not Kind.DATETIME:
        return f"{value:.4g}"
    from datetime import UTC, datetime, timedelta

    try:
        return f"{datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value):%Y-%m-%d %H:%M}"
    except (OverflowError, ValueError):
        return f"{value:.4g}"


def p_value(p: float | None) -> str:
    """Return a p.

    Examples
    --------
    >>> p_value(0.0004), p_value(0.0123), p_value(None)
    ('p < 0.001', 'p = 0.012', '')
    """
    if p is None:
        return ""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def missing(shift: Shift) -> str:
    """Return how the share of missing values has changed."""
    before, after = map(percent, shift.missing)
    return f"{after} of its values are missing, and in training {before} were"


def new_categories(shift: Shift, share: float) -> str:
    """Return which categories are new."""
    named = ", ".join(f"'{name}'" for name in shift.new[:_NAMED]) + (", …" if len(shift.new) > _NAMED else "")
    return f"{percent(share)} of the rows have categories that training did not have{': ' if named else ''}{named}"


def distribution(shift: Shift, before: ColumnReference, after: ColumnReference) -> str:
    """Return how a column has moved, by which measures."""
    return f"{_moved(before, after)} ({measures(shift)})"


def measures(shift: Shift) -> str:
    """Return by how much values have moved."""
    distance = "" if shift.distance is None else f"moved {shift.distance:.2f} std"
    if shift.kind in {Kind.CATEGORICAL, Kind.BOOLEAN} and shift.distance is not None:
        distance = f"{percent(shift.distance)} moved"
    psi = "" if shift.psi is None else f"PSI {shift.psi:.2f}"
    p = p_value(shift.p)
    return ", ".join(filter(None, [distance, psi, f"{TESTS[shift.test]} {p}" if p and shift.test else ""]))


def _moved(before: ColumnReference, after: ColumnReference) -> str:
    if before.words is not None and after.words is not None:
        return _most_changed(before, after)
    if before.steps is None or after.steps is None:
        return "its values have moved"
    what = "mean length" if before.by is ComparedBy.LENGTH else "mean"
    (mean, spread), (now, now_spread) = ((s.mean, s.std) for s in (before.steps, after.steps))
    if abs(now - mean) >= 0.1 * spread or before.kind is Kind.DATETIME:
        return f"{what} {quantity(before.kind, mean)} → {quantity(before.kind, now)}"
    return f"standard deviation {spread:.4g} → {now_spread:.4g}, {what} {mean:.4g} → {now:.4g}"


def _most_changed(before: ColumnReference, after: ColumnReference) -> str:
    from mlops_cli.analysis.shifts import OTHERS

    a, b = ({} if c.words is None else c.words.counts for c in (before, after))
    totals = [max(1, c.words.total) if c.words is not None else 1 for c in (before, after)]
    shares = {n: (a.get(n, 0) / totals[0], b.get(n, 0) / totals[1]) for n in sorted({*a, *b} - {OTHERS})}
    name = max(shares, key=lambda n: abs(shares[n][0] - shares[n][1]))
    return f"'{name}' {percent(shares[name][0])} → {percent(shares[name][1])}"


def metric(found: MetricDrift) -> str:
    """Return how a metric has changed."""
    is_up = found.after > found.before
    verb = "rose" if is_up else "fell"
    interval = "" if found.ci95 is None else f", 95 % interval {found.ci95[0]:+.4g} … {found.ci95[1]:+.4g}"
    worse = is_up == (found.direction is Direction.MINIMIZE)
    end = " (worse)" if worse else ""
    return f"{verb} from {found.before:.4g} to {found.after:.4g}{end}: {found.change:+.4g}{interval}"

"""A figure over time, as the outlines and points of SVG: its line, what training had, intervals, and what drifted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_cli.views.pages.drawings import round_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WIDTH, HEIGHT = 460, 180
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 50, 12, 26
_MOST_LABELS = 4
_LETTER, _GAP = 8.0, 10.0
"""How wide a letter below the axis is at most, on a narrow screen, and what is left between two labels."""
_MARK = 4.0


@dataclass(frozen=True)
class Moment:
    """One batch's value of a figure."""

    place: str  # what the axis says of it: a day
    title: str  # what a pointer over it shows
    value: float | None = None
    interval: tuple[float, float] | None = None
    drifted: bool = False


@dataclass(frozen=True)
class Point:
    """A mark."""

    outline: str
    title: str
    drifted: bool


@dataclass(frozen=True)
class Trend:
    """A figure over time, drawn."""

    name: str
    lines: str  # one piece for each stretch without a gap
    points: tuple[Point, ...]
    whiskers: str  # intervals
    ticks: tuple[tuple[float, str], ...]  # where, and what it says
    places: tuple[tuple[float, str], ...]  # where, and what it says
    level: tuple[float, str] | None = None  # a line across, and what it is
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    bottom: int = HEIGHT - _BOTTOM


def trend(
    name: str,
    moments: Sequence[Moment],
    *,
    level: tuple[float, str] | None = None,
    floor: float | None = None,
    whole: bool = False,
) -> Trend | None:
    """Return a figure over time; None where no moment has it.

    Parameters
    ----------
    name : str
        The figure's.
    moments : sequence of Moment
        The first one first.
    level : tuple of float and str, optional
        Where a line goes across, and what it is.
    floor : float, optional
        The value that the axis begins with at the latest.
    whole : bool
        The axis has whole numbers alone.
    """
    known = [value for moment in moments for value in _values(moment)]
    if not known:
        return None
    reach = [*known, *(level[:1] if level is not None else ()), *([floor] if floor is not None else [])]
    low, high = _range(reach, floor)
    step = (WIDTH - _LEFT - _RIGHT) / max(1, len(moments))
    xs = [_LEFT + step * (i + 0.5) for i in range(len(moments))]

    def height(value: float) -> float:
        return _TOP + (HEIGHT - _TOP - _BOTTOM) * (high - value) / (high - low)

    drawn = [(x, height(m.value), m) for x, m in zip(xs, moments, strict=True) if m.value is not None]
    return Trend(
        name=name,
        lines=_lines(moments, xs, height),
        points=tuple(Point(_mark(x, y, drifted=m.drifted), m.title, m.drifted) for x, y, m in drawn),
        whiskers="".join(_whisker(x, height, m.interval) for x, _, m in drawn if m.interval is not None),
        ticks=tuple((height(v), f"{v:.6g}") for v in round_numbers(low, high) if not whole or v % 1 == 0),
        places=_places(moments, xs),
        level=None if level is None else (height(level[0]), level[1]),
    )


def _values(moment: Moment) -> list[float]:
    found = [*([moment.value] if moment.value is not None else []), *(moment.interval or ())]
    return [value for value in found if math.isfinite(value)]


def _range(values: Sequence[float], floor: float | None) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = (high - low) * 0.08 or abs(high) * 0.05 or 1.0
    return (low if floor is not None and low == floor else low - margin), high + margin


def _lines(moments: Sequence[Moment], xs: Sequence[float], height: Callable[[float], float]) -> str:
    pieces: list[list[str]] = [[]]
    for x, moment in zip(xs, moments, strict=True):
        if moment.value is None:
            pieces.append([])
        else:
            pieces[-1].append(f"{x:.1f} {height(moment.value):.1f}")
    return "".join("M" + "L".join(piece) for piece in pieces if len(piece) > 1)


def _whisker(x: float, height: Callable[[float], float], interval: tuple[float, float]) -> str:
    low, high = (height(bound) for bound in interval)
    return f"M{x:.1f} {high:.1f}V{low:.1f}M{x - 3:.1f} {high:.1f}h6M{x - 3:.1f} {low:.1f}h6"


def _mark(x: float, y: float, *, drifted: bool) -> str:
    """Return a circle; a larger diamond where something has drifted, which shows without colours too."""
    if drifted:
        s = _MARK * 1.5
        return f"M{x:.1f} {y - s:.1f}l{s} {s}l{-s} {s}l{-s} {-s}Z"
    return f"M{x - _MARK:.1f} {y:.1f}a{_MARK} {_MARK} 0 1 0 {2 * _MARK} 0a{_MARK} {_MARK} 0 1 0 {-2 * _MARK} 0Z"


def _places(moments: Sequence[Moment], xs: Sequence[float]) -> tuple[tuple[float, str], ...]:
    """Return what the axis says below moments: the last one, and of those before, evenly, as many as have room."""
    count = len(moments)
    every = max(1, math.ceil((count - 1) / (_MOST_LABELS - 1)))
    found: list[tuple[float, str]] = []
    for i in range(count - 1, -1, -every):
        label = moments[i].place
        if not found or (
            label != found[-1][1] and found[-1][0] - xs[i] >= _LETTER * (len(label) + len(found[-1][1])) / 2 + _GAP
        ):
            found.append((xs[i], label))
    return tuple(reversed(found))

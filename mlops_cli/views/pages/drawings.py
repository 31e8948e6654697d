"""Small drawings inside pages, as the outlines and points of SVG: bars in a table's cell, scores over splits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WIDTH, HEIGHT = 420, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 8, 8, 34
_SPARK = (100, 20)
_TICKS = 4  # or a few more, so that they stand at round numbers
COLOURS = 6
"""Series that are told apart by colour; by shape too, and past that number by shape alone."""


def bars(counts: Sequence[int]) -> str:
    """Return a histogram as an outline in a box of 100 by 20.

    Examples
    --------
    >>> bars([1, 2])
    'M0 20V10H49V20ZM50 20V0H99V20Z'
    """
    width, height = _SPARK
    step, top = width / len(counts), max(counts)
    gap = 1 if step > 3 else 0
    made = []
    for i, count in enumerate(counts):
        if count:
            left, right = _short(i * step), _short((i + 1) * step - gap)
            made.append(f"M{left} {height}V{_short(height - max(1, height * count / top))}H{right}V{height}Z")
    return "".join(made)


def share(value: float) -> str:
    """Return a bar from 0 to ``value`` of 1.

    Examples
    --------
    >>> share(0.5)
    'M0 4H50V16H0Z'
    """
    return f"M0 4H{_short(100 * min(1.0, max(0.0, value)))}V16H0Z"


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


@dataclass(frozen=True)
class Series:
    """One line of a chart."""

    label: str
    colour: int  # from 1
    line: str  # outline
    dots: tuple[str, ...]  # outline of each mark
    mean: float  # where it lies


@dataclass(frozen=True)
class Chart:
    """Scores over splits of several runs."""

    metric: str
    series: tuple[Series, ...]
    ticks: tuple[tuple[float, str], ...]  # where, and what it says
    places: tuple[tuple[float, str], ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    bottom: int = HEIGHT - _BOTTOM


def splits_chart(metric: str, scores: Mapping[str, Sequence[float]]) -> Chart | None:
    """Return the scores of several runs split by split; None where there is nothing to lay over another.

    Parameters
    ----------
    metric : str
        The metric's name.
    scores : mapping
        Label → one score per split.
    """
    finite = {k: v for k, v in scores.items() if v and all(map(math.isfinite, v))}
    count = max((len(v) for v in finite.values()), default=0)
    if count < 2 or len(finite) < 2:
        return None
    low, high = _range([value for values in finite.values() for value in values])
    step = (WIDTH - _LEFT - _RIGHT) / count
    places = tuple((_LEFT + step * (i + 0.5), str(i)) for i in range(count))

    def height(value: float) -> float:
        return _TOP + (HEIGHT - _TOP - _BOTTOM) * (high - value) / (high - low)

    order = {label: i for i, label in enumerate(scores)}
    series = tuple(_series(k, order[k], [p for p, _ in places], [height(x) for x in v]) for k, v in finite.items())
    return Chart(metric, series, tuple((height(v), f"{v:.6g}") for v in round_numbers(low, high)), places)


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = (high - low) * 0.08 or abs(low) * 0.05 or 1.0
    return low - margin, high + margin


def round_numbers(low: float, high: float) -> list[float]:
    """Return a few round numbers between two.

    Examples
    --------
    >>> round_numbers(0.913, 1.004)
    [0.92, 0.94, 0.96, 0.98, 1.0]
    """
    rough = (high - low) / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= rough * 0.75)
    first, last = math.ceil(low / step), math.floor(high / step)
    digits = max(0, 1 - math.floor(math.log10(step)))
    return [round(i * step, digits) for i in range(first, last + 1)]


def _series(label: str, index: int, xs: Sequence[float], ys: Sequence[float]) -> Series:
    points = list(zip(xs, ys, strict=False))
    return Series(
        label=label,
        colour=legend(index)[0],
        line="M" + "L".join(f"{_short(x)} {_short(y)}" for x, y in points),
        dots=tuple(_mark(index, x, y) for x, y in points),
        mean=sum(ys) / len(ys),
    )


def legend(index: int) -> tuple[int, str]:
    """Return the colour of the series at a place, from 1, and its mark in a box of 14 by 14."""
    return index % COLOURS + 1, _mark(index, 7, 7)


def _mark(index: int, x: float, y: float, size: float = 4.5) -> str:
    """Return a mark around a point: a circle, a square, a triangle, a diamond, one pointing down, a cross."""
    s, t = size, round(size * 1.3, 1)
    shapes = (
        f"M{x - s:.1f} {y:.1f}a{s} {s} 0 1 0 {2 * s} 0a{s} {s} 0 1 0 {-2 * s} 0Z",
        f"M{x - s:.1f} {y - s:.1f}h{2 * s}v{2 * s}h{-2 * s}Z",
        f"M{x:.1f} {y - s:.1f}l{s} {2 * s}h{-2 * s}Z",
        f"M{x:.1f} {y - t:.1f}l{t} {t}l{-t} {t}l{-t} {-t}Z",
        f"M{x:.1f} {y + s:.1f}l{s} {-2 * s}h{-2 * s}Z",
        f"M{x - s:.1f} {y - 1.5:.1f}h3v-3h3v3h3v3h-3v3h-3v-3h-3Z",
    )
    return shapes[index % len(shapes)]

"""Elements of a picture: text is always text, numbers are short."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement

from mlops_cli.views.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_cli.views.assess.layout import Point

FONT = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
FLOW, BACK = "#46505a", "#8a2f7d"
"""Arrows, and those that go back to an earlier phase."""
_CORNER = 6


def add(parent: Element, name: str, text: str = "", /, **attributes: object) -> Element:
    """Add an element; ``stroke_width=2`` is written ``stroke-width="2"``, and nothing is written of an empty text."""
    written = {key.rstrip("_").replace("_", "-"): _written(value) for key, value in attributes.items() if value != ""}
    made = SubElement(parent, name, written)
    if text:
        made.text = clean(text)
    return made


def titled(parent: Element, lines: Sequence[str]) -> None:
    """Say what is shown when the pointer rests on it."""
    SubElement(parent, "title").text = "\n".join(clean(line) for line in lines if line)


def _written(value: object) -> str:
    return short(value) if isinstance(value, float) else clean(value)


def short(value: float) -> str:
    """Return a coordinate.

    Examples
    --------
    >>> short(12.0), short(0.5), short(3.14159)
    ('12', '0.5', '3.1')
    """
    return f"{value:.1f}".removesuffix(".0")


def line_of(points: Sequence[Point]) -> str:
    """Return a line with rounded corners.

    Examples
    --------
    >>> line_of([(0, 0), (20, 0), (20, 30)])
    'M0 0L14 0Q20 0 20 6L20 30'
    """
    made = [f"M{_pair(points[0])}"]
    for before, here, after in zip(points, points[1:], points[2:], strict=False):
        radius = min(_CORNER, math.dist(before, here) / 2, math.dist(here, after) / 2)
        made.append(f"L{_pair(_towards(here, before, radius))}Q{_pair(here)} {_pair(_towards(here, after, radius))}")
    return "".join([*made, f"L{_pair(points[-1])}"])


def head_of(points: Sequence[Point], size: float = 7) -> str:
    """Return the head of an arrow at the end of a line."""
    (ax, ay), (bx, by) = list(itertools.pairwise(points))[-1]
    length = math.dist((ax, ay), (bx, by)) or 1.0
    ux, uy = (bx - ax) / length, (by - ay) / length
    left, right = ((bx - size * ux + s * size * 0.55 * uy, by - size * uy - s * size * 0.55 * ux) for s in (1, -1))
    return f"M{_pair((bx, by))}L{_pair(left)}L{_pair(right)}Z"


def pie(x: float, y: float, radius: float, share: float) -> str:
    """Return so much of a disc, clockwise from the top."""
    if share >= 1:
        return (
            f"M{_pair((x, y - radius))}a{radius} {radius} 0 1 1 0 {2 * radius}a{radius} {radius} 0 1 1 0 {-2 * radius}Z"
        )
    angle = 2 * math.pi * share
    end = (x + radius * math.sin(angle), y - radius * math.cos(angle))
    return f"M{_pair((x, y))}V{short(y - radius)}A{radius} {radius} 0 {int(share > 0.5)} 1 {_pair(end)}Z"


def _towards(a: Point, b: Point, far: float) -> Point:
    length = math.dist(a, b) or 1.0
    return a[0] + (b[0] - a[0]) * far / length, a[1] + (b[1] - a[1]) * far / length


def _pair(point: Point) -> str:
    return f"{short(point[0])} {short(point[1])}"

"""Where everything of a flow chart is drawn: boxes, lanes, phases and arrows, in pixels."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_cli.views.assess import fitting, places, routes, tracks
from mlops_cli.views.assess.axes import MARGIN, Axis, axis
from mlops_cli.views.assess.tracks import Leaf
from mlops_cli.views.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_cli.records import Assessment, Process
    from mlops_cli.views.assess.places import Grid
    from mlops_cli.views.assess.routes import Port, Route

BOX, PAD = 164, 11
NAME, SMALL = 13, 10.5
LINE, SMALL_LINE = 16, 13
HEAD = 30  # of a box: its sign and level
MORE = 20  # higher, where it has two
_MOST = 5
"""Lines of what names a lane."""
LANE, PHASE = 118, 40  # the width of what names a lane, the height of what names a phase
EMPTY = 46  # a lane in which nobody leads
LABELLED = 66  # a gutter in which an arrow can be labelled
_LANE_GAP = 26
_PORT = 10

Point = tuple[float, float]
_Runs = defaultdict[int, defaultdict[object, list[Leaf]]]  # gutter → net → where it leaves


@dataclass(frozen=True)
class Area:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right end."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Its lower end."""
        return self.y + self.height

    def overlaps(self, other: Area) -> bool:
        """Whether two have more than an edge in common."""
        aside = self.right <= other.x or other.right <= self.x
        return not aside and self.y < other.bottom and other.y < self.bottom


@dataclass(frozen=True)
class Box:
    """A process."""

    process: Process
    area: Area
    name: tuple[str, ...]  # lines that fit
    helpers: tuple[str, ...]
    changes: bool = False  # it shows two levels

    @property
    def head(self) -> float:
        """How high its head is."""
        return HEAD + MORE * self.changes


@dataclass(frozen=True)
class _Written:
    """What stands in a box."""

    name: tuple[str, ...]
    helpers: tuple[str, ...]
    changes: bool

    @property
    def height(self) -> float:
        return HEAD + MORE * self.changes + len(self.name) * LINE + len(self.helpers) * SMALL_LINE + PAD - 1


@dataclass(frozen=True)
class Named:
    """A lane or a phase."""

    text: str
    lines: tuple[str, ...]
    area: Area


@dataclass(frozen=True)
class Arrow:
    """Data that flows: the corners of its line from border to border."""

    edge: routes.Edge
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Layout:
    """A chart without its title and legend, from 0, 0."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    lanes: tuple[Named, ...]
    phases: tuple[Named, ...]
    arrows: tuple[Arrow, ...]


def layout(assessment: Assessment, *, target: bool = False) -> Layout:
    """Return where everything is drawn.

    Parameters
    ----------
    assessment : Assessment
        What is drawn: a process in the column of its phase and the lane of its first actor.
    target : bool
        Leave room for two levels in what changes.
    """
    grid = places.grid(assessment)
    found = routes.routes(grid, routes.edges(assessment))
    crowds = routes.crowds(found, grid)
    ports = routes.shares(crowds)
    columns = _columns(grid, found, ports)
    names = {one.key: _written(one, assessment, target=target) for one in assessment.processes}
    rows = _rows(grid, names, found, crowds, columns)
    boxes = {one.key: _box(one, names[one.key], grid, columns, rows) for one in assessment.processes}
    arrows = tuple(Arrow(r.edge, _points(r, grid, ports, boxes, columns, rows)) for r in found)
    width, height = columns.gutters[-1] + columns.widths[-1], rows.gutters[-1] + rows.widths[-1]
    lanes = _lanes(assessment, grid, rows, width)
    return Layout(width, height, tuple(boxes.values()), lanes, _phases(assessment, grid, columns), arrows)


# --- what is written ---------------------------------------------------------------------------------------------


def _written(one: Process, assessment: Assessment, *, target: bool) -> _Written:
    room = BOX - 2 * PAD
    helpers = ", ".join(clean(assessment.actors[actor]) for actor in one.actors[1:])
    return _Written(
        fitting.fit(clean(one.name), room, NAME, lines=3, bold=True),
        fitting.fit(f"with {helpers}", room, SMALL, lines=2) if helpers else (),
        target and one.aim is not one.now,
    )


def _box(one: Process, written: _Written, grid: Grid, columns: Axis, rows: Axis) -> Box:
    cell = grid.cells[one.key]
    area = Area(columns.lines[cell.column], rows.lines[cell.row], BOX, rows.sizes[cell.row])
    return Box(one, area, written.name, written.helpers, written.changes)


# --- gutters -----------------------------------------------------------------------------------------------------


def _columns(grid: Grid, found: Sequence[Route], ports: Mapping[Port, float]) -> Axis:
    """Return the columns and the upright gutters between them."""
    strands = _upright(grid, found, ports)
    made = {gutter: tracks.assign(several) for gutter, several in strands.items()}
    labelled = {_last(grid, route) for route in found if route.edge.what}
    least = [LABELLED if gutter in labelled else 2 * MARGIN for gutter in range(len(grid.columns) + 1)]
    return axis(LANE, least, [BOX] * len(grid.columns), made)


def _last(grid: Grid, route: Route) -> int:
    """Return the gutter in which an arrow arrives."""
    beside = grid.cells[route.edge.target].column + (route.net.side is not routes.Side.RIGHT)
    return route.last if route.gutters else beside


def _upright(grid: Grid, found: Sequence[Route], ports: Mapping[Port, float]) -> dict[int, list[tracks.Strand]]:
    """Return what runs in each upright gutter; places are in rows, and gutters between them are whole numbers."""
    runs = _none()
    for route in found:
        if not route.gutters:
            continue
        a, b = grid.cells[route.edge.source], grid.cells[route.edge.target]
        first, last = runs[route.first][route.net], runs[route.last][route.net]
        first.append(Leaf(a.column >= route.first, route.start.line + ports[route.start]))
        last.append(Leaf(b.column >= route.last, route.end.line + ports[route.end]))
        if route.level is not None:
            first.append(Leaf(route.last > route.first, route.level))
            last.append(Leaf(route.first > route.last, route.level))
    return _strands(runs)


def _none() -> _Runs:
    """Return gutters in which nothing runs yet."""
    return defaultdict(lambda: defaultdict(list))


def _strands(runs: _Runs) -> dict[int, list[tracks.Strand]]:
    return {gutter: [tracks.strand(net, leaves) for net, leaves in nets.items()] for gutter, nets in runs.items()}


def _rows(
    grid: Grid,
    names: Mapping[str, _Written],
    found: Sequence[Route],
    crowds: Sequence[Sequence[Port]],
    columns: Axis,
) -> Axis:
    """Return the rows and the level gutters between them."""
    made = {gutter: tracks.assign(several) for gutter, several in _level(found, columns).items()}
    sizes = [float(EMPTY)] * len(grid.rows)
    for key, written in names.items():
        row = grid.cells[key].row
        sizes[row] = max(sizes[row], written.height)
    for crowd in crowds:
        if crowd[0].is_level:
            row = crowd[0].line
            sizes[row] = max(sizes[row], (len(crowd) + 1) * _PORT)
    ends = [i == 0 or i == len(grid.rows) or grid.rows[i - 1] != grid.rows[i] for i in range(len(grid.rows) + 1)]
    return axis(PHASE, [_LANE_GAP if is_end else MARGIN for is_end in ends], sizes, made)


def _level(found: Sequence[Route], columns: Axis) -> dict[int, list[tracks.Strand]]:
    """Return what runs in each level gutter; places are pixels, and at each it comes from above or from below."""
    runs = _none()
    for route in found:
        if route.level is not None:
            for upright, port in ((route.first, route.start), (route.last, route.end)):
                runs[route.level][route.net].append(Leaf(port.line >= route.level, columns.track(upright, route.net)))
    return _strands(runs)


# --- lines -------------------------------------------------------------------------------------------------------


def _points(
    route: Route, grid: Grid, ports: Mapping[Port, float], boxes: Mapping[str, Box], columns: Axis, rows: Axis
) -> tuple[Point, ...]:
    """Return the corners of an arrow."""
    source, target = boxes[route.edge.source].area, boxes[route.edge.target].area
    if not route.start.is_level:
        x = source.x + BOX * ports[route.start]
        ends = (source.bottom, target.y) if source.y < target.y else (source.y, target.bottom)
        return (x, ends[0]), (x, ends[1])
    start = _met(source, route.start, ports, rows, leaves_right=route.net.side is routes.Side.RIGHT)
    into_right = grid.cells[route.edge.target].column < route.last if route.gutters else source.x > target.x
    end = _met(target, route.end, ports, rows, leaves_right=into_right)
    return _straightened([start, *_corners(route, start[1], end[1], columns, rows), end])


def _met(area: Area, port: Port, ports: Mapping[Port, float], rows: Axis, *, leaves_right: bool) -> Point:
    return (area.right if leaves_right else area.x), rows.lines[port.line] + rows.sizes[port.line] * ports[port]


def _corners(route: Route, start: float, end: float, columns: Axis, rows: Axis) -> list[Point]:
    """Return where an arrow turns between its two heights."""
    if not route.gutters:
        return []
    first, last = (columns.track(gutter, route.net) for gutter in (route.first, route.last))
    if route.level is None:
        return [(first, start), (first, end)]
    y = rows.track(route.level, route.net)
    return [(first, start), (first, y), (last, y), (last, end)]


def _straightened(points: Sequence[Point]) -> tuple[Point, ...]:
    """Return corners without those at which a line does not turn."""
    kept = [points[0]]
    for here, after in itertools.pairwise(points[1:]):
        is_turn = not (kept[-1][0] == here[0] == after[0] or kept[-1][1] == here[1] == after[1])
        if here != kept[-1] and is_turn:
            kept.append(here)
    return (*kept, points[-1])


# --- what names a lane or a phase ----------------------------------------------------------------------------------


def _lanes(assessment: Assessment, grid: Grid, rows: Axis, width: float) -> tuple[Named, ...]:
    made = []
    for actor, name in assessment.actors.items():
        own = [i for i, found in enumerate(grid.rows) if found == actor]
        top = rows.gutters[own[0]] + (7 if own[0] else 0)
        bottom = rows.gutters[own[-1] + 1] + (7 if own[-1] + 1 < len(grid.rows) else rows.widths[-1])
        text = clean(name)
        lines = fitting.fit(text, LANE - 24, NAME, lines=max(2, min(_MOST, int((bottom - top) / 18))), bold=True)
        made.append(Named(text, lines, Area(0, top, width, bottom - top)))
    return tuple(made)


def _phases(assessment: Assessment, grid: Grid, columns: Axis) -> tuple[Named, ...]:
    made = []
    for phase, name in assessment.phases.items():
        own = [i for i, found in enumerate(grid.columns) if found == phase]
        left, right = columns.lines[own[0]], columns.lines[own[-1]] + BOX
        lines = fitting.fit(clean(name), right - left - 24, NAME, lines=2, bold=True)
        made.append(Named(clean(name), lines, Area(left, 0, right - left, PHASE - 6)))
    return tuple(made)

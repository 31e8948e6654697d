"""How data flows on the grid: through which gutters an arrow goes, so that it runs through no box.

A gutter lies before each column and each row, and after the last. An arrow leaves a box at a port, turns in at most
three gutters, and enters another box at a port. All arrows of one box to one side are one net: they may share a line.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mlops_cli.records import Assessment
    from mlops_cli.views.assess.places import Cell, Grid


class Side(StrEnum):
    """A side of a box."""

    LEFT = "left"
    RIGHT = "right"
    TOP = "top"
    BOTTOM = "bottom"


@dataclass(frozen=True)
class Edge:
    """Data that flows from one process to another."""

    source: str
    target: str
    what: str
    is_back: bool  # to an earlier phase


@dataclass(frozen=True)
class Net:
    """Arrows that may share a line: of one process, to one side, of one kind."""

    source: str
    side: Side
    is_back: bool


@dataclass(frozen=True)
class Port:
    """Where an arrow meets a box. Two boxes that face each other share what is between them, the gap."""

    is_level: bool  # the arrow runs along a row there, not along a column
    line: int  # the row, or the column
    gap: int  # the column of the box before it, or the row of the one above; -1: none
    of: Net | Edge  # what meets the box there


@dataclass(frozen=True)
class Route:
    """One arrow: its ports, and the gutters that it turns in: none, one upright, or upright, level and upright."""

    edge: Edge
    net: Net
    start: Port
    end: Port
    gutters: tuple[int, ...] = ()

    @property
    def first(self) -> int:
        """The upright gutter that it leaves into; only of an arrow that turns."""
        return self.gutters[0]

    @property
    def level(self) -> int | None:
        """The level gutter between two upright ones; None where it needs none."""
        return self.gutters[1] if len(self.gutters) == 3 else None

    @property
    def last(self) -> int:
        """The upright gutter that it arrives from; only of an arrow that turns."""
        return self.gutters[-1]


def edges(assessment: Assessment) -> tuple[Edge, ...]:
    """Return all flows of data."""
    order = {phase: place for place, phase in enumerate(assessment.phases)}
    phase = {one.key: order[one.phase] for one in assessment.processes}
    return tuple(
        Edge(flow.source, one.key, flow.what, phase[flow.source] > phase[one.key])
        for one in assessment.processes
        for flow in one.flows
    )


def routes(grid: Grid, listed: Iterable[Edge]) -> tuple[Route, ...]:
    """Return how each arrow goes."""
    used: dict[int, int] = defaultdict(int)
    return tuple(_route(grid, edge, used) for edge in listed)


def _route(grid: Grid, edge: Edge, used: dict[int, int]) -> Route:
    a, b = grid.cells[edge.source], grid.cells[edge.target]
    if a.column == b.column:
        return _in_column(grid, edge, a, b)
    out, into = (Side.RIGHT, Side.LEFT) if a.column < b.column else (Side.LEFT, Side.RIGHT)
    net = Net(edge.source, out, edge.is_back)
    start = _port(grid, a, out, net)
    between = range(min(a.column, b.column) + 1, max(a.column, b.column))
    if a.row == b.row and grid.is_free(a.row, between):
        return Route(edge, net, start, start)
    end = _port(grid, b, into, edge)
    return Route(edge, net, start, end, _turns(grid, (a, b), (out, into), used))


def _turns(grid: Grid, cells: tuple[Cell, Cell], sides: tuple[Side, Side], used: dict[int, int]) -> tuple[int, ...]:
    """Return the gutters of an arrow: one where a row is free as far as the other box, else three."""
    a, b = cells
    first, last = a.column + (sides[0] is Side.RIGHT), b.column + (sides[1] is Side.RIGHT)
    between = range(min(a.column, b.column) + 1, max(a.column, b.column))
    if grid.is_free(a.row, between):
        return (last,)
    if grid.is_free(b.row, between):
        return (first,)
    gutter = _level_gutter(a.row, b.row, len(grid.rows), used)
    return (first, gutter, last)


def _level_gutter(start: int, end: int, rows: int, used: dict[int, int]) -> int:
    """Return the gutter between rows that is near to both, and that few others run in."""

    def cost(k: int) -> float:
        return abs(k - start - 0.5) + abs(k - end - 0.5) + 0.3 * used[k]

    found = min(range(rows + 1), key=cost)
    used[found] += 1
    return found


def _in_column(grid: Grid, edge: Edge, a: Cell, b: Cell) -> Route:
    """Return an arrow within a column: straight to a neighbour, else round what is between."""
    out, into = (Side.BOTTOM, Side.TOP) if a.row < b.row else (Side.TOP, Side.BOTTOM)
    if grid.is_clear(a.column, range(min(a.row, b.row) + 1, max(a.row, b.row))):
        net = Net(edge.source, out, edge.is_back)
        port = _port(grid, a, out, net)
        return Route(edge, net, port, port)
    out = into = Side.RIGHT
    net = Net(edge.source, out, edge.is_back)
    return Route(edge, net, _port(grid, a, out, net), _port(grid, b, into, edge), (a.column + 1,))


def _port(grid: Grid, cell: Cell, side: Side, of: Net | Edge) -> Port:
    match side:
        case Side.LEFT:
            return Port(True, cell.row, grid.before(cell), of)
        case Side.RIGHT:
            return Port(True, cell.row, cell.column, of)
        case Side.TOP:
            return Port(False, cell.column, grid.above(cell), of)
        case Side.BOTTOM:
            return Port(False, cell.column, cell.row, of)


# --- ports -------------------------------------------------------------------------------------------------------


def crowds(made: Sequence[Route], grid: Grid) -> list[list[Port]]:
    """Return the ports of each gap, in the order in which few lines cross: by where their arrows turn to."""
    toward: dict[Port, list[float]] = defaultdict(list)
    for route in made:
        for port, place in _turning(route, grid):
            toward[port].append(place)
    gaps: dict[tuple[bool, int, int], list[Port]] = defaultdict(list)
    for port in sorted(toward, key=lambda p: (sum(toward[p]) / len(toward[p]), str(p.of))):
        gaps[port.is_level, port.line, port.gap].append(port)
    return list(gaps.values())


def _turning(route: Route, grid: Grid) -> list[tuple[Port, float]]:
    """Return the row that an arrow turns to behind each of its ports."""
    a, b = grid.cells[route.edge.source], grid.cells[route.edge.target]
    if route.level is not None:
        return [(route.start, route.level - 0.5), (route.end, route.level - 0.5)]
    return [(route.start, b.row), (route.end, a.row)]


def shares(crowded: Iterable[Sequence[Port]]) -> Mapping[Port, float]:
    """Return where each port is on its side of the box, from 0 to 1: evenly apart."""
    return {port: (i + 1) / (len(ports) + 1) for ports in crowded for i, port in enumerate(ports)}

"""Where each process stands on a grid: phases give its column, its first actor gives its row."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_cli.records import Assessment, Process

HIGHEST = 3
"""Processes of one phase and actor that stand one below another; of more, the phase gets wider."""


@dataclass(frozen=True)
class Cell:
    """A place on the grid."""

    row: int
    column: int


@dataclass(frozen=True)
class Grid:
    """Where everything stands."""

    cells: Mapping[str, Cell]  # process → place
    columns: Sequence[str]  # the phase of each column
    rows: Sequence[str]  # the actor of each row

    @cached_property
    def _taken(self) -> frozenset[Cell]:
        return frozenset(self.cells.values())

    def is_free(self, row: int, columns: range) -> bool:
        """Whether nothing stands in some columns of a row."""
        return not any(Cell(row, column) in self._taken for column in columns)

    def is_clear(self, column: int, rows: range) -> bool:
        """Whether nothing stands in some rows of a column."""
        return not any(Cell(row, column) in self._taken for row in rows)

    def before(self, cell: Cell) -> int:
        """Return the column of the next process to the left in the same row; -1 where there is none."""
        return max((c.column for c in self._taken if c.row == cell.row and c.column < cell.column), default=-1)

    def above(self, cell: Cell) -> int:
        """Return the row of the next process above in the same column; -1 where there is none."""
        return max((c.row for c in self._taken if c.column == cell.column and c.row < cell.row), default=-1)


def grid(assessment: Assessment) -> Grid:
    """Return where the processes of an assessment stand; each phase and each actor has a place, if an empty one."""
    together: dict[tuple[str, str], list[Process]] = defaultdict(list)
    for one in assessment.processes:
        together[one.phase, one.actors[0]].append(one)
    wide = {
        p: max(1, *(math.ceil(len(together[p, a]) / HIGHEST) for a in assessment.actors)) for p in assessment.phases
    }
    high = {
        a: max(1, *(math.ceil(len(together[p, a]) / wide[p]) for p in assessment.phases)) for a in assessment.actors
    }
    left, top = _starts(wide), _starts(high)
    cells: dict[str, Cell] = {}
    for (phase, actor), processes in together.items():
        each = math.ceil(len(processes) / wide[phase])
        first = top[actor] + (high[actor] - each) // 2
        for i, one in enumerate(processes):
            cells[one.key] = Cell(first + i % each, left[phase] + i // each) if each else Cell(first, left[phase])
    return Grid(cells, _spread(wide), _spread(high))


def _starts(sizes: Mapping[str, int]) -> dict[str, int]:
    """Return where each begins that follows the others."""
    found, at = {}, 0
    for key, size in sizes.items():
        found[key] = at
        at += size
    return found


def _spread(sizes: Mapping[str, int]) -> list[str]:
    return [key for key, size in sizes.items() for _ in range(size)]

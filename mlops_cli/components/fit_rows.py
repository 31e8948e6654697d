"""What is known of the rows of a fit besides their values, for a model that sets some of them apart for itself.

scikit-learn's ``fit`` has no channel for it, so it is known to the code that runs inside `rows_known`.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


@dataclass(frozen=True)
class FitRows:
    """How rows belong together.

    Parameters
    ----------
    rows : int
        How many there are. A fit on another number of them is on others: a fold of them, or some that were made.
    in_time : bool
        They come in the order of time.
    groups : array of shape (rows,), optional
        Rows of one group are never split apart.
    """

    rows: int = 0
    in_time: bool = False
    groups: np.ndarray[Any, Any] | None = None


_KNOWN: ContextVar[FitRows | None] = ContextVar("fit rows", default=None)


def rows_of_fit(rows: int) -> FitRows:
    """Return what is known of the rows of the fit that is going on, if there are so many."""
    known = _KNOWN.get()
    return known if known is not None and known.rows == rows else FitRows(rows)


@contextmanager
def rows_known(known: FitRows) -> Iterator[None]:
    """Let the fits inside know how their rows belong together."""
    token = _KNOWN.set(known)
    try:
        yield
    finally:
        _KNOWN.reset(token)

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

    Array = np.ndarray[Any, Any]


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
    groups: Array | None = None


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


# --- rows that a model sets apart for itself ---------------------------------------------------------------------


def stopping_rows(y: Array, fraction: float, seed: int | None, *, has_classes: bool) -> Array:
    """Return which rows of the fit that is going on are set apart, to see by them when to stop.

    The latest rows where rows come in the order of time; whole groups where there are groups; else drawn by the seed,
    as many of each class as there are in proportion. A class that only such rows have is learned from.

    Parameters
    ----------
    y : array of shape (rows,)
        The target.
    fraction : float
        How many of them, between 0 and 1.
    seed : int, optional
        Of what is drawn.
    has_classes : bool
        Whether the target is classes.

    Returns
    -------
    array of shape (rows,)
        True of those that are set apart.

    Raises
    ------
    ValueError
        There are too few rows, or one group only.
    """
    import numpy as np

    apart = np.zeros(len(y), dtype=bool)
    apart[_places_apart(y, fraction, seed, has_classes=has_classes)] = True
    if has_classes:
        apart &= np.isin(y, y[~apart])
    if not apart.any() or apart.all():
        raise ValueError(f"{len(y)} rows are too few to set {fraction:g} of them apart")
    return apart


def _places_apart(y: Array, fraction: float, seed: int | None, *, has_classes: bool) -> Array:
    import numpy as np

    known, wanted = rows_of_fit(len(y)), max(1, round(fraction * len(y)))
    if known.in_time:
        return np.arange(len(y) - wanted, len(y))
    if known.groups is not None:
        return _whole_groups(known.groups, fraction, seed)
    drawn = np.random.default_rng(seed).permutation(len(y))
    classes = [drawn[y[drawn] == label] for label in np.unique(y)] if has_classes else [drawn]
    places = np.concatenate([rows[: round(fraction * len(rows))] for rows in classes])
    return places if len(places) else drawn[:wanted]  # where each class has so few rows that its share is none


def _whole_groups(groups: Array, fraction: float, seed: int | None) -> Array:
    import numpy as np
    from sklearn.model_selection import GroupShuffleSplit

    if len(np.unique(groups)) < 2:
        raise ValueError("all rows are of one group, and whole groups are set apart: there must be two or more")
    _, held = next(GroupShuffleSplit(1, test_size=fraction, random_state=seed).split(groups, groups=groups))
    return np.asarray(held)

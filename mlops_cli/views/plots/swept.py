"""The trials of a sweep → what its plots compute with: a score per trial, and each swept parameter as positions."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.errors import did_you_mean
from mlops_cli.records import Direction, TrialState
from mlops_cli.views.plots.style import UnsuitableError, is_wide, label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axis import Axis

    from mlops_cli.records import TrialResult

    Array = np.ndarray[Any, Any]

_MOST_TICKS = 14
_FEW = 6  # so many different numbers are told one by one
_TEXT = 18


@dataclass(frozen=True)
class Swept:
    """One parameter over the trials: a number, or the place of a category; NaN where a trial does not have it."""

    key: str
    at: Array  # shape (trials,)
    names: tuple[str, ...] = ()  # of categories, by place; empty for numbers
    log: bool = False

    @property
    def present(self) -> Array:
        """Which trials have it."""
        return ~np.isnan(self.at)

    @property
    def scaled(self) -> Array:
        """Its positions from 0 to 1, evenly on the axis that suits it."""
        values = np.log10(self.at) if self.log else self.at
        low, high = np.nanmin(values), np.nanmax(values)
        return (values - low) / (high - low) if high > low else np.where(np.isnan(values), np.nan, 0.5)

    def dress(self, axis: Axis) -> None:
        """Give an axis the scale and ticks that suit it."""
        if self.log:
            (axis.axes.set_xscale if axis is axis.axes.xaxis else axis.axes.set_yscale)("log")
        if self.names:
            step = math.ceil(len(self.names) / _MOST_TICKS)
            places = range(0, len(self.names), step)
            axis.set_ticks(list(places), [label(self.names[place], _TEXT) for place in places])
        elif len(self.numbers) <= _FEW:
            axis.set_ticks(*zip(*self.ticks(0.12), strict=True))
            axis.set_ticks([], minor=True)
        elif self.is_whole and not self.log:
            from matplotlib.ticker import MaxNLocator

            axis.set_major_locator(MaxNLocator(5, integer=True))

    @property
    def numbers(self) -> Array:
        """Its different values in order."""
        return np.unique(self.at[self.present])

    @property
    def is_whole(self) -> bool:
        """Whether all its values are whole numbers."""
        return bool((self.numbers == np.round(self.numbers)).all())

    def ticks(self, apart: float) -> list[tuple[float, str]]:
        """Return numbers to tell on an axis, with their texts: those tried where they are few, else some in between.

        Parameters
        ----------
        apart : float
            The least distance of two, as a share of the axis.
        """
        tried = self.numbers
        low, high = (np.log10(tried) if self.log else tried)[[0, -1]]
        if len(tried) > _FEW:
            tried = 10 ** np.linspace(low, high, 5) if self.log else np.linspace(low, high, 5)
            tried = np.unique(np.round(tried)) if self.is_whole else tried
        found: list[tuple[float, str]] = []
        last = -math.inf
        for number in tried.tolist():
            height = self.height(number)
            if height - last >= apart:
                found.append((number, _written(number)))
                last = height
        return found

    def height(self, number: float) -> float:
        """Return where from 0 to 1 a number lies; see `scaled`."""
        low, high = self.numbers[[0, -1]].tolist()
        return float(math.log(number / low, high / low) if self.log else (number - low) / (high - low))

    def beside(self, groups: Array, turn: float = 0.618, width: float = 0.3) -> Array:
        """Return its positions, of categories with a little to the side: each group's lie around its middle.

        Parameters
        ----------
        groups : array of shape (trials,)
            Trials of a group would lie on each other.
        turn : float
            The step from one trial to the next, as a share of the width.
        width : float
            How far they are spread.
        """
        if not self.names:
            return self.at
        moved = self.at.copy()
        for group in np.unique(groups):
            own = np.flatnonzero(groups == group)
            steps = (np.arange(len(own)) * turn) % 1 * width
            moved[own] += steps - steps.mean()
        return moved


@dataclass(frozen=True)
class Sweep:
    """The completed trials of a sweep, with their scores and whatever parameters differ."""

    metric: str
    direction: Direction
    trials: Array  # shape (trials,): their numbers
    scores: Array  # shape (trials,): the mean of the metric over the splits
    params: tuple[Swept, ...]

    @property
    def goodness(self) -> Array:
        """The scores, turned so that more is better."""
        return self.scores if self.direction is Direction.MAXIMIZE else -self.scores

    @property
    def best(self) -> int:
        """The place of the best trial; of several the first."""
        return int(np.argmax(self.goodness))

    @property
    def limits(self) -> tuple[float, float]:
        """The range of scores that colours tell apart: hopeless ones must not make all others look the same."""
        best, poor = self.goodness.max(), np.quantile(self.goodness, 0.1)
        ends = sorted([best, poor] if self.direction is Direction.MAXIMIZE else [-best, -poor])
        return (ends[0], ends[1]) if ends[1] > ends[0] else (ends[0] - 0.5, ends[1] + 0.5)

    @property
    def window(self) -> tuple[float, float]:
        """The range of scores that is drawn."""
        return window(self.scores, self.direction)

    def param(self, key: str) -> Swept:
        """Return a parameter by its key.

        Raises
        ------
        UnsuitableError
            It is not swept, or has one value in all trials.
        """
        for param in self.params:
            if param.key == key:
                return param
        raise UnsuitableError(
            f"'{key}' is no parameter that differs", hint=did_you_mean(key, [p.key for p in self.params])
        )

    def chosen(self, keys: Sequence[str] = ()) -> tuple[Swept, ...]:
        """Return the parameters asked for; all where none are."""
        return tuple(self.param(key) for key in keys) if keys else self.params

    def some(self, most: int) -> Array:
        """Return the places of at most so many trials: the better half of them the best, the others spread evenly."""
        if len(self.scores) <= most:
            return np.argsort(self.goodness, kind="stable")
        order = np.argsort(self.goodness, kind="stable")
        rest = order[: -most // 2]
        return np.concatenate([rest[np.linspace(0, len(rest) - 1, most - most // 2).astype(int)], order[-most // 2 :]])


def sweep_of(trials: Sequence[TrialResult], metric: str, direction: Direction) -> Sweep:
    """Return the completed trials as a sweep.

    Raises
    ------
    UnsuitableError
        No trial has completed, or no parameter differs.
    """
    done = [t for t in trials if t.state is TrialState.COMPLETED and t.scores.get(metric)]
    if len(done) < 2:
        raise UnsuitableError("fewer than two trials have completed, so there is nothing to compare")
    keys = dict.fromkeys(key for trial in done for key in trial.params)
    params = [p for key in keys if (p := swept(key, [t.params for t in done])) is not None]
    if not params:
        raise UnsuitableError("no parameter differs between the trials")
    return Sweep(
        metric=metric,
        direction=direction,
        trials=np.array([t.trial for t in done]),
        scores=np.array([t.mean(metric) for t in done], dtype=float),
        params=tuple(params),
    )


def window(values: Array, direction: Direction) -> tuple[float, float]:
    """Return the range of scores that is drawn: all of it, unless a few are far worse than the rest."""
    low, high = float(values.min()), float(values.max())
    poor = float(np.quantile(values, 0.1 if direction is Direction.MAXIMIZE else 0.9))
    best = high if direction is Direction.MAXIMIZE else low
    if high - low <= 8 * abs(best - poor) or best == poor:
        return low, high
    edge = poor + (poor - best)
    return (edge, high) if direction is Direction.MAXIMIZE else (low, edge)


def swept(key: str, points: Sequence[Mapping[str, Any]]) -> Swept | None:
    """Return one parameter over the trials; None where it is the same in all that have it."""
    found = [point[key] for point in points if key in point]
    if all(is_number(value) for value in found):
        at = np.array([float(point[key]) if key in point else math.nan for point in points])
        numbers = at[~np.isnan(at)]
        if numbers.min() == numbers.max():
            return None
        return Swept(key, at, log=is_wide(numbers.tolist()))
    return _categories(key, points, found)


def _written(number: float) -> str:
    return f"{number:.0f}" if number == round(number) and abs(number) < 1e6 else f"{number:.3g}"


def is_number(value: object) -> bool:
    """Whether a value is a number that has a place on an axis."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _categories(key: str, points: Sequence[Mapping[str, Any]], found: Sequence[Any]) -> Swept | None:
    """Return a parameter that is no number everywhere: numbers among its values come first, in order."""
    known = {named(value): value for value in found}
    if len(known) < 2:
        return None
    order = sorted(known, key=lambda n: (not is_number(known[n]), known[n] if is_number(known[n]) else 0, n))
    place = {name: number for number, name in enumerate(order)}
    at = np.array([place[named(point[key])] if key in point else math.nan for point in points], dtype=float)
    return Swept(key, at, tuple(order))


def named(value: Any) -> str:
    """Return the name of a category: of a component its class.

    Examples
    --------
    >>> named(None), named(True), named({"_target_": "sklearn.svm.SVC"}), named("rbf")
    ('null', 'true', 'SVC', 'rbf')
    """
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and set(value) == {"_target_"}:
        return str(value["_target_"]).rpartition(".")[2]
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        return str(value)

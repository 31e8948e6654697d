"""A search space in Optuna's words: a parameter for each dimension, and points to and from them.

In a union of subspaces the number of the subspace is a parameter too, and the others are those of that subspace alone.
Samplers that know no such conditions (Gaussian processes, CMA-ES, quasi-random sequences) are asked for the parameters
of all subspaces at once, of which the point takes those of its own. A choice is a number in the list of choices, so
that it may be any value.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_cli.components.samplers.listing import identity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optuna.distributions import BaseDistribution
    from optuna.trial import Trial

    from mlops_cli.components.samplers.listing import Point
    from mlops_cli.records import Dimension

_SUBSPACE = "_subspace"  # no key of a config: the first part of a key is a section


@dataclass(frozen=True)
class Parameter:
    """One dimension under the name that Optuna knows it by."""

    name: str
    dimension: Dimension

    @property
    def distribution(self) -> BaseDistribution:
        """The values that Optuna chooses from."""
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        d = self.dimension
        if d.is_finite:
            return CategoricalDistribution(range(len(d.choices)))
        low, high = d.low or 0, d.high or 0
        return IntDistribution(int(low), int(high), log=d.log) if d.integer else FloatDistribution(low, high, log=d.log)

    def suggest(self, trial: Trial) -> Any:
        """Return the value that a trial has, as a point says it."""
        d, low, high = self.dimension, self.dimension.low or 0, self.dimension.high or 0
        if d.is_finite:
            return d.choices[trial.suggest_categorical(self.name, range(len(d.choices)))]
        if d.integer:
            return trial.suggest_int(self.name, int(low), int(high), log=d.log)
        return trial.suggest_float(self.name, low, high, log=d.log)

    def of(self, value: Any) -> int | float | None:
        """Return what Optuna calls a value of a point; None where it is none of the values."""
        d = self.dimension
        if d.is_finite:
            names = [identity(choice) for choice in d.choices]
            return names.index(identity(value)) if identity(value) in names else None
        if isinstance(value, bool) or not isinstance(value, int if d.integer else int | float):
            return None
        return value if (d.low or 0) <= value <= (d.high or 0) else None

    @property
    def middle(self) -> int | float:
        """A value that stands for none."""
        d, low, high = self.dimension, self.dimension.low or 0, self.dimension.high or 0
        if d.is_finite:
            return 0
        value = math.sqrt(low * high) if d.log else low + (high - low) / 2
        return round(value) if d.integer else value


class Parameters:
    """The parameters of a union of subspaces.

    Parameters
    ----------
    subspaces : sequence of sequences of Dimension
        The space.
    at_once : bool
        Whether every trial has the parameters of all subspaces.
    """

    def __init__(self, subspaces: Sequence[Sequence[Dimension]], *, at_once: bool) -> None:
        self._subspaces = _named(subspaces)
        self._at_once = at_once

    def suggest(self, trial: Trial) -> Point:
        """Return the point that a trial of Optuna's stands for."""
        chosen = trial.suggest_categorical(_SUBSPACE, range(len(self._subspaces))) if self._is_union else 0
        values = {p.name: p.suggest(trial) for p in self._asked(chosen)}
        return {p.dimension.key: values[p.name] for p in self._subspaces[chosen]}

    def of(self, point: Mapping[str, Any]) -> dict[str, int | float] | None:
        """Return Optuna's parameters of a point; None where it is not in the space."""
        for number, parameters in enumerate(self._subspaces):
            found = {p.name: p.of(point[p.dimension.key]) for p in parameters if p.dimension.key in point}
            if len(parameters) == len(point) == len(found) and None not in found.values():
                chosen: dict[str, Any] = {_SUBSPACE: number} if self._is_union else {}
                return chosen | {p.name: found.get(p.name, p.middle) for p in self._asked(number)}
        return None

    def distributions(self, names: Mapping[str, Any]) -> dict[str, BaseDistribution]:
        """Return what Optuna chooses some of the parameters from."""
        from optuna.distributions import CategoricalDistribution

        known = {p.name: p.distribution for subspace in self._subspaces for p in subspace if p.name in names}
        if _SUBSPACE in names:
            known[_SUBSPACE] = CategoricalDistribution(range(len(self._subspaces)))
        return known

    @property
    def _is_union(self) -> bool:
        return len(self._subspaces) > 1

    def _asked(self, chosen: int) -> Sequence[Parameter]:
        if not self._at_once:
            return self._subspaces[chosen]
        return list({p.name: p for subspace in self._subspaces for p in subspace}.values())


def _named(subspaces: Sequence[Sequence[Dimension]]) -> list[list[Parameter]]:
    """Return the dimensions with names: the key, and a number where the key has other values elsewhere."""
    known: defaultdict[str, list[str]] = defaultdict(list)
    return [[Parameter(_name(d, known[d.key]), d) for d in subspace] for subspace in subspaces]


def _name(dimension: Dimension, known: list[str]) -> str:
    values = f"{identity(dimension.choices)} {dimension.low} {dimension.high} {dimension.integer} {dimension.log}"
    if values not in known:
        known.append(values)
    place = known.index(values)
    return dimension.key if place == 0 else f"{dimension.key}#{place + 1}"

"""What an experiment's file sweeps, when the command line chooses other options: kept where it suits, else left out.

``sweep: {space: {model.C: [0.1, 1]}}`` is said beside ``model: logistic_regression``. When ``model=random_forest`` is
asked for, a forest takes no ``C``: the dimension is left out, aloud. When ``model=svm,knn`` is asked for, the subspace
becomes a union, in which ``svm`` is combined with ``C`` and ``knn`` is not. What the command line itself sweeps is
never left out, and where it chooses no option nothing is: a wrong key of the file is then an error.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from mlops_cli.config.inherited import SECTIONS, STEPS, child, taken_by
from mlops_cli.records import Dimension

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_cli.config.space import Subspace

ConfigAt = Callable[[Sequence[Dimension]], DictConfig]
"""Return the config under the first option of each swept group."""


@dataclass(frozen=True)
class Choice:
    """What the command line chose.

    Parameters
    ----------
    sections : frozenset of str
        The groups whose option it chose, or that it sweeps.
    typed : frozenset of str
        The keys that it sweeps.
    """

    sections: frozenset[str]
    typed: frozenset[str]


@dataclass(frozen=True)
class _Part:
    """A subspace, and whether a dimension of it was left out."""

    dimensions: Subspace
    pruned: bool = False

    @property
    def keys(self) -> frozenset[str]:
        return frozenset(d.key for d in self.dimensions)


def suit(
    space: tuple[Subspace, ...], choice: Choice, config_at: ConfigAt, trust: Collection[str]
) -> tuple[tuple[Subspace, ...], dict[str, list[str]]]:
    """Return a space in which each option is combined with the dimensions that it takes.

    Parameters
    ----------
    space : tuple
        The subspaces, joined with what the command line sweeps.
    choice : Choice
        What the command line chose.
    config_at : callable
        Composes the config under the first option of each swept group.
    trust : collection of str
        The modules that the workspace's owner trusts.

    Returns
    -------
    space : tuple
        The subspaces. One from which something was left out is not in it where another one has all its points.
    refused : dict
        The reason, such as ``SVC has no such parameter`` → the keys that were left out for it.
    """
    refused: dict[str, list[str]] = {}
    judge = _Judge(choice, config_at, trust, refused)
    parts = [_Part(subspace) for subspace in space]
    for section in sorted(choice.sections & {*SECTIONS, STEPS}):
        parts = [p for part in parts for p in judge.split(part, section)]
    suited = tuple({repr(p.dimensions): p.dimensions for p in _without_leftovers(parts)}.values())
    return (suited if any(suited) else ()), refused


# --- which option takes which dimension ----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Judge:
    """Parts subspaces by what the options of one section take, and notes what is refused."""

    choice: Choice
    config_at: ConfigAt
    trust: Collection[str]
    refused: dict[str, list[str]]

    def split(self, part: _Part, section: str) -> Iterator[_Part]:
        """Yield the part's subspaces, each with options that take the same dimensions."""
        judged = [d for d in part.dimensions if self._is_judged(d, section, part.keys)]
        group = next((d for d in part.dimensions if d.key == section and d.is_group), None)
        options: dict[frozenset[str], list[Any]] = {}
        for option in group.choices if group and judged else (None,):
            one = part.dimensions if option is None else _with_choices(part.dimensions, section, (option,))
            options.setdefault(self._strange(one, section, judged), []).append(option)
        for strange, alike in options.items():
            kept = tuple(d for d in part.dimensions if d.key not in strange)
            kept = _with_choices(kept, section, tuple(alike)) if group and judged else kept
            yield _Part(kept, part.pruned or bool(strange))

    def _is_judged(self, dimension: Dimension, section: str, keys: Collection[str]) -> bool:
        """Whether it is the file's, of this section, and of a component that is not itself swept."""
        path = dimension.key.split(".")
        above = (".".join(path[:n]) for n in range(1, len(path)))
        is_own = path[0] == section and len(path) > 1 and dimension.key not in self.choice.typed
        return is_own and not any(f"{key}._target_" in keys for key in above)

    def _strange(self, dimensions: Subspace, section: str, judged: Sequence[Dimension]) -> frozenset[str]:
        """Return the keys that do not suit the section's first option."""
        if not judged:
            return frozenset()
        node = child(self.config_at(dimensions), section)
        reasons = {d.key: self._reason(node, d) for d in judged}
        for key, reason in reasons.items():
            if reason and key not in self.refused.setdefault(reason, []):
                self.refused[reason].append(key)
        return frozenset(key for key, reason in reasons.items() if reason)

    def _reason(self, node: Any, dimension: Dimension) -> str | None:
        section, *path = dimension.key.split(".")
        if section != STEPS:
            return self._untaken(node, path, section)
        step = child(node, path[0])
        if isinstance(step, DictConfig) and "_target_" in step:
            return self._untaken(step, path[1:], STEPS)
        brings_it = len(path) == 1 and any(isinstance(c, Mapping) and "_target_" in c for c in dimension.choices)
        return None if brings_it else "the chosen steps have none of that name"

    def _untaken(self, node: Any, path: Sequence[str], section: str) -> str | None:
        """Return why a component has no such parameter; None where it has, or may have."""
        if not path or path[0].startswith("_") or (section == STEPS and path[0] == "columns"):
            return None
        if not isinstance(node, DictConfig) or "_target_" not in node:
            return None
        why, taken = taken_by(node, section, self.trust)
        if taken is not None and path[0] not in taken:
            return why
        return self._untaken(child(node, path[0]), path[1:], "")


def _with_choices(dimensions: Subspace, key: str, choices: tuple[Any, ...]) -> Subspace:
    return tuple(replace(d, choices=choices) if d.key == key else d for d in dimensions)


# --- what is then tried elsewhere ----------------------------------------------------------------------------------


def _without_leftovers(parts: Sequence[_Part]) -> list[_Part]:
    """Return the parts without what a pruned one has in common with another that says more of it.

    Of ``[{model: [knn], model.n_neighbors: [3, 5]}, {model: [svm], model.C: [1, 10]}]`` only the second is about
    ``model=svm``; the first, pruned, would add a trial with all defaults that nobody asked for.
    """
    left: list[_Part] = []
    for i, part in enumerate(parts):
        others = [p for p in (*left, *parts[i + 1 :]) if p.keys > part.keys or (p.keys == part.keys and p in left)]
        beyond = _beyond(part.dimensions, [p.dimensions for p in others]) if part.pruned else part.dimensions
        left += [] if beyond is None else [replace(part, dimensions=beyond)]
    return left


def _beyond(subspace: Subspace, others: Sequence[Subspace]) -> Subspace | None:
    """Return a subspace without the options under which others hold all its points; None if nothing remains."""
    if any(_holds(other, subspace) for other in others):
        return None
    for group in [d for d in subspace if d.is_group]:
        alone = {c: _with_choices(subspace, group.key, (c,)) for c in group.choices}
        kept = tuple(c for c, one in alone.items() if not any(_holds(other, one) for other in others))
        if not kept:
            return None
        subspace = _with_choices(subspace, group.key, kept)
    return subspace


def _holds(other: Subspace, subspace: Subspace) -> bool:
    """Whether each point of a subspace is one of another's, as far as its keys go."""
    by_key = {d.key: d for d in other}
    return all(d.key in by_key and _within(d, by_key[d.key]) for d in subspace)


def _within(dimension: Dimension, other: Dimension) -> bool:
    if not (dimension.is_finite and other.is_finite):
        return dimension == other
    return set(map(repr, dimension.choices)) <= set(map(repr, other.choices))

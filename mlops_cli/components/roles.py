"""Which column is what: the keys under ``data:`` matched against the names in the table."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from mlops_cli.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_cli.records import DataSpec

SINGLE = ("target", "id", "group", "weight", "time")
"""The roles of one column each."""


@dataclass(frozen=True)
class Roles:
    """The names in the table by their use; each name is in one place."""

    features: tuple[str, ...]
    rest: tuple[str, ...]  # in no role: dropped, or not asked for
    target: str | None = None
    id: str | None = None
    group: str | None = None
    weight: str | None = None
    time: str | None = None


def assign_roles(names: Sequence[str], spec: DataSpec) -> Roles:
    """Return the use of each column.

    Raises
    ------
    ConfigError
        A name or pattern that matches no column, a column with two uses, or no feature left.
    """
    single = {role: getattr(spec, role) for role in SINGLE if getattr(spec, role) is not None}
    for role, name in single.items():
        check_column(name, names, f"data.{role}")
    _refuse_two_uses(single)
    used = set(single.values())
    drop = spec.drop if spec.columns is None else [p for p in spec.drop if _matched(p, names)]  # some are not read
    dropped = set(matching(drop, names, "data.drop"))
    _refuse_explicit(spec.drop, single, "data.drop", "cannot be dropped as well")
    chosen = list(names) if spec.features is None else matching(spec.features, names, "data.features")
    _refuse_explicit(spec.features or (), single, "data.features", "is never a feature")
    features = tuple(n for n in chosen if n not in used and n not in dropped)
    if not features and spec.forecast is None:  # a forecast may rest on the past of the target alone
        raise ConfigError("no column is left as a feature", key="data", hint="data.drop and data.features")
    taken = {*used, *features}
    rest = tuple(n for n in names if n not in taken)
    return Roles(features, rest, **single)


def matching(patterns: Sequence[str], names: Sequence[str], key: str) -> list[str]:
    """Return the names that any pattern matches, in the table's order; a name that has ``*`` in it matches itself.

    Raises
    ------
    ConfigError
        A pattern that matches nothing.
    """
    found: set[str] = set()
    for pattern in map(str, patterns):
        matched = _matched(pattern, names)
        if not matched:
            raise _no_column(pattern, names, key)
        found |= matched
    return [n for n in names if n in found]


def check_column(name: str, names: Sequence[str], key: str) -> None:
    """Refuse a name that is no column, with the nearest one that is."""
    if name not in names:
        raise _no_column(name, names, key)


def is_used(name: str, spec: DataSpec) -> bool:
    """Whether a column is in some role, as far as names and patterns tell before they are checked."""
    if name in {getattr(spec, role) for role in SINGLE}:
        return True
    dropped = any(fnmatchcase(name, str(pattern)) for pattern in spec.drop)
    chosen = spec.features is None or any(fnmatchcase(name, str(pattern)) for pattern in spec.features)
    return chosen and not dropped and name not in {*spec.drop}


def _matched(pattern: str, names: Sequence[str]) -> set[str]:
    return {pattern} if pattern in names else {n for n in names if fnmatchcase(n, pattern)}


def _no_column(name: str, names: Sequence[str], key: str) -> ConfigError:
    what = "matches no column" if any(c in str(name) for c in "*?[") else "is no column of the data"
    return ConfigError(f"'{name}' {what}", key=key, hint=did_you_mean(str(name), names))


def _refuse_two_uses(single: dict[str, str]) -> None:
    for name, count in Counter(single.values()).items():
        roles = [role for role, n in single.items() if n == name]
        if count > 1 and set(roles) != {"id", "group"}:  # rows of one person are both named and grouped by it
            raise ConfigError(f"'{name}' cannot be the {' and the '.join(roles)} at once", key=f"data.{roles[1]}")


def _refuse_explicit(patterns: Sequence[str], single: dict[str, str], key: str, why: str) -> None:
    for role, name in single.items():
        if name in patterns:
            raise ConfigError(f"'{name}' is the {role} and {why}", key=key)

"""What differs between two runs, and nothing that does not: from what was asked to what came of it.

Pure and plain Python, for a quick command.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_cli.analysis.params import has_params, winner_params
from mlops_cli.records import Change, RunDiff, of_task

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from mlops_cli.records import Column, RunRecord

_ABSENT = object()
SWEEP_OPTIONS = "sweep.options"
"""Stands for all that the options of a sweep bring along: values by key, too long to be shown."""
_OPTIONS = f"{SWEEP_OPTIONS}."
_TOUCHED = re.compile(r"^diff --git (?:\"?a/.*?\"?) \"?b/(.*?)\"?$|^# untracked: '(.*)'$", flags=re.MULTILINE)
_SHORT = 12
"""Hex digits of a hash that tell one file from another."""
_OF_COLUMN = ("dtype", "kind", "missing", "unique")


@dataclass(frozen=True)
class Side:
    """One of the two runs, with what stands beside its record."""

    record: RunRecord
    config: Mapping[str, Any] = field(default_factory=dict)  # by dotted key
    patch: bytes = b""  # what source.diff holds


def difference(a: Side, b: Side) -> RunDiff:
    """Return what differs between two runs, by section; a section without a change is left out.

    The sections, in order: ``params`` (of the winners), ``scores`` (their means), ``data``, ``columns``, ``code``,
    ``packages``, ``environment``, ``config`` (without the keys that ``params`` has).
    """
    params = _params(a, b)
    sections = {
        "params": params,
        "scores": changes(_scores(a.record), _scores(b.record)),
        "data": changes(_data(a.record), _data(b.record)),
        "columns": list(_columns(a.record, b.record)),
        "code": changes(_code(a), _code(b)),
        "packages": changes(_packages(a.record), _packages(b.record)),
        "environment": changes(_environment(a.record), _environment(b.record)),
        "config": _config(a, b, {change.key for change in params}),
    }
    return RunDiff(a.record.id, b.record.id, {name: tuple(found) for name, found in sections.items() if found})


def changes(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Change]:
    """Return the keys whose values differ, in the order of ``a`` and then of ``b``.

    Examples
    --------
    >>> changes({"C": 1, "tol": 0.1}, {"C": 2, "seed": 0})
    [Change(key='C', a=1, b=2, found=(True, True)), Change(key='tol', a=0.1, b=None, found=(True, False)), \
Change(key='seed', a=None, b=0, found=(False, True))]
    """
    found = []
    for key in {**a, **b}:
        old, new = a.get(key, _ABSENT), b.get(key, _ABSENT)
        if not _equal(old, new):
            has = old is not _ABSENT, new is not _ABSENT
            found.append(Change(key, old if has[0] else None, new if has[1] else None, has))
    return found


def _params(a: Side, b: Side) -> list[Change]:
    """Return how the winners differ; a run that did not live to record all of its winner has the rest from its config.

    A config holds no names of options: where one is all that a run lacks, it is unknown and not absent.
    """
    sides = [side.record for side in (a, b)]
    if any(record.best is None and not has_params(record) for record in sides):
        return []
    found = changes(*(of_task(winner_params(s.record, s.config), s.record.task) for s in (a, b)))
    if all(map(has_params, sides)):
        return found
    return [c for c in found if all(c.found) or "." in c.key]


def _equal(a: Any, b: Any) -> bool:
    # True == 1 in Python and not in a config; NaN is not itself.
    return a is b or (isinstance(a, bool) is isinstance(b, bool) and (a == b or (a != a and b != b)))  # noqa: PLR0124


def _config(a: Side, b: Side, told: Collection[str]) -> list[Change]:
    """Return what was asked otherwise; all that a sweep's options bring along as one change."""
    asked = [of_task(side.config, side.record.task) for side in (a, b)]
    found = [c for c in changes(*asked) if c.key not in told and not c.key.startswith(_OPTIONS)]
    options = [{k: v for k, v in config.items() if k.startswith(_OPTIONS)} for config in asked]
    return [*found, *changes(*({SWEEP_OPTIONS: one} if one else {} for one in options))]


def _data(record: RunRecord) -> dict[str, Any]:
    data = record.dataset
    if data is None:
        return {}
    return {"version": data.version, "rows": data.rows, "source": data.source, "target": data.target}


def _columns(a: RunRecord, b: RunRecord) -> Iterator[Change]:
    """Yield the columns that only one has, by their dtype, and what else changed of the others."""
    old = {c.name: c for c in a.dataset.columns} if a.dataset is not None else {}
    new = {c.name: c for c in b.dataset.columns} if b.dataset is not None else {}
    if not (old and new):  # a run that ended before its data was read says nothing of columns
        return
    for name in {**old, **new}:
        if name in old and name in new:
            yield from changes(_described(old[name]), _described(new[name]))
        else:
            yield from changes(*({name: _brief(side[name])} if name in side else {} for side in (old, new)))


def _described(column: Column) -> dict[str, Any]:
    return {f"{column.name}.{what}": _plain(getattr(column, what)) for what in _OF_COLUMN}


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int) else str(value)


def _brief(column: Column) -> str:
    return f"{column.dtype}, {column.kind}"


def _code(side: Side) -> dict[str, Any]:
    found: dict[str, Any] = {"commit": side.record.git.commit, "dirty": side.record.git.dirty}
    found |= {path: digest[:_SHORT] for path, digest in side.record.code.items()}
    if side.patch:
        digest = hashlib.sha256(side.patch).hexdigest()[:8]
        found["source.diff"] = f"{', '.join(touched(side.patch)) or 'nothing named'} ({digest})"
    return found


def touched(patch: bytes) -> list[str]:
    r"""Return the files that a ``source.diff`` changes or names as unknown to git.

    Examples
    --------
    >>> touched(b"# untracked: 'new.py'\ndiff --git a/old.py b/old.py\n--- a/old.py\n")
    ['new.py', 'old.py']
    """
    text = patch.decode(errors="backslashreplace")
    return list(dict.fromkeys(match[1] or match[2] for match in _TOUCHED.finditer(text)))


def _packages(record: RunRecord) -> dict[str, Any]:
    packages = record.environment.get("packages")
    return dict(packages) if isinstance(packages, dict) else {}


def _environment(record: RunRecord) -> dict[str, Any]:
    return {key: value for key, value in record.environment.items() if key != "packages"}


def _scores(record: RunRecord) -> dict[str, Any]:
    return {name: summary.mean for name, summary in record.metrics.items()}

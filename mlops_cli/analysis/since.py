"""What has changed between two times that one run was made, in words: a sentence for each thing that it rests on.

Pure and plain Python. What two different runs were asked is another question: `difference` answers that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlops_cli.records import DatasetVersion, RunRecord

SHOWN = 3
_HELD_OUT = "evaluation.test"
_MACHINE = {
    "python": "Python",
    "implementation": "implementation",
    "platform": "system",
    "host": "host",
    "cpu": "processor",
    "cpus": "cores",
    "blas": "linear algebra",
}
"""Keys of an environment that say what computed, and what they are called."""


def since(before: RunRecord, now: RunRecord) -> list[str]:
    """Return what results rest on and is another now: data, held-out data, code, Python, packages.

    Examples
    --------
    >>> from pathlib import Path
    >>> from mlops_cli.records import RunRecord, RunStatus
    >>> old, new = (
    ...     RunRecord("e/1", Path(), "e", RunStatus.COMPLETED, "", environment={"packages": {"numpy": number}})
    ...     for number in ("2.1", "2.2")
    ... )
    >>> since(old, new)
    ['numpy 2.1 is now 2.2']
    """
    return [
        *_data(before.dataset, now.dataset),
        *_held_out(before.test_dataset, now.test_dataset),
        *_code(before.code, now.code),
        *_versions(before.environment, now.environment),
    ]


def machine(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return what computed then and is another now: Python, system, processor, linear algebra.

    Parameters
    ----------
    before, now : mapping
        Environments as runs record them; what only one of them says is left out.
    """
    known = [key for key in _MACHINE if before.get(key) is not None and now.get(key) is not None]
    if _minor(before) != _minor(now):
        known = [key for key in known if key != "python"]  # `since` says so
    found = [f"{_MACHINE[key]} {before[key]} is now {now[key]}" for key in known if before[key] != now[key]]
    return [f"what computes is another ({'; '.join(found)})"] if found else []


def repository(before: RunRecord, now: RunRecord) -> list[str]:
    """Return that the code around is at another commit: what the hashes of own modules do not see may have changed."""
    old, new = before.git.commit, now.git.commit
    if old is None or new is None or old == new:
        return []
    return [f"the repository was at {old[:10]} and is at {new[:10]}"]


def named(one: str, several: str, names: list[str]) -> list[str]:
    """Return a sentence about a few names, or none where there are none.

    Examples
    --------
    >>> named("is gone", "are gone", ["a", "b", "c", "d", "e"])
    ['a, b, c and 2 more are gone']
    """
    if not names:
        return []
    shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
    return [f"{shown} {one if len(names) == 1 else several}"]


def _held_out(before: DatasetVersion | None, now: DatasetVersion | None) -> list[str]:
    return [text.replace("the data has", f"the data of {_HELD_OUT} has", 1) for text in _data(before, now)]


def _data(before: DatasetVersion | None, now: DatasetVersion | None) -> Iterator[str]:
    if before is None or now is None or before.version == now.version:
        return
    what = [f"{before.rows:,} rows are {now.rows:,}"] if before.rows != now.rows else []
    old, new = before.schema, now.schema
    what += named("is gone", "are gone", [name for name in old if name not in new])
    what += named("is new", "are new", [name for name in new if name not in old])
    what += [f"{name} is {new[name]}, was {old[name]}" for name in old if name in new and old[name] != new[name]]
    facts = {c.name: (c.missing, c.unique) for c in before.columns}
    other = [c.name for c in now.columns if c.name in facts and facts[c.name] != (c.missing, c.unique)]
    if not what:
        what = named("has other values", "have other values", other) or ["other values in the same rows and columns"]
    yield f"the data has changed ({', '.join(what)}; version {before.version[:12]} is now {now.version[:12]})"


def _code(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    if not before:
        return  # of a run that did not record it
    yield from named("is gone", "are gone", [name for name in before if name not in now])
    yield from named("is new", "are new", [name for name in now if name not in before])
    edited = [name for name in before if name in now and before[name] != now[name]]
    yield from named("has changed", "have changed", edited)


def _versions(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    if before.get("python") and now.get("python") and _minor(before) != _minor(now):
        yield f"Python {before['python']} is now {now['python']}"
    recorded, found = before.get("packages") or {}, now.get("packages") or {}
    for name in sorted(found.keys() & recorded.keys()):
        if recorded[name] != found[name]:
            yield f"{name} {recorded[name]} is now {found[name]}"


def _minor(environment: Mapping[str, Any]) -> list[str]:
    return str(environment.get("python")).split(".")[:2]

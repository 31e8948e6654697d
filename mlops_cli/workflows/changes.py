"""What has changed since a run began, so that its missing trials would not be comparable with those that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_cli.store.provenance import versions
from mlops_cli.store.runs import has_its_config

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlops_cli.records import DatasetVersion, RunRecord
    from mlops_cli.workflows.prepare import Prepared

SHOWN = 3
UNSEEN = "something that its record does not hold has changed"


def changes(record: RunRecord, prepared: Prepared) -> list[str]:
    """Return in words what differs between what a run began with and what there is now.

    Parameters
    ----------
    record : RunRecord
        A run whose fingerprint is another one now.
    prepared : Prepared
        Its own config, prepared anew.
    """
    facts = prepared.maker.basis.facts
    found = [
        *_data(record.dataset, prepared.dataset.version),
        *_test_data(record, prepared.loaded.test_version),
        *_code(record.code, facts["code"]),
        *_versions(record.environment, facts["python"], versions(prepared.packages)),
        *_config(record, prepared),
    ]
    return found or [UNSEEN]


def _test_data(record: RunRecord, now: DatasetVersion | None) -> Iterator[str]:
    found = _data(record.test_dataset, now) if now is not None else ()
    yield from (text.replace("the data", "the data of evaluation.test", 1) for text in found)


def _data(before: DatasetVersion | None, now: DatasetVersion) -> Iterator[str]:
    if before is None or before.version == now.version:
        return
    what = [f"{before.rows:,} rows are {now.rows:,}"] if before.rows != now.rows else []
    old, new = before.schema, now.schema
    what += _named("is gone", "are gone", [name for name in old if name not in new])
    what += _named("is new", "are new", [name for name in new if name not in old])
    what += [f"{name} is {new[name]}, was {old[name]}" for name in old if name in new and old[name] != new[name]]
    facts = {c.name: (c.missing, c.unique) for c in before.columns}
    other = [c.name for c in now.columns if c.name in facts and facts[c.name] != (c.missing, c.unique)]
    if not what:
        what = _named("has other values", "have other values", other) or ["other values in the same rows and columns"]
    yield f"the data has changed ({', '.join(what)}; version {before.version[:12]} is now {now.version[:12]})"


def _code(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    if not before:
        return  # of a run that did not record it
    yield from _named("is gone", "are gone", [name for name in before if name not in now])
    yield from _named("is new", "are new", [name for name in now if name not in before])
    edited = [name for name in before if name in now and before[name] != now[name]]
    yield from _named("has changed", "have changed", edited)


def _versions(before: Mapping[str, Any], python: list[int], packages: Mapping[str, str]) -> Iterator[str]:
    now = ".".join(map(str, python))
    was = str(before.get("python", now))
    if was.split(".")[:2] != now.split("."):
        yield f"Python {was} is now {now}"
    recorded = before.get("packages") or {}
    for name in sorted(packages.keys() | recorded.keys()):
        old, new = recorded.get(name), packages.get(name)
        if old is not None and new is not None and old != new:
            yield f"{name} {old} is now {new}"


def _config(record: RunRecord, prepared: Prepared) -> Iterator[str]:
    if not has_its_config(record):
        yield "its config.yaml has been edited"
    if record.best is None or not record.params:
        return
    before, now = record.params, prepared.composition.leaves(record.best.params)
    keys = [key for key in before if key in now and before[key] != now[key]]
    # A saved config names no options any more: what has no dot and is not in both is the name of one.
    keys += [key for key in before.keys() ^ now.keys() if "." in key]
    yield from _named("has another value", "have other values", sorted(keys))


def _named(one: str, several: str, names: list[str]) -> list[str]:
    """Return a sentence about a few names, or none where there are none."""
    if not names:
        return []
    shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
    return [f"{shown} {one if len(names) == 1 else several}"]

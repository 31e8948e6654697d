"""What has changed since a run began, so that its missing trials would not be comparable with those that it has."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlops_cli.analysis.since import named, since
from mlops_cli.store.provenance import versions
from mlops_cli.store.runs import has_its_config

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlops_cli.records import RunRecord
    from mlops_cli.workflows.running.prepare import Prepared

UNSEEN = "something that its record does not hold has changed"
EDITED = "its config.yaml has been edited"


def changes(record: RunRecord, prepared: Prepared) -> list[str]:
    """Return in words what differs between what a run began with and what there is now.

    Parameters
    ----------
    record : RunRecord
        A run whose fingerprint is another one now.
    prepared : Prepared
        Its own config, prepared anew.
    """
    return [*since(record, as_of_now(record, prepared)), *edited(record, prepared)] or [UNSEEN]


def as_of_now(record: RunRecord, prepared: Prepared) -> RunRecord:
    """Return the record with what results rest on as it is now."""
    facts = prepared.maker.basis.facts
    return replace(
        record,
        dataset=prepared.data,
        test_dataset=prepared.loaded.test_version,
        code=facts["code"],
        environment={"python": ".".join(map(str, facts["python"])), "packages": versions(prepared.packages)},
    )


def edited(record: RunRecord, prepared: Prepared) -> Iterator[str]:
    """Yield that a run's own config has been edited, and which values are others, as far as its record holds them."""
    if not has_its_config(record):
        yield EDITED
    seed = record.seed, prepared.spec.trial.seed
    if seed[0] != seed[1]:
        yield f"seed {seed[0]} is now {seed[1]}"
    if record.best is not None and record.params:
        other = _others(record.params, prepared.composition.leaves(record.best.params), seed)
        yield from named("has another value", "have other values", other)


def _others(before: Mapping[str, Any], now: Mapping[str, Any], seed: tuple[int | None, int]) -> list[str]:
    """Return the keys with other values, but for those that follow the seed."""
    keys = [key for key in before if key in now and before[key] != now[key] and (before[key], now[key]) != seed]
    # A saved config names no options any more: what has no dot and is not in both is the name of one.
    return sorted([*keys, *(key for key in before.keys() ^ now.keys() if "." in key)])

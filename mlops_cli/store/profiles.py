"""The profile of a run's training data as JSON, beside its record."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from mlops_cli.records import SCHEMA_VERSION, ColumnProfile, DataProfile, Kind
from mlops_cli.store.files import damaged, read_json, write_json
from mlops_cli.store.values import finite, number

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    Json = dict[str, Any]


def write_profile(path: Path, profile: DataProfile) -> None:
    """Write a profile, whole or not at all.

    Raises
    ------
    StoreError
        The disk refuses.
    """
    write_json(path, profile_to_json(profile))


def read_profile(path: Path) -> DataProfile:
    """Return the profile that `write_profile` wrote.

    Raises
    ------
    StoreError
        It is missing, damaged, or written by a newer version of this tool.
    """
    value = read_json(path)
    try:
        return profile_from_json(value)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise damaged(path, f"not a profile of data: {error!r}") from error


def profile_to_json(profile: DataProfile) -> Json:
    """Return a profile as plain JSON; a number that is not finite is null."""
    return {
        "schema_version": SCHEMA_VERSION,
        "rows": int(profile.rows),
        "left_out": int(profile.left_out),
        "sampled": None if profile.sampled is None else int(profile.sampled),
        "columns": [_column_to_json(column) for column in profile.columns],
    }


def profile_from_json(value: Mapping[str, Any]) -> DataProfile:
    """Return the profile that `profile_to_json` wrote.

    Raises
    ------
    KeyError, TypeError, ValueError, AttributeError
        The JSON is not a profile; the caller names the file.
    """
    sampled = value.get("sampled")
    return DataProfile(
        rows=int(value["rows"]),
        columns=tuple(_column_from_json(column) for column in value["columns"]),
        left_out=int(value.get("left_out", 0)),
        sampled=None if sampled is None else int(sampled),
    )


def _column_to_json(column: ColumnProfile) -> Json:
    return {
        "name": column.name,
        "dtype": column.dtype,
        "kind": str(column.kind),
        "role": column.role,
        "count": int(column.count),
        "missing": int(column.missing),
        "unique": None if column.unique is None else int(column.unique),
        "mean": finite(column.mean),
        "std": finite(column.std),
        "quantiles": [finite(value) for value in column.quantiles],
        "edges": [finite(value) for value in column.edges],
        "counts": [int(count) for count in column.counts],
        "top": [[value, int(count)] for value, count in column.top],
        "association": finite(column.association),
    }


def _column_from_json(value: Mapping[str, Any]) -> ColumnProfile:
    unique = value.get("unique")
    return ColumnProfile(
        name=str(value["name"]),
        dtype=str(value["dtype"]),
        kind=Kind(value["kind"]),
        role=str(value["role"]),
        count=int(value["count"]),
        missing=int(value["missing"]),
        unique=None if unique is None else int(unique),
        mean=_known(value.get("mean")),
        std=_known(value.get("std")),
        quantiles=tuple(number(item) for item in value.get("quantiles", ())),
        edges=tuple(number(item) for item in value.get("edges", ())),
        counts=tuple(int(item) for item in value.get("counts", ())),
        top=tuple((str(item), int(count)) for item, count in value.get("top", ())),
        association=_known(value.get("association")),
    )


def _known(value: float | None) -> float | None:
    if value is None:
        return None
    found = float(value)
    return found if math.isfinite(found) else None

"""Nested mappings by dotted key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return the leaves of nested mappings by dotted key; a list is a leaf, and so is a mapping with other keys.

    Examples
    --------
    >>> flat({"model": {"C": 1.0, "class_weight": {0: 1, 1: 5}}, "transforms": {}, "seed": 0})
    {'model.C': 1.0, 'model.class_weight': {0: 1, 1: 5}, 'seed': 0}
    """
    leaves: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, Mapping) and all(isinstance(inner, str) for inner in value):
            leaves |= flat(value, f"{prefix}{key}.")
        else:
            leaves[f"{prefix}{key}"] = value
    return leaves

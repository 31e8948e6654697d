"""Plain nested configs: their leaves by dotted key, and the texts in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


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


def texts(value: Any) -> Iterator[str]:
    """Yield each text in a plain config, or in a part of one; keys are none."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list | tuple):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from texts(inner)

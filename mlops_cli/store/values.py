"""Plain values to and from JSON, without loss where a value is a parameter.

JSON knows neither NaN nor keys that are not text, and both stand in configs (``class_weight: {0: 1, 1: 5}``,
``max_eps: .inf``). Knows nothing of records or files.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

_FLOAT = "$float"
_MAP = "$map"


def stamp(moment: datetime | None = None) -> str:
    """Return a time as records hold it: ISO 8601 with its offset, to the millisecond; now where none is given."""
    return (datetime.now().astimezone() if moment is None else moment).isoformat(timespec="milliseconds")


def finite(value: float | None) -> float | None:
    """Return a measured number for JSON: null where there is none, or where it is not finite."""
    if value is None:
        return None
    number = float(value)
    return number if math.isfinite(number) else None


def number(value: float | None) -> float:
    """Return a measured number from JSON: NaN where it is null."""
    return math.nan if value is None else float(value)


def encode(value: Any) -> Any:
    """Return a parameter as JSON that `decode` turns back into an equal value of the same type.

    A tuple becomes a list, a NumPy scalar the Python number it holds, an array a list; what JSON cannot say is
    written as ``{"$float": "inf"}`` or ``{"$map": [[key, value], …]}``, and an unknown object as its ``str``.

    Examples
    --------
    >>> encode({"C": 1.0, "class_weight": {0: 1, 1: 5}})
    {'C': 1.0, 'class_weight': {'$map': [[0, 1], [1, 5]]}}
    """
    if isinstance(value, Enum):
        return encode(value.value)
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {_FLOAT: str(float(value))}
    if isinstance(value, Mapping):
        return _encode_mapping(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [encode(item) for item in value]
    return _encode_other(value)


def _encode_mapping(value: Mapping[Any, Any]) -> Any:
    if all(isinstance(key, str) and not key.startswith("$") for key in value):
        return {key: encode(item) for key, item in value.items()}
    return {_MAP: [[encode(key), encode(item)] for key, item in value.items()]}


def _encode_other(value: Any) -> Any:
    # NumPy's scalars and arrays say themselves what they are in Python; numpy need not be imported for it.
    if type(value).__module__.partition(".")[0] == "numpy" and hasattr(value, "tolist"):
        plain = value.tolist()
        return str(plain) if type(plain) is type(value) else encode(plain)
    return str(value)


def decode(value: Any) -> Any:
    """Return the value that `encode` wrote.

    Raises
    ------
    ValueError
        ``$float`` or ``$map`` stands with something that `encode` never writes.
    """
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if _FLOAT in value:
        return float(value[_FLOAT])
    if _MAP in value:
        return {_hashable(decode(key)): decode(item) for key, item in value[_MAP]}
    return {key: decode(item) for key, item in value.items()}


def _hashable(key: Any) -> Any:
    return tuple(key) if isinstance(key, list) else key

"""What determines a result, as one sha256: the same fingerprint means that running again would change nothing."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def fingerprint(facts: Mapping[str, Any]) -> str:
    """Return the sha256 of plain facts, independent of the order of their keys.

    Parameters
    ----------
    facts : mapping
        JSON-like: mappings, lists, strings, numbers, booleans, None. An int and the float of the same value differ.

    Examples
    --------
    >>> fingerprint({"a": 1, "b": [2]}) == fingerprint({"b": [2], "a": 1})
    True
    >>> fingerprint({"a": 1}) == fingerprint({"a": 1.0})
    False
    """
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def combined(fingerprints: Iterable[str], facts: Mapping[str, Any]) -> str:
    """Return the fingerprint of a run: that of its trials, whatever their order, and of what they share."""
    return fingerprint({"trials": sorted(fingerprints), **facts})

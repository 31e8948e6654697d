"""What a request asks for, read from its address: which runs, which page of them, in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_cli.errors import UsageError
from mlops_cli.records import Query

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST = 1000
_LONGEST = 2000


def number(params: Mapping[str, str], name: str, *, default: int, low: int = 0, high: int = 10**9) -> int:
    """Return a whole number of the address.

    Raises
    ------
    UsageError
        It is none, or too small or too great.
    """
    text = params.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and len(text) < 12 and low <= int(text) <= high):
        raise UsageError(f"{name}={text[:40]!r}: a whole number from {low} to {high} is allowed")
    return int(text)


def text(params: Mapping[str, str], name: str) -> str:
    """Return a text of the address; empty where there is none.

    Raises
    ------
    UsageError
        It is too long to have been typed.
    """
    found = params.get(name, "").strip()
    if len(found) > _LONGEST:
        raise UsageError(f"{name}: {len(found)} characters; at most {_LONGEST} are allowed")
    return found


def runs_query(params: Mapping[str, str], *, limit: int, offset: int) -> Query:
    """Return which runs are asked for.

    Raises
    ------
    UsageError
        A part of it is too long to have been typed.
    """
    return Query(text(params, "experiment") or None, text(params, "where"), text(params, "sort"), limit, offset)

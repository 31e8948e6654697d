"""What comes next once a model is served, and once somebody has a token: a command a line."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from mlops_cli.views.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_MOST_COLUMNS = 12


def how_to_ask(address: str, row: Mapping[str, Any], *, has_tokens: bool) -> str:
    r"""Return how a model is asked by curl; where its rows are wide, where that is told.

    Parameters
    ----------
    address : str
        Of the server.
    row : mapping
        An example.
    has_tokens : bool
        Whether it asks for a token.

    Examples
    --------
    >>> how_to_ask("http://127.0.0.1:8000/", {"age": 22}, has_tokens=False)
    'next: curl http://127.0.0.1:8000/predict -H \'Content-Type: application/json\' -d \'{"age": 22}\''
    """
    if len(row) > _MOST_COLUMNS:
        return f"next: open {address}docs, which has a row to begin with"
    held = ' -H "Authorization: Bearer $TOKEN"' if has_tokens else ""
    body = shlex.quote(json.dumps(row, ensure_ascii=False))
    return clean(f"next: curl {address}predict{held} -H 'Content-Type: application/json' -d {body}")


def how_to_serve(file: Path) -> str:
    """Return how a model is served to those who have a token of a file."""
    return clean(f"next: mlops serve MODEL --tokens {shlex.quote(str(file))}")


def how_to_admit(file: Path) -> str:
    """Return how somebody gets a token of a file that has none."""
    return clean(f"next: mlops tokens add NAME --role predict --file {shlex.quote(str(file))}")

"""Why a filter may match nothing: a value or a field that no run has, and whose parameters are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_cli.errors import nearest
from mlops_cli.store.index.sql import storable
from mlops_cli.store.index.where import Comparison, Not, parse

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from mlops_cli.store.index.names import Names
    from mlops_cli.store.index.where import Node

OF_THE_BEST = "params are those of each run's best trial; mlops runs export --trials has all trials"


def hints(connection: sqlite3.Connection, where: str, names: Names) -> tuple[str, ...]:
    """Return what to say of a filter that matches no run: nothing where all that it asks for is there."""
    found = [(names.resolve(one.name), one) for one in _comparisons(parse(storable(where)))] if where.strip() else []
    said = [line for key, one in found for line in _of(connection, key, one, names)]
    whose = [OF_THE_BEST] if any(key.startswith("params.") for key, _ in found) else []
    return tuple(dict.fromkeys([*said, *whose]))


def _comparisons(node: Node) -> Iterator[Comparison]:
    if isinstance(node, Comparison):
        yield node
    else:
        for part in (node.inner,) if isinstance(node, Not) else node.parts:
            yield from _comparisons(part)


def _of(connection: sqlite3.Connection, key: str, comparison: Comparison, names: Names) -> Iterator[str]:
    if key not in names.keys:
        group = f"{key.partition('.')[0]}."
        close = nearest(key, (name for name in names.keys if name.startswith(group)))
        yield f"no run has {key}" + (f"; did you mean {close}?" if close else "")
        return
    rows = connection.execute(
        "SELECT DISTINCT value FROM vals WHERE key = (SELECT id FROM keys WHERE name = ?) AND typeof(value) = 'text'",
        (key,),
    )
    known = [value for (value,) in rows]
    for text in (test.value.text for test in comparison.tests if test.op == "="):
        close = nearest(text, known)
        if text not in known and close:
            yield f"no run has {key} = {text}; did you mean {close}?"

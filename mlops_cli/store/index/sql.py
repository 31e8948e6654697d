"""Filters and orders as SQL. What a user typed is only ever a parameter; the text is made of constants.

A comparison is a question about the rows of one key, ``run IN (SELECT …)``, which is true or false and never NULL:
so where a run lacks the key a comparison is false, and ``not`` of it is true.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import UsageError, did_you_mean
from mlops_cli.store.index.dates import ALLOWED, span
from mlops_cli.store.index.fields import BY_NAME, Kind, kind_of
from mlops_cli.store.index.where import Comparison, Not, parse, wrong

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mlops_cli.store.index.names import Names
    from mlops_cli.store.index.where import Node, Test

TRUE, FALSE = b"true", b"false"
"""SQLite has no truth values, and 1 is not true where ``max_depth: 1`` and ``shuffle: true`` are compared."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?inf", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{7,}", re.ASCII)
_NUMERIC = "typeof({v}) IN ('integer', 'real')"
_ORDERED = {"<", "<=", ">", ">="}
_KEY = "(SELECT id FROM keys WHERE name = ?)"
_ROWS = f"SELECT run FROM vals WHERE key = {_KEY}"  # noqa: S608 - of constants, as all text here
_VALUE = f"(SELECT value FROM vals WHERE key = {_KEY} AND run = n)"  # noqa: S608
_TURNED = """(CASE "direction" WHEN 'minimize' THEN -"score" ELSE "score" END)"""  # more is better
NEWEST_FIRST = '"started" DESC, "id" DESC'


def storable(text: str) -> str:
    """Return text without lone surrogates, which SQLite has no place for."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


@dataclass(frozen=True)
class Sql:
    """A piece of SQL with the values of its question marks."""

    text: str
    values: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Context:
    """What a filter is read in."""

    names: Names
    now: datetime
    text: str = ""  # of the filter, for errors


def condition(where: str, context: Context) -> Sql:
    """Return a filter as a condition on ``runs``.

    Raises
    ------
    UsageError
        The filter is not in the language, or names a field that no run has.
    """
    if not where.strip():
        return Sql("1")
    text = storable(where)
    return _node(parse(text), Context(context.names, context.now, text))


def _node(node: Node, context: Context) -> Sql:
    if isinstance(node, Comparison):
        return _comparison(node, context)
    if isinstance(node, Not):
        inner = _node(node.inner, context)
        return Sql(f"NOT {inner.text}", inner.values)
    return _join(node.word.upper(), [_node(part, context) for part in node.parts])


def _join(word: str, parts: list[Sql]) -> Sql:
    values = tuple(value for part in parts for value in part.values)
    return Sql("(" + f" {word} ".join(part.text for part in parts) + ")", values)


# --- one comparison ----------------------------------------------------------------------------------------------


def _comparison(node: Comparison, context: Context) -> Sql:
    try:
        key = context.names.resolve(node.name)
    except UsageError as error:
        raise wrong(context.text, node.place, error.message, error.hint) from error
    absent = [test for test in node.tests if _is_null(test)]
    present = [_test(key, test, context) for test in node.tests if not _is_null(test)]
    parts = [_absence(key, test, context) for test in absent]
    if present:
        parts.append(_on_key(key, _join("OR" if node.is_any else "AND", present)))
    return _join("OR" if node.is_any else "AND", parts)


def _is_null(test: Test) -> bool:
    return test.value.text.lower() == "null" and not test.value.quoted


def _absence(key: str, test: Test, context: Context) -> Sql:
    if test.op not in {"=", "!="}:
        raise wrong(context.text, test.value.place, f"null is compared by = and !=, not by {test.op}")
    present = _on_key(key, Sql("{v} IS NOT NULL"))
    return present if test.op == "!=" else Sql(f"NOT {present.text}", present.values)


def _on_key(key: str, test: Sql) -> Sql:
    """Return a test of a key's value, ``{v}``, as a condition on a run."""
    if key in BY_NAME:
        named = column(key)
        return Sql(f"coalesce({named} IS NOT NULL AND {test.text.replace('{v}', named)}, 0)", test.values)
    inner = test.text.replace("{v}", "value")
    return Sql(f"n IN ({_ROWS} AND {inner})", (key, *test.values))


def column(name: str) -> str:
    """Return the column of a fixed key; `BY_NAME` holds all that there are."""
    return f'"{BY_NAME[name].name}"'


def _test(key: str, test: Test, context: Context) -> Sql:
    _refuse_a_field(test, context)
    if test.op == "~":
        return Sql("contains({v}, ?)", (test.value.text,))
    read = _READERS[kind_of(key)]
    try:
        return read(key, test, context)
    except UsageError as error:
        raise wrong(context.text, test.value.place, error.message, error.hint) from error


def _refuse_a_field(test: Test, context: Context) -> None:
    text = test.value.text
    if not test.value.quoted and "." in text and text in context.names.keys and not _is_number(text):
        raise wrong(context.text, test.value.place, "a field is compared with values only", "text goes in quotes")


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _number(text: str) -> int | float:
    """Return a number that SQLite can hold."""
    is_small = len(text) <= 18 and text.lstrip("+-").isdigit()
    return int(text) if is_small else float(text)


# --- by the kind of the key --------------------------------------------------------------------------------------


def _of_numbers(key: str, test: Test, _: Context) -> Sql:
    if not _is_number(test.value.text):
        raise UsageError(f"{key} is a number")
    return _numeric(test)


def _numeric(test: Test, value: str = "{v}") -> Sql:
    number = _number(test.value.text)
    if test.op == "!=":
        return Sql(f"{value} IS NOT ?", (number,))
    # Without the type SQLite holds any text to be greater than any number.
    return Sql(f"({_NUMERIC.format(v=value)} AND {value} {test.op} ?)", (number,))


def _of_text(key: str, test: Test, _: Context) -> Sql:
    choices = BY_NAME[key].choices if key in BY_NAME else ()
    if choices and test.value.text not in choices:
        raise UsageError(f"{key} is never '{test.value.text}'", hint=did_you_mean(test.value.text, choices))
    return _textual(test)


def _textual(test: Test) -> Sql:
    if test.op == "!=":
        return Sql("{v} IS NOT ?", (test.value.text,))
    return Sql(f"(typeof({{v}}) = 'text' AND {{v}} {test.op} ?)", (test.value.text,))


def _of_flags(key: str, test: Test, _: Context) -> Sql:
    word = test.value.text.lower()
    if word not in {"true", "false"} or test.op in _ORDERED:
        raise UsageError(f"{key} is true or false", hint=f"{key} = true")
    return Sql("{v} IS ?" if test.op == "=" else "{v} IS NOT ?", (TRUE if word == "true" else FALSE,))


def _of_dates(key: str, test: Test, context: Context) -> Sql:
    found = span(test.value.text, context.now)
    if found is None:
        raise UsageError(f"{key} is a time", hint=f"allowed: {ALLOWED}")
    begin, end = found
    if begin == end and test.op in {"=", "!="}:
        raise UsageError("no run began at one very instant", hint=f"{key} > {test.value.text} is since then")
    if test.op in {"=", "!="}:
        return Sql(f"({{v}} >= ? AND {{v}} < ?) = {int(test.op == '=')}", (begin, end))
    sign, value = {"<": ("<", begin), "<=": ("<", end)}.get(test.op, (">=", begin))
    return Sql(f"{{v}} {sign} ?", (value,))


def _of_hashes(_key: str, test: Test, _: Context) -> Sql:
    text = test.value.text.lower()
    if test.op in _ORDERED or _HEX.fullmatch(text) is None:
        return _textual(test)
    return Sql(f"(substr({{v}}, 1, {len(text)}) = ?) = {int(test.op == '=')}", (text,))


def _of_tags(_key: str, test: Test, _: Context) -> Sql:
    is_number = _is_number(test.value.text) and not test.value.quoted
    return _numeric(test, "number({v})") if is_number else _textual(test)


def _of_any(key: str, test: Test, context: Context) -> Sql:
    if test.value.quoted:
        return _textual(test)
    if _is_number(test.value.text):
        return _numeric(test)
    if test.value.text.lower() in {"true", "false"}:
        return _of_flags(key, test, context)
    return _textual(test)


_READERS: dict[Kind, Callable[[str, Test, Context], Sql]] = {
    Kind.NUMBER: _of_numbers,
    Kind.TEXT: _of_text,
    Kind.FLAG: _of_flags,
    Kind.DATE: _of_dates,
    Kind.HASH: _of_hashes,
    Kind.TAG: _of_tags,
    Kind.ANY: _of_any,
}


# --- order -------------------------------------------------------------------------------------------------------


def order(sort: str, names: Names) -> Sql:
    """Return the terms of ORDER BY: the keys that were asked for, runs without them last, and the newest first.

    Parameters
    ----------
    sort : str
        Keys with commas between them; one with - before it is descending. ``score`` is the best first.
    names : Names
        The keys that there are.

    Raises
    ------
    UsageError
        There is no such key.
    """
    terms = [_term(word.strip(), names) for word in sort.split(",") if word.strip()]
    values = tuple(value for term in terms for value in term.values)
    return Sql(", ".join([*(term.text for term in terms), NEWEST_FIRST]), values)


def _term(word: str, names: Names) -> Sql:
    key = names.resolve(word.removeprefix("-").removeprefix("+"))
    down = word.startswith("-")
    value = value_of(key)
    if key == "score":
        value, down = Sql(_TURNED), not down
    return Sql(f"{value.text} IS NULL, {value.text} {'DESC' if down else 'ASC'}", value.values * 2)


def value_of(key: str) -> Sql:
    """Return the value that a run has for a full key."""
    return Sql(column(key)) if key in BY_NAME else Sql(_VALUE, (key,))

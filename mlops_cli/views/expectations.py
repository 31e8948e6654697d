"""What is expected of data: a first version as YAML to be pasted and changed, and how a table did, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.text import Text

from mlops_cli.views.text import clean, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from mlops_cli.analysis.suggest import Suggested, Suggestion
    from mlops_cli.records import Breach, CheckedData

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none", "nan", "inf", "severity"})
_ONLY = "    only: {value: true, severity: warn}  # another column is told, and no breach"
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}


def as_yaml(found: Suggestion, source: str) -> str:
    """Return a first version of ``data.expect``, indented as it stands below ``data:``; YAML by itself too.

    Parameters
    ----------
    found : Suggestion
        The rules.
    source : str
        What they were made from.
    """
    lines = [
        f"  # What {clean(source)} is like: {plural(found.found, 'row')}, {plural(len(found.columns), 'column')}.",
        "  # A first version: keep what must hold, and leave out the rest. It stands below `data:` in a config.",
        "  expect:",
        f"    rows: {scalar(found.rows)}",
    ]
    if all(can_be_named(column.name) for column in found.columns):
        lines.append("    only: true  # no other columns" if found.only else _ONLY)
    lines.append("    columns:")
    lines += [_line(column) for column in found.columns]
    return "\n".join(lines) + "\n"


def _line(column: Suggested) -> str:
    if not can_be_named(column.name):
        return f"      # {clean(column.name)!r}: such a name cannot stand in a config"
    rules = {rule: value for rule, value in column.rules.items() if _can_be_said(value)}
    seen = f"  # {clean(column.seen)}" if column.seen else ""
    return f"      {scalar(column.name)}: {scalar(rules)}{seen}"


def can_be_named(name: str) -> bool:
    """Whether a column can be named in a config, where ``${`` begins a reference and ``_target_`` names an object."""
    return _can_be_said(name) and not (name.startswith("_") and name.endswith("_")) and bool(name)


def _can_be_said(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_can_be_said, value))
    if not isinstance(value, str):
        return True
    return "${" not in value and "\0" not in value and not any("\ud800" <= c <= "\udfff" for c in value)


def scalar(value: Any) -> str:
    r"""Return a value as YAML on one line; text that could be read as something else is quoted.

    Examples
    --------
    >>> scalar({"type": "numeric", "allowed": ["no", "x\x1b", 1, True], "max": 1e20})
    '{type: numeric, allowed: ["no", "x\\x1B", 1, true], max: 1.0e+20}'
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        text = f"{value:.0f}" if value % 1 == 0 and abs(value) < 1e15 else repr(value)
        return text.replace("e", ".0e") if "e" in text and "." not in text else text
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(scalar, value)) + "]"
    return "{" + ", ".join(f"{scalar(name)}: {scalar(v)}" for name, v in value.items()) + "}"


def _quoted(text: str) -> str:
    if text and _PLAIN.issuperset(text) and not text[0].isdigit() and text.lower() not in _WORDS:
        return text
    return '"' + "".join(map(_character, text)) + '"'


def _character(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02X}" if code < 256 else f"\\u{code:04X}" if code < 65536 else f"\\U{code:08X}"


# --- how a table did -----------------------------------------------------------------------------------------------


def checked_text(found: CheckedData, sentences: Sequence[str]) -> RenderableType:
    """Return how a table did, with a line for each rule that is broken.

    Parameters
    ----------
    found : CheckedData
        The table.
    sentences : sequence of str
        Each breach in words.
    """
    size = f"{plural(found.rows, 'row')} × {plural(found.columns, 'column')}"
    broken = sum(not breach.is_warning for breach in found.breaches)
    verdict = f"{broken} of {plural(found.rules, 'rule')} broken" if broken else f"{plural(found.rules, 'rule')} hold"
    head = Text.assemble((clean(found.source), "bold"), f"  {size}  ", (verdict, "red" if broken else "green"))
    lines = [
        Text.assemble(("! " if breach.is_warning else "✗ ", "yellow" if breach.is_warning else "red"), clean(text))
        for breach, text in zip(found.breaches, sentences, strict=True)
    ]
    return Group(head, *lines)


def as_json(found: CheckedData) -> dict[str, Any]:
    """Return how a table did as plain data."""
    return {
        "source": found.source,
        "holds": found.holds,
        "rows": found.rows,
        "columns": found.columns,
        "rules": found.rules,
        "breaches": [_breach_json(breach) for breach in found.breaches],
    }


def _breach_json(breach: Breach) -> dict[str, Any]:
    return {
        "rule": breach.key,
        "column": breach.column,
        "expected": breach.expected,
        "found": breach.found,
        "count": breach.count,
        "share": None if breach.count is None else breach.count / breach.rows,
        "rows": [{"row": row, "value": value} for row, value in breach.examples],
        "severity": "warn" if breach.is_warning else "error",
    }

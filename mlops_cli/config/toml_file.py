"""TOML files, with what is wrong with one in a line that a person can act on."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)$")
_TWICE = re.compile(r"Cannot (?:declare|redefine namespace) \(([^)]*)\)")
_NAMES = re.compile(r"'([^']*)'")
_HELP = {
    "Cannot overwrite a value": ("a key is set twice", "keep one of them"),
    "Invalid value": (
        "there is no value, or one that is nothing in TOML",
        'text stands in quotes, and true and false are small: trust = ["my_module"]',
    ),
    "Expected '=' after a key": ("there is no '=' after a key", "write KEY = VALUE"),
    "Expected ']' at the end of a table": ("a table's name has no ']'", "write it as [tool.mlops]"),
    "Illegal character '\\n'": ("a text is not closed in its line", 'close it with "'),
    "Invalid statement": ("this is neither a table, such as [tool.mlops], nor a key with its value", None),
}
"""The standard library's words, and what to say in their place with what mends it."""


def read_toml(path: Path) -> dict[str, Any]:
    """Return what a TOML file says.

    Raises
    ------
    ConfigError
        It cannot be read, or is not TOML; with the file, the line and what mends it.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        return tomllib.loads(text)
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(path)) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError("is not UTF-8", file=f"{path}:{line}", hint="save it as UTF-8") from None
    except (ValueError, RecursionError) as error:  # a TOMLDecodeError is a ValueError
        raise _explained(str(error), text, path) from None


def _explained(said: str, text: str, path: Path) -> ConfigError:
    found = _PLACE.search(said)
    line = 0 if found is None else int(found[1])
    what, hint = _meant(said, text.splitlines(), line)
    where = "" if found is None else f", at column {found[2]}"
    return ConfigError(f"is not valid TOML: {what}{where}", file=f"{path}:{line}" if line else str(path), hint=hint)


def _meant(said: str, lines: list[str], line: int) -> tuple[str, str | None]:
    """Return what is wrong, and what mends it."""
    if line and lines[line - 1].startswith(("<<<<<<<", "=======", ">>>>>>>")):
        return "a merge is not settled here", "keep one of the two sides"
    if (twice := _TWICE.match(said)) is not None:
        name = "[" + ".".join(_NAMES.findall(twice[1])) + "]"
        first = next((n for n, one in enumerate(lines, 1) if one.strip().startswith(name)), None)
        before = "" if first in {None, line} else f", first in line {first}"
        return f"the table {name} is there twice{before}", f"put the keys of both under one {name}"
    if said.endswith("(at end of document)"):
        return "it ends in the middle of a list or a text", "close the last one, with ] or a quote"
    known = next((help_ for part, help_ in _HELP.items() if said.startswith(part)), None)
    return known or (_PLACE.sub("", " ".join(said.split())), None)

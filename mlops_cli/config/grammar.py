"""Says in plain words why Hydra's parser cannot read an override, and how to write it.

The parser's own messages list its tokens. What is usually wrong, a blank, a comma, a bracket or a character that needs
quotes, is seen in the text itself; only what the text does not show is taken from the parser.
"""

from __future__ import annotations

import re
import shlex

from mlops_cli.errors import did_you_mean

FUNCTIONS = ("bool", "choice", "float", "glob", "int", "interval", "json_str", "range", "shuffle", "sort", "str", "tag")
"""The functions of Hydra's grammar."""

_KEY = re.compile(r"[~+]{0,2}[A-Za-z_$][\w$-]*(?:[./@:][\w$-]+)*", re.ASCII)
_BARE = re.compile(r"[A-Za-z0-9_/\\.+$%*@?|:,\s(){}\[\]'\"-]", re.ASCII)
_ESCAPED = re.compile(r"\\[\\()\[\]{}:=, \t]")
_QUOTED = re.compile(r"""'(?:\\'|[^'])*'|"(?:\\"|[^"])*\"""")
_EVALUATING = re.compile(r"^\w+ while evaluating '(.*)': (.*)$")
_USAGE = {
    "choice": "choice(a, b)",
    "interval": "interval(0.1, 10)",
    "range": "range(1, 10, 3)",
    "tag": "tag(log, interval(0.1, 10))",
}
_LONGEST = 60
_UNKNOWN_FUNCTION = re.compile(r"Unknown function '(\w+)'")
_TOKENS = re.compile(r"mismatched input|extraneous input|no viable alternative|NoViableAlt|token recognition|expecting")
_PAIRS = {"]": "[", "}": "{", ")": "("}
_BLANKS = "write {key}=1,2 without blanks around the commas, or quote the whole: '{key}=1, 2'"


def explain(text: str, error: Exception) -> tuple[str, str]:
    """Return what is wrong with an override, and what mends it.

    Parameters
    ----------
    text : str
        The override.
    error : Exception
        What the parser raised.

    Examples
    --------
    >>> reason, hint = explain("data.read.sep=;", ValueError())
    >>> print(reason, "-", hint)
    ';' needs quotes - quote the value as 'data.read.sep=";"'
    """
    key, equals, value = text.partition("=")
    if not _KEY.fullmatch(key):
        return _about_key(key, value if equals else None)
    if found := _about_value(key, value):
        return found
    return _about_parser(key, value, str(error))


def needs_comma_hint(text: str) -> str | None:
    """Return the hint for a piece such as ``1,`` of a sweep that the shell has cut at a blank; None for others."""
    return _BLANKS.format(key="KEY") if text.startswith(",") or text.endswith(",") else None


def _about_key(key: str, value: str | None) -> tuple[str, str]:
    if key != key.strip() and value is not None and _KEY.fullmatch(key.strip()):
        return "there is a blank before the '='", f"write '{key.strip()}={value.strip()}'"
    return f"{key!a} is not a key", "a key is names with dots between, such as model.C; a list is set as a whole"


def _about_value(key: str, value: str) -> tuple[str, str] | None:
    bare = _QUOTED.sub("Q", _ESCAPED.sub("E", value))
    if value.strip() == ",":
        return "',' needs quotes", _quoted(key, value)
    special = next((c for c in bare if not _BARE.match(c) or c in "\n\r"), None)
    if special is not None:
        held = f"quote a text that holds it, as in '{key}=\"a{special}b\"'"
        in_parts = special.isprintable() and re.search(r"[\[{(,]", bare)
        return f"{special!r} needs quotes", held if in_parts else _quoted(key, value)
    if left := next((c for c in bare if c in "'\""), None):
        return f"the quote {left} is not closed", _quoted(key, value, begin="close it, or quote the value as")
    if bracket := _unpaired(bare):
        verb = "closed" if bracket in _PAIRS.values() else "opened"
        return f"the {bracket} is not {verb}", _quoted(
            key, value, begin="complete it, or quote a text that holds it as"
        )
    return _about_commas(key, bare)


def _quoted(key: str, value: str, *, begin: str = "quote the value as") -> str:
    inner = value.strip().replace('"', r"\"")
    whole = f'{key}="{inner}"' if inner.isprintable() and len(inner) <= _LONGEST else f'{key}="a b"'
    return f"{begin} {shlex.quote(whole)}"


def _unpaired(bare: str) -> str | None:
    """Return the first bracket that has no other half."""
    open_ones: list[str] = []
    for character in bare:
        if character in _PAIRS.values():
            open_ones.append(character)
        elif character in _PAIRS and (not open_ones or open_ones.pop() != _PAIRS[character]):
            return character
    return open_ones[0] if open_ones else None


def _about_commas(key: str, bare: str) -> tuple[str, str] | None:
    inner = re.search(r"[\[{(]\s*,|,\s*,|,\s*[\]})]", bare)
    if bare.rstrip().endswith(","):
        return "it ends in a comma", _BLANKS.format(key=key)
    if bare.lstrip().startswith(","):
        return "it begins with a comma", _BLANKS.format(key=key)
    return ("there is nothing between two commas, or beside one", "take the comma out") if inner else None


def _about_parser(key: str, value: str, error: str) -> tuple[str, str]:
    lines = [line.strip() for line in error.splitlines() if line.strip(" ^")]
    detail = next((x for x in lines if not x.startswith(("Error parsing", "Error when parsing", "See http"))), "")
    if function := _UNKNOWN_FUNCTION.search(detail):
        return f"there is no function {function[1]!r}", did_you_mean(function[1], FUNCTIONS)
    if match := _EVALUATING.match(detail):
        usage = _USAGE.get(match[1].partition("(")[0])
        return f"{match[1]}: {match[2]}", f"write for example {usage}" if usage else _meant_as_text(key, value)
    if not detail or _TOKENS.search(detail):
        return "it is not in the grammar of overrides", _meant_as_text(key, value)
    return detail, _meant_as_text(key, value)


def _meant_as_text(key: str, value: str) -> str:
    return _quoted(key, value, begin="if text is meant, quote it as")

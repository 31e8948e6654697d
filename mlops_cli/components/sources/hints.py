"""What mends a thing, as it is written where the reader can write it: in YAML, below another key, on a command line."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def flow(value: Any) -> str:
    """Return a value as YAML in one line; ``...`` stands for what is left to the reader.

    Examples
    --------
    >>> flow({"sex": ["", "NA"], "body mass": [1.5, "don't"]})
    "{sex: ['', 'NA'], 'body mass': [1.5, 'don''t']}"
    """
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_key(k)}: {flow(v)}' for k, v in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(flow, value))}]"
    if value is ...:
        return "..."
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return _quoted(value) if isinstance(value, str) else str(value)


def _key(name: Any) -> str:
    return _word(str(name))


def _word(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else _quoted(text)


def _quoted(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


_OPTIONS = r"read(?:\.\w+)?|short_rows|member|encoding|table|query|params"
_SEGMENT = re.compile(rf"`data\.(?P<key>{_OPTIONS})(?:: (?P<value>[^`]*))?`")


def below(text: str, key: str) -> str:
    """Return a text whose hints on reading are those of a source inside another, such as ``data.right``.

    Examples
    --------
    >>> below("try `data.read.sep: ';'`", "data.right")
    "try `data.right: {path: …, read: {sep: ';'}}`"
    """

    def moved(found: re.Match[str]) -> str:
        first, _, option = found["key"].partition(".")
        value = "…" if found["value"] is None else found["value"]
        return f"`{key}: {{path: …, {first}: {f'{{{option}: {value}}}' if option else value}}}`"

    return _SEGMENT.sub(moved, text)


def as_options(text: str) -> str:
    """Return a text whose hints on reading are options of a command: ``--read`` and ``--as``.

    Examples
    --------
    >>> print(as_options("`data.read.sep: ';'`, or `data.read: {decimal: ',', na_values: ['']}`; or `data: excel`"))
    `--read 'sep=;'`, or `--read decimal=, --read "na_values=['']"`; or `--as excel`
    """

    def typed(found: re.Match[str]) -> str:
        first, _, option = found["key"].partition(".")
        if found["value"] is None:
            name = option or first.replace("read", "")
            return f"`--read {name or '…'}{'=…' if name else ''}`"
        pairs = {option or first: found["value"]} if option or first != "read" else _parted(found["value"])
        options = (_shell(f"{name}={_bare(value)}") for name, value in pairs.items())
        return f"`{' '.join(f'--read {option}' for option in options)}`"

    return re.sub(r"`data: (\w+)`", r"`--as \1`", _SEGMENT.sub(typed, text))


def _parted(mapping: str) -> dict[str, str]:
    """Return the keys of a flow mapping with their values as they are written."""
    import yaml

    node: Any = yaml.compose(mapping, Loader=yaml.SafeLoader)
    return {k.value: mapping[v.start_mark.index : v.end_mark.index] for k, v in node.value}


def _bare(value: str) -> str:
    """Return a value without the quotes that YAML needs around a mark such as ``;``, and a shell option does not."""
    return value[1:-1] if re.fullmatch(r"'[^'\w]{1,3}'|\"\\?\S{1,2}\"|'\\s\+'", value) else value


def _shell(text: str) -> str:
    """Return a word as a shell takes it; double quotes read better around single ones than ``shlex`` has it."""
    return f'"{text}"' if "'" in text and not re.search(r'["$`\\]', text) else shlex.quote(text)

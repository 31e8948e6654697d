"""Reads YAML as text and refuses what is dangerous or means something else than it seems, before it is parsed.

A config is input from outside: tags that build Python objects, aliases that unfold to millions of nodes and nesting
that exhausts the stack are refused, and so are plain words that YAML 1.1 turns into something else (``NO`` is false,
``012`` is ten, ``1:30`` is ninety). The check walks the parser's events, so its cost is that of the text, not of what
the text unfolds to. It knows nothing of Hydra or of what the keys mean.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_BYTES = 5_000_000
MAX_NODES = 100_000  # after aliases are unfolded
MAX_DEPTH = 50
MAX_DIGITS = 300

_TAG = "tag:yaml.org,2002:"
_TAGS = frozenset(_TAG + name for name in ("str", "int", "float", "bool", "null", "seq", "map"))
_BOOLEAN_WORD = re.compile(r"yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF")  # y and n are plain text to the parser
_TRUTHY = frozenset({"yes", "on"})
_LEADING_ZERO = re.compile(r"[-+]?0[0-9_]+")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")
_UNDERSCORED = re.compile(r"[-+]?[0-9]+(_[0-9]*)+")
_THOUSANDS = re.compile(r"[-+]?[0-9]{1,3}(_[0-9]{3})+")
_NUMBER = re.compile(r"[-+]?[0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?|[-+]?\.[0-9][0-9_]*([eE][-+]?[0-9]+)?")
_MENDS = {"mapping values are not allowed in this context": "quote a text that has a colon: 'Ours: all of it'"}
_RADIX = re.compile(r"[-+]?0[xb][0-9a-fA-F_]+")


def read_text(path: Path, shown: str, *, allow_empty: bool = False) -> str:
    """Return the text of a YAML file that is safe to parse.

    Parameters
    ----------
    path : Path
        The file.
    shown : str
        How messages call it.
    allow_empty : bool
        Whether a file without content is fine.

    Raises
    ------
    ConfigError
        The file cannot be read, is not UTF-8, or holds something that `check_text` refuses.
    """
    text = _decode(_read_bytes(path, shown), shown)
    if not check_text(text, shown) and not allow_empty:
        raise ConfigError("the file is empty", file=shown, hint="see `mlops init` for an experiment to begin with")
    return text


def _read_bytes(path: Path, shown: str) -> bytes:
    if path.is_dir():
        raise ConfigError("is a folder, not a YAML file", file=shown)
    try:
        if not path.is_file():
            raise ConfigError("there is no such file" if not path.exists() else "is not a plain file", file=shown)
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"is larger than {MAX_BYTES:,} bytes", file=shown)
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=shown) from None


def _decode(data: bytes, shown: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError("is not UTF-8", file=f"{shown}:{line}", hint="save it as UTF-8") from None
    if "\0" in text:
        raise ConfigError("holds a NUL character", file=f"{shown}:{_line_of(text, text.index(chr(0)))}")
    return text


def _line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def check_text(text: str, shown: str) -> bool:
    """Refuse YAML text that is dangerous or ambiguous.

    Returns
    -------
    bool
        Whether there is any content.

    Raises
    ------
    ConfigError
        With the file and line of what is refused, and the mend.
    """
    import yaml

    walk = _Walk(shown)
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            walk.take(event)
    except yaml.YAMLError as error:
        raise _syntax_error(error, text, shown) from None
    return walk.documents > 0


def _syntax_error(error: Any, text: str, shown: str) -> ConfigError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    message = f"is not valid YAML: {' '.join(problem.split())}"
    if mark is None:
        return ConfigError(message, file=shown)
    lines = text.splitlines()
    indent = re.match(r"\s*", lines[mark.line]) if mark.line < len(lines) else None
    hint = "indent with spaces, not tabs" if indent and "\t" in indent.group() else _MENDS.get(problem)
    return ConfigError(f"{message}, at column {mark.column + 1}", file=f"{shown}:{mark.line + 1}", hint=hint)


@dataclass
class _Level:
    """An open mapping or list."""

    is_mapping: bool
    anchor: str | None
    line: int
    size: int = 1
    height: int = 1
    items: int = 0  # in a mapping keys and values alternate
    keys: set[str] = field(default_factory=set)

    @property
    def awaits_key(self) -> bool:
        return self.is_mapping and self.items % 2 == 0


class _Walk:
    """Goes through the parser's events once and knows how large and deep the unfolded document would be."""

    def __init__(self, shown: str) -> None:
        self.shown = shown
        self.documents = 0
        self._open: list[_Level] = []
        self._anchors: dict[str, tuple[int, int]] = {}  # the unfolded size and height of what is anchored
        self._pending: set[str] = set()

    def take(self, event: Any) -> None:
        """Check one event."""
        handler = getattr(self, "_" + type(event).__name__, None)
        if handler is not None:
            handler(event, event.start_mark.line + 1)

    def _refuse(self, line: int, message: str, hint: str | None = None) -> ConfigError:
        return ConfigError(message, file=f"{self.shown}:{line}", hint=hint)

    def _DocumentStartEvent(self, _event: Any, line: int) -> None:  # noqa: N802 - named after PyYAML's events
        if self.documents:
            raise self._refuse(line, "holds a second document", "one file is one config: remove the '---'")

    def _ScalarEvent(self, event: Any, line: int) -> None:  # noqa: N802
        if event.value or not event.implicit[0] or self._open:
            self.documents = 1
        self._check_tag(event, line)
        if "\0" in event.value:
            raise self._refuse(line, "holds a NUL character")
        typed = event.implicit[0] or (event.tag or "").startswith((_TAG + "int", _TAG + "float"))
        if typed:
            self._check_number(event.value, line)
        if event.implicit[0]:
            self._check_plain(event.value, line)
        self._check_key(event.value, line)
        self._add(1, 0, event.anchor, line)

    def _AliasEvent(self, event: Any, line: int) -> None:  # noqa: N802
        if event.anchor in self._pending:
            raise self._refuse(line, f"the alias *{event.anchor} holds itself")
        if event.anchor not in self._anchors:
            raise self._refuse(line, f"the alias *{event.anchor} has no anchor before it")
        if self._open and self._open[-1].awaits_key:
            raise self._refuse(line, "a key must be a plain name, not an alias")
        self._add(*self._anchors[event.anchor], None, line)

    def _MappingStartEvent(self, event: Any, line: int) -> None:  # noqa: N802
        self._begin(event, line, is_mapping=True)

    def _SequenceStartEvent(self, event: Any, line: int) -> None:  # noqa: N802
        self._begin(event, line, is_mapping=False)

    def _MappingEndEvent(self, _event: Any, _line: int) -> None:  # noqa: N802
        self._end()

    _SequenceEndEvent = _MappingEndEvent

    def _begin(self, event: Any, line: int, *, is_mapping: bool) -> None:
        self.documents = 1
        self._check_tag(event, line)
        if self._open and self._open[-1].awaits_key:
            raise self._refuse(line, "a key must be a plain name", "quote it if it is text, such as '{{ name }}'")
        if len(self._open) >= MAX_DEPTH:
            raise self._refuse(line, f"is nested more than {MAX_DEPTH} levels deep")
        if event.anchor:
            self._pending.add(event.anchor)
        self._open.append(_Level(is_mapping, event.anchor, line))

    def _end(self) -> None:
        level = self._open.pop()
        self._pending.discard(level.anchor or "")
        self._add(level.size, level.height, level.anchor, level.line)

    def _add(self, size: int, height: int, anchor: str | None, line: int) -> None:
        """Count a finished node in its parent."""
        if anchor:
            self._anchors[anchor] = (size, height)
        if len(self._open) + height > MAX_DEPTH:
            raise self._refuse(line, f"is nested more than {MAX_DEPTH} levels deep")
        if not self._open:
            return
        parent = self._open[-1]
        parent.size += size
        parent.height = max(parent.height, height + 1)
        parent.items += 1
        if parent.size > MAX_NODES:
            raise self._refuse(line, f"unfolds to more than {MAX_NODES:,} values")

    def _check_tag(self, event: Any, line: int) -> None:
        tag = event.tag
        if tag is not None and tag not in _TAGS and tag != "!":
            shown = tag.replace(_TAG, "!!")[:80]
            raise self._refuse(line, f"the tag {ascii(shown)[1:-1]} is not allowed", "remove the tag")

    def _check_key(self, value: str, line: int) -> None:
        if not (self._open and self._open[-1].awaits_key):
            return
        if value in self._open[-1].keys:
            raise self._refuse(line, f"the key {value!r} appears twice in one mapping", "keep one of them")
        self._open[-1].keys.add(value)

    def _check_number(self, value: str, line: int) -> None:
        if len(value) > MAX_DIGITS and (_NUMBER.fullmatch(value) or _is_odd_number(value)):
            raise self._refuse(
                line, f"a number with more than {MAX_DIGITS} digits: {value[:12]}…", "quote it if it is text"
            )
        if _NUMBER.fullmatch(value) and overflows(value):
            raise self._refuse(line, f"{value} is too large for a number", "write .inf if infinity is meant")

    def _check_plain(self, value: str, line: int) -> None:
        mend = _ambiguity(value)
        if mend:
            meant, hint = mend
            raise self._refuse(line, f"YAML reads {value} as {meant}", hint)


def overflows(number: str) -> bool:
    """Whether the text of a finite number becomes infinite as a float.

    Examples
    --------
    >>> overflows("1e999"), overflows("1e99")
    (True, False)
    """
    digits = number.replace("_", "")
    return ("e" in digits or "E" in digits or "." in digits) and float(digits) in {float("inf"), float("-inf")}


def _is_odd_number(value: str) -> bool:
    return any(p.fullmatch(value) for p in (_LEADING_ZERO, _SEXAGESIMAL, _RADIX))


def _ambiguity(value: str) -> tuple[str, str] | None:
    """Return what YAML 1.1 makes of a plain word that reads as something else, and the mend."""
    quote = f"quote it: '{value}'"
    if _BOOLEAN_WORD.fullmatch(value):
        meant = "true" if value.lower() in _TRUTHY else "false"
        return meant, f"{quote}, or write {meant}"
    if _LEADING_ZERO.fullmatch(value):
        return "an octal number or text", f"{quote}, or write the number without the leading zero"
    if _SEXAGESIMAL.fullmatch(value):
        return "a number to base 60", quote
    if _UNDERSCORED.fullmatch(value) and not _THOUSANDS.fullmatch(value):
        return "a number without its underscores", quote
    return None


def line_numbers(text: str) -> Iterator[tuple[tuple[str, ...], int]]:
    r"""Yield each key of a checked YAML text, as the parts of its path, with its line number.

    Examples
    --------
    >>> dict(line_numbers("model:\n  C: 1\n"))
    {('model',): 1, ('model', 'C'): 2}
    """
    import yaml

    root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    todo: list[tuple[tuple[str, ...], Any]] = [((), root)]
    while todo:
        path, node = todo.pop()
        if not isinstance(node, yaml.MappingNode):
            continue
        for key, value in node.value:
            yield (*path, str(key.value)), key.start_mark.line + 1
            todo.append(((*path, str(key.value)), value))

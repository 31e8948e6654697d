"""The language of ``--where``: text to a tree of comparisons. Knows neither which fields there are nor SQL.

::

    any   := all ("or" all)*
    all   := one ("and" one)*
    one   := "not" one | "(" any ")" | comparison
    comparison := field op value | value op field [op value] | field ["not"] "in" "(" value ("," value)* ")"
    op    := = == != < <= > >= ~
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlops_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_COMPARISONS = 200
MAX_DEPTH = 50
_AROUND = 60  # characters of a filter that an error shows on each side

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    | (?P<quoted>'(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*")
    | (?P<ticked>`[^`]+`)
    | (?P<op><=|>=|==|!=|<>|[=<>~])
    | (?P<mark>[(),])
    | (?P<word>[^\s'"`=<>!~(),]+)""",
    re.VERBOSE | re.DOTALL,
)
_ORDER = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "=", "!=": "!="}
_SPELLED = {"==": "=", "<>": "!="}
_RESERVED = {"and", "or", "not", "in"}
_VALUE_FIRST = re.compile(r"[+-]?\.?\d")
_OPERATORS = "= != < <= > >= ~ or in"


@dataclass(frozen=True)
class Value:
    """A value as it was typed; what it is depends on what it is compared with."""

    text: str
    quoted: bool
    place: int


@dataclass(frozen=True)
class Test:
    """One half of a comparison."""

    __test__ = False  # nothing for pytest

    op: str
    value: Value


@dataclass(frozen=True)
class Comparison:
    """A field against one value, an interval, or any of a list."""

    name: str
    place: int
    tests: tuple[Test, ...]
    is_any: bool = False  # one test is enough


@dataclass(frozen=True)
class Not:
    """What does not hold."""

    inner: Node


@dataclass(frozen=True)
class Joined:
    """Several that hold together, or of which one does."""

    word: str  # and, or
    parts: tuple[Node, ...]


Node = Comparison | Not | Joined


def wrong(text: str, place: int, what: str, hint: str | None = None) -> UsageError:
    """Return the error for something in a filter, with its place marked by an arrow."""
    before = text[:place] if place <= _AROUND else f"…{text[place - _AROUND : place]}"
    after = text[place:] if len(text) - place <= _AROUND else f"{text[place : place + _AROUND]}…"
    return UsageError(f"where: {what}, at the arrow: {before}-->{after}", hint=hint)


def parse(text: str) -> Node:
    """Return what a filter says.

    Raises
    ------
    UsageError
        It is not in the language; the message marks the place.

    Examples
    --------
    >>> parse("score > 0.8").tests[0].op
    '>'
    """
    parser = _Parser(text, _tokens(text))
    found = parser.any_of()
    if parser.kind != "end":
        raise parser.expected("'and', 'or' or the end")
    return found


@dataclass(frozen=True)
class _Token:
    kind: str  # quoted, ticked, op, mark, word, reserved, end
    text: str
    place: int


def _tokens(text: str) -> list[_Token]:
    found, place = [], 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise _untokenised(text, place)
        if match.lastgroup != "space":
            found.append(_token(str(match.lastgroup), match[0], place))
        place = match.end()
    return [*found, _Token("end", "", len(text))]


def _untokenised(text: str, place: int) -> UsageError:
    if text[place] in "'\"`":
        return wrong(text, place, "a quote that is never closed")
    return wrong(text, place, f"{text[place]!r} means nothing here", f"operators: {_OPERATORS}")


def _token(kind: str, text: str, place: int) -> _Token:
    if kind == "quoted":
        return _Token(kind, re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL), place)
    if kind == "ticked":
        return _Token(kind, text[1:-1], place)
    if kind == "op":
        return _Token(kind, _SPELLED.get(text, text), place)
    if kind == "word" and text.lower() in _RESERVED:
        return _Token("reserved", text.lower(), place)
    return _Token(kind, text, place)


@dataclass
class _Parser:
    """Goes through the tokens once, from left to right."""

    text: str
    tokens: list[_Token]
    at: int = 0
    depth: int = field(default=0)
    comparisons: int = field(default=0)

    @property
    def token(self) -> _Token:
        return self.tokens[self.at]

    @property
    def kind(self) -> str:
        return self.token.kind

    def next(self) -> _Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def takes(self, *texts: str) -> bool:
        """Go past the reserved words or marks, if they come next."""
        ahead = self.tokens[self.at : self.at + len(texts)]
        if [t.text for t in ahead] != list(texts) or any(t.kind not in {"reserved", "mark"} for t in ahead):
            return False
        self.at += len(texts)
        return True

    def expected(self, what: str, hint: str | None = None) -> UsageError:
        found = f"'{self.token.text}'" if self.kind != "end" else "the end"
        return wrong(self.text, self.token.place, f"{what} was expected, found {found}", hint)

    # --- the grammar

    def any_of(self) -> Node:
        return self._joined("or", self._all_of)

    def _all_of(self) -> Node:
        return self._joined("and", self._one)

    def _joined(self, word: str, part: Callable[[], Node]) -> Node:
        parts = [part()]
        while self.takes(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Joined(word, tuple(parts))

    def _one(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise wrong(self.text, self.token.place, f"more than {MAX_DEPTH} levels of 'not' and parentheses")
        found = self._nested()
        self.depth -= 1
        return found

    def _nested(self) -> Node:
        if self.takes("not"):
            return Not(self._one())
        if not self.takes("("):
            return self._comparison()
        found = self.any_of()
        if not self.takes(")"):
            raise self.expected("')'")
        return found

    def _comparison(self) -> Node:
        is_value = self.kind == "quoted" or (self.kind == "word" and _VALUE_FIRST.match(self.token.text))
        return self._value_first() if is_value else self._field_first()

    def _field_first(self) -> Node:
        name = self._field()
        if self.takes("not", "in"):
            return Not(self._list(name))
        if self.takes("in"):
            return self._list(name)
        test = Test(self._op(), self._value())
        if self.kind == "op":
            raise wrong(self.text, self.token.place, "a second comparison", "an interval is 0.1 < FIELD <= 1")
        return Comparison(name.text, name.place, (test,))

    def _value_first(self) -> Node:
        value, place = self._value(), self.token.place
        op = self._op()
        if op not in _ORDER:
            raise wrong(self.text, place, f"'{op}' takes the field first")
        name = self._field()
        tests = [Test(_ORDER[op], value)]
        if self.kind == "op":
            tests.append(Test(self._op(), self._value()))
        return Comparison(name.text, name.place, tuple(tests))

    def _list(self, name: _Token) -> Comparison:
        if not self.takes("("):
            raise self.expected("'('", f"{name.text} in (a, b)")
        tests = [Test("=", self._value())]
        while self.takes(","):
            tests.append(Test("=", self._value()))
        if not self.takes(")"):
            raise self.expected("',' or ')'")
        return Comparison(name.text, name.place, tuple(tests), is_any=True)

    def _field(self) -> _Token:
        if self.kind not in {"word", "ticked"}:
            raise self.expected("a field", 'such as status, score, metrics.NAME, params.KEY: "score > 0.8"')
        return self.next()

    def _op(self) -> str:
        if self.kind != "op":
            raise self.expected("an operator", f"one of: {_OPERATORS} (…)")
        return self.next().text

    def _value(self) -> Value:
        self.comparisons += 1
        if self.comparisons > MAX_COMPARISONS:
            raise wrong(self.text, self.token.place, f"more than {MAX_COMPARISONS} comparisons")
        if self.kind not in {"word", "quoted"}:
            raise self.expected("a value", "text with blanks or signs goes in quotes")
        token = self.next()
        return Value(token.text, token.kind == "quoted", token.place)

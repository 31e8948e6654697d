"""The constraint of a sweep: a boolean expression over the keys of a point, such as ``model.C <= 10``.

It is read as Python's grammar and computed here, node by node: nothing of it is ever run as code. Only what is listed
below is understood, and every number and text in it stays small.

A key that is null has no order and no size. What is compared with it is unknown, and an unknown decides nothing:
``model.max_depth <= 8 or model.max_depth is None`` is true where ``model.max_depth`` is null. Where the answer hangs on
an unknown, that is an error.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    Lookup = Callable[[str], Any]

KEY = "sweep.constraint"
ALLOWED = (
    "allowed: keys such as model.C, numbers, texts in quotes, True, False, None, lists, and, or, not, "
    "==, !=, <, <=, >, >=, in, not in, is, is not, +, -, *, /, //, %, **, abs, min, max, len"
)

_LONGEST = 2_000
_DEEPEST = 40
_LARGEST = 2**1024  # what a float can hold, nearly; greater whole numbers are slow to compute with
_WORDS = {"true": True, "false": False, "null": None}  # as YAML writes them
_FUNCTIONS: dict[str, Callable[..., Any]] = {"abs": abs, "min": min, "max": max, "len": len}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_ORDER: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_WHOLE_NUMBER = re.compile(r"[0-9][0-9_]{300,}")


class _UnknownError(ConfigError):
    """A part has no value at this point, since a key in it is null."""


@dataclass(frozen=True)
class Constraint:
    """A boolean expression over the keys of a config.

    Parameters
    ----------
    text : str
        As the config says it.
    names : tuple of str
        The dotted keys in it, in the order in which they come.

    Examples
    --------
    >>> small = Constraint.parse("model.depth is None or model.depth * model.leaves <= 64")
    >>> small.names
    ('model.depth', 'model.leaves')
    >>> small.holds({"model.depth": 4, "model.leaves": 16}.__getitem__)
    True
    """

    text: str
    names: tuple[str, ...]
    _tree: ast.expr

    @classmethod
    def parse(cls, text: str) -> Constraint:
        """Read a constraint.

        Raises
        ------
        ConfigError
            With key ``sweep.constraint``: what cannot be read, and what is allowed.
        """
        _check_text(text)
        try:
            tree = ast.parse(" ".join(text.split("\n")).strip(), mode="eval").body
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            told = error.msg if isinstance(error, SyntaxError) else str(error)
            raise _error(f"cannot be read: {told}", ALLOWED) from None
        names: dict[str, None] = {}
        _check(tree, names, 0)
        return cls(text, tuple(names), tree)

    def holds(self, lookup: Lookup) -> bool:
        """Whether a point may be tried.

        Parameters
        ----------
        lookup : callable
            Returns the value of a dotted key; what it raises is passed on.

        Raises
        ------
        ConfigError
            The constraint has no answer here: it compares null, divides by 0, or gives no truth value.
        """
        return _truth(self._tree, lookup)


# --- what may be said ----------------------------------------------------------------------------------------------


def _error(message: str, hint: str | None = None) -> ConfigError:
    return ConfigError(message, key=KEY, hint=hint)


def _check_text(text: str) -> None:
    depth = deepest = 0
    for character in text[: _LONGEST + 1]:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    if len(text) > _LONGEST or deepest > _DEEPEST:
        raise _error("is too long or too deeply nested", f"at most {_LONGEST:,} characters, {_DEEPEST} brackets deep")
    if "\0" in text or _WHOLE_NUMBER.search(text):
        raise _error("cannot be read: a NUL character or a number with more than 300 digits", ALLOWED)


def _check(node: ast.expr, names: dict[str, None], depth: int) -> None:
    """Refuse what is not allowed, and collect the keys."""
    if depth > _DEEPEST:
        raise _error("is too deeply nested", f"at most {_DEEPEST} deep")
    key = _key(node)
    if key is not None:
        names.setdefault(key)
        return
    for part in _parts(node):
        _check(part, names, depth + 1)


def _parts(node: ast.expr) -> Sequence[ast.expr]:
    """Return the parts of an allowed node."""
    match node:
        case ast.Constant(value=str() | bool() | int() | float() | None) | ast.Name():
            return ()
        case ast.Compare(left=left, comparators=others):
            return [left, *others]
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            return [left, right]
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.UAdd(), operand=operand):
            return [operand]
        case ast.BoolOp(values=parts) | ast.List(elts=parts) | ast.Tuple(elts=parts) if not _stars(parts):
            return parts
        case ast.Call(func=ast.Name(id=name), args=parts, keywords=[]) if name in _FUNCTIONS and parts:
            return parts
    raise _error(f"found {_shown(node)}, which is not understood here", ALLOWED)


def _stars(parts: Sequence[ast.expr]) -> bool:
    return any(isinstance(part, ast.Starred) for part in parts)


def _shown(node: ast.AST) -> str:
    text = ast.unparse(node)
    return repr(text if len(text) <= 60 else f"{text[:57]}…")


def _key(node: ast.expr) -> str | None:
    """Return the dotted key that a node names; None where it names none."""
    parts: list[str] = []
    inner = node
    while isinstance(inner, ast.Attribute):
        parts.append(inner.attr)
        inner = inner.value
    if not isinstance(inner, ast.Name) or (not parts and inner.id in _WORDS):
        return None
    parts.append(inner.id)
    if any(part.startswith("__") for part in parts):
        raise _error(f"found {_shown(node)}, which is no key of a config", ALLOWED)
    return ".".join(reversed(parts))


# --- what it says at a point ---------------------------------------------------------------------------------------


def _truth(node: ast.expr, lookup: Lookup) -> bool:
    value = _value(node, lookup)
    if not isinstance(value, bool):
        hint = "compare it, such as model.max_depth <= 8 or model.max_depth is None"
        raise _error(f"{_shown(node)} is {value!r:.60} here, must be true or false", hint)
    return value


def _value(node: ast.expr, lookup: Lookup) -> Any:  # noqa: PLR0911 - one for each form
    key = _key(node)
    if key is not None:
        return lookup(key)
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=word):
            return _WORDS[word]
        case ast.BoolOp(op=op, values=values):
            return _joined(values, lookup, decisive=isinstance(op, ast.Or))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _truth(operand, lookup)
        case ast.Compare():
            return _compared(node, lookup)
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_value(item, lookup) for item in items]
    return _number(node, lookup)


def _joined(values: Sequence[ast.expr], lookup: Lookup, *, decisive: bool) -> bool:
    """Return ``or`` where True decides, ``and`` where False does, whatever is unknown beside it."""
    unknown: _UnknownError | None = None
    for value in values:
        try:
            if _truth(value, lookup) is decisive:
                return decisive
        except _UnknownError as error:
            unknown = unknown or error
    if unknown is not None:
        raise unknown
    return not decisive


def _compared(node: ast.Compare, lookup: Lookup) -> bool:
    """Return a comparison, chained or not."""
    unknown: _UnknownError | None = None
    left = node.left
    for op, right in zip(node.ops, node.comparators, strict=True):
        try:
            if not _holds(op, (left, right), node, lookup):
                return False
        except _UnknownError as error:
            unknown = unknown or error
        left = right
    if unknown is not None:
        raise unknown
    return True


def _holds(op: ast.cmpop, sides: tuple[ast.expr, ast.expr], node: ast.expr, lookup: Lookup) -> bool:
    a, b = (_value(side, lookup) for side in sides)
    match op:
        case ast.Eq() | ast.NotEq():
            return bool((a == b) is isinstance(op, ast.Eq))
        case ast.Is() | ast.IsNot():
            if not (b is None or isinstance(b, bool)):
                raise _error(f"{_shown(node)}: is asks for None, True or False", "write == or !=")
            return bool((a is b) is isinstance(op, ast.Is))
        case ast.In() | ast.NotIn():
            return _contains(a, b, node) is isinstance(op, ast.In)
    _require_known(zip(sides, (a, b), strict=True), node)
    return bool(_tried(_ORDER[type(op)], (a, b), node))


def _contains(a: Any, b: Any, node: ast.expr) -> bool:
    if isinstance(b, str) and isinstance(a, str):
        return a in b
    if not isinstance(b, Sequence) or isinstance(b, str):
        raise _error(f"{_shown(node)}: {b!r:.60} is no list", "write model.kernel in ['rbf', 'poly']")
    return any(a == item and isinstance(a, bool) == isinstance(item, bool) for item in b)


def _number(node: ast.expr, lookup: Lookup) -> Any:
    """Return what arithmetic or a function gives."""
    parts = _parts(node)
    values = [_value(part, lookup) for part in parts]
    _require_known(zip(parts, values, strict=True), node)
    match node:
        case ast.Call(func=ast.Name(id="len")):
            return _tried(len, values, node)
        case ast.Call(func=ast.Name(id=name)):
            return _tried(_FUNCTIONS[name], _numbers(_spread(values), node), node)
        case ast.UnaryOp(op=op):
            (value,) = _numbers(values, node)
            return -value if isinstance(op, ast.USub) else value
        case ast.BinOp(op=op):
            a, b = _numbers(values, node)
            _check_power(op, a, b, node)
            return _small(_tried(_ARITHMETIC[type(op)], (a, b), node), node)
    raise AssertionError(ast.dump(node))  # _parts has refused it


def _spread(values: list[Any]) -> list[Any]:
    """Return the items of a single list: ``max([1, 2])`` says the same as ``max(1, 2)``."""
    return values[0] if len(values) == 1 and isinstance(values[0], list) else values


def _require_known(parts: Any, node: ast.expr) -> None:
    for part, value in parts:
        if value is None:
            name = _key(part) or "None"
            message = f"{_shown(node)} has no answer where {name} is null"
            raise _UnknownError(message, key=KEY, hint=f"add `or {name} is None`, or `and {name} is not None`")


def _numbers(values: Sequence[Any], node: ast.expr) -> Sequence[Any]:
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _error(f"{_shown(node)}: {value!r:.60} is no number", "only numbers can be computed with")
        _small(value, node)
    return values


def _check_power(op: ast.operator, a: Any, b: Any, node: ast.expr) -> None:
    """Refuse a whole number that would take long to compute, before it is."""
    if isinstance(op, ast.Pow) and isinstance(a, int) and isinstance(b, int) and abs(a).bit_length() * abs(b) > 1024:
        raise _error(f"{_shown(node)} is too large a number", "compare smaller powers")


def _small(value: Any, node: ast.expr) -> Any:
    if isinstance(value, complex):
        raise _error(f"{_shown(node)} is not a real number", "take powers of numbers above 0")
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise _error(f"{_shown(node)} is too large a number", "compare smaller numbers")
    return value


def _tried(function: Callable[..., Any], values: Sequence[Any], node: ast.expr) -> Any:
    try:
        return function(*values)
    except (TypeError, ValueError, ArithmeticError) as error:
        raise _error(f"{_shown(node)} cannot be computed here: {error}", ALLOWED) from None

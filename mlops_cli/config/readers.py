"""Small readers of single config values: each returns the value in the type that it must have, or one clear error.

They know types, not experiments; `schema` puts them together.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from datetime import date
from itertools import islice
from typing import Any, TypeGuard

from mlops_cli.errors import ConfigError, did_you_mean

_LONGEST = 60
_MOST = 20
_WORD = re.compile(rf"\w[\w.-]{{0,{_LONGEST - 1}}}")
_MEASURE = re.compile(r"([0-9]{1,18}(?:\.[0-9]{0,9})?)\s*([A-Za-z]*)")
_AMOUNT = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,9})?)(?![0-9.,]).*", re.DOTALL)  # 5 days
_LAST_SEED = 2**32 - 1
_SECONDS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_BYTES = {"": 1, "b": 1} | {
    f"{letter}{ending}": float(base ** (power + 1))
    for base, ending in ((1000, "b"), (1024, "ib"))
    for power, letter in enumerate("kmgt")
}


def found(value: object) -> str:
    """Return how messages show what was found instead of what must be.

    Examples
    --------
    >>> found("a"), found(3), found(True), found(None), found([1, "a"]), found({"a": [None]})
    ("'a'", '3', 'true', 'null', "a list, [1, 'a']", 'a mapping, {a: [null]}')
    """
    kind = "a mapping, " if isinstance(value, Mapping) else "a list, " if isinstance(value, list) else ""
    text = _written(value)
    return kind + (text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "…" + text[-1])


def _written(value: object) -> str:
    """Return a value as YAML has it on one line; of what is long no more than its beginning."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_written(v)}" for key, v in islice(value.items(), _MOST)) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_written(v) for v in islice(value, _MOST)) + "]"
    if isinstance(value, date):  # a moment is one too
        return value.isoformat()
    return "null" if value is None else repr(value).lower() if isinstance(value, bool) else repr(value)


def wrong(value: object, key: str, must: str, *, hint: str | None = None) -> ConfigError:
    """Return the error for a value that is not what it must be."""
    return ConfigError(f"found {found(value)}, must be {must}", key=key, hint=hint)


def is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    """Whether a value is a mapping."""
    return isinstance(value, Mapping)


def mapping(value: object, key: str) -> Mapping[str, Any]:
    """Return a mapping with text keys; an empty one for null."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise wrong(value, key, "a mapping")
    for name in value:
        if not isinstance(name, str):
            raise wrong(name, key, "a mapping whose keys are text", hint=f"quote the key: '{name}'")
    return value


def only(value: Mapping[str, Any], key: str, allowed: Collection[str]) -> None:
    """Refuse keys that are not known."""
    for name in value:
        if name not in allowed:
            place = f"{key}.{name}" if key else name
            raise ConfigError("unknown key", key=place, hint=did_you_mean(name, allowed, limit=20))


def text(value: object, key: str) -> str:
    """Return text."""
    if not isinstance(value, str):
        raise wrong(value, key, "text", hint="quote it" if isinstance(value, int | float | date) else None)
    return value


def column(value: object, key: str, what: str = "a column") -> str | None:
    """Return the name of a column, or of ``what``; a whole number names a column in a table without header."""
    if value is None or (isinstance(value, str) and value):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise wrong(value, key, f"the name of {what}")


def names(value: object, key: str, what: str = "a column") -> tuple[str, ...]:
    """Return one name or a list of names as a tuple; ``what`` says what one is the name of."""
    items = [] if value is None else value if isinstance(value, list) else [value]
    read = [column(item, f"{key}[{i}]" if isinstance(value, list) else key, what) for i, item in enumerate(items)]
    if None in read:
        raise wrong(None, key, "a list of names without gaps")
    return tuple(str(name) for name in read)


def word(name: str, key: str) -> str:
    """Return a key that a file gives something of its own, and by which screens and scripts call it."""
    if not _WORD.fullmatch(name):
        hint = f"letters, digits, _, - and ., {_LONGEST} at most; what it is called may be any text"
        raise ConfigError("is no key", key=key, hint=hint)
    return name


def choice(value: object, key: str, allowed: Collection[str]) -> str:
    """Return one of the allowed words."""
    if not isinstance(value, str):
        raise wrong(value, key, f"one of {', '.join(allowed)}")
    if value not in allowed:
        raise ConfigError(f"found {value!r}", key=key, hint=did_you_mean(value, allowed))
    return value


def integer(value: object, key: str, *, minimum: int | None = None) -> int:
    """Return a whole number."""
    must = "a whole number" if minimum is None else f"a whole number of {minimum} or more"
    if not isinstance(value, int) or isinstance(value, bool) or (minimum is not None and value < minimum):
        raise wrong(value, key, must)
    return value


def number(value: object, key: str, *, least: float | None = None, most: float | None = None) -> float:
    """Return a finite number, not less than ``least`` and not more than ``most`` where they are given."""
    must = "a number" + ("" if least is None else f" of {least:g} or more")
    must += "" if most is None else f", at most {most:,.0f}"
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise wrong(value, key, must, hint=_figure(value))
    if (least is not None and value < least) or (most is not None and value > most):
        raise wrong(value, key, must)
    return float(value)


def _figure(value: object) -> str | None:
    """Return how a text that begins with a number is mended."""
    said = _AMOUNT.fullmatch(value) if isinstance(value, str) else None
    return None if said is None else f"the number alone: {said[1]}"


def seed(value: object, key: str) -> int:
    """Return a seed that numpy's generators take."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LAST_SEED:
        raise wrong(value, key, f"a whole number from 0 to {_LAST_SEED}")
    return value


def flag(value: object, key: str) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise wrong(value, key, "true or false")
    return value


def share(value: object, key: str, *, otherwise: str) -> float | str | None:
    """Return a number between 0 and 1, text, or None; ``otherwise`` says what the text may be."""
    if value is None or (isinstance(value, str) and value):
        return value
    return fraction(value, key, f"a number between 0 and 1, {otherwise}, or null")


def fraction(value: object, key: str, must: str = "a number between 0 and 1") -> float:
    """Return a number between 0 and 1, neither of which is allowed itself."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise wrong(value, key, must)
    return float(value)


def seconds(value: object, key: str) -> float | None:
    """Return a duration in seconds: a number of them, or text such as ``90s``, ``10m``, ``2h``; None for null.

    Examples
    --------
    >>> seconds("1.5h", "sweep.timeout")
    5400.0
    """
    return _measure(value, key, _SECONDS, "a number of seconds, or text such as 90s, 10m, 2h")


def size(value: object, key: str) -> int | None:
    """Return a size in bytes: a number of them, or text such as ``500MB``, ``2GiB``; None for null.

    Examples
    --------
    >>> size("2GB", "launcher.trial_memory")
    2000000000
    """
    found_size = _measure(value, key, _BYTES, "a number of bytes, or text such as 500MB, 2GB, 2GiB")
    return None if found_size is None else max(1, int(found_size))


def _measure(value: object, key: str, units: Mapping[str, float], must: str) -> float | None:
    if value is None:
        return None
    amount, unit = value, ""
    if isinstance(value, str) and (match := _MEASURE.fullmatch(value.strip())):
        amount, unit = float(match[1]), match[2].lower()
    if isinstance(amount, bool) or not isinstance(amount, int | float) or unit not in units:
        raise wrong(value, key, must)
    measured = float(amount) * units[unit]
    if not 0 < measured < math.inf:
        raise wrong(value, key, f"{must}, and more than nothing")
    return measured

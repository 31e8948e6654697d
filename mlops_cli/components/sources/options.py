"""Checks ``data.read`` against the pandas function that it is handed to, before anything is read."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

PARSED_ONLY = frozenset(
    {"dtype", "na_values", "keep_default_na", "parse_dates", "date_format", "converters", "thousands", "decimal"}
)
"""Options by which values are no longer as they are written."""
_NOT_FROM_YAML = frozenset(
    {"filepath_or_buffer", "path", "path_or_buf", "io", "iterator", "chunksize", "filesystem", "typ", "dtype_backend"}
)
"""The file itself, and what would make pandas return something other than a table of numpy values."""


def checked_options(reader: Callable[..., Any], read: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the options as a plain dictionary, all of them known to ``reader``.

    Raises
    ------
    ConfigError
        An option that the reader does not have, with the nearest one that it has.
    """
    if read is not None and not hasattr(read, "items"):
        raise ConfigError(f"must be a mapping of options. Got {read!r} instead.", key="data.read")
    options = {str(k): v for k, v in (read or {}).items()}
    known = options_of(reader)
    for name in options:
        if name not in known:
            raise ConfigError(
                f"pandas.{reader.__name__} has no option '{name}' that can be set here",
                key=f"data.read.{name}",
                hint=did_you_mean(name, known, limit=60),
            )
    return options


def check_whole(value: Any, key: str, least: int) -> None:
    """Refuse what is not a whole number of at least ``least``.

    Raises
    ------
    ConfigError
        Naming the key and what was found.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigError(f"must be a whole number, at least {least}. Got {value!r} instead.", key=key)


def check_seconds(value: Any, key: str, *, zero_ok: bool = False) -> None:
    """Refuse what is no length of time.

    Raises
    ------
    ConfigError
        Naming the key and what was found.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or value < 0 or (value == 0 and not zero_ok):
        wanted = "0 or more" if zero_ok else "above 0"
        raise ConfigError(f"must be a number of seconds, {wanted}. Got {value!r} instead.", key=key)


def with_texts(options: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return a reader's options with ``dtype: str`` for these columns, unless they say another type of them.

    Columns of a file without a header have numbers for names.
    """
    given = options.get("dtype") or {}
    if not isinstance(given, Mapping):
        return dict(options)
    labels = [int(n) if is_numbered(options) and n.isdigit() else n for n in names]
    return {**options, "dtype": {**dict.fromkeys(labels, str), **given}} if labels else dict(options)


def as_written(options: Mapping[str, Any], dtype: type) -> dict[str, Any]:
    """Return a reader's options under which every value comes as it is written, in cells of a type."""
    kept = {k: v for k, v in options.items() if k not in PARSED_ONLY}
    return {**kept, "dtype": dtype, "na_filter": False}


def is_numbered(options: Mapping[str, Any]) -> bool:
    """Whether columns have numbers for names, for want of a header."""
    return options.get("header", "infer") is None and options.get("names") is None


def options_of(reader: Callable[..., Any]) -> frozenset[str]:
    """Return the names of a reader's options that a config may set."""
    return frozenset(inspect.signature(reader).parameters) - _NOT_FROM_YAML - {"kwargs"}


def refused_option(error: Exception, reader: str) -> ConfigError:
    """Return the error for an option's value that pandas refused."""
    return ConfigError(f"pandas.{reader} refuses these options: {first_line(error)}", key="data.read")


def first_line(error: BaseException) -> str:
    """Return the first line of an exception's text, or its type where it has none."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__

"""Checks ``data.read`` against the pandas function that it is handed to, before anything is read."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
    known = set(inspect.signature(reader).parameters) - _NOT_FROM_YAML - {"kwargs"}
    for name in options:
        if name not in known:
            raise ConfigError(
                f"pandas.{reader.__name__} has no option '{name}' that can be set here",
                key=f"data.read.{name}",
                hint=did_you_mean(name, known, limit=60),
            )
    return options


def refused_option(error: Exception, reader: str) -> ConfigError:
    """Return the error for an option's value that pandas refused."""
    return ConfigError(f"pandas.{reader} refuses these options: {first_line(error)}", key="data.read")


def first_line(error: BaseException) -> str:
    """Return the first line of an exception's text, or its type where it has none."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__

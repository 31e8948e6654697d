"""Values that change while an agent learns: a number, or from a start to an end over a share of the episodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlops_cli.errors import ConfigError, did_you_mean

_KEYS = ("start", "end", "share", "shape")
_SHAPES = ("linear", "exponential")


@dataclass(frozen=True)
class Schedule:
    """A value for each episode.

    Parameters
    ----------
    start, end : float
        At the first episode, and from where the share is over.
    share : float
        Of the episodes, over which it changes.
    is_exponential : bool
        Whether it changes by the same factor at each episode, and not by the same amount.
    """

    start: float
    end: float
    share: float = 1.0
    is_exponential: bool = False

    def at(self, progress: float) -> float:
        """Return the value after ``progress`` of all episodes, from 0 to 1.

        Examples
        --------
        >>> Schedule(1.0, 0.0, share=0.5).at(0.25), Schedule(1.0, 0.01, is_exponential=True).at(0.5)
        (0.5, 0.1)
        """
        done = min(1.0, progress / self.share)
        if self.is_exponential:
            return float(self.start * (self.end / self.start) ** done)
        return self.start + (self.end - self.start) * done


def read_schedule(value: object, key: str, *, most: float = 1.0) -> Schedule:
    """Return a schedule from a number, or ``{start: 1.0, end: 0.05, share: 0.8, shape: linear}``.

    Raises
    ------
    ConfigError
        It is neither, a key is not known, or a number lies outside 0 … ``most``.
    """
    if not isinstance(value, Mapping):
        constant = _number(value, key, most)
        return Schedule(constant, constant)
    for name in value:
        if name not in _KEYS:
            raise ConfigError("unknown key", key=f"{key}.{name}", hint=did_you_mean(str(name), _KEYS))
    shape, share = value.get("shape", "linear"), _number(value.get("share", 1.0), f"{key}.share", 1.0)
    if shape not in _SHAPES:
        raise ConfigError(f"found {shape!r}", key=f"{key}.shape", hint=did_you_mean(str(shape), _SHAPES))
    start, end = (_number(value.get(name), f"{key}.{name}", most) for name in ("start", "end"))
    if share == 0 or (shape == "exponential" and not (start and end)):
        raise ConfigError("found 0, must be more than that", key=f"{key}.{'share' if share == 0 else 'end'}")
    return Schedule(start, end, share, is_exponential=shape == "exponential")


def _number(value: Any, key: str, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        hint = "or {start: 1.0, end: 0.05, share: 0.8, shape: linear}"
        raise ConfigError(f"found {value!r}, must be a number from 0 to {most:g}", key=key, hint=hint)
    return float(value)


def fraction(value: Any, key: str) -> float:
    """Return a number from 0 to 1.

    Raises
    ------
    ConfigError
        It is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ConfigError(f"found {value!r}, must be a number from 0 to 1", key=key)
    return float(value)


def count(value: Any, key: str, *, least: int = 1) -> int:
    """Return a whole number of ``least`` or more.

    Raises
    ------
    ConfigError
        It is none.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigError(f"found {value!r}, must be a whole number of {least} or more", key=key)
    return value


def positive(value: Any, key: str) -> float:
    """Return a number above 0.

    Raises
    ------
    ConfigError
        It is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise ConfigError(f"found {value!r}, must be a number above 0", key=key)
    return float(value)

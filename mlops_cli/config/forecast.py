"""Reads what a forecast sees of the past."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_cli.config import readers as read
from mlops_cli.records import ForecastSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

STATS = ("mean", "median", "std", "var", "min", "max", "sum", "ewm")
"""What can be told of a window of the past."""

_KEYS = ("horizon", "lags", "differences", "rolling", "by", "known", "past", "calendar", "cycles")


def read_forecast(value: object, key: str) -> ForecastSpec | None:
    """Return what a forecast sees of the past; None where nothing is forecast.

    Raises
    ------
    ConfigError
        With the key at fault.
    """
    if value is None:
        return None
    node = read.mapping(value, key)
    read.only(node, key, _KEYS)
    windows, stats = _rolling(read.mapping(node.get("rolling"), f"{key}.rolling"), f"{key}.rolling")
    calendar, cycles = _calendar(node, key)
    spec = ForecastSpec(
        horizons=_steps(node.get("horizon", 1), f"{key}.horizon"),
        lags=_steps(node.get("lags"), f"{key}.lags"),
        differences=_steps(node.get("differences"), f"{key}.differences"),
        windows=windows,
        stats=stats,
        by=read.names(node.get("by"), f"{key}.by"),
        known=read.names(node.get("known"), f"{key}.known"),
        past=read.names(node.get("past"), f"{key}.past"),
        calendar=calendar,
        cycles=cycles,
    )
    _check(spec, key)
    return spec


def _rolling(node: Mapping[str, object], key: str) -> tuple[tuple[int, ...], tuple[str, ...]]:
    read.only(node, key, ("window", "stats"))
    stats = read.names(node.get("stats") or "mean", f"{key}.stats")
    windows = _steps(node.get("window"), f"{key}.window", minimum=2)
    if node and not windows:
        raise read.wrong(None, f"{key}.window", "how many rows, or a list of these")
    return windows, tuple(read.choice(stat, f"{key}.stats", STATS) for stat in stats)


def _calendar(node: Mapping[str, object], key: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if not (node.get("calendar") or node.get("cycles")):
        return (), ()
    from mlops_cli.components.transforms.dates import CYCLES, ELAPSED, PARTS  # with scikit-learn, which is slow to load

    return _words(node, "calendar", (*PARTS, ELAPSED), key), _words(node, "cycles", tuple(CYCLES), key)


def _words(node: Mapping[str, object], name: str, allowed: tuple[str, ...], key: str) -> tuple[str, ...]:
    return tuple(read.choice(word, f"{key}.{name}", allowed) for word in read.names(node.get(name), f"{key}.{name}"))


def _steps(value: object, key: str, *, minimum: int = 1) -> tuple[int, ...]:
    """Return how many rows, each once, from few to many."""
    items = [] if value is None else value if isinstance(value, list) else [value]
    return tuple(sorted({read.integer(item, key, minimum=minimum) for item in items}))


def _check(spec: ForecastSpec, key: str) -> None:
    if not spec.horizons:
        raise read.wrong([], f"{key}.horizon", "how many steps ahead, or a list of these")
    nearest = spec.horizons[0]
    early = [k for k in spec.lags if k < nearest]
    if early:
        must = f"{nearest} or more: what happened {early[0]} back is not known {nearest} steps ahead"
        raise read.wrong(early[0], f"{key}.lags", must)
    if not (spec.lags or spec.differences or spec.windows or spec.calendar or spec.cycles or spec.known or spec.by):
        raise read.wrong(None, f"{key}.lags", "how many rows back, such as [1, 2, 12]")

"""Reads which plots a config asks for: a word, a name, or a list of names and of names with what they are to be of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_cli.config import readers as read
from mlops_cli.errors import ConfigError
from mlops_cli.records import PlotName, PlotSpec

_LENGTHS = {PlotName.CONTOUR: 2, PlotName.VALIDATION_CURVE: 1}
_TAKE_KEYS = frozenset({*_LENGTHS, PlotName.SLICES, PlotName.PARALLEL_COORDINATES, PlotName.PARTIAL_DEPENDENCE})
_EXAMPLE = "{validation_curve: {model.C: [0.1, 1, 10]}}"


def read_plots(value: object, key: str) -> tuple[PlotSpec, ...]:
    """Return the plots that are asked for; nothing for ``none``, ``false``, ``null`` and an empty list.

    Raises
    ------
    ConfigError
        A plot is unknown, or lacks what it is to be of.
    """
    if value is None or value is False or value == "none":
        return ()
    if not isinstance(value, list):
        return (_plot(value, key),)
    return tuple(dict.fromkeys(_plot(item, f"{key}[{i}]") for i, item in enumerate(value)))


def _plot(value: object, key: str) -> PlotSpec:
    name, of = value, None
    if isinstance(value, Mapping):
        if len(value) != 1:
            raise read.wrong(value, key, f"the name of a plot, or one name with what it is of: {_EXAMPLE}")
        ((name, of),) = read.mapping(value, key).items()
    plot = PlotName(read.choice(name, key, [*PlotName]))
    keys, values = _of(of, f"{key}.{plot}") if of is not None else ((), ())
    _check(plot, keys, values, key)
    return PlotSpec(plot, keys, values)


def _of(value: object, key: str) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    """Return what a plot is of: names, or one parameter with its values."""
    if not isinstance(value, Mapping):
        return read.names(value, key), ()
    if len(value) != 1:
        raise read.wrong(value, key, "one parameter with its values, such as {model.C: [0.1, 1, 10]}")
    ((param, values),) = read.mapping(value, key).items()
    if not isinstance(values, list) or len(values) < 2:
        raise read.wrong(values, f"{key}.{param}", "a list of two values or more")
    return (param,), tuple(values)


def _check(plot: PlotName, keys: tuple[str, ...], values: tuple[Any, ...], key: str) -> None:
    if (keys or values) and plot not in _TAKE_KEYS:
        taking = ", ".join(sorted(_TAKE_KEYS))
        raise ConfigError(f"{plot} takes no parameter", key=key, hint=f"these do: {taking}")
    if plot is PlotName.VALIDATION_CURVE:
        if not values:
            raise ConfigError(f"{plot} needs a parameter and its values", key=key, hint=_EXAMPLE)
    elif values:
        raise ConfigError(f"{plot} takes names without values", key=key, hint=f"{{{plot}: [{keys[0]}, …]}}")
    elif keys and plot in _LENGTHS and len(keys) != _LENGTHS[plot]:
        raise ConfigError(f"{plot} is of {_LENGTHS[plot]} parameters, found {len(keys)}", key=key)

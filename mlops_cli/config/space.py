"""The search space: ``sweep.space`` as a config says it, joined with what the command line sweeps.

A space is a union of subspaces, each the product of its dimensions. It is read here and written here, so that a run's
own ``config.yaml`` says the same space again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mlops_cli.config.overrides import Overrides, choice_dimension, parse_override, to_dimension
from mlops_cli.errors import ConfigError
from mlops_cli.records import Dimension, DimensionKind

if TYPE_CHECKING:
    from mlops_cli.config.overrides import GroupOptions

Subspace = tuple[Dimension, ...]
_KEY = "sweep.space"
_FORM = "a mapping of keys to choices, or a list of such mappings"


def read_space(value: Any, options: GroupOptions, *, file: str = "") -> tuple[Subspace, ...]:
    """Return the subspaces that ``sweep.space`` declares.

    Parameters
    ----------
    value : mapping, list of mappings or None
        Key → a list of choices, or a text in Hydra's sweep grammar such as ``tag(log, interval(1e-3, 1e3))``. Any other
        value is the one choice. A list of mappings is a union.
    options : callable
        Returns the options of a group, or None where there is no such group.
    file : str
        How messages call the file that says it.

    Raises
    ------
    ConfigError
        The space is malformed, or sweeps what cannot be swept.
    """
    if value is None:
        return ()
    spaces = value if isinstance(value, list) else [value]
    for space in spaces:
        if not isinstance(space, Mapping):
            raise ConfigError(f"found {space!r}, must be {_FORM}", key=_KEY, file=file)
    subspaces = tuple(tuple(_dimension(k, v, options, file) for k, v in _flat(space)) for space in spaces)
    return subspaces if any(subspaces) else ()


def _flat(space: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each dotted key with its choices; ``model: {C: …}`` says the same as ``model.C: …``."""
    for key, value in space.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _dimension(key: str, value: Any, options: GroupOptions, file: str) -> Dimension:
    if isinstance(value, str):
        return to_dimension(_parse(key, value, file), options, file=file)
    return choice_dimension(key, value if isinstance(value, list) else [value], options, file=file)


def _parse(key: str, value: str, file: str) -> Any:
    try:
        return parse_override(f"{key}={value}", file=file)
    except ConfigError as error:
        hint = "a list of choices takes any text, when it is quoted"
        raise ConfigError(error.message, key=_KEY, file=file, hint=hint) from None


def join(space: tuple[Subspace, ...], overrides: Overrides) -> tuple[Subspace, ...]:
    """Return the space with the command line's say: its sweeps multiply every subspace, its values end a sweep.

    A key that the command line sweeps or fixes is no longer swept as the config says.
    """
    swept = overrides.dimensions
    settled = {d.key for d in swept} | overrides.keys
    kept = [tuple(d for d in subspace if d.key not in settled) + swept for subspace in space or ((),)]
    joined = tuple({repr(subspace): subspace for subspace in kept}.values())
    return joined if any(joined) else ()


def write_space(subspaces: tuple[Subspace, ...]) -> Any:
    """Return the plain value of ``sweep.space`` that `read_space` reads as these subspaces."""
    written = [{d.key: _written(d) for d in subspace} for subspace in subspaces]
    if not written:
        return {}
    return written[0] if len(written) == 1 else written


def _written(dimension: Dimension) -> Any:
    if dimension.kind is DimensionKind.CHOICE:
        return list(dimension.choices)
    low, high = dimension.low, dimension.high
    assert low is not None  # noqa: S101 - for the type checker: an interval has ends
    assert high is not None  # noqa: S101
    text = f"int(interval({int(low)}, {int(high)}))" if dimension.integer else f"interval({low!r}, {high!r})"
    return f"tag(log, {text})" if dimension.log else text

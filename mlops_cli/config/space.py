"""The search space: ``sweep.space`` as a config says it, joined with what the command line sweeps.

A space is a union of subspaces, each the product of its dimensions. It is read here and written here, so that a run's
own ``config.yaml`` says the same space again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mlops_cli.config.overrides import COMMAND_LINE, Overrides, choice_dimension, parse_override, to_dimension
from mlops_cli.errors import ConfigError, did_you_mean
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
    # a key may come twice, dotted from the file and nested from the command line, which comes last
    flat = [dict(_flat(space)) for space in spaces]
    subspaces = tuple(tuple(_dimension(k, v, options, file) for k, v in space.items()) for space in flat)
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


def typed_keys(overrides: Overrides) -> frozenset[str]:
    """Return the keys whose sweep the command line gives: ``model.C=1,2``, ``sweep.space.model.C=[1,2]``."""
    typed = {d.key for d in overrides.dimensions}
    for override in overrides.fixed:
        path, value = override.key_or_group.split("."), override.value()
        if path[:2] == ["sweep", "space"] and not override.is_delete():
            for space in value if isinstance(value, list) and not path[2:] else [value]:
                typed |= {key for key, _ in _flat(_nested(path[2:], space))}
    return frozenset(typed)


def _nested(path: list[str], value: Any) -> Mapping[str, Any]:
    if path:
        return {".".join(path): value}
    return value if isinstance(value, Mapping) else {}


def drop(space: tuple[Subspace, ...], keys: Iterable[str]) -> tuple[Subspace, ...]:
    """Return the space without the dimensions that the command line takes out.

    Raises
    ------
    ConfigError
        The space has none of that name.
    """
    for key in keys:
        known = {d.key for subspace in space for d in subspace}
        out = {key} & known or {k for k in known if _is_under(k, [key])}
        if not out:
            hint = did_you_mean(key, known)
            raise ConfigError("there is nothing to delete", key=f"{_KEY}.{key}", file=COMMAND_LINE, hint=hint)
        space = tuple(tuple(d for d in subspace if d.key not in out) for subspace in space)
    return space


def _is_under(key: str, others: Iterable[str]) -> bool:
    return any(key == other or key.startswith(f"{other}.") for other in others)


def join(space: tuple[Subspace, ...], overrides: Overrides) -> tuple[Subspace, ...]:
    """Return the space with the command line's say: its sweeps multiply every subspace, its values end a sweep.

    A key that the command line sweeps or fixes is no longer swept as the config says, nor is what lies in a key that
    it deletes or sets to null.
    """
    swept = overrides.dimensions
    settled = {d.key for d in swept} | overrides.keys
    kept = [tuple(d for d in s if d.key not in settled and not _is_under(d.key, overrides.emptied)) for s in space]
    joined = tuple({repr(subspace): subspace for subspace in (s + swept for s in kept or [()])}.values())
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

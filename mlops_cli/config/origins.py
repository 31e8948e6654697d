"""Where the value of a key came from: which file and line, or the command line.

It looks at the files that were composed, one layer after another; the last one that says something wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from mlops_cli.config.catalogue import PACKAGE_CONF
from mlops_cli.config.flat import flat
from mlops_cli.config.overrides import COMMAND_LINE
from mlops_cli.config.yaml_guard import line_numbers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_cli.config.compose import Composer, Layer
    from mlops_cli.config.sources import Repository

_ABSENT = object()


@dataclass(frozen=True)
class Origin:
    """One place that gave a key a value."""

    place: str
    value: Any
    is_open: bool = False  # no more than the place that this package leaves for a value


def origins(key: str, composer: Composer, overrides: tuple[Any, ...]) -> list[Origin]:
    """Return every place that set a key or a part of it, in order; the last one wins.

    Parameters
    ----------
    key : str
        Dotted, such as ``model.C``.
    composer : Composer
        What composed the experiment.
    overrides : tuple
        Hydra's records of the overrides that it was composed with.
    """
    parts = key.split(".")
    layers = composer.layers(overrides)
    said = [(layer, _said(layer, parts, composer)) for layer in layers]
    found = [Origin(*what, _is_open(layer, what[1], composer)) for layer, what in said if what is not None]
    return found + [Origin(COMMAND_LINE, value) for o in overrides for value in _overridden(o, key, composer)]


def place_of(key: str, composer: Composer, overrides: tuple[Any, ...]) -> str:
    """Return the short origin of a key, or of the nearest key above it that was set anywhere.

    Where there is no more than a place for it in a file of this package, something is to be added in the user's own.
    """
    parts = key.partition("[")[0].split(".")
    while parts:
        found = [o for o in origins(".".join(parts), composer, overrides) if not o.is_open]
        if found:
            return found[-1].place
        parts.pop()
    return composer.repository.shown_file(composer.primary) or composer.primary


def said(composer: Composer, overrides: tuple[Any, ...]) -> list[str]:
    """Return the dotted keys that the command line and the experiment's own files set, the last one that set any first.

    Those of the options that were chosen are not among them.
    """
    typed = [o.key_or_group for o in overrides if not composer.is_group(o)]
    if any(o.is_hydra_override() for o in overrides):  # plain Hydra has composed it
        return typed
    own = [layer.config for layer in composer.layers(overrides) if not layer.package and layer.path != "experiment"]
    return [*typed, *(key for config in reversed(own) for key in flat(_plain(config)))]


def _plain(config: DictConfig) -> dict[str, Any]:
    plain: dict[str, Any] = OmegaConf.to_container(config, resolve=False)  # type: ignore[assignment]
    return plain


def _is_open(layer: Layer, value: Any, composer: Composer) -> bool:
    """Whether a file of this package lists a key for no more than that somebody may give it a value."""
    path = composer.repository.file_of(layer.path)
    is_empty = layer.path == "experiment" or value in (None, "???")
    return is_empty and path is not None and path.is_relative_to(PACKAGE_CONF)


def _said(layer: Layer, parts: list[str], composer: Composer) -> tuple[str, Any] | None:
    node: Any = layer.config
    for part in parts:
        if not isinstance(node, DictConfig) or node._is_none() or node._is_missing() or part not in node.keys():  # noqa: SIM118
            return None
        node = node._get_node(part)
    value = OmegaConf.to_container(node, resolve=False) if OmegaConf.is_config(node) else node._value()
    inside = parts[len([p for p in layer.package.split(".") if p]) :]
    return place_in(composer.repository, layer.path, inside), value


def place_in(repository: Repository, config: str, parts: list[str]) -> str:
    """Return the file of a config with the line of a key in it, where it has the key."""
    path, shown = repository.file_of(config), repository.shown_file(config) or config
    if path is None:
        return shown
    lines = dict(line_numbers(path.read_text(encoding="utf-8-sig")))
    return f"{shown}:{lines[tuple(parts)]}" if tuple(parts) in lines else shown


def _overridden(override: Any, key: str, composer: Composer) -> Iterator[Any]:
    """Yield the value that an override gives a key, to what it lies in, or to a part of it."""
    own = override.key_or_group
    if composer.is_group(override):
        if own == key:
            yield override.value()
    elif own == key or own.startswith(f"{key}.") or key.startswith(f"{own}."):
        yield None if override.is_delete() else override.value()

"""What an experiment's file says of one option, when another option is chosen: kept where it fits, else left out.

``configs/titanic.yaml`` may set ``model: {C: 1.0}`` beside ``model: logistic_regression``. Plain Hydra then hands ``C``
to a forest too when ``model=random_forest`` is asked for. Here a parameter that the file set for its own option goes
where the new class takes it, and is left out, aloud, where it does not. What the command line sets is never left out.

A launcher is chosen likewise: ``launcher=sequential`` has the say over the backend that the file names, and what the
file says of a cluster or of limits is left out where the chosen backend has no use for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf, open_dict

from mlops_cli.config.launcher import useless
from mlops_cli.config.origins import place_in
from mlops_cli.records import Notice

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from mlops_cli.config.compose import Composer, Layer

SECTIONS = ("model", "split", "target_transform", "calibration", "agent")
STEPS = "transforms"
LAUNCHER = "launcher"


def leave_out(
    config: DictConfig, composer: Composer, overrides: Sequence[Any], trust: Collection[str]
) -> tuple[Notice, ...]:
    """Remove from a composed config what its file said of options that were not chosen.

    Parameters
    ----------
    config : DictConfig
        Changed in place.
    composer : Composer
        What composed it.
    overrides : sequence
        Hydra's records of what it was composed with.
    trust : collection of str
        The modules that the workspace's owner trusts.

    Returns
    -------
    tuple of Notice
        What was removed.
    """
    chosen = {o.key_or_group for o in overrides if composer.is_group(o)} & {*SECTIONS, STEPS, LAUNCHER}
    if not chosen or any(o.is_hydra_override() for o in overrides):  # plain Hydra has composed it, and has the say
        return ()
    typed = {o.key_or_group for o in overrides if not composer.is_group(o)}
    notices: list[Notice] = []
    layers = composer.layers(overrides)
    for layer in layers:
        for section in sorted(chosen - {LAUNCHER}):
            if layer.path != "experiment" and not layer.path.startswith(f"{section}/"):
                notices += _from_layer(config, layer, section, (composer, typed, trust))
    if LAUNCHER in chosen:
        notices += _of_launcher(config, layers, typed, composer)
    return tuple(notices)


Situation = tuple["Composer", set[str], "Collection[str]"]


def _from_layer(config: DictConfig, layer: Layer, section: str, situation: Situation) -> Iterator[Notice]:
    said, node = child(layer.config, section), child(config, section)
    if not isinstance(said, DictConfig) or not isinstance(node, DictConfig) or "_target_" in said:
        return
    if section != STEPS:
        yield from _params(node, said, layer, [section], situation)
        return
    for name in list(said):
        step, told = child(node, name), child(said, name)
        if isinstance(step, DictConfig) and isinstance(told, DictConfig) and "_target_" not in told:
            if "_target_" in step:
                yield from _params(step, told, layer, [section, str(name)], situation)
            else:
                _remove(node, name)
                yield _notice(layer, [section], [str(name)], "the chosen steps have none of that name", situation[0])


def _of_launcher(config: DictConfig, layers: Sequence[Layer], typed: set[str], composer: Composer) -> Iterator[Notice]:
    node = child(config, LAUNCHER)
    options = [child(layer.config, LAUNCHER) for layer in layers if layer.path.startswith(f"{LAUNCHER}/")]
    if not options or not isinstance(node, DictConfig) or f"{LAUNCHER}.backend" in typed:
        return
    backend = child(options[-1], "backend")
    node["backend"] = backend
    for layer in layers:
        said = child(layer.config, LAUNCHER)
        if layer.path != "experiment" and isinstance(said, DictConfig):
            unused = [k for k in useless(str(backend)) if said.get(k) and f"{LAUNCHER}.{k}" not in typed]
            for key in unused:
                node[key] = {} if key == "options" else None
            if unused:
                yield _notice(layer, [LAUNCHER], unused, f"the backend {backend} has no use for it", composer)


def _params(
    node: DictConfig, said: DictConfig, layer: Layer, path: list[str], situation: Situation
) -> Iterator[Notice]:
    composer, typed, trust = situation
    inherited = [str(k) for k in said if k in node and ".".join([*path, str(k)]) not in typed and k != "columns"]
    if not inherited or "_target_" not in node:
        return
    why, taken = taken_by(node, path[0], trust)
    strange = [key for key in inherited if taken is not None and key not in taken]
    for key in strange:
        _remove(node, key)
    if strange:
        yield _notice(layer, path, strange, why, composer)


def taken_by(node: DictConfig, section: str, trust: Collection[str]) -> tuple[str, set[str] | None]:
    """Return the parameters that a component takes, and why not others; None where it may take any.

    Where the target depends on the task, what any of its classes takes is meant.
    """
    from mlops_cli.components.construct import parameter_names
    from mlops_cli.errors import MlopsError

    target = node._get_node("_target_")
    plain = OmegaConf.to_container(target) if isinstance(target, DictConfig) else target._value()  # type: ignore[union-attr]
    names = [str(name) for name in (plain.values() if isinstance(plain, dict) else [plain]) if name is not None]
    if not names:
        return f"no {section} is chosen", set()
    taken: set[str] = set()
    for name in names:
        try:
            found = parameter_names(name, trust)
        except MlopsError:
            return "", None  # said better where the object is built
        if found is None:
            return "", None
        taken |= found
    return f"{names[0].rpartition('.')[2]} has no such parameter", taken


def _notice(layer: Layer, path: list[str], names: list[str], why: str, composer: Composer) -> Notice:
    place = place_in(composer.repository, layer.path, [*path, names[0]])
    keys = ", ".join(".".join([*path, name]) for name in names)
    return Notice("left-out", f"{keys} of {place} {'is' if len(names) == 1 else 'are'} left out: {why}")


def _remove(node: DictConfig, key: Any) -> None:
    with open_dict(node):
        node.pop(key)


def child(node: Any, key: Any) -> Any:
    """Return the node under a key; None where there is none."""
    if not isinstance(node, DictConfig) or node._is_none() or node._is_missing() or key not in node.keys():  # noqa: SIM118
        return None
    return node._get_node(key)

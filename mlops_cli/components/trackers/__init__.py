"""Where a run is told of besides its own directory: MLflow, Comet, Weights & Biases, TensorBoard, or a class of a user.

One file for each; what several of them say of a run is in `flat`. Building one connects to nothing and writes nothing:
that begins with its `start`. `make_tracker` is the door.
"""

from __future__ import annotations

import importlib.util
import inspect
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlops_cli.components.construct import build
from mlops_cli.components.targets import Role, import_target
from mlops_cli.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from mlops_cli.contracts import Tracker
    from mlops_cli.records import ComponentSpec

__all__ = ["Telling", "build_tracker", "clean_word", "make_tracker", "require", "telling_of", "tracker_name"]

BUILT_IN = "mlops_cli.components.trackers."

FILES = ("config.yaml", "metrics.json", "trials.csv", "model/card.md", "plots/*")
"""What is sent of a run's files where nothing else is asked for: nothing that has rows of data in it."""

WAIT_S = 60.0
"""Seconds that a run waits at its end for a tracker that has not been told all, where nothing else is asked for."""


@dataclass(frozen=True)
class Telling:
    """What every tracker is told, and for how long: the keys under ``tracker:`` that are not its own."""

    files: tuple[str, ...] = FILES  # globs of paths inside the run
    wait_s: float = WAIT_S


def make_tracker(spec: ComponentSpec, trust: Collection[str], root: Path) -> Tracker:
    """Return the tracker that a config asks for; nothing is told yet.

    Parameters
    ----------
    spec : ComponentSpec
        The section ``tracker`` of a config.
    trust : collection of str
        The modules that the workspace's owner trusts.
    root : Path
        The workspace's folder: given to a class that takes a parameter ``root``.

    Raises
    ------
    ConfigError
        A key is wrong, or a value holds a secret, which would be saved with the run.
    MissingExtraError
        It needs a package that is not installed.
    """
    from mlops_cli.components.sources.secrets import refuse_secrets

    telling_of(spec)
    if "root" in spec.params:
        raise ConfigError("is the workspace's folder, and cannot be chosen", key="tracker.root")
    for name, value in spec.params.items():
        refuse_secrets(value, f"tracker.{name}")
    return build_tracker(spec, trust, root)


def build_tracker(spec: ComponentSpec, trust: Collection[str], root: Path) -> Tracker:
    """Return what `make_tracker` returns, of a spec that it has checked."""
    own = {name: value for name, value in spec.params.items() if name not in Telling.__dataclass_fields__}
    if _takes_root(spec, trust):
        own["root"] = str(root)
    tracker: Tracker = build(replace(spec, params=own), role=Role.TRACKER, trust=trust, key="tracker")
    return tracker


def _takes_root(spec: ComponentSpec, trust: Collection[str]) -> bool:
    target = import_target(str(spec.target), trust, key="tracker._target_", role=Role.TRACKER)
    try:
        return "root" in inspect.signature(target).parameters
    except (TypeError, ValueError):
        return False


def telling_of(spec: ComponentSpec) -> Telling:
    """Return what a tracker is to be told, and for how long.

    Raises
    ------
    ConfigError
        ``tracker.files`` is no list of globs, or ``tracker.wait_s`` no number of seconds.
    """
    files, wait_s = spec.params.get("files", FILES), spec.params.get("wait_s", WAIT_S)
    if not isinstance(files, list | tuple) or not all(isinstance(glob, str) and glob for glob in files):
        message = f"found {files!r}, must be a list of paths inside the run, such as plots/*"
        raise ConfigError(message, key="tracker.files", hint=f"[{', '.join(FILES)}]")
    is_number = isinstance(wait_s, int | float) and not isinstance(wait_s, bool)
    if not is_number or not math.isfinite(wait_s) or wait_s < 0:
        raise ConfigError(f"found {wait_s!r}, must be a number of seconds", key="tracker.wait_s", hint="60")
    return Telling(tuple(files), float(wait_s))


def tracker_name(spec: ComponentSpec) -> str:
    """Return what ``mlops runs export --to`` calls a tracker: the name of a built-in one, or its ``_target_``.

    Examples
    --------
    >>> from mlops_cli.records import ComponentSpec
    >>> tracker_name(ComponentSpec("mlops_cli.components.trackers.comet.Comet"))
    'comet'
    >>> tracker_name(ComponentSpec("my_module.MyTracker"))
    'my_module.MyTracker'
    """
    target = str(spec.target)
    return target.removeprefix(BUILT_IN).partition(".")[0] if target.startswith(BUILT_IN) else target


def require(package: str, extra: str) -> None:
    """Refuse to build a tracker whose package is not installed; the package is not imported, which would take long.

    Raises
    ------
    MissingExtraError
        With the command that installs it.
    """
    if importlib.util.find_spec(package) is None:
        raise MissingExtraError(package, extra, f"tracker={extra}")


def clean_word(value: Any, most: int = 250) -> str:
    """Return a value as one line of text of bounded length, for services that refuse longer ones."""
    text = " ".join(str(value).split())
    return text if len(text) <= most else f"{text[: most - 1]}…"

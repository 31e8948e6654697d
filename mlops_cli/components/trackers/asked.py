"""What a tracker is asked for by its keys, and whether it was told that already: of the same place, and no less."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from mlops_cli.components.sources.secrets import masked
from mlops_cli.components.trackers import BUILT_IN
from mlops_cli.components.trackers.mlflow_place import SQLITE, place_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from mlops_cli.records import ComponentSpec

_NOT_TOLD = frozenset({"wait_s"})
"""Keys that change nothing of what is told."""

_ADDING = frozenset({"register", "alias", "model"})
"""Keys of MLflow's that ask for more at the same place, and for nothing where they are empty."""


def asked_of(spec: ComponentSpec, root: Path) -> dict[str, Any]:
    """Return a tracker's keys so that those of two can be compared, also after they were written as JSON.

    Parameters
    ----------
    spec : ComponentSpec
        The section ``tracker`` of a config.
    root : Path
        The workspace's folder, from which a path of MLflow's data base is told.
    """
    keys = {name: value for name, value in spec.params.items() if name not in _NOT_TOLD}
    if str(spec.target).startswith(f"{BUILT_IN}mlflow."):
        keys = {name: value for name, value in keys.items() if value or name not in _ADDING}
        keys["uri"] = _place(keys.get("uri"), root)
    plain: dict[str, Any] = json.loads(json.dumps(keys, default=str))
    return plain


def is_told(asked: Mapping[str, Any], told: Iterable[Mapping[str, Any]]) -> bool:
    """Whether what is asked for is among what a tracker was told.

    Examples
    --------
    >>> told = [{"uri": "a", "register": "iris"}]
    >>> is_told({"uri": "a"}, told), is_told({"uri": "b"}, told), is_told({"uri": "a", "register": "b"}, told)
    (True, False, False)
    """
    return any({k: v for k, v in keys.items() if k in asked or k not in _ADDING} == dict(asked) for keys in told)


def _place(uri: str | None, root: Path) -> str:
    """Return where MLflow keeps runs, as it stays when a workspace is moved, and without a password."""
    place = place_of(uri, root)
    return masked(place.shown) if place.file is None else f"{SQLITE}{os.path.relpath(place.file, root)}"

"""What an agent knows, in two files that run no code when they are opened: arrays, and the rest as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy.typing as npt

ARRAYS, FACTS = "agent.npz", "agent.json"


def write_state(folder: Path, arrays: Mapping[str, npt.NDArray[Any]], facts: Mapping[str, Any]) -> None:
    """Write arrays of numbers, and facts that JSON has: the state of a generator of numpy is one."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ARRAYS).open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    (folder / FACTS).write_text(json.dumps(facts), encoding="utf-8")


def read_state(
    folder: Path, shapes: Mapping[str, tuple[int, ...]]
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any]]:
    """Return what `write_state` wrote.

    Parameters
    ----------
    folder : Path
        Where it is.
    shapes : mapping of str to tuple of int
        What each array is called, and the shape that the agent which reads it has for it.

    Raises
    ------
    StoreError
        It is not there, damaged, or of an agent of another shape.
    """
    try:
        with np.load(folder / ARRAYS, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    except (OSError, ValueError, EOFError, KeyError) as error:
        raise StoreError(f"{folder}: no agent can be read here: {error}") from None
    for name, shape in shapes.items():
        found = arrays[name].shape if name in arrays else None
        if found != shape:
            raise StoreError(f"{folder}: {name} has the shape {found}, and this agent's is {shape}")
    return arrays, facts

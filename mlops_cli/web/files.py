"""What of a run is served as a file: a fixed few, each with what a browser may do with it; no links are followed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_cli.errors import StoreError
from mlops_cli.store.files import read_bytes
from mlops_cli.store.layout import RunPaths
from mlops_cli.store.names import is_run_name
from mlops_cli.web.guard import IMAGE_POLICY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlops_cli.store.layout import WorkspacePaths

_TEXT = "text/plain; charset=utf-8"
_TABLE = "text/csv; charset=utf-8"


@dataclass(frozen=True)
class Served:
    """A file as it goes over the wire."""

    data: bytes
    headers: Mapping[str, str]


def run_folder(workspace: WorkspacePaths, experiment: str, name: str) -> Path:
    """Return the directory of a run, which lies where it seems to.

    Raises
    ------
    StoreError
        There is no such run, or a link leads to it.
    """
    root = workspace.run(f"{experiment}/{name}").root if is_run_name(name) else None
    if root is None or not os.path.lexists(RunPaths(root).run_json) or is_led_elsewhere(root, workspace):
        raise StoreError(f"no run '{experiment}/{name}' in {workspace.runs}", hint="mlops runs ls shows them all")
    return root


def is_led_elsewhere(path: Path, workspace: WorkspacePaths) -> bool:
    """Whether a link below the workspace's own folder of runs is on the way to a file or folder."""
    return os.path.realpath(path) != os.path.join(os.path.realpath(workspace.runs), path.relative_to(workspace.runs))  # noqa: PTH118


def served_file(workspace: WorkspacePaths, root: Path, name: str) -> Served:
    """Return one of the files that are served of the run in the directory ``root``.

    Raises
    ------
    StoreError
        It is none of those, or not there, or a link leads to it.
    """
    found = _place(RunPaths(root), name)
    if found is None or not found[0].is_file() or is_led_elsewhere(found[0], workspace):
        raise StoreError(f"this run has no file to show by the name of {name[:100]!r}")
    path, headers = found
    return Served(read_bytes(path), headers)


def is_served(root: Path, name: str) -> bool:
    """Whether a file of the run in the directory ``root``, by its path inside it, is one of those that are served."""
    try:
        return _place(RunPaths(root), name) is not None
    except StoreError:  # a plot by a name that none can have
        return False


def _place(paths: RunPaths, name: str) -> tuple[Path, Mapping[str, str]] | None:
    if name == paths.trials_csv.name:
        download = f'attachment; filename="{paths.root.parent.name}-{paths.root.name}-trials.csv"'
        return paths.trials_csv, {"content-type": _TABLE, "content-disposition": download}
    if name == paths.config.name:
        return paths.config, {"content-type": _TEXT}
    folder, _, plot = name.partition("/")
    if folder == paths.plots.name and plot.endswith(".svg"):
        headers = {"content-type": "image/svg+xml", "content-security-policy": IMAGE_POLICY}
        return paths.plot(plot.removesuffix(".svg")), headers
    return None

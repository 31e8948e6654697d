"""The plots of a run as files: written whole or not at all, and listed by name."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mlops_cli.errors import StoreError
from mlops_cli.store.files import write_files
from mlops_cli.store.layout import RunPaths
from mlops_cli.store.names import check_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FORMATS = ("svg", "png")
"""What each plot is written as."""


def write_plots(run: Path, plots: Mapping[str, Mapping[str, bytes]]) -> dict[str, Path]:
    """Write plots into the run in the directory ``run``, all in one batch.

    Parameters
    ----------
    run : Path
        The run's directory.
    plots : mapping
        Name → format (``svg``, ``png``) → the file's content.

    Returns
    -------
    dict of str to Path
        Name → the SVG file.

    Raises
    ------
    StoreError
        The disk refuses.
    """
    paths = RunPaths(run)
    write_files({paths.plot(name, kind): data for name, files in plots.items() for kind, data in files.items()})
    return {name: paths.plot(name) for name in plots}


def saved_plots(run: Path) -> dict[str, Path]:
    """Return the SVG files of the plots of the run in the directory ``run``, by name, in alphabetical order."""
    paths = RunPaths(run)
    try:
        with os.scandir(paths.plots) as entries:
            names = [e.name[:-4] for e in entries if e.name.endswith(".svg") and e.is_file(follow_symlinks=False)]
    except OSError:
        return {}
    return {name: paths.plot(name) for name in sorted(names) if _is_name(name)}


def _is_name(name: str) -> bool:
    try:
        return bool(check_name(name, "plot"))
    except StoreError:
        return False

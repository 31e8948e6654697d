"""Files of processes, found and read, with what the workspace shows of each process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlops_cli.config.assess import PROCESSES, read_assessment
from mlops_cli.config.declared import of_file
from mlops_cli.config.platforms import QUESTIONS
from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import ConfigError, UsageError, nearest
from mlops_cli.workflows.assess.scan import CHECKS, scanned

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import Assessment

FOLDER = "assess"
"""Of the files, in ``configs/``."""

FILE = f"{PROCESSES}.yaml"
STARTING = Path(__file__).resolve().parents[2] / "templates" / "_assess" / FILE
"""What `mlops assess init` writes, and what a workspace without a file is looked at by."""


def read_processes(path: str | Path | None = None, workspace: Workspace | None = None) -> Assessment:
    """Return what a file of processes says, and what the workspace shows.

    Parameters
    ----------
    path : str or Path, optional
        The file; ``configs/assess/processes.yaml`` of the workspace where not given.
    workspace : Workspace, optional
        Which is looked at; the current folder's where not given.

    Raises
    ------
    ConfigError
        With the file, the line, the key, what was found and what is allowed.
    UsageError
        There is no such file.
    """
    place = workspace or find_workspace()
    return scanned(declared(found_file(path, place), place), place)


def scan(path: str | Path | None = None, workspace: Workspace | None = None) -> Assessment:
    """Return what the workspace shows, by the processes of a file; by those of the starting file where there is none.

    Raises
    ------
    ConfigError, UsageError
        As `read_processes`.
    """
    place = workspace or find_workspace()
    return scanned(declared(scanned_file(path, place), place), place)


def scanned_file(path: str | Path | None, workspace: Workspace) -> Path:
    """Return by which file a workspace is looked at."""
    usual = usual_file(workspace)
    return STARTING if path is None and not usual.exists() else found_file(path, workspace)


def source_of(path: Path, workspace: Workspace) -> str:
    """Return what a file is called where it is told by what a workspace was looked at."""
    return "the starting file" if path == STARTING else workspace.shown(path)


def usual_file(workspace: Workspace) -> Path:
    """Return where a workspace has its processes."""
    return workspace.configs / FOLDER / FILE


def declared(path: Path, workspace: Workspace) -> Assessment:
    """Return what a file of processes says, without a look at the workspace.

    Raises
    ------
    ConfigError
        With the file, the line, the key, what was found and what is allowed.
    """
    return of_file(path, workspace.shown(path), lambda value, _: read_assessment(value, CHECKS))


# --- which file, and of what -------------------------------------------------------------------------------------


def found_file(path: str | Path | None, workspace: Workspace) -> Path:
    """Return a file that is there.

    Raises
    ------
    UsageError
        It is not; with the nearest one.
    """
    place = usual_file(workspace) if path is None else Path(path).expanduser()
    if "\0" in str(place) or not place.exists():
        known = {workspace.shown(file): file.name for file in sorted((workspace.configs / FOLDER).glob("*.yaml"))}
        called = workspace.shown(place) if path is None else str(path)
        raise UsageError(f"there is no file {called}", hint=_mend(called, known))
    return place


def _mend(called: str, known: Mapping[str, str]) -> str:
    """Return the nearest file, by its path or its name; else how one is begun."""
    if (command := nearest(called, ("init", "scan", "show"))) is not None:
        return f"did you mean `mlops assess {command}`?"
    names = {name.removesuffix(".yaml"): path for path, name in known.items()}
    stem = Path(called).name.removesuffix(".yaml").removesuffix(".yml")
    close = nearest(called, known) or names.get(nearest(stem, names) or "")
    if close:
        return f"did you mean {close}?"
    return f"there are {', '.join(known)}" if known else "mlops assess init writes one to begin with"


def kind_of(path: Path, workspace: Workspace) -> str:
    """Return what a file is of: ``processes`` or ``questions``, by the key that it has.

    Raises
    ------
    ConfigError
        It has neither, or both.
    """

    def reader(value: object, _: str) -> str:
        kinds = [key for key in (PROCESSES, QUESTIONS) if isinstance(value, dict) and key in value]
        if QUESTIONS in kinds:  # which may name a file of processes too
            return QUESTIONS
        if kinds:
            return kinds[0]
        hint = f"{PROCESSES}: of processes, {QUESTIONS}: of platforms; `mlops assess init` writes both to begin with"
        raise ConfigError(f"has neither {PROCESSES} nor {QUESTIONS}", hint=hint)

    return of_file(path, workspace.shown(path), reader)


def files_of_a_kind(paths: Sequence[str | Path], workspace: Workspace) -> tuple[str, list[Path]]:
    """Return what files are of, ``processes`` or ``questions``, and the files; the usual one where none is given.

    Raises
    ------
    UsageError
        One is not there, they are of both kinds, or several are of processes.
    ConfigError
        One is of neither.
    """
    found = [found_file(path, workspace) for path in paths] or [found_file(None, workspace)]
    kinds = [kind_of(path, workspace) for path in found]
    _require_alike(found, kinds)
    return kinds[0], found


def _require_alike(paths: Sequence[Path], kinds: Sequence[str]) -> None:
    if len(set(kinds)) > 1:
        told = ", ".join(f"{path} of {kind}" for path, kind in zip(paths, kinds, strict=True))
        raise UsageError(f"files of one kind at a time, got {told}", hint=f"mlops assess {paths[0]}")
    if len(paths) > 1 and kinds[0] == PROCESSES:
        hint = f"mlops assess {paths[0]}; several files of questions stand side by side"
        raise UsageError(f"one file of processes at a time, got {len(paths)}", hint=hint)

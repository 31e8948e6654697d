"""What trials without a table write: a folder for each repetition while they run, and the best trial's afterwards."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from mlops_cli.components.checkpoints import folder_of
from mlops_cli.store.files import disk_errors
from mlops_cli.store.objects import digest_of

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_cli.store.layout import RunPaths


def work_folders(paths: RunPaths, fingerprint: str) -> list[Path]:
    """Return the folders of a trial's repetitions, in their order."""
    found = [(_number(path), path) for path in paths.work.glob(folder_of(fingerprint, "*"))]
    return [path for _, path in sorted(found)]


def forget_work(paths: RunPaths, fingerprint: str) -> None:
    """Remove what a trial wrote that is not the best."""
    for folder in work_folders(paths, fingerprint):
        shutil.rmtree(folder, ignore_errors=True)


def drop_work(paths: RunPaths) -> None:
    """Remove what all trials wrote."""
    shutil.rmtree(paths.work, ignore_errors=True)


def keep_artifacts(paths: RunPaths, fingerprint: str) -> dict[str, str]:
    """Move what the best trial wrote to where it stays, and remove what the others did.

    Returns
    -------
    dict of str to str
        Path inside the run → sha256. Links are not followed, and not kept.
    """
    with disk_errors("write", paths.artifacts):
        for folder in work_folders(paths, fingerprint):
            _remove_links(folder)
            if any(folder.iterdir()):
                paths.artifacts.mkdir(exist_ok=True)
                target = paths.artifacts / str(_number(folder))
                shutil.rmtree(target, ignore_errors=True)
                folder.rename(target)
        drop_work(paths)
        files = sorted(path for path in paths.artifacts.rglob("*") if path.is_file())
        return {path.relative_to(paths.root).as_posix(): digest_of(path) for path in files}


def _remove_links(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_symlink():
            path.unlink()


def copy_artifacts(source: RunPaths, paths: RunPaths, fingerprint: str) -> None:
    """Bring along what a trial wrote in another run, where it was the best."""
    for folder in sorted(source.artifacts.glob("*")):
        if folder.is_dir() and folder.name.isdecimal():
            target = paths.work / folder_of(fingerprint, folder.name)
            shutil.copytree(folder, target, dirs_exist_ok=True)


def _number(folder: Path) -> int:
    return int(folder.name.rpartition("-")[2])

"""``mlops init``: the files of a workspace that runs at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mlops_cli.errors import UsageError, did_you_mean

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
USUAL = "iris"
DATA = "data/iris.csv"


@dataclass(frozen=True)
class Made:
    """What `init_workspace` did."""

    root: Path
    written: tuple[str, ...]
    kept: tuple[str, ...]
    missing: tuple[str, ...] = ()  # the data that it is for, where that has to be fetched


def init_workspace(directory: Path, template: str = USUAL) -> Made:
    """Make a workspace: a config, its data, a Makefile, a .gitignore, settings.

    Parameters
    ----------
    directory : Path
        Made where it is missing. A file that is there already is kept as it is.
    template : str
        ``iris``; ``kaggle``, a competition whose data has to be fetched; or ``plugin``, classes of one's own.

    Raises
    ------
    UsageError
        The directory cannot be written, or there is no such template.
    """
    if template not in templates():
        raise UsageError(f"there is no template '{template}'", hint=did_you_mean(template, templates()))
    root = directory.expanduser().resolve()
    files = _files(template)
    written, kept = [], []
    try:
        for name in [*sorted(files), *([DATA] if template == USUAL else [])]:
            place = root / name
            if place.exists() or place.is_symlink():
                kept.append(name)
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            _write(files.get(name), place)
            written.append(name)
    except OSError as error:
        raise UsageError(
            f"cannot make a workspace in {root}: {error.strerror}", hint="choose a folder that you may write in"
        ) from error
    missing = tuple(name for name in _NEEDED.get(template, ()) if not (root / name).exists())
    return Made(root, tuple(written), tuple(kept), missing)


FIRST = {"iris": "iris", "kaggle": "titanic", "plugin": "flowers"}
"""Template → its first experiment."""

_NEEDED = {"kaggle": ("data/train.csv", "data/test.csv")}


def templates() -> tuple[str, ...]:
    """Return the names of the templates that there are."""
    return tuple(sorted(FIRST))


def _files(template: str) -> dict[str, Path]:
    """Return name in the workspace → template; a leading ``dot_`` stands for a dot, which packaging would skip."""
    folder = TEMPLATES / template
    files = (p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return {p.relative_to(folder).as_posix().replace("dot_", "."): p for p in files}


def _write(template: Path | None, place: Path) -> None:
    """Write a file as its template has it, or the data that comes with scikit-learn."""
    if template is not None:
        place.write_bytes(template.read_bytes())
        return
    from mlops_cli.components.sources.bundled import SklearnSource

    place.write_text(SklearnSource("iris").load().to_csv(index=False), encoding="utf-8")

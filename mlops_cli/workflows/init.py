"""``mlops init``: the files of a workspace that runs at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mlops_cli.errors import UsageError

TEMPLATES = Path(__file__).resolve().parent.parent / "templates" / "init"
DATA = "data/iris.csv"


@dataclass(frozen=True)
class Made:
    """What `init_workspace` did."""

    root: Path
    written: tuple[str, ...]
    kept: tuple[str, ...]


def init_workspace(directory: Path) -> Made:
    """Make a workspace: a config, its data, a Makefile, a .gitignore, settings.

    Parameters
    ----------
    directory : Path
        Made where it is missing. A file that is there already is kept as it is.

    Raises
    ------
    UsageError
        The directory cannot be written.
    """
    root = directory.expanduser().resolve()
    written, kept = [], []
    try:
        for name in [*sorted(_templates()), DATA]:
            place = root / name
            if place.exists() or place.is_symlink():
                kept.append(name)
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            _write(name, place)
            written.append(name)
    except OSError as error:
        raise UsageError(
            f"cannot make a workspace in {root}: {error.strerror}", hint="choose a folder that you may write in"
        ) from error
    return Made(root, tuple(written), tuple(kept))


def _templates() -> dict[str, Path]:
    """Return name in the workspace → template; a leading ``dot_`` stands for a dot, which packaging would skip."""
    files = (p for p in TEMPLATES.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return {p.relative_to(TEMPLATES).as_posix().replace("dot_", "."): p for p in files}


def _write(name: str, place: Path) -> None:
    if name == DATA:
        from mlops_cli.components.sources.bundled import SklearnSource

        place.write_text(SklearnSource("iris").load().to_csv(index=False), encoding="utf-8")
        return
    place.write_bytes(_templates()[name].read_bytes())

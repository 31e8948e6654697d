"""``mlops models export``: a model as something that others can use: a folder, a zip, ONNX, a pickle."""

from __future__ import annotations

import io
import pickle
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlops_cli.components.answers import Answers
from mlops_cli.components.holdings import held_by
from mlops_cli.components.made_rows import made_rows
from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import MlopsError, StoreError, UsageError, did_you_mean
from mlops_cli.records import ExportCheck, Exported, ExportFormat, Notice
from mlops_cli.store.exporting import check_free, folder_beside, settle, zipped
from mlops_cli.store.files import sha256, write_file
from mlops_cli.store.layout import RunPaths, VersionPaths
from mlops_cli.store.profiles import read_profile
from mlops_cli.workflows.applying.model import find_model
from mlops_cli.workflows.settings import checked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from mlops_cli.records import DataProfile
    from mlops_cli.workflows.applying.model import Model, SavedModel
    from mlops_cli.workflows.models.export_folder import Bundle
    from mlops_cli.workflows.models.export_onnx import Rows

EXAMPLE_ROWS = 5
COMPARED_ROWS = 10_000
MADE_ROWS = 1_000

_SUFFIXES = {
    ".onnx": ExportFormat.ONNX,
    ".joblib": ExportFormat.JOBLIB,
    ".pkl": ExportFormat.PICKLE,
    ".pickle": ExportFormat.PICKLE,
    ".zip": ExportFormat.ZIP,
    "": ExportFormat.FOLDER,
}


@dataclass(frozen=True)
class ExportOptions:
    """How a model is exported.

    Parameters
    ----------
    format : ExportFormat, optional
        As what; the ending of the place says it where not given.
    force : bool
        Replace what was exported there before.
    allow_pickle : bool
        Open a model that is a pickle, which can run any code.
    tolerance : float, optional
        How far ONNX may be from the pipeline: of probabilities as they are, of amounts as a share of the largest one.
    """

    format: ExportFormat | None = None
    force: bool = False
    allow_pickle: bool = False
    tolerance: float | None = None


def options_of(settings: Mapping[str, Any]) -> ExportOptions:
    """Return options by their names; a format may be a word.

    Raises
    ------
    UsageError
        There is no such option, or no such format.
    """
    said = checked(settings, ExportOptions, "export").get("format")
    if said is not None and said not in set(ExportFormat):
        raise UsageError(f"a model is not exported as '{said}'", hint=did_you_mean(str(said), ExportFormat))
    return ExportOptions(**{**settings, "format": None if said is None else ExportFormat(said)})


def export(
    ref: str, path: Path, options: ExportOptions | None = None, *, workspace: str | Path | None = None
) -> Exported:
    """Write a model, after what is written was held against the model itself.

    Parameters
    ----------
    ref : str
        A registered version or a run.
    path : Path
        Where it goes.
    options : ExportOptions, optional
        How.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    UsageError
        The place is taken, or the model has no such form.
    StoreError
        There is no such model, or its files are not those that were recorded; nothing is written then.
    """
    asked, path = options or ExportOptions(), path.absolute()
    kind = asked.format or format_of(path)
    check_free(path, folder=kind is ExportFormat.FOLDER, force=asked.force)
    if kind is ExportFormat.ONNX:
        from mlops_cli.workflows.models.export_onnx import require_onnx

        require_onnx()
    saved = find_model(ref, workspace=workspace)
    model = saved.open(allow_pickle=asked.allow_pickle)
    Answers(model.pipeline, model.signature).check()
    leaving = Leaving(saved, model, path, replace(asked, format=kind), find_workspace(workspace).root)
    done: Exported = _WRITERS[kind](leaving)
    return done


def format_of(path: Path) -> ExportFormat:
    """Return the format that the ending of a place says.

    Raises
    ------
    UsageError
        It says none.
    """
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES:
        endings = ", ".join(s for s in _SUFFIXES if s)
        raise UsageError(
            f"'{path.name}' does not end in the name of a format: {endings}",
            hint=f"--format says it: {', '.join(ExportFormat)}",
        )
    return _SUFFIXES[suffix]


@dataclass(frozen=True)
class Leaving:
    """A model on its way out."""

    saved: SavedModel
    model: Model
    path: Path
    options: ExportOptions
    workspace: Path

    def exported(self, size: int, **more: Any) -> Exported:
        """Return what was written."""
        kind = self.options.format or ExportFormat.FOLDER
        return Exported(self.saved.label, kind, self.path, size, more.pop("sha256", None), **more)

    def file(self, data: bytes, **more: Any) -> Exported:
        """Write one file."""
        check_free(self.path, folder=False, force=self.options.force)
        write_file(self.path, data)
        return self.exported(len(data), sha256=sha256(data), **more)


# --- rows --------------------------------------------------------------------------------------------------------


def _made(leaving: Leaving, rows: int) -> pd.DataFrame:
    return made_rows(leaving.model.signature, _profile(leaving.saved), rows)


def _profile(saved: SavedModel) -> DataProfile | None:
    paths = VersionPaths(saved.version.path) if saved.version is not None else RunPaths(saved.record.path)
    try:
        return read_profile(paths.profile)
    except StoreError:
        return None


def _rows(leaving: Leaving) -> Rows:
    """Return training rows where they can be had again, else rows that look like them."""
    from mlops_cli.workflows.models.export_folder import MADE
    from mlops_cli.workflows.models.export_onnx import Rows

    trained = _training_rows(leaving)
    if trained is not None:
        return Rows(trained, "training rows")
    return Rows(leaving.model.features(_made(leaving, MADE_ROWS)), MADE)


def _training_rows(leaving: Leaving) -> pd.DataFrame | None:
    from mlops_cli.config.workspace import Workspace
    from mlops_cli.workflows.applying.incoming import config_of
    from mlops_cli.workflows.data.seen_rows import rows_of_run

    try:
        home = find_workspace(leaving.workspace)
        found = rows_of_run(config_of(leaving.saved), leaving.saved.record, Workspace(home.root, home.trust))
        return leaving.model.features(found.train.X.iloc[:COMPARED_ROWS])
    except (MlopsError, OSError):
        return None


# --- formats -----------------------------------------------------------------------------------------------------


def _onnx(leaving: Leaving) -> Exported:
    from mlops_cli.workflows.models.export_onnx import TOLERANCE, as_onnx

    tolerance = TOLERANCE if leaving.options.tolerance is None else leaving.options.tolerance
    data, check, notices = as_onnx(leaving.saved, leaving.model, _rows(leaving), tolerance)
    return leaving.file(data, check=check, notices=tuple(notices))


def _joblib(leaving: Leaving) -> Exported:
    import joblib

    def dumped() -> bytes:
        buffer = io.BytesIO()
        joblib.dump(leaving.model.pipeline, buffer)
        return buffer.getvalue()

    return _pickled(leaving, dumped)


def _pickle(leaving: Leaving) -> Exported:
    return _pickled(leaving, lambda: pickle.dumps(leaving.model.pipeline, protocol=5))


def _pickled(leaving: Leaving, dumped: Any) -> Exported:
    tops = {name.partition(".")[0] for name in held_by(leaving.model.pipeline)}
    return leaving.file(dumped(), notices=tuple(_warned(leaving.saved, tops)))


def _warned(saved: SavedModel, tops: set[str]) -> list[Notice]:
    said = [
        Notice("pickle", "a pickle runs whatever code is in it when it is opened: give its sha256 along, another way")
    ]
    own = {name.partition("/")[0].removesuffix(".py") for name in saved.record.code}
    needed = [*(["mlops-cli"] if "mlops_cli" in tops else []), *sorted(own & tops)]
    return [*said, *([Notice("needs-code", f"to be opened it needs {', '.join(needed)}")] if needed else [])]


def _folder(leaving: Leaving) -> Exported:
    bundle, example = _bundle(leaving)
    with folder_beside(leaving.path, bundle.files) as folder:
        check = _checked(folder, leaving, example)
        settle(folder, leaving.path, force=leaving.options.force)
    size = sum(map(len, bundle.files.values()))
    return leaving.exported(size, files=tuple(bundle.files), check=check, notices=bundle.notices)


def _zip(leaving: Leaving) -> Exported:
    bundle, example = _bundle(leaving)
    with folder_beside(leaving.path, bundle.files) as folder:
        check = _checked(folder, leaving, example)
    data = zipped(bundle.files, _top(leaving.saved))
    return leaving.file(data, files=tuple(bundle.files), check=check, notices=bundle.notices)


def _top(saved: SavedModel) -> str:
    return saved.label.replace("/", "-")


def _bundle(leaving: Leaving) -> tuple[Bundle, pd.DataFrame]:
    from mlops_cli.workflows.models.export_folder import bundle_of

    example = _made(leaving, EXAMPLE_ROWS)
    return bundle_of(leaving.saved, leaving.model, example), example


def _checked(folder: Path, leaving: Leaving, example: pd.DataFrame) -> ExportCheck:
    from mlops_cli.workflows.models.export_folder import check_folder

    return check_folder(folder, leaving.model, example)


_WRITERS: Mapping[ExportFormat, Any] = {
    ExportFormat.FOLDER: _folder,
    ExportFormat.ZIP: _zip,
    ExportFormat.ONNX: _onnx,
    ExportFormat.JOBLIB: _joblib,
    ExportFormat.PICKLE: _pickle,
}

"""New data for a model: read as the training data was where it is of the same kind, and as it says itself elsewhere."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_cli.components.casting import WRITTEN_WORDS
from mlops_cli.components.dataset import reading_as_text
from mlops_cli.components.sources.kinds import spec_for_file, suffix_of
from mlops_cli.components.sources.secrets import masked, refuse_password
from mlops_cli.components.tables import text_columns
from mlops_cli.config.saved import read_saved
from mlops_cli.config.workspace import find_workspace, trusted_workspace
from mlops_cli.errors import ConfigError, DataError, StoreError, UsageError
from mlops_cli.records import NAMED_DATASET, Kind
from mlops_cli.store.datasets import Datasets
from mlops_cli.store.layout import RunPaths, VersionPaths, WorkspacePaths
from mlops_cli.workflows.applying.made_with import other_packages
from mlops_cli.workflows.applying.model import find_model
from mlops_cli.workflows.data.fetch import ready_source
from mlops_cli.workflows.data.held_out import SNAPSHOT, ready_snapshot
from mlops_cli.workflows.data.pipes import STDIN, is_pipe, put_down
from mlops_cli.workflows.data.tables import HowRead, file_spec, hints_as_options, is_version, telling_name
from mlops_cli.workflows.data.versions import asked_of, file_options, option_for, path_options, reader_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.contracts import DataSource
    from mlops_cli.records import Column, ComponentSpec, ExperimentSpec, Notice
    from mlops_cli.workflows.applying.model import Model, SavedModel
    from mlops_cli.workflows.data.fetch import Ready

_OF_ONE_FILE = frozenset({"sha256", "snapshot", "member"})
"""What a config says of the training file, and of no other."""
_PLACES = ("path", "url", "url_env")
"""Where a data base is."""


@dataclass(frozen=True)
class Opened:
    """A model that was opened, with the experiment that it is of."""

    saved: SavedModel
    model: Model
    spec: ExperimentSpec
    workspace: Workspace  # the user's, whose data is meant

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What is to be said of it before it answers."""
        return (*self.saved.notices(), *other_packages(self.model.pipeline, self.saved.record.environment))

    @property
    def trust(self) -> tuple[str, ...]:
        """The modules whose code its own workspace trusts."""
        return trusted_workspace(self.saved.paths.root).trust

    @property
    def trained(self) -> Mapping[str, Column]:
        """Every column of the training data, by its name."""
        data = self.saved.record.dataset
        return {} if data is None else {column.name: column for column in data.columns}

    @property
    def inputs(self) -> tuple[Column, ...]:
        """The columns that the model needs; of a forecast those that its features are made of."""
        data = self.spec.data
        if data.forecast is None:
            return self.model.signature.inputs
        names = (data.time, data.target, *data.forecast.by, *data.forecast.known, *data.forecast.past)
        trained = self.trained
        return tuple(trained[str(name)] for name in dict.fromkeys(names) if name in trained)


def opened(ref: str, *, workspace: str | Path | None = None, allow_pickle: bool = False) -> Opened:
    """Open a model with its config.

    Parameters
    ----------
    ref : str
        ``titanic/3``, ``titanic@champion``, a run.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.
    allow_pickle : bool
        Open a model that is a pickle, which can run any code.

    Raises
    ------
    StoreError
        There is no such model, or its files are not those that were recorded.
    """
    saved = find_model(ref, workspace=workspace)
    model = saved.open(allow_pickle=allow_pickle)
    return Opened(saved, model, config_of(saved), find_workspace(workspace))


@dataclass(frozen=True)
class Incoming:
    """New data that can be read."""

    ready: Ready
    called: str
    held: AbstractContextManager[Any] | None = None  # what was put down to be read, and goes when it has been

    @property
    def source(self) -> DataSource:
        """Where it is."""
        return self.ready.source

    @contextmanager
    def told(self) -> Iterator[None]:
        """Name the data in the errors of the block, and options of the command as what mends it."""
        with hints_as_options(), self.held or nullcontext():
            try:
                with self.ready.told():
                    yield
            except DataError as error:
                if self.called not in error.message:
                    error.message = f"{self.called}: {error.message}"
                    error.args = (error.message,)
                raise


def config_of(saved: SavedModel) -> ExperimentSpec:
    """Return the experiment that a model is of, as its own config has it.

    Raises
    ------
    StoreError, ConfigError
        The config is not there, or says what is not allowed any more.
    """
    version = saved.version
    path = RunPaths(saved.record.path).config if version is None else VersionPaths(version.path).config
    return read_saved(path, trusted_workspace(saved.paths.root))


def incoming(ref: str, spec: ExperimentSpec, how: HowRead, workspace: Workspace) -> Incoming:
    """Find new data for a model.

    Parameters
    ----------
    ref : str
        A file, an address, a glob, a folder of parts, a version of a data set (``titanic@3``), what an earlier run saw
        (``snapshot:VERSION``), or a pipe: ``-`` is stdin.
    spec : ExperimentSpec
        Of the model: a file of the kind that it was trained on is read with the same options.
    how : HowRead
        How it is read otherwise.
    workspace : Workspace
        Whose data sets are meant, and where fetched files are kept.

    Raises
    ------
    DataError
        There is no such thing, or its name does not tell how it is read.
    UsageError
        Of a version it is said how it is read, or in two ways at once.
    """
    refuse_password(ref, "INPUT")
    if is_pipe(ref):
        return _piped(ref, spec, how, workspace)
    if ref.startswith(SNAPSHOT):
        return Incoming(ready_snapshot(ref, spec.data.source, workspace, "INPUT"), ref)
    with hints_as_options():
        return Incoming(ready_source(_source(ref, spec, how, workspace), workspace), masked(ref))


def _piped(ref: str, spec: ExperimentSpec, how: HowRead, workspace: Workspace) -> Incoming:
    file, called = put_down(ref), "stdin" if ref == STDIN else ref
    try:
        new = incoming(file.name, spec, how, workspace)
    except BaseException:
        file.close()
        raise
    new.ready.gathered.called[file.name] = called
    return replace(new, called=called, held=file)


def written(source: DataSource, spec: ExperimentSpec, inputs: Sequence[Column], carried: Sequence[str]) -> DataSource:
    """Return a source that keeps text, dates and what is carried along as they are written, where it is one that can.

    Dates are then read one by one, as those of training were: a reader looks at the whole column to tell day and month.
    """
    words = [name for name, word in spec.data.dtypes.items() if word in WRITTEN_WORDS]
    known = {column.name for column in inputs}
    names = [*text_columns(inputs), *(w for w in words if w in known), *carried]
    return reading_as_text(_without_dates(source, inputs), list(dict.fromkeys(names)))


def _without_dates(source: DataSource, inputs: Sequence[Column]) -> DataSource:
    """Return a source that leaves dates as text, unless it is told in which form they are written."""
    read: Any = getattr(source, "read", None) or {}
    asked = read.get("parse_dates")
    if not isinstance(asked, list) or "date_format" in read:
        return source
    dates = {column.name for column in inputs if column.kind is Kind.DATETIME}
    left = [name for name in asked if name not in dates]
    kept = {**read, "parse_dates": left} if left else {k: v for k, v in read.items() if k != "parse_dates"}
    changed: DataSource = replace(source, read=kept)  # type: ignore[type-var]
    return changed


# --- which source ------------------------------------------------------------------------------------------------


def _source(ref: str, spec: ExperimentSpec, how: HowRead, workspace: Workspace) -> ComponentSpec:
    if is_version(ref, workspace):
        if how:
            raise UsageError(f"{ref} is read as it was added", hint="--read and --as are for files")
        datasets = Datasets(WorkspacePaths(workspace.root))
        version = datasets.find_ref(ref)
        return reader_of(version, datasets.place(version))
    if how.option is not None or how.config is not None:
        return file_spec(ref, how, workspace).source
    path = ref if "://" in ref else str(Path.cwd() / Path(ref).expanduser())
    trained = _of_training(spec, workspace)
    return _by_suffix(path, how, workspace) if trained is None else _as_trained(trained, path, how, workspace)


def _of_training(spec: ExperimentSpec, workspace: Workspace) -> ComponentSpec | None:
    """Return what read the training data, where it reads files."""
    source = spec.data.source
    if source.target == NAMED_DATASET:
        datasets = Datasets(WorkspacePaths(workspace.root))
        try:
            version = datasets.find(source.params["name"], source.params["version"])
        except StoreError:  # it has been removed, and with it how it was read
            return None
        return reader_of(version, datasets.place(version), source.params)
    is_ours = str(source.target).startswith("mlops_cli.")
    if str(source.target) in _databases():
        has_place = any(source.params.get(name) is not None for name in _PLACES)  # else its query names files
        return source if has_place else None
    reads_files = str(source.target) in {option["_target_"] for option in file_options().values()}
    return source if reads_files or (not is_ours and "path" in source.params) else None


def _as_trained(trained: ComponentSpec, path: str, how: HowRead, workspace: Workspace) -> ComponentSpec:
    """Return the training data's reader for another file; the reader that its name tells where that is another."""
    own = {k: v for k, v in trained.params.items() if k not in _OF_ONE_FILE}
    read = dict(own.get("read") or {})
    if str(trained.target).startswith("mlops_cli."):
        try:
            found = spec_for_file(telling_name(path, how), {"path": path}, "INPUT")
        except ConfigError:  # the name does not tell, and so nothing speaks against it
            found = trained
        if found.target != trained.target:
            return _by_suffix(path, how, workspace)
        if trained.target in _databases():
            return asked_of(trained, path, how.read)
        before = trained.params.get("path")
        is_alike = suffix_of(str(before[0] if isinstance(before, list) else before)) == suffix_of(path)
        read |= {} if is_alike or found is trained else found.params.get("read") or {}
    of_source = _parameters(trained)
    own |= {k: v for k, v in how.read.items() if k in of_source}
    read |= {k: v for k, v in how.read.items() if k not in of_source}
    return replace(trained, params={**own, **({"read": read} if read else {}), "path": path})


def _parameters(source: ComponentSpec) -> set[str]:
    """Return what a source of ours takes itself, and does not hand on to its reader."""
    if not str(source.target).startswith("mlops_cli."):
        return set()
    return path_options()[option_for(source.target)].keys() - {"_target_", "path", "read"}


def _databases() -> set[str]:
    return {option["_target_"] for name, option in path_options().items() if name not in file_options()}


def _by_suffix(path: str, how: HowRead, workspace: Workspace) -> ComponentSpec:
    return file_spec(path, how, workspace).source

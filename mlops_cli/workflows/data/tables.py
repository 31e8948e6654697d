"""A table by what a person calls it: a version of a named data set, a file of any kind, or an address."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_cli.components.sources.gathering import only_name
from mlops_cli.components.sources.hints import as_options
from mlops_cli.components.sources.kinds import spec_for_file, suffix_of
from mlops_cli.components.sources.secrets import masked, refuse_password
from mlops_cli.errors import ConfigError, DataError, MlopsError, UsageError, did_you_mean
from mlops_cli.records import DatasetVersion, DataSpec
from mlops_cli.store.datasets import Datasets
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.workflows.data.fetch import ready_source
from mlops_cli.workflows.data.versions import option_for, path_options, reader, reader_of

_READ = re.compile(r"data\.(?:read\.(.*)|(?=member|short_rows|source_column|table|query|params)(\w+))")
"""Keys of a config that ``--read`` stands for."""

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import NamedDataset, Notice


@dataclass(frozen=True)
class Table:
    """A table that was read."""

    values: pd.DataFrame  # normalised, shape (rows, columns)
    version: DatasetVersion
    notices: tuple[Notice, ...] = ()
    fetched: tuple[tuple[str, str], ...] = ()  # name and digest of each file that came from elsewhere, in order
    key: str | None = None  # the column that tells rows apart, where that was said


def read_source(spec: DataSpec, workspace: Workspace, shown: str) -> Table:
    """Read a source as a run does.

    Parameters
    ----------
    spec : DataSpec
        Where it is.
    workspace : Workspace
        Where fetched files are kept.
    shown : str
        What it is called.

    Raises
    ------
    DataError
        It cannot be read.
    """
    from mlops_cli.components.content import content_hash
    from mlops_cli.components.dataset import read_table
    from mlops_cli.components.tables import describe

    ready = ready_source(spec.source, workspace)
    with ready.told():
        values, notices = read_table(ready.source, spec)
    version = DatasetVersion(content_hash(values), len(values), describe(values, spec.dtypes), spec.target, shown)
    fetched = tuple((file.name, file.digest) for file in ready.gathered.files)
    return Table(values, version, (*ready.gathered.notices, *notices), fetched)


@dataclass(frozen=True)
class HowRead:
    """How a file is read where its name alone does not say it."""

    read: Mapping[str, Any] = field(default_factory=dict)  # parameters of the source, and options of its reader
    option: str | None = None  # of the group ``data``
    config: str | None = None  # the experiment that reads its data so

    def __bool__(self) -> bool:
        """Whether it says anything."""
        return bool(self.read) or self.option is not None or self.config is not None


def read_ref(ref: str, workspace: Workspace, *, target: str | None = None, how: HowRead | None = None) -> Table:
    """Read what a person calls ``titanic@3``, ``titanic``, ``data/titanic.csv`` or by an address.

    Parameters
    ----------
    ref : str
        What is read.
    workspace : Workspace
        Whose data sets are meant, and where fetched files are kept.
    target : str, optional
        The column that is predicted from it.
    how : HowRead, optional
        How a file is read; a version of a data set says that itself.

    Raises
    ------
    DataError
        There is no such thing, or it cannot be read.
    UsageError
        Of a version it is said how it is read, or in two ways at once.
    """
    datasets = Datasets(WorkspacePaths(workspace.root))
    version = _version(ref, datasets)
    if version is not None:
        if how:
            raise UsageError(f"{version.ref} is read as it was added", hint="--read, --as and --config are for files")
        recorded = DataSpec(source=reader_of(version, datasets.place(version)), target=target)
        found = read_source(recorded, workspace, version.ref)
        return replace(found, key=version.key)
    spec = file_spec(ref, how or HowRead(), workspace)
    with hints_as_options(is_typed=how is None or how.config is None):
        found = read_source(replace(spec, target=target or spec.target), workspace, masked(ref))
    return found if how and how.config else replace(found, notices=notices_as_options(found.notices))


def is_version(ref: str, workspace: Workspace) -> bool:
    """Whether a version of a data set is meant, and no file."""
    return _version(ref, Datasets(WorkspacePaths(workspace.root))) is not None


def file_spec(ref: str, how: HowRead, workspace: Workspace) -> DataSpec:
    """Return how a file or an address is read.

    Raises
    ------
    UsageError
        It is said in two ways at once; there is no such option.
    DataError
        It is not said, and the name does not tell.
    ConfigError
        The experiment's config is wrong.
    """
    refuse_password(ref, "PATH")
    path = ref if "://" in ref else str(Path.cwd() / Path(ref).expanduser())
    if how.config is not None:
        return _as_experiment(path, how, workspace)
    option, read = how.option, dict(how.read)
    if option is None:
        try:
            found = spec_for_file(telling_name(path, how), {"path": path}, "PATH")
        except ConfigError as error:
            raise DataError(error.message, hint=f"--as OPTION, one of {', '.join(path_options())}") from error
        option, read = option_for(found.target), {**(found.params.get("read") or {}), **read}
    check_option(option)
    return DataSpec(source=reader(option, path, read))


def telling_name(path: str, how: HowRead) -> str:
    """Return the name that tells how a file is read: of an archive whose own says nothing, that of what is in it."""
    member = how.read.get("member")
    if isinstance(member, str):
        return member
    return path if "://" in path or suffix_of(path) else only_name(Path(path)) or path


def _as_experiment(path: str, how: HowRead, workspace: Workspace) -> DataSpec:
    from mlops_cli.config import load_experiment

    if how.option is not None:
        raise UsageError("--as and --config both say how it is read", hint="one of them")
    spec = load_experiment(str(how.config), (), workspace).spec.data
    kept = {k: v for k, v in spec.source.params.items() if k not in {"sha256", "snapshot"}}
    more = {"read": {**(kept.get("read") or {}), **how.read}} if how.read else {}
    return replace(spec, source=replace(spec.source, params={**kept, **more, "path": path}))


def check_option(option: str) -> None:
    """Refuse what is no option of ``data`` that reads files or data bases.

    Raises
    ------
    UsageError
        With the nearest one.
    """
    known = path_options()
    if option not in known:
        raise UsageError(f"--as: no option of data reads files as '{option}'", hint=did_you_mean(option, known))


@contextmanager
def hints_as_options(*, is_typed: bool = True) -> Iterator[None]:
    """Name options of the command in the errors of the block, where there is no config to be mended."""
    try:
        yield
    except MlopsError as error:
        if is_typed:
            error.hint = error.hint and as_options(error.hint)
            if isinstance(error, ConfigError) and (found := _READ.fullmatch(error.key or "")):
                error.key = f"--read {found[1] or found[2]}"
        raise


def notices_as_options(notices: Sequence[Notice]) -> tuple[Notice, ...]:
    """Return notices that name options of the command; what types a column is said in a config alone."""
    return tuple(replace(notice, message=as_options(notice.message)) for notice in notices)


def _version(ref: str, datasets: Datasets) -> NamedDataset | None:
    """Return the version that is meant; None where a file is."""
    name, at, _ = ref.partition("@")
    is_file = "://" in ref or (Path.cwd() / Path(ref).expanduser()).exists()
    if datasets.is_known(name) and (at or not is_file):
        return datasets.find_ref(ref)
    if is_file or any(c in ref for c in "/*?[") or "." in name:
        return None
    known = datasets.names()
    hint = did_you_mean(name, known) if known else "mlops data add FILE --name NAME"
    raise DataError(f"'{ref}' is neither a data set nor a file", hint=hint)

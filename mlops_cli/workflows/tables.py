"""A table by what a person calls it: a version of a named data set, a file of any kind, or an address."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_cli.components.sources.kinds import spec_for_file
from mlops_cli.components.sources.secrets import masked, refuse_passwords
from mlops_cli.errors import ConfigError, DataError, did_you_mean
from mlops_cli.records import DatasetVersion, DataSpec
from mlops_cli.store.datasets import Datasets
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.workflows.fetch import ready_source
from mlops_cli.workflows.versions import reader_of

if TYPE_CHECKING:
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
    got = ready.gathered
    fetched = tuple((got.names[digest], digest) for digest in got.files.values())
    return Table(values, version, (*got.notices, *notices), fetched)


def read_ref(ref: str, workspace: Workspace, *, target: str | None = None) -> Table:
    """Read what a person calls ``titanic@3``, ``titanic``, ``data/titanic.csv`` or by an address.

    Raises
    ------
    DataError
        There is no such thing, or it cannot be read.
    """
    datasets = Datasets(WorkspacePaths(workspace.root))
    version = _version(ref, datasets)
    if version is not None:
        spec = reader_of(version, datasets.place(version))
        found = read_source(DataSpec(source=spec, target=target), workspace, version.ref)
        return replace(found, key=version.key)
    refuse_passwords(ref, "PATH")
    path = ref if "://" in ref else str(Path.cwd() / Path(ref).expanduser())
    try:
        source = spec_for_file(path, {"path": path}, "PATH")
    except ConfigError as error:
        raise DataError(error.message, hint=f"mlops data add {masked(ref)} --name NAME --as OPTION") from error
    return read_source(DataSpec(source=source, target=target), workspace, masked(ref))


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

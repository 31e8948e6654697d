"""The rows that registered versions were made from, and those that have come since, as tables of one form."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api import types as pdt

from mlops_cli.components import casting
from mlops_cli.components.content import content_hash
from mlops_cli.components.dataset import read_table, reading_as_text
from mlops_cli.components.roles import is_used
from mlops_cli.components.tables import dtype_name, normalise, refuse_missing, text_columns
from mlops_cli.errors import DataError, MlopsError
from mlops_cli.records import NAMED_DATASET, Notice
from mlops_cli.store.dataset_tags import LATEST
from mlops_cli.workflows.applying.incoming import config_of, incoming
from mlops_cli.workflows.applying.model import registered
from mlops_cli.workflows.data.as_seen import as_seen
from mlops_cli.workflows.data.held_out import SNAPSHOT, ready_snapshot
from mlops_cli.workflows.data.load import Found, find
from mlops_cli.workflows.data.seen_rows import rows_of_run
from mlops_cli.workflows.data.tables import HowRead
from mlops_cli.workflows.data.versions import with_version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.contracts import DataSource
    from mlops_cli.records import Column, DatasetVersion, DataSpec, ExperimentSpec, ModelVersion


# --- what has come since -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NewRows:
    """Data that may have rows which a version has not seen."""

    table: pd.DataFrame
    called: str
    is_source: bool  # what the version's own config names, read again
    notices: tuple[Notice, ...] = ()


def read_new(data: str | None, version: ModelVersion, workspace: Workspace) -> NewRows:
    """Read the new data of a model as its training data was read.

    Parameters
    ----------
    data : str, optional
        A path, an address, a glob, a data set; the source that the version's config names, as it is now, where not
        given: of a named data set its newest version.
    version : ModelVersion
        Whose data it is like.
    workspace : Workspace
        Where data sets are, and what relative paths in a config start from.

    Raises
    ------
    DataError
        It cannot be read, or lacks columns.
    """
    spec, trained = config_of(registered(version)), _columns(version)
    if data is None:
        found = find(_as_it_is_now(spec, workspace), workspace)
        with found.ready.told():
            table, said = _read(found.ready.source, spec.data, trained)
        return _in_form(NewRows(table, found.called, is_source=True, notices=said), trained, spec.data)
    new = incoming(data, spec, HowRead(), workspace)
    with new.told():
        table, said = _read(new.source, replace(spec.data, sample=None), trained)
    called = ", ".join(new.ready.gathered.versions) or shown(new.called, workspace)
    return _in_form(NewRows(table, called, is_source=False, notices=said), trained, spec.data)


def _as_it_is_now(spec: ExperimentSpec, workspace: Workspace) -> ExperimentSpec:
    """Return a recipe that reads its source again: no snapshot of it, and of a data set the newest version."""
    source = spec.data.source
    params = {name: value for name, value in source.params.items() if name != "snapshot"}
    if source.target == NAMED_DATASET:
        params["version"] = LATEST
    data = replace(spec.data, source=replace(source, params=params))
    return with_version(replace(spec, data=data, evaluation=replace(spec.evaluation, test=None)), workspace)


def shown(called: str, workspace: Workspace) -> str:
    """Return how data is called from wherever: a file by its path in the workspace, where it is in there."""
    place = Path.cwd() / called
    is_inside = "://" not in called and place.is_relative_to(workspace.root)
    return place.relative_to(workspace.root).as_posix() if is_inside else called


def _read(source: DataSource, spec: DataSpec, trained: Sequence[Column]) -> tuple[pd.DataFrame, tuple[Notice, ...]]:
    """Read a table, with text and dates as they were in training."""
    return read_table(reading_as_text(source, text_columns(trained)), spec, trained)


def _columns(version: ModelVersion) -> tuple[Column, ...]:
    data = version.record.dataset
    return () if data is None else data.columns


def _in_form(new: NewRows, trained: Sequence[Column], spec: DataSpec) -> NewRows:
    """Return new data with the columns of training; those that nothing uses need not be there."""
    present = list(new.table.columns)
    refuse_missing([column for column in trained if is_used(column.name, spec)], present)
    known = {column.name for column in trained}
    more = [name for name in present if name not in known]
    kept = new.table[[column.name for column in trained if column.name in present]]
    kept.attrs = new.table.attrs
    if not more:
        return replace(new, table=kept)
    shown = ", ".join(more[:5]) + (" …" if len(more) > 5 else "")
    text = f"{new.called} has columns that training did not have, and they are left out: {shown}"
    return replace(new, table=kept, notices=(*new.notices, Notice("new-columns", text)))


# --- what a version has seen -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seen:
    """The rows of a version's run."""

    rows: pd.DataFrame | None = None  # what it learned from, and what of the same source it held out
    apart: pd.DataFrame | None = None  # a file or data set that its config holds out: nobody is to learn from it
    source: str = ""
    fault: str = ""  # why they are not there any more


def seen_by(version: ModelVersion, new: NewRows, workspace: Workspace) -> Seen:
    """Return the rows that a version's run saw, where they are still to be had.

    A file that has grown since is seen through: where its first, or its last, rows are just what the run saw, those
    are they.

    Parameters
    ----------
    version : ModelVersion
        Whose rows.
    new : NewRows
        Which may be the same source by now.
    workspace : Workspace
        Where its data is.
    """
    data = version.record.dataset
    if data is None:
        return Seen(fault=f"{version.ref} does not say what it was trained on")
    spec = as_seen(config_of(registered(version)), version.record, workspace)
    fault = f"{data.source} is no longer what {version.ref} saw"
    rows: pd.DataFrame | None = None
    try:
        rows = _as_recorded(find(spec, workspace), spec.data, data)
    except MlopsError as error:
        fault = f"what {version.ref} saw is not there any more: {error.message}"
    if rows is None and new.is_source:
        rows = _grown_from(new.table, data)
    test, is_apart = _held_out(spec, version, workspace)
    if rows is None:
        return Seen(apart=test if is_apart else None, source=data.source, fault=fault)
    whole = rows if test is None or is_apart else stacked([rows, test])
    return Seen(whole, test if is_apart else None, data.source)


def _as_recorded(found: Found, spec: DataSpec, version: DatasetVersion) -> pd.DataFrame | None:
    """Return the rows of a source that are a version: all of them, or those that it has had before it grew."""
    with found.ready.told():
        for columns in (version.columns, ()):  # as new data is read; else plainly, as the run itself did
            rows, _ = _read(found.ready.source, spec, columns)
            known = rows if _is(rows, version) else _grown_from(rows, version)
            if known is not None:
                return known
    return None


def _is(table: pd.DataFrame, version: DatasetVersion) -> bool:
    return content_hash(normalise(table)) == version.version


def _grown_from(table: pd.DataFrame, version: DatasetVersion) -> pd.DataFrame | None:
    """Return the first or the last rows of a table, if they are just those of a version."""
    names = [column.name for column in version.columns]
    if len(table) <= version.rows or not set(names) <= set(table.columns):
        return None
    for part in (table.iloc[: version.rows], table.iloc[-version.rows :]):
        as_it_was = part[names].reset_index(drop=True).astype(_dtypes(part, version.columns), errors="ignore")
        if _is(as_it_was, version):
            as_it_was.attrs = table.attrs
            return as_it_was
    return None


def _dtypes(table: pd.DataFrame, columns: Sequence[Column]) -> dict[str, Any]:
    """Return the dtypes of numbers that were others before: a column with gaps in its new rows is one of floats."""
    plain = [c for c in columns if c.dtype not in {"str", "category", "object"}]
    return {c.name: c.dtype for c in plain if dtype_name(table[c.name]) != c.dtype and table[c.name].notna().all()}


def _held_out(spec: ExperimentSpec, version: ModelVersion, workspace: Workspace) -> tuple[pd.DataFrame | None, bool]:
    """Return the held-out rows that came from a place of their own, and whether they are to stay there.

    What retraining has held out is learned from the next time; what a person has set apart never is.
    """
    test = spec.evaluation.test
    if not isinstance(test, str):
        return None, False
    is_apart = not str(_said_test(version)).startswith(SNAPSHOT)
    if not test.startswith(SNAPSHOT):
        return _read_apart(test, spec, version, workspace), is_apart
    ready = ready_snapshot(test, spec.data.source, workspace)
    return _read(ready.source, replace(spec.data, sample=None), _columns(version))[0], is_apart


def _said_test(version: ModelVersion) -> Any:
    return config_of(registered(version)).evaluation.test


def _read_apart(test: str, spec: ExperimentSpec, version: ModelVersion, workspace: Workspace) -> pd.DataFrame | None:
    """Return rows that a person has set apart; they only keep rows from being learned from, so they may be gone."""
    place = workspace.root / Path(test).expanduser()
    try:
        new = incoming(str(place) if place.exists() else test, spec, HowRead(), workspace)
        return _read(new.source, replace(spec.data, sample=None), _columns(version))[0]
    except MlopsError:
        return None


def held_out_before(version: ModelVersion, workspace: Workspace) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows that a version learned from and those that it held out, as two tables.

    Raises
    ------
    DataError
        It held none out, or they are not there any more.
    """
    spec = config_of(registered(version))
    loaded = rows_of_run(spec, version.record, workspace)
    if loaded.test is None or loaded.test_rows is None:
        hint = "new rows, or --no-promote after mlops run"
        raise DataError(f"there are no rows that {version.ref} has not learned from", hint=hint)
    seen = as_seen(spec, version.record, workspace)
    table, _ = _read(find(seen, workspace).ready.source, seen.data, _columns(version))
    train = table[table.index.isin(loaded.train_rows)]
    if loaded.test_version is None:
        return _numbered(train, table), _numbered(table[table.index.isin(loaded.test_rows)], table)
    test, _ = _held_out(seen, version, workspace)
    if test is None:
        raise DataError(f"the rows that {version.ref} held out are not there any more")
    return _numbered(train, table), test


def _numbered(part: pd.DataFrame, whole: pd.DataFrame) -> pd.DataFrame:
    found = part.reset_index(drop=True)
    found.attrs = whole.attrs
    return found


# --- one table ---------------------------------------------------------------------------------------------------


def stacked(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return tables below each other, in the columns that all have, each column in the form of the first table.

    Raises
    ------
    DataError
        A column holds text where the first table has numbers.
    """
    names = [name for name in parts[0].columns if all(name in part.columns for part in parts)]
    columns = {name: _joined(name, [part[name] for part in parts]) for name in names}
    whole = pd.DataFrame(columns, copy=False)
    whole.attrs = next((dict(part.attrs) for part in parts if part.attrs), {})
    return normalise(whole)


def _joined(name: str, columns: Sequence[pd.Series[Any]]) -> pd.Series[Any]:
    first = columns[0]
    if all(isinstance(column.dtype, pd.CategoricalDtype) for column in columns):
        return _joined_categories(columns)
    if dtype_name(first) == "str":
        columns = [casting.to_texts(column) for column in columns]
    elif any(dtype_name(column) == "str" for column in columns) and pdt.is_numeric_dtype(first.dtype):
        raise DataError(f"column '{name}' holds text in the new data, and numbers in that of before")
    return pd.concat(columns, ignore_index=True)


def _joined_categories(columns: Sequence[pd.Series[Any]]) -> pd.Series[Any]:
    from pandas.api.types import union_categoricals

    if len({column.dtype for column in columns}) == 1:
        return pd.concat(columns, ignore_index=True)
    return pd.Series(union_categoricals([column.astype(object).astype("category") for column in columns]))


def version_of(table: pd.DataFrame) -> str:
    """Return the hash of a table's content, as a run that reads it has it."""
    return content_hash(normalise(table))


def places(mask: Any) -> Any:
    """Return the positions at which a mask is true, shape (some,)."""
    return np.flatnonzero(np.asarray(mask))

"""Rows that have come since a version was made, and tables of one form."""

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
from mlops_cli.components.sources.secrets import masked
from mlops_cli.components.tables import dtype_name, normalise, text_columns
from mlops_cli.errors import DataError, nearest
from mlops_cli.records import NAMED_DATASET, Notice
from mlops_cli.store.dataset_tags import LATEST
from mlops_cli.workflows.applying.incoming import config_of, incoming
from mlops_cli.workflows.applying.model import registered
from mlops_cli.workflows.data.load import find
from mlops_cli.workflows.data.tables import HowRead
from mlops_cli.workflows.data.versions import with_version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.contracts import DataSource
    from mlops_cli.records import Column, DataSpec, ExperimentSpec, ModelVersion


_ROLES = ("target", "id", "group", "weight", "time")

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
    spec, trained = config_of(registered(version)), columns_of(version)
    if data is None:
        found = find(_as_it_is_now(spec, workspace), workspace)
        with found.ready.told():
            table, said = read_as_trained(found.ready.source, spec.data, trained)
        return _in_form(NewRows(table, found.called, is_source=True, notices=said), trained, spec.data)
    new = incoming(data, spec, HowRead(), workspace)
    with new.told():
        table, said = read_as_trained(new.source, replace(spec.data, sample=None), trained)
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
    """Return how data is called from wherever: a file by its path in the workspace, all without secrets."""
    place = Path.cwd() / called
    is_inside = "://" not in called and place.is_relative_to(workspace.root)
    return place.relative_to(workspace.root).as_posix() if is_inside else masked(called)


def read_as_trained(
    source: DataSource, spec: DataSpec, trained: Sequence[Column]
) -> tuple[pd.DataFrame, tuple[Notice, ...]]:
    """Read a table, with text and dates as they were in training."""
    return read_table(reading_as_text(source, text_columns(trained)), spec, trained)


def columns_of(version: ModelVersion) -> tuple[Column, ...]:
    """Return the columns of the data that a version was made from."""
    data = version.record.dataset
    return () if data is None else data.columns


def _in_form(new: NewRows, trained: Sequence[Column], spec: DataSpec) -> NewRows:
    """Return new data with the columns of training; those that nothing uses need not be there."""
    present = list(new.table.columns)
    _refuse_missing(new.called, [column.name for column in trained if is_used(column.name, spec)], present, spec)
    _refuse_gaps(new, spec)
    known = {column.name for column in trained}
    more = [name for name in present if name not in known]
    kept = new.table[[column.name for column in trained if column.name in present]]
    kept.attrs = new.table.attrs
    if not more:
        return replace(new, table=kept)
    shown = ", ".join(more[:5]) + (" …" if len(more) > 5 else "")
    text = f"{new.called} has columns that training did not have, and they are left out: {shown}"
    return replace(new, table=kept, notices=(*new.notices, Notice("new-columns", text)))


def _refuse_missing(called: str, needed: Sequence[str], present: Sequence[str], spec: DataSpec) -> None:
    """Refuse new data without what it takes to learn from it, and say what each column is for."""
    missing = [name for name in needed if name not in present]
    if not missing:
        return
    roles = {getattr(spec, role): role for role in _ROLES}
    own = [f"the {roles[name]} column '{name}'" for name in missing if name in roles]
    features, every = [[n for n in names if n not in roles] for names in (missing, needed)]
    shown = ", ".join(map(repr, features[:5])) + (f" and {len(features) - 5} more" if len(features) > 5 else "")
    own += [f"{len(features)} of {len(every)} features: {shown}"] if features else []
    close = nearest(missing[0], [name for name in present if name not in needed])
    hint = f"did you mean '{close}'?" if close else f"it has: {', '.join(present[:12])}"
    raise DataError(f"{called} lacks {' and '.join(own)}", hint=hint)


def _refuse_gaps(new: NewRows, spec: DataSpec) -> None:
    """Refuse rows that lack what each must have, by their own numbers: later they stand in one table with others."""
    for role in ("target", "time", "group"):
        name = getattr(spec, role)
        missing = new.table[name].isna() if name in new.table else None
        if missing is not None and missing.any():
            where = casting.first_rows(missing)
            text = f"{new.called}: data.{role}: '{name}' is missing in {int(missing.sum())} of {len(missing)} rows"
            raise DataError(f"{text} ({where})", hint="fill them in, or leave those rows out of the file")


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

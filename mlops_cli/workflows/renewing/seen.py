"""What a version has seen: its own rows and those of all versions that it was made from, learned or kept apart."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlops_cli.components.content import content_hash
from mlops_cli.components.tables import dtype_name, normalise
from mlops_cli.config.retrain import PASSED
from mlops_cli.errors import DataError, MlopsError
from mlops_cli.workflows.applying.incoming import config_of, incoming
from mlops_cli.workflows.applying.model import registered
from mlops_cli.workflows.data.as_seen import as_seen
from mlops_cli.workflows.data.held_out import SNAPSHOT, ready_snapshot
from mlops_cli.workflows.data.keep import snapshots_of
from mlops_cli.workflows.data.load import find
from mlops_cli.workflows.data.seen_rows import rows_of_run
from mlops_cli.workflows.data.tables import HowRead
from mlops_cli.workflows.models.ancestors import ancestors, made_from
from mlops_cli.workflows.renewing.tables import columns_of, read_as_trained, stacked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import Column, DatasetVersion, DataSpec, ExperimentSpec, ModelVersion
    from mlops_cli.workflows.data.load import Found
    from mlops_cli.workflows.renewing.tables import NewRows

LEARNED = "retrain_rows"
"""The tag of a run that says which rows it took; of one that took all, those of before need not be read again."""


@dataclass(frozen=True)
class Grown:
    """The rows of a version whose source has grown since: worth keeping, as the source may go on changing."""

    rows: pd.DataFrame
    source: str


@dataclass(frozen=True)
class Seen:
    """The rows of a version and of all that it was made from."""

    rows: pd.DataFrame | None = None  # learned from, or held out of the same source; each once, the oldest first
    apart: tuple[pd.DataFrame, ...] = ()  # files or data sets that a config holds out: nobody is to learn from them
    source: str = ""
    fault: str = ""  # why the version's own are not there any more
    gaps: tuple[str, ...] = ()  # why those of others are not
    grown: tuple[Grown, ...] = ()


def seen_by(version: ModelVersion, new: NewRows, workspace: Workspace) -> Seen:
    """Return the rows that a version and its ancestors saw, where they are still to be had.

    A file that has grown since is seen through: where its first, or its last, rows are just what a run saw, those are
    they. Ancestors are followed to the first one; rows are read back to the last version that has learned from all.

    Parameters
    ----------
    version : ModelVersion
        Whose rows.
    new : NewRows
        Which may be the same source by now.
    workspace : Workspace
        Where its data is.
    """
    before, gap = ancestors(version, made_from, workspace)
    line, found, is_whole = [version, *before], list[Seen](), False
    for one in line:
        rows_too = not is_whole
        found.append(_seen_itself(one, new, workspace, rows_too=rows_too))
        is_whole = is_whole or (one.record.tags.get(LEARNED) == "all" and not found[-1].fault)
    gaps = [seen.fault for seen in found[1:] if seen.fault] + ([gap] if gap and not is_whole else [])
    id_column = config_of(registered(version)).data.id
    parts = [seen for seen in reversed(found) if seen.rows is not None]
    return Seen(
        rows=_union([seen.rows for seen in parts if seen.rows is not None], id_column),
        apart=tuple(table for seen in found for table in seen.apart),
        source=", ".join(dict.fromkeys(name for seen in parts for name in seen.source.split(", "))),
        fault=found[0].fault,
        gaps=tuple(gaps),
        grown=tuple(grown for seen in found for grown in seen.grown),
    )


def _union(generations: Sequence[pd.DataFrame], id_column: str | None) -> pd.DataFrame | None:
    """Return tables as one that has each row once: of an id the latest form, of equal rows as many as any one has."""
    if len(generations) < 2:
        return generations[0] if generations else None
    table = stacked(generations)
    number = np.repeat(np.arange(len(generations)), [len(part) for part in generations])
    if is_telling(table, id_column, number):
        return _numbered(table[~table[id_column].duplicated(keep="last")], table)
    keys = pd.DataFrame({"row": pd.util.hash_pandas_object(table, index=False).to_numpy(), "of": number})
    keys["count"] = keys.groupby(["row", "of"]).cumcount()
    return _numbered(table[~keys.duplicated(["row", "count"], keep="last").to_numpy()], table)


def is_telling(table: pd.DataFrame, id_column: str | None, part: Any) -> bool:
    """Whether an id tells the rows of each part of a table apart."""
    if id_column is None or id_column not in table or table[id_column].isna().any():
        return False
    return not pd.DataFrame({"id": table[id_column].to_numpy(), "part": part}).duplicated().any()


# --- one version -------------------------------------------------------------------------------------------------


def _seen_itself(version: ModelVersion, new: NewRows, workspace: Workspace, *, rows_too: bool) -> Seen:
    """Return the rows of a version's own run; of an ancestor whose rows others have, what it keeps apart alone."""
    data = version.record.dataset
    if data is None:
        return Seen(fault=f"{version.ref} does not say what it was trained on")
    spec = as_seen(config_of(registered(version)), version.record, workspace)
    is_apart = is_set_apart(version)
    if not rows_too:
        test = _held_out(spec, version, workspace) if is_apart else None
        return Seen(apart=() if test is None else (test,))
    test = _held_out(spec, version, workspace)
    apart = (test,) if is_apart and test is not None else ()
    rows, has_grown, fault = _own_rows(spec, version, data, new, workspace)
    if rows is None:
        return Seen(apart=apart, source=data.source, fault=fault)
    more = [_passed(version, workspace), None if is_apart else test]
    whole = stacked([rows, *(table for table in more if table is not None)])
    return Seen(whole, apart, data.source, grown=(Grown(rows, data.source),) if has_grown else ())


def _passed(version: ModelVersion, workspace: Workspace) -> pd.DataFrame | None:
    """Return the rows that were new and that a version was made without; where they are gone, they are new again."""
    snapshots, kept = snapshots_of(workspace), version.record.tags.get(PASSED)
    return snapshots.read_table(snapshots.find(kept)) if kept in snapshots.versions() else None


def is_set_apart(version: ModelVersion) -> bool:
    """Whether held-out rows are a person's own: what retraining has held out is learned from the next time."""
    test = config_of(registered(version)).evaluation.test
    return isinstance(test, str) and not test.startswith(SNAPSHOT)


def _own_rows(
    spec: ExperimentSpec, version: ModelVersion, data: DatasetVersion, new: NewRows, workspace: Workspace
) -> tuple[pd.DataFrame | None, bool, str]:
    """Return the rows of a run, whether its source has grown since, and why the rows are not there."""
    fault = f"{data.source} is no longer what {version.ref} saw"
    try:
        rows, has_grown = _as_recorded(find(spec, workspace), spec.data, data)
    except MlopsError as error:
        rows, has_grown = None, False
        fault = f"what {version.ref} saw is not there any more: {error.message}"
    if rows is None and new.is_source:
        rows, has_grown = grown_from(new.table, data), True
    if rows is None and spec.data.sample is not None:
        fault += ": data.sample draws other rows from what has grown"
    return rows, has_grown, fault


def _as_recorded(found: Found, spec: DataSpec, version: DatasetVersion) -> tuple[pd.DataFrame | None, bool]:
    """Return the rows of a source that are a version: all of them, or those that it has had before it grew."""
    with found.ready.told():
        for columns in (version.columns, ()):  # as new data is read; else plainly, as the run itself did
            rows, _ = read_as_trained(found.ready.source, spec, columns)
            if _is(rows, version):
                return rows, False
            before = grown_from(rows, version)
            if before is not None:
                return before, True
    return None, False


def _is(table: pd.DataFrame, version: DatasetVersion) -> bool:
    return content_hash(normalise(table)) == version.version


def grown_from(table: pd.DataFrame, version: DatasetVersion) -> pd.DataFrame | None:
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


def _held_out(spec: ExperimentSpec, version: ModelVersion, workspace: Workspace) -> pd.DataFrame | None:
    """Return the held-out rows that came from a place of their own."""
    test = spec.evaluation.test
    if not isinstance(test, str):
        return None
    if not test.startswith(SNAPSHOT):
        return read_apart(test, version, workspace)
    ready = ready_snapshot(test, spec.data.source, workspace)
    return read_as_trained(ready.source, replace(spec.data, sample=None), columns_of(version))[0]


def read_apart(test: str, version: ModelVersion, workspace: Workspace) -> pd.DataFrame | None:
    """Return rows that a person has set apart; they only keep rows from being learned from, so they may be gone."""
    place, spec = workspace.root / Path(test).expanduser(), config_of(registered(version))
    try:
        new = incoming(str(place) if place.exists() else test, spec, HowRead(), workspace)
        return read_as_trained(new.source, replace(spec.data, sample=None), columns_of(version))[0]
    except MlopsError:
        return None


# --- parted as before --------------------------------------------------------------------------------------------


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
    table, _ = read_as_trained(find(seen, workspace).ready.source, seen.data, columns_of(version))
    train = table[table.index.isin(loaded.train_rows)]
    if loaded.test_version is None:
        return _numbered(train, table), _numbered(table[table.index.isin(loaded.test_rows)], table)
    test = _held_out(seen, version, workspace)
    if test is None:
        raise DataError(f"the rows that {version.ref} held out are not there any more")
    return _numbered(train, table), test


def _numbered(part: pd.DataFrame, whole: pd.DataFrame) -> pd.DataFrame:
    found = part.reset_index(drop=True)
    found.attrs = whole.attrs
    return found

"""``mlops predict``: what a model says of new data, row by row in their order, however much there is of it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from mlops_cli.components.sources.chunks import is_among
from mlops_cli.errors import UsageError
from mlops_cli.records import Predicted
from mlops_cli.store.outputs import CSV, Form, check_place, form_of, table_file, table_stream
from mlops_cli.workflows.applying.asking import PredictOptions, asking
from mlops_cli.workflows.applying.incoming import incoming, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import pandas as pd

Output = Path | tuple[BinaryIO, Form]


def _ignore(_rows: int) -> None:
    pass


def predict(
    ref: str,
    data: str,
    output: Output,
    options: PredictOptions | None = None,
    *,
    workspace: str | Path | None = None,
    told: Callable[[int], None] = _ignore,
) -> Predicted:
    """Predict rows and write them, in their order, with no more than a part of them in memory.

    Parameters
    ----------
    ref : str
        A model: ``titanic/3``, ``titanic@champion``, a run.
    data : str
        A file, an address, a glob, a folder of parts, or a version of a data set.
    output : Path, or binary stream with a Form
        A file, whose name says in which form it is written; or a stream.
    options : PredictOptions, optional
        What is asked.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.
    told : callable, optional
        Told how many rows are done, now and then.

    Raises
    ------
    UsageError
        The model cannot be asked this, or the output is there already.
    DataError
        The data cannot be read, or does not suit the model; nothing is left at the output.
    """
    options = options or PredictOptions()
    form = _form(output, options)
    asked = asking(opened(ref, workspace=workspace, allow_pickle=options.allow_pickle), options, typed=not form.is_text)
    new = incoming(data, asked.model.spec, options.how, asked.model.workspace)
    if isinstance(output, Path) and is_among(output, new.source):
        raise UsageError(f"{output} is what is read", hint="write to another file")
    with new.told():
        rows, columns = write_tables(asked.of_source(new.source), output, form, told)
    path = output if isinstance(output, Path) else None
    return Predicted(asked.model.saved.label, new.called, rows, columns, tuple(asked.said.notices), path)


def predicted(
    ref: str, data: str | pd.DataFrame, options: PredictOptions, *, workspace: str | Path | None = None
) -> pd.DataFrame:
    """Return the predictions as a table, shape (rows, …); of a table in memory with its index.

    Raises
    ------
    UsageError, DataError
        As `predict`.
    """
    import pandas as pd

    asked = asking(opened(ref, workspace=workspace, allow_pickle=options.allow_pickle), options, typed=True)
    if not isinstance(data, str):
        whole: pd.DataFrame = pd.concat(list(asked.of_table(data)), ignore_index=True)
        return whole.set_axis(data.index, axis=0) if len(whole) == len(data) else whole
    new = incoming(data, asked.model.spec, options.how, asked.model.workspace)
    with new.told():
        return pd.concat(list(asked.of_source(new.source)), ignore_index=True)


def _form(output: Output, options: PredictOptions) -> Form:
    """Return in which form is written, after looking at the place before any work is done."""
    if not isinstance(output, Path):
        return output[1]
    check_place(output, force=options.force)
    form = form_of(output)
    if options.is_submission and form.name != CSV.name:
        raise UsageError("a submission is a CSV file", hint="-o submission.csv")
    return form


def write_tables(
    tables: Generator[pd.DataFrame], output: Output, form: Form, told: Callable[[int], None]
) -> tuple[int, tuple[str, ...]]:
    """Write tables one after the other, and return how many rows and which columns there were."""
    rows = 0
    columns: tuple[str, ...] = ()
    with closing(tables), table_file(output, form) if isinstance(output, Path) else table_stream(*output) as write:
        for table in tables:
            write(table)
            rows, columns = rows + len(table), tuple(map(str, table.columns))
            told(rows)
    return rows, columns

"""Rows of a table as lines of CSV, each value in quotes only where it needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def header_line(table: pd.DataFrame, separator: str) -> bytes:
    """Return the names of the columns."""
    return _lines(table.head(0), separator, header=True)


def lines_of(table: pd.DataFrame, separator: str) -> Any:
    """Return the rows, without the names of the columns, as bytes or a buffer of them."""
    quick = _quick_lines(table, separator)
    return _lines(table, separator, header=False) if quick is None else quick


def _lines(table: pd.DataFrame, separator: str, *, header: bool) -> bytes:
    text: str = table.to_csv(index=False, header=header, sep=separator, lineterminator="\n")
    return text.encode("utf-8", "surrogatepass")


def _quick_lines(table: pd.DataFrame, separator: str) -> Any:
    """Return rows of numbers and text as Arrow writes them, several times as quick as pandas; None of others."""
    import pyarrow as pa
    import pyarrow.csv as pc

    try:
        rows = pa.Table.from_pandas(table, preserve_index=False)
    except (pa.ArrowException, TypeError, UnicodeError):
        return None
    is_plain = (pa.types.is_integer, pa.types.is_floating, pa.types.is_string, pa.types.is_large_string)
    is_bare = rows.num_columns == 1 and rows.column(0).null_count  # a blank line, which readers go over
    if is_bare or not all(any(is_(field.type) for is_ in is_plain) for field in rows.schema):
        return None
    buffer = pa.BufferOutputStream()
    try:
        pc.write_csv(rows, buffer, pc.WriteOptions(include_header=False, delimiter=separator, quoting_style="none"))
    except pa.ArrowInvalid:  # some text holds a quote, a separator or the end of a line
        return _quoted_lines(rows, separator)
    return buffer.getvalue()


def _quoted_lines(rows: Any, separator: str) -> bytes:
    """Return rows of which text is quoted where it needs to be; Arrow's own writer would quote all text or none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = [_cells(column, separator) for column in rows.columns]
    between = pa.scalar(separator, pa.large_string())
    lines = pc.binary_join_element_wise(*cells, between, null_handling="replace", null_replacement="")
    return "".join(f"{line}\n" for line in lines.to_pylist()).encode("utf-8", "surrogatepass")


def _cells(column: Any, separator: str) -> Any:
    """Return a column as text, with quotes around values that would else end too early."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.cast(column, pa.large_string())
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return text
    mark, nothing = pa.scalar('"', pa.large_string()), pa.scalar("", pa.large_string())
    quoted = pc.binary_join_element_wise(mark, pc.replace_substring(text, '"', '""'), mark, nothing)
    return pc.if_else(pc.match_substring_regex(text, f'[{separator}"\r\n]'), quoted, text)

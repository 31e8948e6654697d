"""Lines of a delimited text file that have more or fewer fields than its header, and what is said of them."""

from __future__ import annotations

import csv
import io
import itertools
import re
from collections import deque
from typing import TYPE_CHECKING, Any

import pandas as pd

from mlops_cli.components.sources import opening
from mlops_cli.components.sources.layout import Layout, plain_lines, split_lines
from mlops_cli.components.sources.options import first_line
from mlops_cli.components.sources.pieces import are_even
from mlops_cli.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_RAGGED = re.compile(r"Expected (\d+) fields in line (\d+), saw (\d+)")


def width_of(layout: Layout) -> int:
    """Return how many fields a row should have."""
    return len(layout.header or layout.names or layout.rows[0])


def check_index(path: Path, table: pd.DataFrame, options: Mapping[str, Any], layout: Layout | None) -> None:
    """Refuse rows longer than the header, whose first fields pandas takes for an index without a word."""
    if "index_col" in options:
        return
    named, found = table.shape[1], table.shape[1]
    if layout is not None and layout.body and (layout.header or layout.names):
        named, found = len(layout.header or layout.names or ()), len(layout.body[0])
    elif not table.index.equals(pd.RangeIndex(len(table))):
        found += table.index.nlevels
    if found > named:
        raise DataError(
            f"{path}: rows have {found} fields where {named} columns are named",
            hint=_mend_of_names(layout),
        )


def _mend_of_names(layout: Layout | None) -> str:
    first = (layout.header or ("",))[0].lstrip() if layout is not None else ""
    if layout is not None and first.startswith(("#", "%")):
        lines = list(itertools.dropwhile(lambda line: line.lstrip().startswith(first[0]), layout.lines))
        if any(first[0] in line for line in lines):  # which `comment` would cut off there
            return f"if the first lines are comments: `data.read.skiprows: {len(layout.lines) - len(lines)}`"
        return f"if the first lines are comments: `data.read.comment: '{first[0]}'`"
    return "name every column; or if each line merely ends in the separator: `data.read.index_col: false`"


def refuse_short_rows(path: Path, options: Mapping[str, Any], layout: Layout) -> None:
    """Refuse rows with fewer fields than the header, where there are any."""
    width = width_of(layout)
    if are_even(path, options, layout, width):
        return
    short = [end for end in odd_lines(path, options, layout) if end[1] < width]
    if short:
        line, found = short[0]
        more = f", and {len(short) - 1} more lines likewise" if len(short) > 1 else ""
        raise DataError(
            f"{path}: line {line} has {found} fields where the header has {width}{more}",
            hint="complete the lines; or if their last values are missing: `data.short_rows: fill`",
        )


def refuse_long_rows(path: Path, options: Mapping[str, Any], layout: Layout) -> None:
    """Refuse rows with more fields than the header, where there are any."""
    width = width_of(layout)
    for line, found in odd_lines(path, options, layout):
        if found > width:
            raise _too_long(path, line, found, width)


def odd_lines(path: Path, options: Mapping[str, Any], layout: Layout) -> Iterator[tuple[int, int]]:
    """Yield the lines that have not as many fields as the header: their number, and how many they have."""
    width = width_of(layout)
    compression = opening.compression_of(path, options.get("compression", "infer"))
    with opening.open_binary(path, compression) as file:
        encoding = options.get("encoding") or "utf-8"
        lines = io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")
        rows = split_lines(plain_lines(lines, options), layout.separator, options)
        skipped = options.get("skiprows") or 0
        last = None if options.get("nrows") is None else options["nrows"] + skipped + 1
        footer = options.get("skipfooter") or 0
        waiting: deque[tuple[int, int]] = deque()  # the last lines may be the footer; no more than that is held
        for number, row in _rows(rows, last):
            is_odd = len(row) != width and bool("".join(row).strip())
            waiting.append((_line_number(rows, number) + skipped, len(row) if is_odd else width))
            if len(waiting) > footer and (end := waiting.popleft())[1] != width:
                yield end


def _too_long(path: Path, line: int | str, found: int | str, expected: int | str) -> DataError:
    return DataError(
        f"{path}: line {line} has {found} fields where {expected} were expected",
        hint="quote the values that hold the separator, or check `data.read.sep`; "
        "`data.read.on_bad_lines: skip` leaves such lines out",
    )


def ragged(path: Path, error: pd.errors.ParserError) -> DataError:
    """Return the error for a file that pandas' parser has given up."""
    match = _RAGGED.search(str(error))
    if match is not None:
        expected, line, found = match.groups()
        return _too_long(path, line, found, expected)
    if "EOF inside string" in str(error):
        row = re.search(r"row (\d+)", str(error))
        where = f"in row {row[1]} " if row else ""
        return DataError(
            f"{path}: a quote opened {where}is never closed; is the file cut off?",
            hint="write the file again; or if quotes are plain characters: `data.read.quoting: 3`",
        )
    return DataError(f"{path}: cannot be parsed: {first_line(error)}", hint="check `data.read`")


def _rows(rows: Iterator[list[str]], last: int | None) -> Iterator[tuple[int, list[str]]]:
    try:
        for number, row in enumerate(rows, start=1):
            if last is not None and number > last:
                return
            yield number, row
    except csv.Error:  # a field beyond the csv module's limit; pandas has read it
        return


def _line_number(rows: Any, number: int) -> int:
    """Return the line of the file where a row ends; a quoted value may span several."""
    return int(getattr(rows, "line_num", number))

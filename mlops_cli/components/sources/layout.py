"""How a delimited text file is laid out, from its first lines as text: separator, header, names, ragged lines.

pandas parses a wrong layout without a word: one wide column, the first row as names, the first column as an index.
Knows nothing of tables or of what columns are for.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections import Counter
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from mlops_cli.components.sources.opening import check_head
from mlops_cli.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_HEAD = 2**16
_SEPARATORS = (",", ";", "\t", "|")
_NUMBER = re.compile(r"\s*[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?\s*")
_NOT_VALUES = frozenset({"", "na", "nan", "null", "none", "?", "n/a"})


@dataclass(frozen=True)
class Layout:
    """The first lines of a file, split as its options say."""

    lines: tuple[str, ...]  # after skiprows, without blank lines and comments
    rows: tuple[tuple[str, ...], ...]
    separator: str
    header_row: int | None  # its place in ``rows``; None where the file has no header
    is_header_assumed: bool  # nobody said that the first line is a header
    names: tuple[str, ...] | None  # given by ``read.names``

    @property
    def header(self) -> tuple[str, ...] | None:
        """The names as the file has them."""
        has = self.header_row is not None and self.header_row < len(self.rows)
        return self.rows[self.header_row] if has and self.header_row is not None else None

    @property
    def body(self) -> tuple[tuple[str, ...], ...]:
        """The sampled rows below the header."""
        return self.rows[0 if self.header_row is None else self.header_row + 1 :]


def layout_of(text: str, options: Mapping[str, Any]) -> Layout | None:
    """Return the layout of the first lines of a file; None where its options are beyond the csv module."""
    separator = _separator(options)
    if separator is None or isinstance(options.get("header"), list) or options.get("dialect") is not None:
        return None
    if not isinstance(options.get("skiprows") or 0, int):
        return None
    try:
        lines = tuple(line for line in plain_lines(text.splitlines(keepends=True), options) if line.strip())
        rows = tuple(tuple(row) for row in split_lines(lines, separator, options) if row)
    except (csv.Error, TypeError, ValueError):  # a field beyond its limit, or options that pandas will refuse
        return None
    names = options.get("names")
    header = options.get("header", "infer")
    header_row = (None if names is not None else 0) if header == "infer" else header
    given = tuple(str(n) for n in names) if names is not None else None
    return Layout(lines, rows, separator, header_row, header == "infer" and names is None, given)


def layout_of_file(path: Path, file: IO[bytes], options: Mapping[str, Any]) -> Layout | None:
    """Return the layout of an open file, of whose beginning as much is read as shows a header and a row.

    Raises
    ------
    DataError
        It is no text.
    """
    head = file.read(_HEAD)
    is_wide = head[:2] in {b"\xff\xfe", b"\xfe\xff"}
    encoding = options.get("encoding") or ("utf-16" if is_wide else "utf-8")
    check_head(path, head, encoding)
    more = head if len(head) == _HEAD else b""
    while True:
        text = head.decode(encoding, errors="replace").removeprefix("\ufeff")
        layout = layout_of(_whole_lines(text) if more else text, options)
        if not more or layout is None or (layout.body and len(layout.rows) > 1):
            return layout
        more = file.read(len(head))
        head += more


def _whole_lines(text: str) -> str:
    """Return a text that was cut off anywhere without the line that it ends in."""
    return text[: max(text.rfind("\n"), text.rfind("\r")) + 1]


def plain_lines(lines: Iterable[str], options: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines that the parser sees; a comment becomes an empty line, so that numbers stay true."""
    comment = options.get("comment")
    for line in itertools.islice(lines, options.get("skiprows") or 0, None):
        yield line.split(comment, 1)[0].rstrip("\r\n") + "\n" if comment and comment in line else line


def split_lines(lines: Iterable[str], separator: str, options: Mapping[str, Any]) -> Iterator[list[str]]:
    """Yield the fields of each row, quoted as the options say."""
    if separator == r"\s+":
        return (line.split() for line in lines)
    return csv.reader(
        lines,
        delimiter=separator,
        quotechar=options.get("quotechar") or '"',
        quoting=options.get("quoting") or csv.QUOTE_MINIMAL,
        doublequote=options.get("doublequote", True),
        escapechar=options.get("escapechar"),
        skipinitialspace=options.get("skipinitialspace", False),
    )


def check_layout(path: Path, layout: Layout) -> None:
    """Refuse a wrong separator, a missing header, and a header taken for data.

    Raises
    ------
    DataError
        Naming the option under ``data.read`` that mends it.
    """
    _check_separator(path, layout)
    if layout.is_header_assumed:
        _check_is_header(path, layout)
    elif layout.header_row is None:
        _check_is_no_header(path, layout)


def check_names(path: Path, names: tuple[str, ...], ignored: frozenset[int] = frozenset()) -> None:
    """Refuse blank and duplicate column names; blanks at both ends of a name do not count.

    Raises
    ------
    DataError
        Naming the columns and the option that mends it.
    """
    stripped = [n.strip() for n in names]
    blank = [i for i, n in enumerate(stripped) if not n and i not in ignored]
    if blank:
        raise _blank_names(path, blank)
    repeated = sorted(n for n, count in Counter(stripped).items() if n and count > 1)
    if repeated:
        shown = ", ".join(repr(n) for n in repeated[:5]) + (", …" if len(repeated) > 5 else "")
        raise DataError(
            f"{path}: column names must be unique. Got {shown} more than once instead.",
            hint="rename them in the file, or give all names: `data.read: {header: 0, names: [...]}`",
        )


def is_number(text: str) -> bool:
    """Whether a cell reads as a number, with a point or a comma."""
    return _NUMBER.fullmatch(text) is not None


def _separator(options: Mapping[str, Any]) -> str | None:
    separator = options.get("sep", options.get("delimiter", ","))
    if options.get("delim_whitespace"):
        return r"\s+"
    is_plain = isinstance(separator, str) and (len(separator) == 1 or separator == r"\s+")
    return separator if is_plain else None


def _blank_names(path: Path, blank: list[int]) -> DataError:
    if blank == [0]:
        return DataError(
            f"{path}: the first column has no name; it looks like an index written by pandas' to_csv",
            hint="`data.read.index_col: 0` leaves it out; or name it in the header",
        )
    places = ", ".join(str(i + 1) for i in blank[:5])
    return DataError(
        f"{path}: every column must have a name. Column {places} has none.",
        hint="name it in the header, or give all names: `data.read: {header: 0, names: [...]}`",
    )


def _check_separator(path: Path, layout: Layout) -> None:
    lines = layout.lines[:50]
    if len(lines) < 2 or len(layout.rows[0]) != 1:
        return
    found = [s for s in _SEPARATORS if s != layout.separator and _splits_alike(lines, s)]
    if not found and layout.separator != r"\s+" and _is_whitespace_table(lines):
        found = [r"\s+"]
    if found:
        yaml = {"\t": '"\\t"', r"\s+": r"'\s+'"}.get(found[0], f"'{found[0]}'")
        raise DataError(
            f"{path}: one column found with the separator {layout.separator!r}, "
            f"though {found[0]!r} splits every line alike",
            hint=f"`data.read.sep: {yaml}`",
        )


def _splits_alike(lines: tuple[str, ...], separator: str) -> bool:
    widths = {len(row) for row in split_lines(lines, separator, {})}
    return len(widths) == 1 and widths.pop() > 1


def _is_whitespace_table(lines: tuple[str, ...]) -> bool:
    rows = [line.split() for line in lines]
    is_even = len({len(r) for r in rows}) == 1 and len(rows[0]) > 1
    return is_even and all(is_number(cell) for row in rows[1:] for cell in row)


def _check_is_header(path: Path, layout: Layout) -> None:
    header = layout.header
    if header is None or not _is_like_data(header, layout.body):
        return
    shown = ", ".join(header[:4]) + (", …" if len(header) > 4 else "")
    raise DataError(
        f"{path}: no header found: the first line looks like data ({shown})",
        hint=f"`data.read: {{header: null, names: [{len(header)} names]}}`; "
        "if it is the header, say so: `data.read.header: 0`",
    )


def _is_like_data(header: tuple[str, ...], body: tuple[tuple[str, ...], ...]) -> bool:
    numeric = [is_number(cell) for cell in header]
    if not body or not any(numeric) or _is_series(header):
        return False
    columns = list(itertools.zip_longest(*body, fillvalue=""))
    for cell, is_numeric, column in zip(header, numeric, columns, strict=False):
        values = [v for v in column if v.strip().lower() not in _NOT_VALUES]
        if is_numeric and not all(is_number(v) for v in values):
            return False
        if not is_numeric and cell not in column:
            return False
    return True


def _is_series(header: tuple[str, ...]) -> bool:
    """Whether names are whole numbers at one distance, such as 0, 1, 2 or years: those are names that people use."""
    if not all(re.fullmatch(r"\s*\d+\s*", cell) for cell in header) or len(header) < 2:
        return False
    numbers = [int(cell) for cell in header]
    steps = {b - a for a, b in itertools.pairwise(numbers)}
    return len(steps) == 1 and steps.pop() > 0


def _check_is_no_header(path: Path, layout: Layout) -> None:
    if not layout.rows:
        return
    first, rest = layout.rows[0], layout.rows[1:]
    is_names = layout.names is not None and [c.strip() for c in first] == list(layout.names)
    if is_names or (not any(is_number(c) for c in first) and _has_numeric_column(rest)):
        raise DataError(
            f"{path}: the first line looks like a header ({', '.join(first[:4])}), and the config says there is none",
            hint="`data.read.header: 0`" if layout.names is not None else "leave out `data.read.header: null`",
        )


def _has_numeric_column(rows: tuple[tuple[str, ...], ...]) -> bool:
    columns = list(itertools.zip_longest(*rows, fillvalue=""))
    values = ([v for v in column if v.strip().lower() not in _NOT_VALUES] for column in columns)
    return any(len(v) > 1 and all(is_number(cell) for cell in v) for v in values)

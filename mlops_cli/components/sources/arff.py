"""ARFF, Weka's form: the header says the type of each column, so nothing is guessed.

pandas' C parser reads the rows. scipy's reader has no text columns; the format is that of
https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pandas as pd

from mlops_cli.components.sources import opening
from mlops_cli.components.sources.from_files import FileSource
from mlops_cli.components.sources.options import first_line
from mlops_cli.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_ATTRIBUTE = re.compile(rf"@attribute\s+({_QUOTED}|[^\s{{]+)\s*(.+)", re.IGNORECASE | re.DOTALL)
_VALUE = re.compile(rf"\s*({_QUOTED}|[^,]*?)\s*(?:,|$)")
_SINGLE = re.compile(r"(?:^|,)\s*'")
_QUOTED_MARK = re.compile(r"'\s*\?\s*'|\"\s*\?\s*\"")
_MARK = "\ue000"
"""Stands for a question mark in quotes, which is a value, while the rows are parsed: private, so in no file."""
_NUMERIC = ("numeric", "real", "integer")
_JAVA_DATES = {"yyyy": "%Y", "yy": "%y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S", "SSS": "%f"}
_JAVA_PART = re.compile("|".join(sorted(_JAVA_DATES, key=len, reverse=True)))


@dataclass(frozen=True)
class _Attribute:
    """A column as the header says it."""

    name: str
    kind: str  # numeric, nominal, text or date
    values: tuple[str, ...] = ()  # of a nominal one
    form: str | None = None  # of a date, as strptime has it


@dataclass(frozen=True)
class ArffSource(FileSource):
    """An ARFF file: nominal columns as categories, dates as dates, ``?`` as missing.

    Parameters
    ----------
    path : str, Path or list of these
        As `FileSource`; compressed by its extension.
    encoding : str
        Of the text.
    as_text : tuple of str, optional
        Numeric columns whose values are kept as they are written, so that ``007`` stays ``007``.
    """

    encoding: str = "utf-8"
    as_text: tuple[str, ...] = ()

    SUFFIXES: ClassVar[tuple[str, ...]] = (".arff",)

    def reading_as_text(self, names: Iterable[str]) -> ArffSource:
        """Return the same source that keeps these columns as they are written."""
        return replace(self, as_text=(*self.as_text, *names))

    def _load_file(self) -> pd.DataFrame:
        path = Path(str(self.path))
        opening.check_file(path)
        compression = opening.compression_of(path)
        with opening.open_binary(path, compression) as file:
            data = file.read()
        opening.check_head(path, data[:4096], None)
        try:
            text = data.decode(self.encoding).removeprefix("\ufeff")
        except UnicodeError:
            raise DataError(f"{path}: is not {self.encoding} text", hint="data.encoding=latin-1") from None
        attributes, body = _parted(path, text)
        attributes = [replace(a, kind="text") if a.name in self.as_text else a for a in attributes]
        return _typed(path, _rows(path, attributes, body), attributes)


def _parted(path: Path, text: str) -> tuple[list[_Attribute], str]:
    """Return what the header says, and the lines below ``@data``."""
    attributes: list[_Attribute] = []
    place = 0
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        place += len(line)
        stripped = line.strip()
        word = stripped.split(None, 1)[0].lower() if stripped else ""
        if word == "@data":
            return _named_once(path, attributes), text[place:]
        if word == "@attribute":
            attributes.append(_attribute(path, number, stripped))
        elif stripped and not stripped.startswith("%") and word != "@relation":
            raise DataError(f"{path}: line {number} is none of an ARFF header", hint="is it CSV? `data: csv`")
    raise DataError(f"{path}: has no @data line", hint="is it a whole ARFF file?")


def _named_once(path: Path, attributes: list[_Attribute]) -> list[_Attribute]:
    names = [a.name for a in attributes]
    repeated = sorted({n for n in names if names.count(n) > 1})
    if repeated or not names:
        what = f"names the attribute '{repeated[0]}' more than once" if repeated else "has no @attribute"
        raise DataError(f"{path}: {what}", hint="correct its header")
    return attributes


def _attribute(path: Path, number: int, line: str) -> _Attribute:
    match = _ATTRIBUTE.fullmatch(line)
    if match is None:
        raise DataError(f"{path}: line {number} names an attribute without a type")
    name, said = _unquoted(match[1]), match[2].strip()
    word = said.split(None, 1)[0].lower()
    if said.startswith("{"):
        inside = said[1:].rpartition("}")[0]
        values = [_unquoted(v) for v in _VALUE.findall(inside)][: _count(inside)]
        return _Attribute(name, "nominal", tuple(values))
    if word in _NUMERIC:
        return _Attribute(name, "numeric")
    if word == "string":
        return _Attribute(name, "text")
    if word == "date":
        return _Attribute(name, "date", form=_strptime(_unquoted(said[4:].strip() or "yyyy-MM-dd'T'HH:mm:ss")))
    raise DataError(
        f"{path}: line {number}: '{name}' is of the type {word}", hint="numeric, {values}, string and date are read"
    )


def _count(inside: str) -> int:
    """Return how many values a list has: the pattern also matches the nothing at its end."""
    found = _VALUE.findall(inside)
    return len(found) - (1 if found and not found[-1] and not inside.rstrip().endswith(",") else 0)


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def _strptime(java: str) -> str:
    """Return Java's pattern of a date as Python's.

    Examples
    --------
    >>> _strptime("yyyy-MM-dd'T'HH:mm:ss")
    '%Y-%m-%dT%H:%M:%S'
    """
    return _JAVA_PART.sub(lambda m: _JAVA_DATES[m[0]], java.replace("'", ""))


def _rows(path: Path, attributes: Sequence[_Attribute], body: str) -> pd.DataFrame:
    # pandas' own `comment` would cut values such as 50% too
    lines = [line for line in body.splitlines() if line.strip() and not line.lstrip().startswith("%")]
    if not lines:
        raise DataError(f"{path}: has no rows")
    if lines[0].lstrip().startswith("{"):
        raise DataError(f"{path}: is a sparse ARFF file, which is not read", hint="write it dense, or as svmlight")
    quote = "'" if any(_SINGLE.search(line) for line in lines) else '"'
    lines = [_in_one_quote(line, quote) for line in lines]
    try:
        table, is_cut = _split(lines, quote, attributes)
    except (pd.errors.ParserError, ValueError) as error:
        _check_lengths(path, lines, quote, len(attributes))
        raise DataError(f"{path}: its rows cannot be read: {first_line(error)}") from error
    if is_cut or (table.iloc[:, -1] == "").any():  # a row that ends too early looks so
        _check_lengths(path, lines, quote, table.shape[1])
    return table


def _in_one_quote(line: str, quote: str) -> str:
    """Return a line whose values are in this quote alone, as pandas takes it, and that marks a ``?`` in quotes."""
    if not _QUOTED_MARK.search(line) and (quote == '"' or '"' not in line):
        return line
    values = _VALUE.findall(line)[: _count(line)]
    return ",".join(_requoted(value, quote) if value[:1] in {"'", '"'} else value for value in values)


def _requoted(value: str, quote: str) -> str:
    plain = _unquoted(value)
    kept = plain.replace("\\", "\\\\").replace(quote, f"\\{quote}")
    return f"{quote}{_MARK if plain.strip() == '?' else kept}{quote}"


def _split(lines: Sequence[str], quote: str, attributes: Sequence[_Attribute]) -> tuple[pd.DataFrame, bool]:
    """Return the rows, and whether values beyond the last column were left out: pandas does no more than warn."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", pd.errors.ParserWarning)
        table: pd.DataFrame = pd.read_csv(
            io.StringIO("\n".join(lines)),
            header=None,
            names=[a.name for a in attributes],
            index_col=False,
            dtype=str,
            keep_default_na=False,
            quotechar=quote,
            escapechar="\\",
            skipinitialspace=True,
        )
    return table, bool(said)


def _check_lengths(path: Path, lines: Sequence[str], quote: str, expected: int) -> None:
    rows = csv.reader(lines, quotechar=quote, escapechar="\\", skipinitialspace=True)
    for number, row in enumerate(rows, start=1):
        if len(row) < expected or any(row[expected:]):
            raise DataError(f"{path}: row {number} below @data has {len(row)} values for {expected} columns")


def _typed(path: Path, table: pd.DataFrame, attributes: Sequence[_Attribute]) -> pd.DataFrame:
    columns = {a.name: table[a.name].str.strip() for a in attributes}
    values = {name: column.replace("?", None).replace(_MARK, "?") for name, column in columns.items()}
    return pd.DataFrame({a.name: _column(path, values[a.name], a) for a in attributes})


def _column(path: Path, column: pd.Series, attribute: _Attribute) -> pd.Series:
    if attribute.kind == "text":
        return column
    if attribute.kind == "nominal":
        beside = sorted(set(column.dropna()) - set(attribute.values))
        if beside:
            raise DataError(f"{path}: '{attribute.name}' has the value '{beside[0]}', which its header does not list")
        return column.astype(pd.CategoricalDtype(list(dict.fromkeys(attribute.values))))
    try:
        if attribute.kind == "date":
            return pd.to_datetime(column, format=attribute.form)
        numbers: pd.Series = pd.to_numeric(column)
    except (ValueError, TypeError) as error:
        raise DataError(f"{path}: '{attribute.name}' is {attribute.kind}: {first_line(error)}") from None
    return numbers

"""Reading a delimited text file in pieces: whether they come to the same as all of it, and what must not be missed."""

from __future__ import annotations

import io
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from mlops_cli.components.sources import opening

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy.typing as npt
    from _typeshed import WriteableBuffer

    from mlops_cli.components.sources.layout import Layout

_LARGE, _LARGE_COMPRESSED = 2**26, 2**23
"""Bytes from which on the parser would take several times the table's own memory, if it had the file at once."""
_PIECE, _PIECE_PER_COLUMN = 2**24, 2**13
"""Bytes of text in a piece; each column of each piece costs some time."""

_BLOCK, _END = 2**20, 10
"""Bytes of a file that are looked at together, and the one that ends a line."""

_OF_THE_WHOLE = frozenset(
    {"index_col", "usecols", "parse_dates", "date_format", "dayfirst", "converters", "skipfooter", "thousands"}
)
"""Options that need all rows at once, or that say themselves which columns are read."""

_NO_COUNT = frozenset(
    {"comment", "skiprows", "nrows", "on_bad_lines", "encoding"}
    | {"escapechar", "quoting", "doublequote", "lineterminator"}
)
"""Options by which not every separator parts two values, or lines may be longer than others."""


def is_large(path: Path, compression: Any = "infer") -> bool:
    """Whether a file is better read in pieces even where all of it is wanted."""
    return path.stat().st_size > (_LARGE if opening.compression_of(path, compression) is None else _LARGE_COMPRESSED)


def comes_in_pieces(options: Mapping[str, Any], layout: Layout | None) -> bool:
    """Whether pieces come to the same as the whole with these options of pandas' reader."""
    if layout is None or options.get("engine", "c") != "c" or _OF_THE_WHOLE & options.keys():
        return False
    has_categories = "category" in str(options.get("dtype"))
    return not has_categories and all(name.strip() for name in layout.header or ())  # nameless ones may be left out


def may_skip_columns(options: Mapping[str, Any], layout: Layout) -> bool:
    """Whether columns can be left to the parser to skip, and too long lines still be found by `Separators`."""
    return len(layout.separator) == 1 and layout.header_row in {0, None} and not _NO_COUNT & options.keys()


def are_even(path: Path, options: Mapping[str, Any], layout: Layout, width: int) -> bool:
    """Whether it is sure that every line has so many fields; where it is not, only reading them one by one tells.

    Many times as quick as parsing: between two ends of a line there must be as many separators each time.
    """
    if len(layout.separator) != 1 or layout.header_row not in {0, None} or _NO_COUNT & options.keys():
        return False
    quote = str(options.get("quotechar") or '"')
    with opening.open_binary(path, opening.compression_of(path, options.get("compression", "infer"))) as file:
        left, is_quoted = np.empty(0, np.uint8), False
        while block := file.read(_BLOCK):
            marks, is_quoted = _marks(block, layout.separator.encode(), quote.encode(), is_quoted)
            left = np.concatenate([left, marks])
            whole = left[: len(left) // width * width].reshape(-1, width)
            if (whole[:, -1] != _END).any() or (whole[:, :-1] == _END).any():
                return False
            left = left[whole.size :]
    return len(left) in {0, width - 1} and _END not in left


def _marks(block: bytes, separator: bytes, quote: bytes, is_quoted: bool) -> tuple[npt.NDArray[np.uint8], bool]:
    """Return the separators and ends of lines in a block that do not stand in quotes, and whether it ends in quotes."""
    values = np.frombuffer(block, np.uint8)
    is_mark = (values == separator[0]) | (values == _END)
    if quote in block or is_quoted:
        quoted = (np.cumsum(values == quote[0], dtype=np.uint8) + is_quoted) & 1
        is_mark &= quoted == 0
        is_quoted = bool(quoted[-1])
    return values[np.flatnonzero(is_mark)], is_quoted  # by places: three times as quick as by the mask


class Separators:
    """Counts the separators that a parser goes over: it says nothing of a line that is too long where it skips columns.

    Parameters
    ----------
    separator, quote : str
        One character each; what stands between two quotes does not count.
    """

    def __init__(self, separator: str, quote: str) -> None:
        self._separator, self._quote = separator.encode(), quote.encode()
        self._is_quoted = False
        self.count = 0

    def reading(self, stream: IO[bytes]) -> IO[bytes]:
        """Return a stream that is counted as it is read."""
        return io.BufferedReader(_Told(stream, self._add), 2**18)

    def _add(self, data: bytes) -> None:
        if self._quote not in data and not self._is_quoted:
            self.count += data.count(self._separator)
            return
        values = np.frombuffer(data, np.uint8)
        quoted = (np.cumsum(values == self._quote[0], dtype=np.uint8) + self._is_quoted) & 1
        self.count += int(np.count_nonzero((values == self._separator[0]) & (quoted == 0)))
        self._is_quoted = bool(quoted[-1])


class _Told(io.RawIOBase):
    """Hands on what it reads, and tells it."""

    def __init__(self, stream: IO[bytes], tell: Callable[[bytes], None]) -> None:
        super().__init__()
        self._stream, self._tell = stream, tell

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        data = self._stream.read(len(view))
        view[: len(data)] = data
        if data:
            self._tell(data)
        return len(data)


def rows_of_piece(layout: Layout) -> int:
    """Return how many rows make a piece, from how long the first lines are."""
    length = sum(map(len, layout.lines)) / len(layout.lines)
    return max(1, int((_PIECE + _PIECE_PER_COLUMN * len(layout.rows[0])) / length))

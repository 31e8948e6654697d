"""What all sources that read files share: several files are one table, and archives are unpacked."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from mlops_cli.components.sources.gathering import File, gathered, meant
from mlops_cli.components.sources.gleaning import gleaned
from mlops_cli.components.sources.stacking import KindsDifferError, Part, kinds_that_differ, short_names, stacked
from mlops_cli.components.tables import with_plain_labels
from mlops_cli.components.wanted import beside
from mlops_cli.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    import pandas as pd

    from mlops_cli.contracts import Portion, Wanted
    from mlops_cli.records import Notice


def with_rows(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    """Return the table of a file, which must have rows."""
    if table.empty:
        raise DataError(f"{path}: has no rows", hint="write or download it again")
    return table


@dataclass(frozen=True)
class FileSource:
    """A table in one file or several.

    A source of one form of file says how one file is read, by ``_load_file`` and ``_inspect_file``.

    Parameters
    ----------
    path : str, Path or list of these
        A file, a glob, a folder of parts or an archive, as an absolute path; or several of them.
    member : str or list of str, optional
        The names or globs of the files wanted of a zip or tar archive.
    source_column : str, optional
        A column to be added, which says of each row which file it came from.
    """

    path: str | Path | list[str]
    member: str | list[str] | None = field(default=None, kw_only=True)
    source_column: str | None = field(default=None, kw_only=True)

    SUFFIXES: ClassVar[tuple[str, ...]] = ()

    def load(self) -> pd.DataFrame:
        """Return the table of all files, in the order of their names.

        Raises
        ------
        DataError
            A file cannot be read, or the files do not agree.
        """
        with self._files() as files:
            if len(files) == 1:
                return stacked([Part(files[0].called, self._of(files[0])._load_file())], self.source_column)
            return self._stacked(files)

    def files(self) -> list[Path]:
        """Return the files that are meant, archives as they are.

        Raises
        ------
        DataError
            There are none.
        """
        given = self.path if isinstance(self.path, list | tuple) else [self.path]
        return [place for item in given for place in meant(Path(item), self.SUFFIXES)]

    def _stacked(self, files: Sequence[File]) -> pd.DataFrame:
        """Return the table of several files; numbers in one and text in another are text, as in one file of all."""
        parts = self._parts(files)
        if differing := kinds_that_differ(parts):
            parts = self._parts(files, as_text=tuple(differing))
        return stacked(parts, self.source_column)

    def inspect(self, table: pd.DataFrame) -> list[Notice]:
        """Return what the raw form of the first file, one in the middle and the last one show and the table hides."""
        with self._files() as files:
            own = table.drop(columns=self.source_column) if self.source_column in table.columns else table
            looked_at = dict.fromkeys(files[place] for place in (0, len(files) // 2, -1))
            found = [notice for file in looked_at for notice in self._of(file)._inspect_file(own)]
            return list({(n.code, n.column or n.message): n for n in reversed(found)}.values())[::-1]

    def load_less(self, wanted: Wanted) -> Portion:
        """Return the wanted rows and columns of all files, one of which is held at a time, or a piece of it.

        Raises
        ------
        DataError
            A file cannot be read, or the files do not agree.
        ConfigError
            A wanted column is not there.
        """
        with self._files() as files:
            try:
                return gleaned(self._all_pieces(files, wanted), wanted)
            except KindsDifferError as error:
                differing = tuple(error.columns)
            # Not while the error is handled: it holds what was read.
            return gleaned(self._all_pieces(files, wanted, differing), wanted)

    def pieces(self, wanted: Wanted) -> Generator[pd.DataFrame]:
        """Yield the wanted columns of all rows, in order, as far as this form of file can be read in pieces.

        Raises
        ------
        DataError, ConfigError
            As `load_less`, when it comes to what is wrong.
        """
        with self._files() as files:
            yield from (part.table for part in self._all_pieces(files, wanted))

    def _all_pieces(self, files: Sequence[File], wanted: Wanted, as_text: tuple[str, ...] = ()) -> Iterator[Part]:
        reader = self._telling(as_text)
        own = wanted if self.source_column is None else beside(wanted, self.source_column)
        for file, name in zip(files, short_names([f.called for f in files]), strict=True):
            for table in reader._of(file)._pieces(own):
                whole = table if self.source_column is None else table.assign(**{self.source_column: name})
                yield Part(file.called, whole)

    def _pieces(self, wanted: Wanted) -> Iterator[pd.DataFrame]:
        """Yield the rows of one file in order, with the wanted columns; here in one piece."""
        table = with_plain_labels(self._load_file())
        yield table[wanted.names(list(table.columns))]

    def _load_file(self) -> pd.DataFrame:
        raise NotImplementedError

    def _inspect_file(self, table: pd.DataFrame) -> list[Notice]:
        from mlops_cli.components.sources import inspection

        return inspection.of_texts(table)

    @contextmanager
    def _files(self) -> Iterator[tuple[File, ...]]:
        with gathered(self.path, self.member, self.SUFFIXES) as files:
            try:
                yield files
            except (DataError, ConfigError) as error:
                for file in files:
                    error.message = error.message.replace(str(file.path), file.called)
                error.args = (error.message,)
                raise

    def _parts(self, files: Sequence[File], as_text: tuple[str, ...] = ()) -> list[Part]:
        """Return what each file holds, with named levels of its index as columns."""
        reader = self._telling(as_text)
        return [Part(file.called, with_plain_labels(reader._of(file)._load_file())) for file in files]

    def _telling(self, as_text: tuple[str, ...]) -> Self:
        tell: Any = getattr(self, "reading_as_text", None)
        reader: Self = tell(as_text) if as_text and tell is not None else self
        return reader

    def _of(self, file: File) -> Self:
        """Return the source of one of the files."""
        return replace(self, path=file.path, member=None, source_column=None)

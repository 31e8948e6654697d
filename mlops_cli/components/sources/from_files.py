"""What all sources that read files share: several files are one table, and archives are unpacked."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

from mlops_cli.components.sources.gathering import File, gathered
from mlops_cli.components.sources.stacking import Part, kinds_that_differ, stacked
from mlops_cli.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pandas as pd

    from mlops_cli.records import Notice


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
            parts = self._parts(files)
            if len(parts) > 1 and (differing := kinds_that_differ(parts)):
                parts = self._parts(files, as_text=tuple(differing))
            return stacked(parts, self.source_column)

    def inspect(self, table: pd.DataFrame) -> list[Notice]:
        """Return what the raw form of the first file shows and the table hides."""
        with self._files() as files:
            own = table.drop(columns=self.source_column) if self.source_column in table.columns else table
            return self._of(files[0])._inspect_file(own)

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
        """Return what each file holds; numbers in one and text in another are text, as in one file of all rows."""
        tell: Any = getattr(self, "reading_as_text", None)
        reader: Any = tell(as_text) if as_text and tell is not None else self
        return [Part(file.called, reader._of(file)._load_file()) for file in files]

    def _of(self, file: File) -> Self:
        """Return the source of one of the files."""
        return replace(self, path=file.path, member=None, source_column=None)

"""A file of a Kaggle competition or data set, by Kaggle's HTTP API; credentials as Kaggle's own tools take them."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import urllib.parse
import weakref
import zipfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar

from mlops_cli.components.sources import http
from mlops_cli.components.sources.kinds import spec_for_file
from mlops_cli.components.sources.options import check_seconds, check_whole
from mlops_cli.contracts import InspectsItself
from mlops_cli.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pandas as pd

    from mlops_cli.records import Notice

_HOST = "https://www.kaggle.com"
_HINT = "export KAGGLE_USERNAME=… KAGGLE_KEY=…, or save kaggle.json of kaggle.com/settings as ~/.kaggle/kaggle.json"


@dataclass(frozen=True)
class KaggleSource:
    """One file of Kaggle.

    Parameters
    ----------
    file : str
        Its name there, such as ``train.csv``; its suffix says how it is read.
    competition : str, optional
        The name in the address of a competition, such as ``titanic``; its rules must have been accepted there.
    dataset : str, optional
        In place of a competition: ``owner/name``.
    read : mapping, optional
        Options for the reader of that form of file.
    base_url : str
        Where Kaggle is.
    timeout : float
        Seconds without an answer.
    max_bytes : int
        A larger download is refused.
    as_text : tuple of str, optional
        Columns whose values are kept as they are written, where the form of file has them written.
    """

    file: str
    competition: str | None = None
    dataset: str | None = None
    read: Mapping[str, Any] | None = None
    base_url: str = _HOST
    timeout: float = 60.0
    max_bytes: int = 10 * 2**30
    as_text: tuple[str, ...] = ()

    is_remote: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if (self.competition is None) == (self.dataset is None):
            raise ConfigError("either a competition or a dataset is needed", key="data.competition", hint="titanic")
        if self.dataset is not None and str(self.dataset).count("/") != 1:
            raise ConfigError(f"found {self.dataset!r}, must be owner/name", key="data.dataset")
        check_seconds(self.timeout, "data.timeout")
        check_whole(self.max_bytes, "data.max_bytes", 1)
        spec_for_file(self.file, {}, "data.file")

    def reading_as_text(self, names: Iterable[str]) -> KaggleSource:
        """Return the same source that keeps these columns as they are written."""
        return replace(self, as_text=(*self.as_text, *names))

    def load(self) -> pd.DataFrame:
        """Return the table.

        Raises
        ------
        DataError
            There are no credentials, they do not suffice, or Kaggle cannot be reached; it is larger than allowed.
        """
        with self._named():
            table: pd.DataFrame = self._reader.load()
        return table

    def inspect(self, table: pd.DataFrame) -> list[Notice]:
        """Return what the raw form of the file shows and the table hides."""
        with self._named():
            return list(self._reader.inspect(table)) if isinstance(self._reader, InspectsItself) else []

    @property
    def called(self) -> str:
        """What messages call the file."""
        return f"Kaggle {self.competition or self.dataset} {self.file}"

    @property
    def _url(self) -> str:
        file = urllib.parse.quote(self.file)
        if self.competition is not None:
            return (
                f"{self.base_url}/api/v1/competitions/data/download/{urllib.parse.quote(self.competition, '')}/{file}"
            )
        return f"{self.base_url}/api/v1/datasets/download/{urllib.parse.quote(str(self.dataset))}/{file}"

    @cached_property
    def _place(self) -> Path:
        """The downloaded file: fetched once, though it is read and inspected, and gone with this source."""
        folder = tempfile.mkdtemp(prefix="mlops-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return self._download(Path(folder))

    @property
    def _reader(self) -> Any:
        from mlops_cli.components import sources

        params = {"path": str(self._place), **({"read": dict(self.read)} if self.read else {})}
        spec = spec_for_file(self.file, params, "data.file")
        source = getattr(sources, str(spec.target).rpartition(".")[2])(**spec.params)
        return source.reading_as_text(self.as_text) if hasattr(source, "reading_as_text") else source

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Call the file what Kaggle calls it in the errors of the block."""
        try:
            yield
        except (DataError, ConfigError) as error:
            if place := self.__dict__.get("_place"):
                error.message = error.message.replace(str(place), self.called)
                error.args = (error.message,)
            raise

    def _download(self, folder: Path) -> Path:
        """Return the downloaded file; Kaggle packs what is large into a zip file."""
        place = folder / PurePosixPath(self.file).name
        asking = http.Asking(secrets={"Authorization": _credentials(self.called)}, timeout=self.timeout)
        with _explained(self.called), http.answer(self._url, asking) as response, place.open("xb") as file:
            hint = "`data.max_bytes` allows more"
            file.writelines(http.chunks(self._url, response, most=self.max_bytes, hint=hint))
        if place.suffix.lower() not in {".zip", ".xlsx"} and zipfile.is_zipfile(place):
            return place.rename(place.with_name(f"{place.name}.zip"))
        return place


def _credentials(called: str) -> str:
    """Return the header that says who asks.

    Raises
    ------
    DataError
        Nobody says.
    """
    if token := os.environ.get("KAGGLE_API_TOKEN", "").strip():
        return http.header("Authorization", f"Bearer {token}", "data.competition", "KAGGLE_API_TOKEN")
    user, key = os.environ.get("KAGGLE_USERNAME"), os.environ.get("KAGGLE_KEY")
    if not (user and key):
        folder = os.environ.get("KAGGLE_CONFIG_DIR") or Path.home() / ".kaggle"
        with suppress(OSError, ValueError, AttributeError):
            said = json.loads((Path(folder) / "kaggle.json").read_text(encoding="utf-8"))
            user, key = said.get("username"), said.get("key")
    if not (user and key):
        raise DataError(f"{called}: there are no credentials for Kaggle", hint=_HINT)
    return http.basic(str(user).strip(), str(key).strip())


@contextmanager
def _explained(called: str) -> Iterator[None]:
    try:
        yield
    except DataError as error:
        if " 401 " in error.message:
            error.hint = _HINT
        elif " 403 " in error.message:
            error.hint = "accept the competition's rules on its page first; or the credentials are another person's"
        elif " 404 " in error.message:
            error.hint = f"check the names: {called}"
        raise

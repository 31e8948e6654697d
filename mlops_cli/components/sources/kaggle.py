"""A file of a Kaggle competition or data set, by Kaggle's HTTP API; credentials as Kaggle's own tools take them."""

from __future__ import annotations

import json
import os
import tempfile
import urllib.parse
import zipfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar

from mlops_cli.components.sources import http, inspection
from mlops_cli.components.sources.kinds import spec_for_file
from mlops_cli.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
    """

    file: str
    competition: str | None = None
    dataset: str | None = None
    read: Mapping[str, Any] | None = None
    base_url: str = _HOST
    timeout: float = 60.0

    is_remote: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if (self.competition is None) == (self.dataset is None):
            raise ConfigError("either a competition or a dataset is needed", key="data.competition", hint="titanic")
        if self.dataset is not None and str(self.dataset).count("/") != 1:
            raise ConfigError(f"found {self.dataset!r}, must be owner/name", key="data.dataset")
        spec_for_file(self.file, {}, "data.file")

    def load(self) -> pd.DataFrame:
        """Return the table.

        Raises
        ------
        DataError
            There are no credentials, they do not suffice, or Kaggle cannot be reached.
        """
        with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
            place = self._download(Path(folder))
            try:
                table: pd.DataFrame = self._reader(place).load()
            except (DataError, ConfigError) as error:
                error.message = error.message.replace(str(place), self.called)
                error.args = (error.message,)
                raise
        return table

    def inspect(self, table: pd.DataFrame) -> list[Notice]:
        """Return what text columns show of being numbers or dates."""
        return inspection.of_texts(table)

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

    def _reader(self, place: Path) -> Any:
        from mlops_cli.components import sources

        params = {"path": str(place), **({"read": dict(self.read)} if self.read else {})}
        spec = spec_for_file(self.file, params, "data.file")
        return getattr(sources, str(spec.target).rpartition(".")[2])(**spec.params)

    def _download(self, folder: Path) -> Path:
        """Return the downloaded file; Kaggle packs what is large into a zip file."""
        place = folder / PurePosixPath(self.file).name
        asking = http.Asking(secrets={"Authorization": _credentials(self.called)}, timeout=self.timeout)
        with _explained(self.called), http.answer(self._url, asking) as response, place.open("xb") as file:
            file.writelines(http.chunks(self._url, response))
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
    if token := os.environ.get("KAGGLE_API_TOKEN"):
        return f"Bearer {token}"
    user, key = os.environ.get("KAGGLE_USERNAME"), os.environ.get("KAGGLE_KEY")
    if not (user and key):
        folder = os.environ.get("KAGGLE_CONFIG_DIR") or Path.home() / ".kaggle"
        with suppress(OSError, ValueError, AttributeError):
            said = json.loads((Path(folder) / "kaggle.json").read_text(encoding="utf-8"))
            user, key = said.get("username"), said.get("key")
    if not (user and key):
        raise DataError(f"{called}: there are no credentials for Kaggle", hint=_HINT)
    return http.basic(user, key)


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

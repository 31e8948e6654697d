"""Where MLflow keeps runs, and a client of it: quiet, without telemetry, and one process at a time while it is made."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import socket
import urllib.parse
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

ENVIRONMENT = "MLFLOW_TRACKING_URI"

# Read by MLflow when it is imported or asked. What the user has set stands.
_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # its own 7 take minutes to find that a server is not there
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "15",
}
SQLITE = "sqlite:///"
"""How the URI of a data base that is a file begins."""

_MEMORY = "/dev/shm"  # noqa: S108 - a folder with a name that nobody guesses is made in it
_LOGGERS = ("mlflow", "alembic")
_LOUDEST = 50  # logging.CRITICAL: what goes wrong is raised as well


@dataclass(frozen=True)
class Place:
    """Where MLflow keeps runs.

    Parameters
    ----------
    uri : str
        As MLflow takes it.
    file : Path, optional
        The data base, where it is a file; artifacts lie beside it.
    """

    uri: str
    file: Path | None = None

    @property
    def folder(self) -> Path | None:
        """The folder of a data base that is a file."""
        return None if self.file is None else self.file.parent

    @property
    def shown(self) -> str:
        """The URI without a password."""
        return re.sub(r"(?<=//)[^/@]*@", "", self.uri)

    def artifacts(self, experiment: str) -> str | None:
        """Return where the artifacts of an experiment go; None where MLflow's server knows."""
        if self.folder is None:
            return None
        return (self.folder / "mlartifacts" / urllib.parse.quote(experiment, safe="")).as_uri()

    def page(self, experiment_id: str, run_id: str) -> str:
        """Return where a run is to be seen: its page on a server, else the file that ``mlflow ui`` shows."""
        if self.file is not None:
            return str(self.file)
        if not self.uri.startswith(("http://", "https://")):
            return self.shown
        return f"{self.shown.rstrip('/')}/#/experiments/{experiment_id}/runs/{run_id}"


def place_of(uri: str | None, workspace: Path) -> Place:
    """Return the place that is meant.

    Parameters
    ----------
    uri : str, optional
        As MLflow takes it; where not given, what ``MLFLOW_TRACKING_URI`` says, else ``mlflow.db`` in the workspace. A
        relative path of SQLite's counts from the workspace.
    workspace : Path
        Its folder.
    """
    said = uri or os.environ.get(ENVIRONMENT) or f"{SQLITE}mlflow.db"
    if not said.startswith(SQLITE):
        return Place(said)
    file = Path(os.path.abspath(workspace / said.removeprefix(SQLITE)))  # noqa: PTH100  links stay as they are
    return Place(f"{SQLITE}{file}", file)


def import_mlflow() -> None:
    """Import MLflow, in silence and with no word to anybody.

    It warns while it is imported, and warnings are caught for the whole process, not for a thread: this is no place to
    call it while trials run in the same process.
    """
    import logging

    for key, value in _SETTINGS.items():
        os.environ.setdefault(key, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow.data
        import mlflow.pyfunc.model
        import mlflow.sklearn
        import mlflow.store.model_registry.sqlalchemy_store
        import mlflow.store.tracking.sqlalchemy_store  # noqa: F401 - it warns as it is imported
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(_LOUDEST)


def connect(place: Place) -> Any:
    """Return an ``MlflowClient``; a data base that is not there is made.

    Raises
    ------
    StoreError
        MLflow cannot be reached, or its data base is of another version.
    """
    from mlflow import MlflowClient

    with alone(place), plain_errors(place):
        if place.file is not None and not (place.file.exists() and place.file.stat().st_size):
            _make(place.file)
        client = MlflowClient(place.uri, None if os.environ.get("MLFLOW_REGISTRY_URI") else place.uri)
        client.search_experiments(max_results=1)
    return client


def _make(file: Path) -> None:
    """Make a data base in memory and copy it to its place.

    MLflow makes it by 60 migrations, each of which waits for the disk: 8 s there, 1 s in memory.
    """
    import sqlite3
    import tempfile

    from mlflow import MlflowClient

    memory = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="mlops-", dir=memory) as folder:
        made = Path(folder) / file.name
        MlflowClient(f"{SQLITE}{made}", f"{SQLITE}{made}").search_experiments(max_results=1)
        with contextlib.closing(sqlite3.connect(made)) as source, contextlib.closing(sqlite3.connect(file)) as target:
            source.backup(target)


@contextlib.contextmanager
def alone(place: Place) -> Iterator[None]:
    """Keep others of us out of a data base that is a file while the block lasts; not to be nested.

    Of twenty that make one together nineteen fail without. The folder itself is locked, so that no further file lies
    about; a file system that cannot lock folders goes without.
    """
    if place.folder is None:
        yield
        return
    place.folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(place.folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def telling(place: Place) -> Iterator[None]:
    """Write inside the block, while no other of us does: SQLite refuses one of two that read and then write at once."""
    with alone(place), plain_errors(place):
        yield


@contextlib.contextmanager
def plain_errors(place: Place) -> Iterator[None]:
    """Turn what MLflow and those beneath it raise inside the block into one line."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError, OSError) as error:  # what requests raises is an OSError
        if (reason := _unanswered(error)) is not None:
            hint = "start it, or give the uri of one that runs"
            raise StoreError(f"MLflow at {place.shown} does not answer: {reason}", hint=hint) from error
        said = " ".join(str(error).split()) or type(error).__name__
        raise StoreError(f"MLflow at {place.shown}: {_without_secrets(said, place)[:500]}") from error


def _unanswered(error: BaseException) -> str | None:
    """Return why a server could not be reached, in a few words; None where something else went wrong."""
    import requests

    chain, cause = [error], error
    while (beneath := cause.__cause__ or cause.__context__) is not None and beneath not in chain:
        cause = beneath
        chain.append(beneath)
    kinds = requests.exceptions
    if not any(isinstance(link, kinds.ConnectionError | kinds.Timeout) for link in chain):
        return None
    if any(isinstance(link, kinds.SSLError | kinds.ProxyError) for link in chain):
        return None  # something does answer, and says what it does not like
    if any(isinstance(link, kinds.Timeout | TimeoutError) for link in chain):
        return "no reply in time"
    if any(isinstance(link, socket.gaierror) for link in chain):
        return "no host of that name is known"
    told = next((link.strerror for link in reversed(chain) if isinstance(link, OSError) and link.strerror), None)
    return told.lower() if told else "the connection failed"


def _without_secrets(text: str, place: Place) -> str:
    return text.replace(place.uri, place.shown)


def experiment_of(client: Any, place: Place, name: str) -> str:
    """Return the id of an experiment of MLflow's, which is made where it is not there.

    Raises
    ------
    StoreError
        It was deleted.
    """
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return str(client.create_experiment(name, artifact_location=place.artifacts(name)))
        except MlflowException:  # somebody else has made it by now
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    if found.lifecycle_stage != "active":
        hint = "mlflow experiments restore brings it back; tracker.experiment says another name"
        raise StoreError(f"the experiment {name!r} was deleted in MLflow at {place.shown}", hint=hint)
    return str(found.experiment_id)

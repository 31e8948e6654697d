"""Bytes from the web or an object store into `Objects`: whole or not at all, and never more than allowed."""

from __future__ import annotations

import posixpath
import re
import urllib.parse
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_cli.components.sources import http
from mlops_cli.components.sources.secrets import masked
from mlops_cli.errors import ConfigError, DataError, MissingExtraError, MlopsError, NoFilesError, did_you_mean

if TYPE_CHECKING:
    import email.message
    from collections.abc import Iterator, Mapping

    from mlops_cli.store.objects import Objects

_CHUNK = 2**20
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_PACKAGES = {
    "s3": ("s3fs", "s3"),
    "s3a": ("s3fs", "s3"),
    "gs": ("gcsfs", "gcs"),
    "gcs": ("gcsfs", "gcs"),
    "az": ("adlfs", "azure"),
    "abfs": ("adlfs", "azure"),
    "abfss": ("adlfs", "azure"),
    "adl": ("adlfs", "azure"),
}


@dataclass(frozen=True)
class Limits:
    """How much may be fetched, and how long a place may be silent.

    Parameters
    ----------
    max_bytes : int
        Of one file.
    timeout : float
        Seconds.
    retries : int
        How many more times to ask a server that fails for the moment.
    backoff : float
        Seconds before the second try.
    """

    max_bytes: int = 10 * 2**30
    timeout: float = 30.0
    retries: int = 4
    backoff: float = 1.0


@dataclass(frozen=True)
class Got:
    """What a place gave, with what tells later whether it has changed."""

    digest: str
    size: int
    name: str
    etag: str | None = None
    last_modified: str | None = None


def receive(url: str, objects: Objects, known: Mapping[str, Any], limits: Limits) -> Got | None:
    """Fetch one file; None where it is still what is known by ``etag`` or ``last_modified``.

    Raises
    ------
    Unreachable, DataError
        As `http.answer`; or it is larger than ``limits`` allow.
    MissingExtraError
        The package for that kind of store is not installed.
    """
    return _from_web(url, objects, known, limits) if http.is_web(url) else _from_store(url, objects, known, limits)


def safe_name(text: str) -> str:
    """Return the last part of a path as a plain file name, its suffixes kept.

    Examples
    --------
    >>> safe_name("/a/b/my%20data.csv.gz"), safe_name("..")
    ('my_data.csv.gz', 'data')
    """
    last = posixpath.basename(urllib.parse.unquote(text).rstrip("/"))
    return _UNSAFE.sub("_", last).lstrip(".-")[-100:] or "data"


# --- the web -----------------------------------------------------------------------------------------------------


def _from_web(url: str, objects: Objects, known: Mapping[str, Any], limits: Limits) -> Got | None:
    asking = http.Asking(_conditions(known), timeout=limits.timeout, retries=limits.retries, backoff=limits.backoff)
    with http.answer(url, asking) as response:
        if response.status == 304:
            return None
        expected = response.headers.get("Content-Length")
        _check_size(url, int(expected) if expected and expected.isdigit() else 0, limits)
        with objects.writing() as writer:
            for chunk in http.chunks(url, response):
                writer.write(chunk)
                _check_size(url, writer.size, limits)
    return Got(
        writer.digest,
        writer.size,
        _name_of(url, response.headers),
        response.headers.get("ETag"),
        response.headers.get("Last-Modified"),
    )


def _conditions(known: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers that ask for the content only if it has changed (RFC 9110, 13.1)."""
    headers = {"If-None-Match": known.get("etag"), "If-Modified-Since": known.get("last_modified")}
    return {name: str(value) for name, value in headers.items() if value}


def _check_size(url: str, size: int, limits: Limits) -> None:
    if size > limits.max_bytes:
        raise DataError(
            f"{masked(url)}: is larger than the {limits.max_bytes:,} bytes that are allowed",
            hint="`data.max_bytes` allows more",
        )


def _name_of(url: str, headers: email.message.Message) -> str:
    """Return what a download is called; its suffix tells the form, so a name that the server gives may be better."""
    name = safe_name(urllib.parse.urlsplit(url).path)
    given = headers.get_filename()
    if "." not in name and given and "." in given:
        name = safe_name(given)
    is_gzip = (headers.get("Content-Encoding") or "").lower() in {"gzip", "x-gzip"}
    return f"{name}.gz" if is_gzip and not name.endswith((".gz", ".tgz")) else name


# --- object stores -------------------------------------------------------------------------------------------------


def _from_store(url: str, objects: Objects, known: Mapping[str, Any], limits: Limits) -> Got | None:
    system, path = opened(url)
    with _store_errors(url):
        info = system.info(path)
        if info.get("type") == "directory":
            raise DataError(f"{masked(url)}: is a folder", hint="name a file, or a glob such as …/*.parquet")
        mark = str(system.ukey(path))
        if mark == known.get("etag"):
            return None
        _check_size(url, int(info.get("size") or 0), limits)
        with objects.writing() as writer, system.open(path, "rb") as file:
            while chunk := file.read(_CHUNK):
                writer.write(chunk)
                _check_size(url, writer.size, limits)
    return Got(writer.digest, writer.size, safe_name(path), mark)


def listed(url: str) -> list[str]:
    """Return the addresses that a glob in an object store stands for, or the files of a folder, by name.

    Raises
    ------
    DataError
        There is none.
    """
    system, path = opened(url)
    with _store_errors(url):
        is_glob = any(c in path for c in "*?[")
        if not is_glob and not system.isdir(path):
            return [url]
        found = system.glob(path) if is_glob else system.find(path)
        plain = [p for p in found if not posixpath.basename(p).startswith(("_", ".")) and not system.isdir(p)]
    if not plain:
        raise NoFilesError(f"{masked(url)}: no such files")
    return [system.unstrip_protocol(p) for p in sorted(map(str, plain))]


def opened(url: str) -> tuple[Any, str]:
    """Return the file system behind an address, and the path in it; its credentials are those of fsspec's own config.

    Raises
    ------
    ConfigError
        Nobody knows that kind of address.
    MissingExtraError
        Its package is not installed.
    """
    protocol = url.partition("://")[0].lower()
    package, extra = _PACKAGES.get(protocol, ("fsspec", "s3"))
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise MissingExtraError("fsspec", extra, f"reading {protocol}://") from None
    try:
        system, path = url_to_fs(url)
    except ImportError as error:
        if protocol in _PACKAGES:
            raise MissingExtraError(package, extra, f"reading {protocol}://") from None
        raise ConfigError(f"{protocol}:// cannot be read here: {error}", key="data.path") from None
    except ValueError:
        known = ["https", *_PACKAGES]
        raise ConfigError(
            f"nobody knows the kind of address {protocol}://", key="data.path", hint=did_you_mean(protocol, known)
        ) from None
    except Exception as error:
        raise _failed(url, error) from error
    return system, str(path)


@contextmanager
def _store_errors(url: str) -> Iterator[None]:
    try:
        yield
    except MlopsError:
        raise
    except FileNotFoundError:
        raise DataError(f"{masked(url)}: no such file", hint="check the bucket and the path") from None
    except PermissionError as error:
        raise DataError(
            f"{masked(url)}: access is denied: {_said(error)}", hint="credentials come from the environment"
        ) from error
    except Exception as error:  # each kind of store has errors of its own
        raise _failed(url, error) from error


def _failed(url: str, error: Exception) -> DataError:
    """Return the error of a store; where nobody answered, one after which a kept copy may do."""
    name = type(error).__name__
    is_silent = isinstance(error, ConnectionError | TimeoutError) or "Connect" in name or "Timeout" in name
    kind = http.Unreachable if is_silent else DataError
    hint = "credentials come from the environment" if "Credential" in name else None
    return kind(f"{masked(url)}: cannot be read: {_said(error)}", hint=hint)


def _said(error: Exception) -> str:
    text = masked(" ".join(str(error).split()))
    return f"{type(error).__name__}: {text}"[:300] if text else type(error).__name__

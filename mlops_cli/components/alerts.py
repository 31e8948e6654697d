"""A finding sent to where its owner wants it: to a command, a file, or an address.

What ``${oc.env:NAME}`` stands for is looked up when it is sent, and is in no message: a failure is told in words that
come from here alone. Does not know what a finding says.
"""

from __future__ import annotations

import fcntl
import ipaddress
import json
import os
import re
import signal
import stat
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mlops_cli.errors import MlopsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from http.client import HTTPResponse
    from urllib.request import Request

    from mlops_cli.records import Alert

_REFERENCE = re.compile(r"\$\{oc\.env:\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}")
_ANY_REFERENCE = re.compile(r"\$\{[A-Za-z_.]+:[^}]*\}")

_BUSY = frozenset({429, 500, 502, 503, 504})
"""Answers after which the same is tried again."""


class AlertError(MlopsError):
    """An alert did not arrive."""


@dataclass(frozen=True)
class Limits:
    """How long is waited, and how often is tried."""

    command_s: float = 60.0
    webhook_s: float = 10.0  # for each try
    waits_s: tuple[float, ...] = (0.5, 2.0)  # between the tries


def deliver(alert: Alert, payload: Mapping[str, Any], folder: Path, limits: Limits | None = None) -> None:
    """Send a finding.

    Parameters
    ----------
    alert : Alert
        Where to.
    payload : mapping
        What, as JSON has it.
    folder : Path
        Where a command runs, and what a file's path is relative to.
    limits : Limits, optional
        How long is waited.

    Raises
    ------
    AlertError
        It did not arrive; the message has nothing of what came from the environment.
    """
    bounds = limits or Limits()
    data = json.dumps(payload, allow_nan=False).encode()
    if alert.command is not None:
        _run(alert.command, data, folder, bounds)
    elif alert.file is not None:
        _append(folder / Path(_resolved(alert.file, "the file")).expanduser(), data + b"\n")
    else:
        _post(_resolved(str(alert.webhook), "the webhook").strip(), data, bounds)


def check_webhook(url: str) -> bool:
    """Return whether an address is of this machine.

    Raises
    ------
    AlertError
        It is no address that may be posted to; the message does not have it, for it may be secret.
    """
    try:
        parts = urlsplit(url)
        host, user = parts.hostname or "", parts.username or parts.password
        is_odd = parts.scheme not in {"http", "https"} or not host or parts.port == 0
    except ValueError:
        is_odd, host, user = True, "", None
    if is_odd or any(c.isspace() or not c.isprintable() for c in url):
        raise AlertError("it is no address", hint="https://…")
    if user:
        raise AlertError("it has a user or a password, which is not sent", hint="send through a command")
    if parts.scheme == "http" and not _is_loopback(host):
        raise AlertError("http is for this machine alone: anybody on the way could read it", hint="https://…")
    return _is_loopback(host)


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def shown(alert: Alert) -> str:
    """Return what an alert is called: of an address no more than its host, for the rest may be secret."""
    if alert.command is not None:
        return "command"
    if alert.file is not None:
        return f"file {alert.file}"
    place = str(alert.webhook)
    if "${" in place:
        return "webhook ${…}"
    with suppress(ValueError):
        return f"webhook {urlsplit(place).hostname or '?'}"
    return "webhook"


# --- what is looked up -------------------------------------------------------------------------------------------


def _resolved(text: str, what: str) -> str:
    """Return a text with the values of environment variables."""
    _check(text, what)
    from mlops_cli.components.sources.secrets import from_environment  # slow to import, and few alerts have one

    return _REFERENCE.sub(lambda found: from_environment(found[1], "alerts"), text)


def _check(text: str, what: str) -> None:
    """Refuse references to what is not set, or not of the environment.

    Raises
    ------
    AlertError
        With the name.
    """
    for name in _REFERENCE.findall(text):
        if not os.environ.get(name):
            raise AlertError(f"the environment variable {name} is not set", hint=f"export {name}=…")
    if other := _ANY_REFERENCE.search(_REFERENCE.sub("", text)):
        raise AlertError(f"{other[0]} in {what} is not looked up", hint="${oc.env:NAME} is")


# --- a command ---------------------------------------------------------------------------------------------------


def _run(command: str, data: bytes, folder: Path, limits: Limits) -> None:
    """Run a command by the shell, with all that it starts ended after its time.

    ``${oc.env:NAME}`` is left to the shell as ``${NAME}``: a value put into the command's text could be read in the
    list of processes, and be run.
    """
    _check(command, "the command")
    text = _REFERENCE.sub(r"${\1}", command)
    try:
        process = subprocess.Popen(  # noqa: S602 - a command of the workspace's owner, who wants a shell
            text,
            shell=True,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise AlertError(f"it cannot be run: {getattr(error, 'strerror', None) or 'the text is no command'}") from None
    try:
        process.communicate(data, timeout=limits.command_s)
    except subprocess.TimeoutExpired:
        raise AlertError(f"it had not ended after {limits.command_s:g} s, and was stopped") from None
    finally:
        _end(process)
    if process.returncode:
        raise AlertError(f"it ended in exit code {process.returncode}", hint="its output is not kept; run it by hand")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


# --- a file ------------------------------------------------------------------------------------------------------


def _append(path: Path, line: bytes) -> None:
    """Add a line whole, or leave the file as it was; several processes may."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, flags, 0o666)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise AlertError("it is no file")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            _write_whole(descriptor, line)
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        raise AlertError(f"it cannot be written: {getattr(error, 'strerror', None) or 'no name of a file'}") from None


def _write_whole(descriptor: int, line: bytes) -> None:
    size = os.fstat(descriptor).st_size
    is_torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"  # by a kill, or by another program
    rest = memoryview(b"\n" + line if is_torn else line)
    try:
        while rest:
            rest = rest[os.write(descriptor, rest) :]
        os.fsync(descriptor)
    except BaseException:
        os.ftruncate(descriptor, size)
        raise


# --- an address --------------------------------------------------------------------------------------------------


def _post(url: str, data: bytes, limits: Limits) -> None:
    """Post JSON; again where the other side was busy or could not be reached, but not where it may have heard it."""
    from urllib.request import Request

    is_local = check_webhook(url)
    headers = {"Content-Type": "application/json", "User-Agent": "mlops"}
    request = Request(url, data, headers, method="POST")  # noqa: S310 - checked above
    for wait in (*limits.waits_s, None):
        try:
            _in_time(lambda: _sent(request, limits.webhook_s, is_local=is_local), limits.webhook_s)
        except _AgainError as error:
            if wait is None:
                raise AlertError(f"{error.message}, {len(limits.waits_s) + 1} times") from None
            time.sleep(wait)
        else:
            return


class _AgainError(AlertError):
    """It may arrive at another time."""


def _sent(request: Request, limit: float, *, is_local: bool) -> None:
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import HTTPRedirectHandler, ProxyHandler, build_opener

    class _Stay(HTTPRedirectHandler):
        """Goes nowhere else: what is sent is for the one that was named."""

        def redirect_request(self, *_: Any, **__: Any) -> None:
            return None

    opener = build_opener(_Stay, *([ProxyHandler({})] if is_local else []))
    try:
        answer: HTTPResponse
        with opener.open(request, timeout=limit) as answer:
            answer.read(1)
    except HTTPError as error:
        error.close()
        raise _refused(error.code) from None
    except URLError as error:
        raise _AgainError(_reason(error.reason)) from None
    except TimeoutError:
        raise AlertError(f"no answer came within {limit:g} s") from None
    except (OSError, HTTPException, ValueError):
        raise AlertError("the answer broke off, or was none of HTTP") from None


def _refused(code: int) -> AlertError:
    if code in _BUSY:
        return _AgainError(f"the answer was {code}")
    if 300 <= code < 400:
        return AlertError(f"the answer was {code}, a redirection, which is not followed")
    return AlertError(f"the answer was {code}")


def _reason(reason: object) -> str:
    """Return why an address could not be reached, without the address."""
    import socket
    import ssl

    if isinstance(reason, ssl.SSLError):
        return "its certificate cannot be verified, or it speaks no TLS"
    if isinstance(reason, socket.gaierror):
        return "its host is not known"
    if isinstance(reason, TimeoutError):
        return "it could not be reached in time"
    return f"it could not be reached: {getattr(reason, 'strerror', None) or 'no connection'}"


def _in_time(step: Any, limit: float) -> None:
    """Run a step, and give it up after its time: an answer that comes byte by byte would keep a socket waiting on."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            step()
        except BaseException as error:  # noqa: BLE001 - raised again by whoever waits
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(limit + 1)
    if thread.is_alive():
        raise AlertError(f"no answer came within {limit:g} s")
    if raised:
        raise raised[0]

"""The server as a process: which port it gets, how it starts, how it ends."""

from __future__ import annotations

import errno
import socket
from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING

from mlops_cli.errors import UsageError

if TYPE_CHECKING:
    from starlette.types import ASGIApp

PORT = 8808
_TRIES = 20
_LAST_PORT = 65535


def listen(host: str, port: int | None) -> socket.socket:
    """Return a socket that listens already: a browser that comes before the server waits instead of failing.

    Parameters
    ----------
    host : str
        One of this machine's own loopback addresses.
    port : int, optional
        Where exactly, 0 for any free one; where not given, `PORT` or the next free one after it.

    Raises
    ------
    UsageError
        The host is another machine's or all of this one's, or the port is taken.
    """
    address = loopback(host)
    if port is not None:
        return bound(address, port)
    for number in range(PORT, PORT + _TRIES - 1):
        with suppress(UsageError):
            return bound(address, number)
    return bound(address, PORT + _TRIES - 1)


def loopback(host: str) -> str:
    """Return the address of a host name that means this machine to itself.

    Raises
    ------
    UsageError
        Others could reach it.

    Examples
    --------
    >>> loopback("localhost")
    '127.0.0.1'
    """
    address = {"localhost": "127.0.0.1"}.get(host, host.strip("[]"))
    if address not in {"127.0.0.1", "::1"}:
        raise UsageError(
            f"--host {host}: {_why_not(address)}; allowed: 127.0.0.1, localhost, ::1",
            hint="from another machine, lead its port here: ssh -L 8808:127.0.0.1:8808 THIS_MACHINE",
        )
    return address


def _why_not(address: str) -> str:
    try:
        public = not ip_address(address).is_loopback
    except ValueError:
        return "not an address of this machine"
    return "anyone on the network could read the runs, there is no password" if public else "not an address to ask at"


def bound(address: str, port: int) -> socket.socket:
    """Return a socket that listens at an address of this machine.

    Raises
    ------
    UsageError
        The port is none, or taken, or not to be had.
    """
    if not 0 <= port <= _LAST_PORT:
        raise UsageError(f"--port {port}: a port is a number from 0 to {_LAST_PORT}, where 0 is any free one")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # unnamed, asyncio leaves Nagle's delay on
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # or a port that was just left stays taken a minute
    try:
        opened.bind((address, port))
        opened.listen(128)
    except OSError as error:
        opened.close()
        raise _refused(address, port, error) from error
    return opened


def _refused(address: str, port: int, error: OSError) -> UsageError:
    if error.errno == errno.EADDRINUSE:
        return UsageError(f"port {port} of {address} is taken", hint="--port 0 takes any free one")
    if error.errno == errno.EACCES:
        return UsageError(f"port {port} may not be used by you", hint="take one from 1024 on")
    return UsageError(f"cannot listen at {address} port {port}: {error.strerror}")


def url(opened: socket.socket) -> str:
    """Return the address to open in a browser."""
    address, port = opened.getsockname()[:2]
    return f"http://[{address}]:{port}/" if ":" in address else f"http://{address}:{port}/"


def serve(app: ASGIApp, opened: socket.socket, *, verbose: bool = False) -> None:
    """Answer until SIGINT or SIGTERM; requests under way are finished, for two seconds at most.

    Parameters
    ----------
    app : ASGIApp
        What answers.
    opened : socket
        From `listen`.
    verbose : bool
        Say each request on stderr.
    """
    import uvicorn

    config = uvicorn.Config(
        app,
        log_level="info" if verbose else "critical",
        access_log=verbose,
        lifespan="off",
        ws="none",
        http="h11",
        loop="asyncio",
        server_header=False,
        proxy_headers=False,  # nobody stands between, and what claims to is lying
        timeout_graceful_shutdown=2,
    )
    with suppress(KeyboardInterrupt):  # uvicorn raises the signal again once it has shut down
        uvicorn.Server(config).run(sockets=[opened])

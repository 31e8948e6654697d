"""The server as a process: where it listens, how long it waits for those who are slow, how it ends."""

from __future__ import annotations

import asyncio
import os
import resource
import traceback
import warnings
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import UsageError
from mlops_cli.web.server import bound, url
from mlops_cli.web.serving.app import Shared, application
from mlops_cli.web.serving.counting import Counts
from mlops_cli.web.serving.following import Answering, Following, Wanted
from mlops_cli.web.serving.gate import Gate
from mlops_cli.web.serving.limits import Held, Limits, Places
from mlops_cli.web.serving.requestlog import RequestLog
from mlops_cli.web.serving.served import serve_version
from mlops_cli.web.serving.tokens import Doorkeeper, open_to_all

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

PORT = 8000
_BACKLOG = 1024
_MOST_THREADS = 4


@dataclass(frozen=True)
class ServeOptions:
    """How a model is served.

    Parameters
    ----------
    host : str
        The address to listen at.
    port : int
        Where; 0 for any free port.
    tokens : Path, optional
        The file of tokens; needed for an address that others can reach.
    log : Path, optional
        A folder for the rows that were answered.
    allowed : tuple of str
        More names that a Host header may say, as a proxy sends them.
    limits : Limits
        What one request may take.
    allow_pickle : bool
        Open a model that is a pickle, which can run any code.
    verbose : bool
        Tell each request, and where an error that nobody foresaw happened.
    """

    host: str = "127.0.0.1"
    port: int = PORT
    tokens: Path | None = None
    log: Path | None = None
    allowed: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    allow_pickle: bool = False
    verbose: bool = False


@dataclass(frozen=True)
class Serving:
    """A server that is about to begin: it listens, and its model is loaded."""

    gate: Gate
    opened: socket.socket
    following: Following
    shared: Shared
    verbose: bool

    @property
    def address(self) -> str:
        """Where it is asked."""
        return url(self.opened)


def prepare(ref: str, options: ServeOptions, told: Callable[[str], None], *, workspace: Path | None = None) -> Serving:
    """Listen and load the model, so that whoever comes early waits instead of failing.

    Parameters
    ----------
    ref : str
        ``titanic@champion``, which is followed; ``titanic/3``; a run.
    options : ServeOptions
        How.
    told : callable
        Is given a line for whoever watches the server.
    workspace : Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    UsageError
        Others could reach the address and there are no tokens, or the port is taken.
    StoreError
        There is no such model, or its files are not those that were recorded.
    """
    address = allowed_address(options.host, has_tokens=options.tokens is not None)
    doorkeeper = None if options.tokens is None else Doorkeeper(options.tokens)
    if doorkeeper is not None and (loose := open_to_all(doorkeeper.path)):
        told(f"anyone on this machine may write to {loose}, and let himself in: chmod o-w {loose}")
    home, counts = find_workspace(workspace), Counts()
    log = None if options.log is None else RequestLog(options.log, counts)
    opened = bound(address, options.port)
    port = opened.getsockname()[1]
    held: list[Following] = []
    places = Places(options.limits, min(_MOST_THREADS, os.cpu_count() or 1))
    bodies = Held(options.limits.bodies)
    shared = Shared(places, options.limits, bodies, counts, log, doorkeeper is not None, lambda: held[0])

    def load(saved: Any) -> Answering:
        version = serve_version(saved, home, options.limits, allow_pickle=options.allow_pickle)
        app = application(version, shared)
        app.openapi()  # once, and before anyone waits for it
        return Answering(version, app)

    wanted = Wanted(ref, home.root, load, {"host": address, "port": port})
    try:
        with _unheard():
            held.append(Following(wanted, counts, told))
    except BaseException:
        opened.close()
        raise
    hosts = allowed_hosts(address, port, options.allowed) if ip_address(address).is_loopback else None
    gate = Gate(held[0], counts, doorkeeper, hosts, _teller(told, verbose=options.verbose))
    return Serving(gate, opened, held[0], shared, options.verbose)


def _teller(told: Callable[[str], None], *, verbose: bool) -> Callable[[Exception], None]:
    def tell(error: Exception) -> None:
        told(f"internal error: {type(error).__name__}: {' '.join(str(error).split())[:300]}")
        if verbose:
            told("".join(traceback.format_exception(error)))

    return tell


def allowed_address(host: str, *, has_tokens: bool) -> str:
    """Return the address of a host, which only this machine reaches unless there are tokens.

    Raises
    ------
    UsageError
        It is no address, or others could reach it without a token.

    Examples
    --------
    >>> allowed_address("localhost", has_tokens=False)
    '127.0.0.1'
    """
    address = {"localhost": "127.0.0.1"}.get(host, host.strip("[]"))
    try:
        is_own = ip_address(address).is_loopback
    except ValueError:
        raise UsageError(f"--host {host}: not an address", hint="127.0.0.1, or 0.0.0.0 for all networks") from None
    if not is_own and not has_tokens:
        raise UsageError(
            f"--host {host}: anyone on the network could ask the model, and no tokens were given",
            hint="mlops tokens add NAME --role predict --file tokens.json, and --tokens tokens.json",
        )
    return address


def allowed_hosts(address: str, port: int, more: tuple[str, ...] = ()) -> frozenset[str]:
    """Return what a Host header may say: this machine's names for itself, and those that were allowed.

    Examples
    --------
    >>> sorted(allowed_hosts("127.0.0.1", 8000, ("models.example.org",)))
    ['127.0.0.1:8000', '[::1]:8000', 'localhost:8000', 'models.example.org']
    """
    names = {"127.0.0.1", "localhost", "[::1]", f"[{address}]" if ":" in address else address}
    bare = names if port == 80 else set()
    return frozenset([*(f"{name}:{port}" for name in names), *bare, *(name.lower() for name in more)])


def run(serving: Serving) -> bool:
    """Answer until SIGINT or SIGTERM; requests under way are finished. Return whether it ended in order.

    Parameters
    ----------
    serving : Serving
        From `prepare`.
    """
    import uvicorn

    config = uvicorn.Config(
        serving.gate,
        log_level="info" if serving.verbose else "critical",
        access_log=serving.verbose,
        lifespan="off",
        ws="none",
        http=_patient(serving.shared.limits),
        loop="asyncio",
        server_header=False,
        date_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        limit_concurrency=_most_connections(serving.shared.limits),
        timeout_keep_alive=max(1, int(serving.shared.limits.headers)),
        timeout_graceful_shutdown=max(1, int(2 * serving.shared.limits.timeout)),
    )
    server = uvicorn.Server(config)
    with _unheard(), suppress(KeyboardInterrupt):  # uvicorn raises the signal again once it has shut down
        asyncio.run(_answer(server, serving))
    if serving.shared.log is not None:
        serving.shared.log.close()
    return not server.force_exit


@contextmanager
def _unheard() -> Iterator[None]:
    """Send nowhere what estimators print and warn of at each call.

    A pipe that nobody reads would fill, and hold every request; and what filters of warnings say is the whole
    process's, so that threads which set them for a moment undo each other's.
    """
    warnings.simplefilter("ignore")
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        yield


async def _answer(server: Any, serving: Serving) -> None:
    watching = asyncio.create_task(serving.following.watch())
    try:
        await server.serve(sockets=[serving.opened])
    finally:
        watching.cancel()
        serving.shared.places.close()


def _most_connections(limits: Limits) -> int:
    """Return how many connections there may be: no more than the process may have files open, with some to spare."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(10, min(limits.connections, soft // 2)) if soft > 0 else limits.connections


def _patient(limits: Limits) -> Any:
    """Return uvicorn's protocol with bounds on how long a connection may take.

    uvicorn itself waits without end for headers that come byte by byte, and for clients that do not read.
    """
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Patient(H11Protocol):
        """Cuts off a connection whose headers, or whose whole request, take too long."""

        _timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._within(limits.headers)

        def handle_events(self) -> None:
            before = self.cycle
            super().handle_events()
            if self.cycle is not before and not self.cycle.response_complete:
                self._within(limits.longest)

        def on_response_complete(self) -> None:
            self._within(limits.headers)
            super().on_response_complete()

        def connection_lost(self, exc: Exception | None) -> None:
            if self._timer is not None:
                self._timer.cancel()
            super().connection_lost(exc)

        def _within(self, seconds: float) -> None:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self.loop.call_later(seconds, self.transport.abort)

    return Patient

"""What one request may take of the server, and the answers to those that would take more."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

    from starlette.requests import Request

SHOWN_FAULTS = 20
"""Fields that an answer names at most, where more are wrong."""

LONGEST_NAME = 100
"""Characters of a name that an answer repeats."""


@dataclass(frozen=True)
class Limits:
    """Bounds of the server.

    Parameters
    ----------
    body : int
        Bytes of a request's body.
    rows : int
        Rows of a request.
    timeout : float
        Seconds in which a body has to arrive, and then those in which it has to be answered.
    concurrent : int
        Requests that are answered or wait for it at once.
    headers : float
        Seconds in which the headers of a request have to arrive, and which a connection may be idle.
    connections : int
        Connections at once.
    """

    body: int = 4 * 2**20
    rows: int = 10_000
    timeout: float = 30.0
    concurrent: int = 64
    headers: float = 10.0
    connections: int = 500

    @property
    def longest(self) -> float:
        """Seconds after which a connection with a request is cut off, whatever holds it up."""
        return 3 * self.timeout + self.headers

    @property
    def bodies(self) -> int:
        """Bytes of all bodies at once."""
        return max(4 * self.body, 256 * 2**20)


@dataclass(frozen=True)
class Fault:
    """What is wrong with one value: which row, counted from 0, which field, and what is expected there."""

    row: int | None
    field: str | None
    message: str


class Refused(Exception):  # noqa: N818  an answer like any other
    """A request that is answered with what is wrong about it.

    Parameters
    ----------
    status : int
        Of HTTP.
    message : str
        One line for whoever asks; nothing of this machine, and nothing of others' requests.
    faults : sequence of Fault
        The fields that are wrong.
    headers : mapping
        That go with the answer.
    """

    def __init__(
        self, status: int, message: str, faults: Sequence[Fault] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.faults, self.headers = status, message, tuple(faults), dict(headers or {})


class Held:
    """Counts the bytes of bodies in memory: one alone may be allowed, and as many as there are connections not.

    Parameters
    ----------
    most : int
        Of all requests together.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.now = 0

    def take(self, size: int) -> None:
        """Count more.

        Raises
        ------
        Refused
            There is no room.
        """
        if self.now + size > self.most:
            raise Refused(503, "too many large requests at once", headers={"retry-after": "1", "connection": "close"})
        self.now += size


@asynccontextmanager
async def body_of(request: Request, limits: Limits, held: Held) -> AsyncGenerator[bytearray]:
    """Hold the body of a request, of which no more is kept than is allowed, however it is sent.

    Raises
    ------
    Refused
        It is larger than allowed, or came too slowly, or those of others leave it no room.
    """
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared[:20]) > limits.body:
        raise _too_large(limits)
    body = bytearray()
    try:
        await _read(request, body, limits, held)
        yield body
    finally:
        held.now -= len(body)


async def _read(request: Request, body: bytearray, limits: Limits, held: Held) -> None:
    try:
        async with asyncio.timeout(limits.timeout):
            async for part in request.stream():
                if len(body) + len(part) > limits.body:
                    raise _too_large(limits)
                held.take(len(part))
                body += part
    except TimeoutError:
        message = f"the body did not arrive in {limits.timeout:g} s"
        raise Refused(408, message, headers={"connection": "close"}) from None


def _too_large(limits: Limits) -> Refused:
    message = f"the body is larger than the {limits.body:,} bytes that are allowed"
    return Refused(413, message, headers={"connection": "close"})


class Places:
    """The threads in which requests are answered, and a bound on how many requests are inside at once.

    A call that is given up keeps its place until it ends: a thread cannot be stopped.

    Parameters
    ----------
    limits : Limits
        How many requests, and for how long.
    threads : int
        How many are computed at once.
    """

    def __init__(self, limits: Limits, threads: int) -> None:
        self.limits = limits
        self.taken = 0
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="predict")

    async def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return what a function gives, called in a thread.

        Raises
        ------
        Refused
            All places are taken, or it takes too long.
        """
        with self._lock:
            if self.taken >= self.limits.concurrent:
                message = f"{self.limits.concurrent} requests are under way, which is all that is allowed"
                raise Refused(503, message, headers={"retry-after": "1"})
            self.taken += 1
        running = asyncio.get_running_loop().run_in_executor(self._pool, self._called, function, arguments)
        try:
            async with asyncio.timeout(self.limits.timeout):
                return await asyncio.shield(running)
        except TimeoutError:
            running.add_done_callback(_look_at)
            raise Refused(504, f"no answer was found in {self.limits.timeout:g} s: ask about fewer rows") from None

    def _called(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        try:
            return function(*arguments)
        finally:
            with self._lock:
                self.taken -= 1

    def close(self) -> None:
        """Begin nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _look_at(done: asyncio.Future[Any]) -> None:
    """Take note of how a call that nobody waits for any more has ended, or asyncio complains that nobody did."""
    if not done.cancelled():
        done.exception()

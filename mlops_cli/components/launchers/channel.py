"""Messages over a socket that never block the parent: a worker may be stuck halfway through reading or writing one."""

from __future__ import annotations

import struct
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

CHUNK_BYTES = 1 << 18
_LENGTH = struct.Struct("<Q")


def framed(message: bytes) -> bytes:
    """Return a message with its length before it."""
    return _LENGTH.pack(len(message)) + message


class Frames:
    """Puts messages together from pieces as they come."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def add(self, piece: bytes) -> Iterator[bytes]:
        """Take a piece; yield the messages that it makes whole."""
        self._buffer += piece
        start = 0
        while (end := self._end(start)) is not None:
            yield bytes(self._buffer[start + _LENGTH.size : end])
            start = end
        if start:
            del self._buffer[:start]

    def _end(self, start: int) -> int | None:
        if len(self._buffer) < start + _LENGTH.size:
            return None
        end = start + _LENGTH.size + int(_LENGTH.unpack_from(self._buffer, start)[0])
        return end if end <= len(self._buffer) else None


class Channel:
    """The parent's end.

    Parameters
    ----------
    end : socket
        Of a connected pair; the channel owns it from now on.
    """

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._socket = end
        self._frames = Frames()
        self._outgoing: deque[memoryview] = deque()
        self.is_open = True

    def fileno(self) -> int:
        """Return what a selector can wait for."""
        return self._socket.fileno()

    @property
    def has_more_to_send(self) -> bool:
        """Whether something waits for the worker to read on."""
        return self.is_open and bool(self._outgoing)

    def send(self, message: bytes) -> None:
        """Send as much as goes at once, and keep the rest for `flush`."""
        self._outgoing.append(memoryview(framed(message)))
        self.flush()

    def flush(self) -> None:
        """Send what still waits, as far as that goes."""
        try:
            while self._outgoing:
                sent = self._socket.send(self._outgoing[0])
                rest = self._outgoing.popleft()[sent:]
                if rest:
                    self._outgoing.appendleft(rest)
        except BlockingIOError:
            return
        except OSError:
            self._outgoing.clear()  # the worker is gone; reading will find that out, after what it has still sent

    def receive(self) -> Iterator[bytes]:
        """Yield the messages that are here; afterwards `is_open` tells whether more can come."""
        while self.is_open:
            try:
                piece = self._socket.recv(CHUNK_BYTES)
            except BlockingIOError:
                return
            except OSError:
                piece = b""
            self.is_open = bool(piece)
            yield from self._frames.add(piece)

    def close(self) -> None:
        """Let go of the socket."""
        self.is_open = False
        self._socket.close()

"""What parent and worker say to each other, as bytes."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

_ORDER = struct.Struct("<q")
_ANSWER = struct.Struct("<Bqd")
_RECALL = -1


class Kind(IntEnum):
    """What a worker says."""

    READY = 0  # it has started
    VALUE = 1  # a call has returned: its pickled value
    LOST = 2  # a call has raised, or its value cannot travel: pickled, an ErrorInfo and what it printed
    RECALLED = 3  # the pickled numbers of the calls that it will not begin


@dataclass(frozen=True)
class Order:
    """What a worker is to do: compute a pickled function with its argument, or give back what it has not begun."""

    number: int = _RECALL
    call: bytes = b""

    @property
    def recall(self) -> bool:
        """Whether calls are to be given back."""
        return self.number == _RECALL

    def write(self) -> bytes:
        """Return it as it travels."""
        return _ORDER.pack(self.number) + self.call

    @classmethod
    def read(cls, message: bytes) -> Order:
        """Return what `write` wrote."""
        return cls(_ORDER.unpack_from(message)[0], message[_ORDER.size :])


@dataclass(frozen=True)
class Answer:
    """What came of an order."""

    kind: Kind
    number: int = _RECALL
    seconds: float = 0.0  # that the call took
    value: bytes = b""

    def write(self) -> bytes:
        """Return it as it travels."""
        return _ANSWER.pack(self.kind, self.number, self.seconds) + self.value

    @classmethod
    def read(cls, message: bytes) -> Answer:
        """Return what `write` wrote."""
        kind, number, seconds = _ANSWER.unpack_from(message)
        return cls(Kind(kind), number, seconds, message[_ANSWER.size :])

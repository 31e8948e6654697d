"""What the owner of a model is asked before it goes to production, and what they answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mlops_cli.records.audit import AuditHead


@dataclass(frozen=True)
class HandoverItem:
    """One question, with what was answered: kept together, so that answers outlive a change of the questions."""

    key: str
    question: str
    must: bool  # be answered
    answer: str = ""  # nothing: not answered


@dataclass(frozen=True)
class Handover:
    """What was answered of one version of a model; it holds for later ones too until it is answered anew."""

    model: str
    number: int  # of the version
    items: tuple[HandoverItem, ...]
    at: str  # ISO 8601 with offset
    by: str
    file: str = ""  # where the answers were written, from the workspace's folder
    audit: AuditHead | None = None

    @property
    def ref(self) -> str:
        """The version that was answered for: ``titanic/3``."""
        return f"{self.model}/{self.number}"

    @property
    def answered(self) -> int:
        """How many questions are."""
        return sum(bool(item.answer) for item in self.items)

    @property
    def missing(self) -> tuple[str, ...]:
        """The keys of questions that must be answered, and are not."""
        return tuple(item.key for item in self.items if item.must and not item.answer)


@dataclass(frozen=True)
class KeptHandover:
    """Answers that were read from a file and kept, and where in the file those that lack belong."""

    handover: Handover
    places: tuple[tuple[HandoverItem, str], ...] = ()  # what must be answered and is not, with file and line


@dataclass(frozen=True)
class HandoverFile:
    """A file of questions that was to be begun."""

    path: Path
    is_new: bool  # else it was there, and stays as it is
    said: str = ""  # what else there is to know


def holding(answered: Sequence[Handover], number: int) -> Handover | None:
    """Return which answers hold for a version: its own, else those of the nearest earlier one; of these the last.

    Examples
    --------
    >>> first, anew, third = (Handover("titanic", n, (), at, "ann") for n, at in [(1, "May"), (1, "June"), (3, "July")])
    >>> [found.at if (found := holding([first, anew, third], n)) else None for n in (1, 2, 3, 4)]
    ['June', 'June', 'July', 'July']
    >>> holding([third], 2)
    """
    earlier = [(item.number, place) for place, item in enumerate(answered) if item.number <= number]
    return answered[max(earlier)[1]] if earlier else None

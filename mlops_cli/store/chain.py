"""The audit log read as a chain: which entries there are, and where they do not hold together.

What this finds alone: a line that was edited, taken out of the midst, put in, repeated or moved. A tail that was cut,
or a log that was written anew as a whole, holds together too: the heads that records keep show that (`witness`).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_cli.errors import StoreError
from mlops_cli.records import Action, AuditFault, AuditHead
from mlops_cli.store.audit import BEGINNING, AuditLog, entry_from_line, is_as_hashed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mlops_cli.records import AuditEntry
    from mlops_cli.store.layout import WorkspacePaths

_START = AuditHead(0, BEGINNING)

MOVES = (Action.ALIAS, Action.PROMOTED, Action.ROLLED_BACK)
"""What gives an alias to a version, or takes it away."""


@dataclass(frozen=True)
class Chain:
    """The entries of a log that can be read."""

    entries: Mapping[int, AuditEntry]  # by number; of several with one number the first that stands there
    of: Mapping[str, Sequence[AuditEntry]]  # by subject, in order
    faults: tuple[AuditFault, ...] = ()

    @property
    def first(self) -> AuditEntry | None:
        """The first entry."""
        return next(iter(self.entries.values()), None)

    @property
    def last(self) -> AuditEntry | None:
        """The last entry."""
        return self.entries[max(self.entries)] if self.entries else None

    def at(self, head: AuditHead) -> AuditEntry | None:
        """Return the entry at a place, if it has that hash."""
        entry = self.entries.get(head.number)
        return entry if entry is not None and entry.hash == head.hash else None

    def about(self, subject: str, *actions: Action) -> list[AuditEntry]:
        """Return the entries about something, in order; only those of some actions, where any are given."""
        return [entry for entry in self.of.get(subject, ()) if not actions or entry.action in actions]


def read_chain(paths: WorkspacePaths) -> Chain:
    """Read the audit log of a workspace; what is wrong with it is no error but a fault."""
    try:
        lines = list(AuditLog(paths).lines())
    except StoreError as error:
        return Chain({}, {}, (AuditFault(paths.audit.name, error.message),))
    read = _Reading(paths)
    faults = tuple(read.all(lines))
    of: dict[str, list[AuditEntry]] = defaultdict(list)
    for entry in read.entries.values():
        of[entry.subject].append(entry)
    return Chain(read.entries, of, faults)


def given_aliases(paths: WorkspacePaths, name: str) -> bool:
    """Whether the log knows of an alias that a version of a model has had."""
    every = read_chain(paths).entries.values()
    return any(entry.action in MOVES and entry.subject.partition("/")[0] == name for entry in every)


class _Reading:
    """A log as it is read, line by line."""

    def __init__(self, paths: WorkspacePaths) -> None:
        self.path = paths.audit
        self.entries: dict[int, AuditEntry] = {}
        self.before: AuditHead | None = _START  # None after a line that is no entry
        self.greatest = 0

    def all(self, lines: Iterable[tuple[int, bytes]]) -> Iterator[AuditFault]:
        """Yield what is wrong, in the order of the lines."""
        for number, line in lines:
            yield from (AuditFault(f"{self.path.name}, line {number}", what) for what in self.line(line, number))

    def line(self, line: bytes, number: int) -> Iterator[str]:
        """Take the next line, and yield what is wrong with it."""
        try:
            entry = entry_from_line(line, self.path, number)
        except StoreError as error:
            yield error.message.removeprefix(f"damaged: {self.path}, line {number}: ")
            self.before = None
            return
        if not is_as_hashed(line, entry.hash):
            what = f"{entry.number} ({entry.action} {entry.subject})"
            yield f"entry {what} is not as it was written: its hash is of other content"
        if entry.number <= self.greatest:
            yield self._astray(entry)
        else:
            yield from self._break(entry)
            self.before, self.greatest = entry.head, entry.number
        self.entries.setdefault(entry.number, entry)

    def _astray(self, entry: AuditEntry) -> str:
        """Say of an entry that stands after a later one what it is; what comes next is to rest on the later one."""
        known = self.entries.get(entry.number)
        if known is None:
            return f"entry {entry.number} stands after entry {self.greatest}"
        return f"entry {entry.number} stands there twice{'' if known.hash == entry.hash else ', with other content'}"

    def _break(self, entry: AuditEntry) -> Iterator[str]:
        """Yield why an entry does not follow on the one before it."""
        if self.before is None:
            return
        first, last = self.before.number + 1, entry.number - 1
        if first == last:
            yield f"entry {first} is not before entry {entry.number}, where it belongs"
        elif first < last:
            yield f"entries {first} to {last} are not before entry {entry.number}, where they belong"
        elif entry.previous != self.before.hash:
            yield f"entry {entry.number} rests on another entry {last} than the one that is there"

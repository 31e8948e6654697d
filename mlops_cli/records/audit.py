"""The audit log: who did what to the store, when, each entry resting on the one before."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Action(StrEnum):
    """What was done."""

    RUN = "run"  # a run ended, however
    RUN_RESUMED = "run-resumed"  # one that was interrupted, or whose failed trials run again
    RUN_IMPORTED = "run-imported"  # one that was made elsewhere, before the entry that says how it ended
    RUN_REMOVED = "run-removed"
    RUN_AMENDED = "run-amended"  # its tags or note
    DATA_ADDED = "data-added"
    DATA_REMOVED = "data-removed"
    DATA_TAGGED = "data-tagged"
    REGISTERED = "registered"
    MODEL_REMOVED = "model-removed"
    MODEL_AMENDED = "model-amended"  # its description, tags or card
    SIGNED_OFF = "signed-off"  # approved, rejected, archived
    HANDED_OVER = "handed-over"  # what its owner is asked before production was answered
    ALIAS = "alias"  # set or taken away by hand
    PROMOTED = "promoted"
    PROMOTION_REFUSED = "promotion-refused"
    ROLLED_BACK = "rolled-back"
    LOADED = "loaded"  # for serving
    WATCHED = "watched"  # a batch of new data was held against a model, or its labels came
    RETRAINED = "retrained"  # a model was made anew


@dataclass(frozen=True)
class AuditHead:
    """The place and hash of an entry, as other records keep it: what a log that was cut or rewritten lacks."""

    number: int
    hash: str


@dataclass(frozen=True)
class AuditEntry:
    """One line of ``audit.jsonl``."""

    number: int  # from 1
    at: str  # ISO 8601 in UTC
    user: str
    host: str
    action: Action
    subject: str  # titanic/20260131-101500-a1b2c3, titanic/3, titanic@3
    details: Mapping[str, Any]
    previous: str  # the hash of the entry before; zeros for the first
    hash: str  # sha256 of all the rest, as canonical JSON

    @property
    def head(self) -> AuditHead:
        """Its place and hash."""
        return AuditHead(self.number, self.hash)


@dataclass(frozen=True)
class AuditFault:
    """Something that is wrong with the log, or that a record says otherwise."""

    where: str  # audit.jsonl, line 17; or the record that disagrees
    what: str
    may_be_a_kill: bool = False  # a kill, or what else ``what`` says, leaves the same behind: said, and no fault


@dataclass(frozen=True)
class AuditReport:
    """What came of looking at the whole log."""

    entries: int
    heads: int  # records that keep a head and were held against the log
    faults: tuple[AuditFault, ...]
    notes: tuple[AuditFault, ...] = ()  # those that may be a kill
    head: AuditHead | None = None  # of the last entry
    began: str | None = None  # when the first entry was written
    ended: str | None = None  # and the last one


@dataclass(frozen=True)
class AuditQuery:
    """Which entries of the audit log."""

    actions: tuple[Action, ...] = ()  # one of these; any where empty
    subject: str = ""  # a glob: titanic/*
    user: str = ""
    since: float | None = None  # seconds since 1970
    until: float | None = None
    limit: int | None = None  # the newest ones

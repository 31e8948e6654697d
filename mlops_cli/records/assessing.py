"""Where a team stands: its processes and how far each is automated, and what platforms would do for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from mlops_cli.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_cli.records.base import Notice

# --- processes ---------------------------------------------------------------------------------------------------


class Level(StrEnum):
    """How far a process is automated; from the least on."""

    ABSENT = "absent"  # nobody does it
    MANUAL = "manual"  # by hand, exceptionally
    NON_REPEATABLE = "non-repeatable"  # by scripts or notebooks that nobody else could repeat
    SEMI_AUTOMATED = "semi-automated"  # by commands that are recorded, which a person starts
    AUTOMATED = "automated"  # of itself, checked, and recorded

    @property
    def rank(self) -> int:
        """From 0, absent, to 4, automated."""
        return list(Level).index(self)


@dataclass(frozen=True)
class Flow:
    """Data that comes to a process from another one."""

    source: str  # the key of that process
    what: str = ""  # what comes: raw tables, a model …


@dataclass(frozen=True)
class Evidence:
    """What a look at the workspace found of a process."""

    check: str  # by which check: data-versioned
    level: Level
    found: str  # one sentence: what there is
    command: str = ""  # what would raise the level; nothing where it is as high as it gets


@dataclass(frozen=True)
class Process:
    """One process: what it is for, who does it, from what, and how far it is automated."""

    key: str
    name: str
    phase: str  # the key of its phase
    actors: tuple[str, ...]  # their keys; its lane is that of the first
    purpose: str = ""
    flows: tuple[Flow, ...] = ()  # what it needs
    level: Level | None = None  # as the team declares it; None: as the workspace shows it
    target: Level | None = None  # where it should be; None: where it is
    effort: float | None = None  # to get there, in any unit that the team chose
    gain: float | None = None  # of being there, likewise
    scan: str = ""  # the check that looks for it in the workspace; nothing: none does
    note: str = ""
    evidence: Evidence | None = None  # of that check

    @property
    def now(self) -> Level:
        """The level that counts: what is declared, else what was found, else absent."""
        if self.level is not None:
            return self.level
        return self.evidence.level if self.evidence is not None else Level.ABSENT

    @property
    def aim(self) -> Level:
        """Where it should be; what the workspace shows above its target stays, for nobody asked that it fall."""
        is_above = self.target is not None and self.level is None and self.now.rank > self.target.rank
        return self.now if self.target is None or is_above else self.target

    def at(self, *, target: bool) -> Level:
        """Return where it is, or where it should be."""
        return self.aim if target else self.now


@dataclass(frozen=True)
class Assessment:
    """A file of processes, in the order in which they are written."""

    name: str
    actors: Mapping[str, str]  # key → name, a lane each
    phases: Mapping[str, str]  # key → name
    processes: tuple[Process, ...]
    date: str = ""  # as of when, ISO 8601
    models: tuple[str, ...] = ()  # the registered models that it is about; none named: all
    experiments: tuple[str, ...] = ()  # likewise

    def process(self, key: str) -> Process:
        """Return the process of a key.

        Raises
        ------
        KeyError
            There is none; with the nearest one.
        """
        known = {one.key: one for one in self.processes}
        if key not in known:
            raise KeyError(f"there is no process {key!r}: {did_you_mean(key, known)}")
        return known[key]

    def of_phase(self, phase: str) -> tuple[Process, ...]:
        """Return the processes of a phase."""
        return tuple(one for one in self.processes if one.phase == phase)


@dataclass(frozen=True)
class Requirement:
    """A level that a process, all processes of a phase, or all processes must have."""

    what: str  # a key of either; nothing: all
    level: Level


@dataclass(frozen=True)
class Shortfall:
    """A process that is below what is required of it."""

    process: Process
    required: Level


@dataclass(frozen=True)
class NextStep:
    """A process that is to be raised, and what speaks for doing it first."""

    process: Process
    value: float | None  # gain for each unit of effort; None where either is not known


# --- platforms ---------------------------------------------------------------------------------------------------


class Mark(StrEnum):
    """How well a platform does what a question asks for."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"

    @property
    def points(self) -> float:
        """1 of green, a half of yellow, 0 of red."""
        return {Mark.GREEN: 1.0, Mark.YELLOW: 0.5, Mark.RED: 0.0}[self]

    @property
    def sign(self) -> str:
        """The coloured sign."""
        return {Mark.GREEN: "🟢", Mark.YELLOW: "🟡", Mark.RED: "🔴"}[self]


@dataclass(frozen=True)
class Answer:
    """What was found of one platform by one question."""

    mark: Mark | None  # None: not known yet, whatever is noted
    note: str = ""


@dataclass(frozen=True)
class Question:
    """Something that is asked of each platform."""

    key: str
    concern: str  # the key of the concern that it belongs to
    text: str
    weight: float = 1.0
    must: bool = False  # a platform that is red here is out
    answers: Mapping[str, Answer] = field(default_factory=dict)  # platform → answer; one that lacks is not known

    def mark(self, platform: str) -> Mark | None:
        """Return the mark of a platform by its key; None where it is not known."""
        answer = self.answers.get(platform)
        return None if answer is None else answer.mark


@dataclass(frozen=True)
class Platform:
    """What is evaluated: a platform, as of a date."""

    key: str
    name: str
    date: str = ""
    note: str = ""
    levels: Mapping[str, Level] = field(default_factory=dict)  # process → the level that it would reach there


@dataclass(frozen=True)
class Evaluation:
    """A file of questions about platforms."""

    name: str
    concerns: Mapping[str, str]  # key → name, in their order
    platforms: tuple[Platform, ...]
    questions: tuple[Question, ...]
    assessment: Assessment | None = None  # the team's own processes, where the file names them
    notices: tuple[Notice, ...] = ()  # what does not agree where several files were read


@dataclass(frozen=True)
class ConcernScore:
    """How one platform does by the questions of one concern, or by all."""

    score: float | None  # weighted mean of the points of what is answered, 0 to 1; None where nothing is
    answered: int
    questions: int
    between: tuple[float, float] | None = None  # the score if what is not answered were red, and green


@dataclass(frozen=True)
class PlatformScore:
    """How one platform does."""

    platform: Platform
    failed: tuple[Question, ...]  # must-haves that are red
    unknown: tuple[Question, ...]  # must-haves that nobody has answered
    overall: ConcernScore
    concerns: Mapping[str, ConcernScore]  # concern → score

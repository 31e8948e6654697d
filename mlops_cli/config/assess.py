"""Reads a file of processes: who does what in which phase, from what, and how far it is automated."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mlops_cli.config import readers as read
from mlops_cli.errors import ConfigError, UsageError, did_you_mean
from mlops_cli.records import Assessment, Evidence, Flow, Level, Process, Requirement

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

LEVELS = tuple(reversed(Level))
"""From automated to absent, as people read them."""

PROCESSES = "processes"
"""The key that a file of processes has, and by which it is known."""

LEAST, MOST = 0.001, 1_000_000.0
"""Bounds of effort, and of gain and weights, in whatever unit: sums and ratios of them stay finite."""

_DAY = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})")

_KEYS = ("name", "date", "actors", "phases", PROCESSES, "models", "experiments")
_OF_PROCESS = (
    "name",
    "phase",
    "purpose",
    "actor",
    "from",
    "level",
    "target",
    "effort",
    "gain",
    "scan",
    "note",
    "evidence",
    "command",
)


def read_assessment(value: object, checks: Collection[str]) -> Assessment:
    """Return what a file of processes says.

    Parameters
    ----------
    value : object
        As YAML has it.
    checks : collection of str
        The names that ``scan`` may have.

    Raises
    ------
    ConfigError
        With the key at fault.
    """
    node = read.mapping(value, "")
    read.only(node, "", _KEYS)
    actors, phases = (named(node.get(key), key) for key in ("actors", "phases"))
    listed = filled(node.get(PROCESSES), PROCESSES)
    made = tuple(_process(name, listed[name], actors, phases, checks) for name in listed)
    _require_sources(made)
    return Assessment(
        name=read.text(node.get("name", "Processes"), "name"),
        date=day(node.get("date"), "date"),
        actors=actors,
        phases=phases,
        processes=made,
        models=read.names(node.get("models"), "models", "a model"),
        experiments=read.names(node.get("experiments"), "experiments", "an experiment"),
    )


def read_requirement(text: str, assessment: Assessment) -> Requirement:
    """Return what ``deployment=semi-automated`` asks: of a phase, of a process; a level alone asks it of all.

    Raises
    ------
    UsageError
        There is no such phase, process or level.
    """
    what, sign, word = text.rpartition("=")
    if sign and not what:
        raise UsageError(
            f"--require {text}: nothing stands before =", hint=f"--require {word or 'LEVEL'} asks it of all"
        )
    known = [*assessment.phases, *(one.key for one in assessment.processes)]
    if what and what not in known:
        raise UsageError(f"--require {text}: no phase or process '{what}'", hint=did_you_mean(what, known))
    if word not in LEVELS:
        raise UsageError(f"--require {text}: no level '{word}'", hint=did_you_mean(word, LEVELS))
    return Requirement(what, Level(word))


def titled(key: str) -> str:
    """Return a key as a name.

    Examples
    --------
    >>> titled("train_model")
    'Train model'
    """
    words = key.replace("_", " ").replace("-", " ")
    return words[:1].upper() + words[1:]


def day(value: object, key: str) -> str:
    """Return a day as ISO 8601 has it; nothing where there is none."""
    from datetime import date

    if value is None:
        return ""
    if isinstance(value, date):  # as YAML reads it where it is not quoted
        return value.isoformat()[:10]
    try:
        return date.fromisoformat(read.text(value, key)).isoformat()
    except ValueError:
        raise read.wrong(value, key, "a day, such as 2026-01-31", hint=_day(value)) from None


def _day(value: object) -> str | None:
    """Return a day that is written with the year last as it must be written."""
    from datetime import date

    said = _DAY.fullmatch(value) if isinstance(value, str) else None
    try:
        return None if said is None else date(int(said[3]), int(said[2]), int(said[1])).isoformat()
    except ValueError:  # there is no such day
        return None


def level(value: object, key: str) -> Level | None:
    """Return a level, or None."""
    return None if value is None else Level(read.choice(value, key, LEVELS))


def filled(value: object, key: str, hint: str = "`mlops assess init` writes a file to begin with") -> Mapping[str, Any]:
    """Return a mapping that has at least one key."""
    if value is not None and not read.is_mapping(value):
        raise read.wrong(value, key, "a mapping", hint=f"{key}: {{a_key: …}}, each with a key of its own")
    found = read.mapping(value, key)
    if not found:
        raise ConfigError("there is none", key=key, hint=hint)
    return found


def named(value: object, key: str) -> dict[str, str]:
    """Return key → name of what a mapping or a list names."""
    if isinstance(value, list):
        return {read.word(name, key): titled(name) for name in read.names(value, key, f"one of the {key}")}
    found = filled(value, key, f"{key}: [first, second], or a mapping of keys to names")
    return {
        read.word(name, f"{key}.{name}"): titled(name) if said is None else read.text(said, f"{key}.{name}")
        for name, said in found.items()
    }


def _process(
    name: str, value: object, actors: Mapping[str, str], phases: Mapping[str, str], checks: Collection[str]
) -> Process:
    key = f"{PROCESSES}.{name}"
    read.word(name, key)
    node = read.mapping(value, key)
    read.only(node, key, _OF_PROCESS)
    if name in phases:
        hint = "--require could mean either: give the process another key"
        raise ConfigError("a phase has the same key", key=key, hint=hint)
    declared, scan = _level(node, key), node.get("scan")
    found = _text(node, "evidence", key)
    return Process(
        key=name,
        name=read.text(node.get("name", titled(name)), f"{key}.name"),
        phase=_known(node, "phase", key, phases),
        actors=_actors(node, key, actors),
        purpose=_text(node, "purpose", key),
        flows=_flows(node.get("from"), f"{key}.from"),
        level=declared,
        target=level(node.get("target"), f"{key}.target"),
        effort=_effort(node, key),
        gain=_amount(node, "gain", key),
        scan="" if scan is None else read.choice(scan, f"{key}.scan", checks),
        note=_text(node, "note", key),
        evidence=Evidence("", declared, found, _text(node, "command", key)) if declared and found else None,
    )


def _level(node: Mapping[str, Any], key: str) -> Level | None:
    if node.get("level") is None and node.get("scan") is None:
        hint = f"level: {LEVELS[-2]}; or scan: CHECK, which looks at the workspace"
        raise ConfigError("there is none", key=f"{key}.level", hint=hint)
    return level(node.get("level"), f"{key}.level")


def _known(node: Mapping[str, Any], word: str, key: str, known: Mapping[str, str]) -> str:
    if node.get(word) is None:
        raise ConfigError("there is none", key=f"{key}.{word}", hint=f"one of {', '.join(known)}")
    return read.choice(node[word], f"{key}.{word}", known)


def _actors(node: Mapping[str, Any], key: str, known: Mapping[str, str]) -> tuple[str, ...]:
    """Return who does it; one alone need not stand in a list."""
    names = read.names(node.get("actor"), f"{key}.actor", "an actor")
    if not names:
        raise ConfigError("there is none", key=f"{key}.actor", hint=f"one or more of {', '.join(known)}")
    return tuple(read.choice(name, f"{key}.actor", known) for name in dict.fromkeys(names))


def _flows(value: object, key: str) -> tuple[Flow, ...]:
    """Return where data comes from: a name, a list of them, or a mapping that says what comes."""
    if not isinstance(value, dict):
        return tuple(Flow(name) for name in dict.fromkeys(read.names(value, key, "a process")))
    found = read.mapping(value, key)
    return tuple(Flow(name, "" if what is None else read.text(what, f"{key}.{name}")) for name, what in found.items())


def _require_sources(processes: tuple[Process, ...]) -> None:
    known = [one.key for one in processes]
    for one in processes:
        for flow in one.flows:
            place = f"{PROCESSES}.{one.key}.from"
            if flow.source not in known:
                raise ConfigError(f"found '{flow.source}'", key=place, hint=did_you_mean(flow.source, known))
            if flow.source == one.key:
                raise ConfigError("a process cannot come from itself", key=place, hint=f"leave {one.key} out")


def _text(node: Mapping[str, Any], word: str, key: str) -> str:
    return "" if node.get(word) is None else read.text(node[word], f"{key}.{word}")


def _effort(node: Mapping[str, Any], key: str) -> float | None:
    """Return what it takes; the gain is held against it, and so it is more than nothing."""
    return _amount(node, "effort", key, least=LEAST)


def _amount(node: Mapping[str, Any], word: str, key: str, *, least: float = 0.0) -> float | None:
    return None if node.get(word) is None else read.number(node[word], f"{key}.{word}", least=least, most=MOST)

"""``command: python train.py --lr ${params.lr}``: a script of the user's as it is, and the measures that it gives.

It runs without a shell, in the workspace. It is told of itself by words in braces and by the environment:
``{seed}`` and ``MLOPS_SEED``, ``{repetition}``, ``{folder}`` (what is written there is kept with the run), and
``{checkpoints}`` (what is written there is there again after an interruption). Measures are read from
``metrics.json`` in its folder, else from the lines that it prints: ``loss=0.31``, ``loss: 0.31`` or a JSON object. A
line with a ``step`` or ``epoch`` is a point of their curves.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import TrustError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from mlops_cli.contracts import Trying

OUTPUT = "output.log"
"""What the command printed, in its folder."""

METRICS = "metrics.json"
"""Where a command may write its measures, in its folder."""

_PYTHONS = ("python", "python3")
_PAIR = re.compile(r"([A-Za-z_][\w./-]*)\s*[=:]\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![\w.])")
_STEPS = ("step", "epoch", "iteration")
_LAST_LINES = 20
_DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG


def words_of(command: str | list[Any]) -> list[str]:
    """Return a command as its words.

    Examples
    --------
    >>> words_of("python train.py --name 'a b'")
    ['python', 'train.py', '--name', 'a b']
    """
    return [str(word) for word in command] if isinstance(command, list) else shlex.split(command)


def program_of(command: str | list[Any]) -> list[str]:
    """Return what a command runs, without what that is told: two rates of one script are to be compared.

    Examples
    --------
    >>> program_of("python train.py --lr 0.1"), program_of("python -m my.train 5"), program_of("./train --lr=1")
    (['python', 'train.py'], ['python', '-m', 'my.train'], ['./train'])
    """
    words = words_of(command)
    module = words[1:2] == ["-m"]
    return [word for word in words[: 3 if module else 2] if module or not word.startswith("-")]


def check_command(command: str | list[Any], allowed: Collection[str]) -> None:
    """Refuse a command that the workspace's owner does not allow: a config may come from anywhere.

    Raises
    ------
    TrustError
        With what to write where.

    Examples
    --------
    >>> check_command("python train.py --lr 1", ["python train.py"])
    """
    words = words_of(command)
    if any(words[: len(begin)] == begin for begin in map(shlex.split, allowed)):
        return
    first = " ".join(words[:2])
    hint = f'in pyproject.toml, if you trust it: [tool.mlops] commands = ["{first}"]'
    raise TrustError(f"{first!r} is not among the commands that may be run", key="command", hint=hint)


class CommandError(Exception):
    """A command ended badly."""


def run_command(config: Mapping[str, Any], run: Trying) -> dict[str, Any]:
    """Run a command to its end and return the measures that it gave.

    Raises
    ------
    CommandError
        It cannot be started, or ended with another code than 0.
    """
    heard = _Heard(run)
    with (run.folder / OUTPUT).open("w", encoding="utf-8") as log, _started(config["command"], run) as process:
        try:
            for line in process.stdout or ():
                log.write(line)
                heard.take(line)
        except BaseException:
            _kill(process)
            raise
    if process.returncode:
        raise CommandError(_why(process.returncode, heard.lines))
    return {**heard.measures, **_written(run)}


def _started(command: str | list[Any], run: Trying) -> subprocess.Popen[str]:
    told = {"seed": run.seed, "repetition": run.repetition, "folder": run.folder, "checkpoints": run.checkpoints}
    words = [_filled(word, told) for word in words_of(command)]
    if words[0] in _PYTHONS:
        words[0] = sys.executable  # the one that this runs in, with the packages that it has
    environment = {**os.environ, **{f"MLOPS_{name.upper()}": str(value) for name, value in told.items()}}
    try:
        return subprocess.Popen(
            words,
            cwd=run.workspace,
            env={**environment, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - a worker that is killed must not leave it behind
        )
    except (OSError, ValueError) as error:
        raise CommandError(f"{words[0]} cannot be run: {error}") from error


def _filled(word: str, told: Mapping[str, Any]) -> str:
    for name, value in told.items():
        word = word.replace(f"{{{name}}}", str(value))
    return word


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIES_WITH_PARENT, signal.SIGKILL)


def _kill(process: subprocess.Popen[str]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _why(code: int, lines: list[str]) -> str:
    ended = f"it was ended by signal {-code}" if code < 0 else f"it ended with code {code}"
    shown = [line for line in lines if line.strip()]
    last = f": {shown[-1].strip()}" if shown else ""
    return "\n".join([f"{ended}{last}", *(line.rstrip() for line in shown[:-1])])


def _written(run: Trying) -> dict[str, Any]:
    """Return the measures in the file that the command wrote; none where there is no such file."""
    path = run.folder / METRICS
    if not path.is_file():
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CommandError(f"{METRICS} is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise CommandError(f"{METRICS} must hold an object of measures by name, found {type(value).__name__}")
    return value


@dataclass
class _Heard:
    """What a command has printed so far."""

    run: Trying
    measures: dict[str, float] = field(default_factory=dict)  # as each was said last
    lines: list[str] = field(default_factory=list)  # the last ones

    def take(self, line: str) -> None:
        """Note a line with its measures."""
        self.lines = [*self.lines[-_LAST_LINES + 1 :], line]
        found = dict(_pairs(line))
        unit = next((name for name in _STEPS if name in found), None)
        step = None if unit is None else int(found.pop(unit))
        self.measures |= found
        if step is not None and found:
            self.run.log(step, unit=unit, **found)


def _pairs(line: str) -> Iterator[tuple[str, float]]:
    """Yield the measures in a line.

    Examples
    --------
    >>> dict(_pairs("epoch 3: loss=0.5, val/accuracy: 9e-1"))
    {'epoch': 3.0, 'loss': 0.5, 'val/accuracy': 0.9}
    >>> dict(_pairs('{"step": 1, "loss": 0.25, "name": "x"}'))
    {'step': 1.0, 'loss': 0.25}
    """
    if line.lstrip().startswith("{"):
        yield from _of_json(line)
        return
    counted = re.search(rf"\b({'|'.join(_STEPS)})\s+(\d+)", line, re.IGNORECASE)
    if counted is not None:
        yield counted[1].lower(), float(counted[2])
    for name, number in _PAIR.findall(line):
        yield name, float(number)


def _of_json(line: str) -> Iterator[tuple[str, float]]:
    try:
        value = json.loads(line)
    except ValueError:
        return
    for name, number in value.items() if isinstance(value, dict) else ():
        if isinstance(number, int | float) and not isinstance(number, bool):
            yield str(name), float(number)

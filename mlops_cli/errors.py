"""Every error that a user can cause, and the exit code that each one ends in.

An error's message is written for the person who must mend it: where, what was found, what is allowed, what helps.
Raise the most specific class; only ``cli`` turns one into text and an exit code.
"""

from __future__ import annotations

import difflib
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class ExitCode(IntEnum):
    """What the process says to the shell."""

    OK = 0
    FAILED = 1  # the work failed: no trial completed, or a gate refused
    USAGE = 2  # wrong usage or config
    DATA = 3  # data unusable
    CHECK = 4  # a check answered "no"
    INTERRUPTED = 130


class MlopsError(Exception):
    """The root of the tree: something that its user can mend.

    Parameters
    ----------
    message : str
        One line: where, what was found, what is allowed.
    hint : str, optional
        The edit or command that mends it.
    """

    exit_code = ExitCode.FAILED

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message} ({self.hint})"


class UsageError(MlopsError):
    """A command or function was called in a way it does not take."""

    exit_code = ExitCode.USAGE


class ConfigError(MlopsError):
    """A config says something that is not allowed.

    Parameters
    ----------
    message : str
        What was found and what is allowed, without the place.
    key : str, optional
        The dotted key, such as ``model.C``.
    file : str, optional
        The file or command line that set the key; filled in by the config layer where the raiser does not know it.
    hint : str, optional
        The edit or command that mends it.
    """

    exit_code = ExitCode.USAGE

    def __init__(
        self, message: str, *, key: str | None = None, file: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.key = key
        self.file = file

    def __str__(self) -> str:
        place = ": ".join(part for part in (self.file, self.key) if part)
        text = super().__str__()
        return f"{place}: {text}" if place else text


class TrustError(ConfigError):
    """A config names something that it may not import."""


class DataError(MlopsError):
    """The data cannot be read, or cannot be learned from."""

    exit_code = ExitCode.DATA


class NoFilesError(DataError):
    """A glob or a folder that is there holds no files: nothing has come yet."""


class ExpectationError(DataError):
    """Data breaks several things that are declared of it.

    Parameters
    ----------
    message : str
        One line that says how many.
    details : sequence of str
        A line for each.
    """

    def __init__(self, message: str, details: Sequence[str]) -> None:
        super().__init__(message)
        self.details = tuple(details)

    def __str__(self) -> str:
        return "\n  ".join((super().__str__(), *self.details))


class StoreError(MlopsError):
    """A run directory or file in the store is missing, damaged or in use."""

    exit_code = ExitCode.USAGE


class ExecutionError(MlopsError):
    """The workers cannot be had, or no longer be reached: what has ended is kept, and the run can be resumed."""


class MissingExtraError(MlopsError):
    """An optional package is asked for and not installed."""

    exit_code = ExitCode.USAGE

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package {package}, which is not installed",
            hint=f'pip install "mlops-cli[{extra}]"',
        )


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most like ``name``, or None where none is near; one of another case is the nearest.

    Examples
    --------
    >>> nearest("modle", ["model", "data"])
    'model'
    >>> nearest("PCLASS", ["class", "pclass"])
    'pclass'
    """
    names = [str(k) for k in known]
    alike = [k for k in names if k.casefold() == name.casefold()]
    matches = alike or difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return matches[0] if matches else None


def did_you_mean(name: str, known: Iterable[str], *, limit: int = 12) -> str:
    """Return the hint for an unknown name: the nearest one, and what is allowed.

    Examples
    --------
    >>> did_you_mean("modle", ["model", "data"])
    "did you mean 'model'? allowed: data, model"
    >>> did_you_mean("x", ["titanic", "titanic"])
    'allowed: titanic'
    """
    names = sorted({str(k) for k in known})
    close = nearest(name, names)
    shown = ", ".join(names[:limit]) + (", …" if len(names) > limit else "")
    allowed = f"allowed: {shown}" if names else "nothing is allowed here"
    return f"did you mean '{close}'? {allowed}" if close else allowed

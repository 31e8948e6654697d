"""Who may ask: bearer tokens, of which the file keeps the hashes alone.

A token is 256 bits of chance, so its plain sha256 is as good as any: nobody guesses among 2**256, and a slow hash
(scrypt, PBKDF2), which protects what people think up, would let anyone who sends wrong tokens keep the server busy.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
import stat
import threading
import time
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import StoreError, UsageError, did_you_mean
from mlops_cli.records import SCHEMA_VERSION
from mlops_cli.store.files import damaged, locked, read_json, sha256, write_json
from mlops_cli.store.values import stamp

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PREFIX = "mlops_"
"""Every token begins with it, so that those who search for lost secrets find it."""

LOOK_S = 1.0
"""Seconds between two looks at the file."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Role(StrEnum):
    """What a token allows."""

    PREDICT = "predict"  # /predict, /model and the schema
    ADMIN = "admin"  # that, /metrics and /model/reload


@dataclass(frozen=True)
class Token:
    """A token as the file has it."""

    name: str  # whose it is
    role: Role
    sha256: str
    created: str


# --- the file ----------------------------------------------------------------------------------------------------


def read_tokens(path: Path) -> tuple[Token, ...]:
    """Return the tokens of a file.

    Raises
    ------
    StoreError
        It is missing or damaged.
    """
    value = read_json(path)
    try:
        return tuple(_token(item) for item in value["tokens"])
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(path, f"not a file of tokens: {error!r}") from error


def _token(item: Mapping[str, Any]) -> Token:
    if not _HASH.fullmatch(str(item["sha256"])):
        raise ValueError("a sha256 has 64 hexadecimal digits")
    return Token(str(item["name"]), Role(item["role"]), str(item["sha256"]), str(item["created"]))


def add_token(path: Path, name: str, role: Role) -> str:
    """Make a new token and write its hash down; the token itself is returned, and kept nowhere.

    Raises
    ------
    UsageError
        The name is taken, or none that can be read in a list.
    StoreError
        The file is damaged, or cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"'{name}' cannot be a name: letters, digits, . _ and - are allowed, 64 at most")
    token = f"{PREFIX}{secrets.token_urlsafe(32)}"
    with locked(_lock(path)):
        known = read_tokens(path) if os.path.lexists(path) else ()
        if name in {t.name for t in known}:
            raise UsageError(f"{path} has a token '{name}' already", hint=f"mlops tokens rm {name} --file {path}")
        _write(path, (*known, Token(name, role, _hash(token), stamp())))
    return token


def remove_token(path: Path, name: str) -> Token:
    """Take a token away; a server that reads the file refuses it within a second or so.

    Raises
    ------
    UsageError
        There is none of that name.
    StoreError
        The file is missing or damaged, or cannot be written.
    """
    with locked(_lock(path)):
        known = read_tokens(path)
        gone = next((t for t in known if t.name == name), None)
        if gone is None:
            raise UsageError(f"{path} has no token '{name}'", hint=did_you_mean(name, [t.name for t in known]))
        _write(path, tuple(t for t in known if t.name != name))
    return gone


def token_json(token: Token) -> dict[str, str]:
    """Return a token as JSON: its hash is nobody's business who looks at a list."""
    return {"name": token.name, "role": str(token.role), "created": token.created}


def _write(path: Path, tokens: tuple[Token, ...]) -> None:
    listed = [{**token_json(t), "sha256": t.sha256} for t in tokens]
    write_json(path, {"schema_version": SCHEMA_VERSION, "tokens": listed})


def _lock(path: Path) -> Path:
    return path.with_name(f".{path.name}.lock")


def _hash(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogateescape"))


# --- who asks ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Read:
    """The file as it was last read."""

    tokens: tuple[Token, ...]
    state: tuple[int, int, int] | None  # of the file then
    looked: float


class Doorkeeper:
    """Says what a bearer token allows; the file is read again when it changes.

    A file that is gone or damaged allows nobody anything: a token that was taken away must not come back.

    Parameters
    ----------
    path : Path
        The file of tokens.

    Raises
    ------
    StoreError
        It is missing, damaged or empty when the server starts.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._read = _Read(read_tokens(path), _state(path), time.monotonic())
        if not self._read.tokens:
            raise StoreError(f"{path} has no token", hint=f"mlops tokens add NAME --role predict --file {path}")

    def role_of(self, token: str) -> Role | None:
        """Return what a token allows; None for one that is not in the file.

        All are compared, each in constant time: how long it takes says nothing of how near a guess was.
        """
        digest = _hash(token)
        found = [t.role for t in self._tokens() if hmac.compare_digest(t.sha256, digest)]
        return found[0] if found else None

    def _tokens(self) -> tuple[Token, ...]:
        if time.monotonic() - self._read.looked >= LOOK_S:
            with self._lock:
                self._look()
        return self._read.tokens

    def _look(self) -> None:
        state, now = _state(self.path), time.monotonic()
        if state == self._read.state:
            self._read = replace(self._read, looked=now)
            return
        try:
            tokens = read_tokens(self.path)
        except StoreError:
            tokens = ()
        self._read = _Read(tokens, state, now)


def open_to_all(path: Path) -> Path | None:
    """Return what anyone may write of a file of tokens: itself, or the folder in which it is replaced."""
    for place, held in ((path, 0), (path.absolute().parent, stat.S_ISVTX)):
        mode = place.stat().st_mode
        if mode & stat.S_IWOTH and not mode & held:
            return place
    return None


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino

"""Addresses that may be shown: what is secret in them is masked, and a secret written into one is refused."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from mlops_cli.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_WEB = (
    r"(?P<scheme>(?<![A-Za-z0-9+.-])(?i:https?)://)"
    # user and password, or a password with a / ? # that should have been written as %XX: no port follows the colon
    r"(?P<userinfo>[^\s/?#]*@|[^\s/?#:@]*:(?!\d{0,5}(?:[/?#\s]|$))\S*@)"
)
_OTHER = (
    r"(?P<scheme>(?<![A-Za-z0-9+.-])(?!(?i:https?):)[A-Za-z0-9+.-]+://)"
    # data bases take passwords as they are, so up to the last @
    r"(?P<userinfo>[^\s/?#:@]*:(?!\0*@)\S*@|[^\s/?#]*@)"
)
_USERINFOS = {True: re.compile(_WEB), False: re.compile(_OTHER)}  # is it of the web?
_QUERY_VALUE = re.compile(r"(?P<name>[?&;#][^=&;#\s]{1,100}=)[^&#\s]+")
_REFERENCE = re.compile(r"\$\{(?:[^{}]|\{[^{}]*\})*\}")
_SECRET_NAME = re.compile(
    r"(?:passw(?:or)?d|passphrase|pwd|token|secret|signature|credentials?"
    r"|(?:^|[._-])(?:pass|sig|jwt|auth|authorization)|(?:^|[._-]|api|access|auth|account|private|shared|secret)key)$",
    re.IGNORECASE,
)
_PASSWORD = re.compile(
    r"(?:passw(?:or)?ds?|passphrase|pwd|secret|(?:^|[._-])pass|(?:api|access|auth|private|secret)[._-]?key"
    r"|(?:^|api|access|auth|bearer|refresh)[._-]?token|^jwt|^authorization)$",
    re.IGNORECASE,
)
_OPAQUE = re.compile(
    r"(?=[^\W_]*[0-9])(?=[^\W_]*[^\W\d_])[^\W_]{10,}"
)  # ten or more letters and digits, as chance gives
_NO_SECRET = re.compile(r"\d{0,5}|\$?\{[^{}]*\}")  # token=50256 is one of a vocabulary, {seed} is filled in later
_ADDRESS_HINT = "put the whole address into an environment variable: ${oc.env:NAME}, or `url_env: NAME` of data=sql"


def masked(text: str) -> str:
    """Return a text in which the users, passwords and query values of addresses are masked.

    Every value of a query is: a signature or token may go by any name.

    Examples
    --------
    >>> masked("https://me:secret@example.org/a.csv?sig=1234")
    'https://***@example.org/a.csv?sig=***'
    """
    if "://" not in text:
        return text
    for pattern in _USERINFOS.values():
        text = pattern.sub(r"\g<scheme>***@", text)
    return _QUERY_VALUE.sub(r"\g<name>***", text)


def refuse_secrets(value: Any, key: str, hint: str = _ADDRESS_HINT) -> None:
    """Refuse passwords and tokens that are written into addresses: a config is saved with every run.

    Parameters
    ----------
    value : Any
        A part of a config as it may be saved; references such as ``${oc.env:NAME}`` are fine.
    key : str
        Where it stands.
    hint : str
        Where it belongs.

    Raises
    ------
    ConfigError
        With the key, and without the secret.
    """
    for place, text in _leaves(value, key):
        if isinstance(text, str) and (found := _secret_in(text)):
            raise _refused(found, place, hint)


def refuse_named_secrets(value: Any, key: str, hint: str) -> None:
    """Refuse values that are secrets by their names: ``password``, ``api_key``, ``hf_token`` with what chance gives.

    Parameters
    ----------
    value : Any
        A part of a config as it may be saved.
    key : str
        Where it stands; its last part names the value.
    hint : str
        Where a secret belongs.

    Raises
    ------
    ConfigError
        With the key, and without the secret.
    """
    for place, found in _leaves(value, key):
        name = re.sub(r"\[\d+\]", "", place).rpartition(".")[2]
        if _is_secret(name, found):
            raise _refused("a secret by its name", place, hint)


def refuse_told_secrets(words: Sequence[str], key: str, hint: str) -> None:
    """Refuse secrets among the words of a command: ``--password WORD``, ``--api-key=WORD``.

    Raises
    ------
    ConfigError
        With the option's name, and without the secret.
    """
    for word, following in zip(words, [*words[1:], ""], strict=True):
        option, is_told, value = word.partition("=")
        if not is_told:
            value = following if word.startswith("-") and not following.startswith("-") else ""
        if _is_secret(option.lstrip("-"), value):
            raise _refused(f"a secret, the value of '{option}'", key, hint)


def _refused(found: str, key: str, hint: str) -> ConfigError:
    return ConfigError(f"holds {found}, and would be saved with every run", key=key, hint=hint)


def _leaves(value: Any, key: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, child in value.items():
            yield from _leaves(child, f"{key}.{name}")
    elif isinstance(value, list | tuple):
        for position, child in enumerate(value):
            yield from _leaves(child, f"{key}[{position}]")
    else:
        yield key, value


def _is_secret(name: str, value: Any) -> bool:
    """Whether a value is a secret by its name: a model's ``pad_token`` and a table's ``sort_key`` are none.

    Examples
    --------
    >>> _is_secret("db_password", "abc"), _is_secret("pad_token", "<pad>"), _is_secret("hf_token", "hf_x7Yq2LmP40Zs")
    (True, False, True)
    """
    if not isinstance(value, str | int) or isinstance(value, bool) or _NO_SECRET.fullmatch(str(value)):
        return False
    return bool(_PASSWORD.search(name) or (_SECRET_NAME.search(name) and _OPAQUE.search(str(value))))


def refuse_password(text: str, key: str) -> None:
    """Refuse a password in an address that is typed; a token in its query is part of many that expire soon.

    Raises
    ------
    ConfigError
        With the key, and without the password.
    """
    if _has_password(text):
        raise ConfigError("holds a password, which shells remember", key=key, hint="put it into ~/.netrc")


def _secret_in(text: str) -> str | None:
    if _has_password(text):
        return "a password"
    name = next(_secret_names(text), None) if "://" in text else None
    return None if name is None else f"a secret, the value of '{name}'"


def _has_password(text: str) -> bool:
    """Whether a password is written into an address; of the web, also a token in the place of the user."""
    plain = _REFERENCE.sub("\0", text)
    for is_web, pattern in _USERINFOS.items():
        for found in pattern.finditer(plain):
            user, _, password = found["userinfo"].removesuffix("@").partition(":")
            if (password or (user if is_web else "")).strip("\0"):
                return True
    return False


def _secret_names(text: str) -> Iterator[str]:
    """Yield the names in queries whose values are secret, and are no references."""
    for found in _QUERY_VALUE.finditer(_REFERENCE.sub("\0", text)):
        name = unquote(found["name"][1:-1])
        if _SECRET_NAME.search(name) and found[0].removeprefix(found["name"]).strip("\0"):
            yield name


def from_environment(name: str, key: str) -> str:
    """Return an environment variable's value.

    Raises
    ------
    ConfigError
        It is not set.
    """
    value = os.environ.get(name)
    if not value:
        raise ConfigError(f"the environment variable {name} is not set", key=key, hint=f"export {name}=…")
    return value

"""Values of environment variables in a config, which must not reach any file that is saved.

``${oc.env:NAME}`` is often a password or a place. A composed config is therefore resolved twice: once *public*, where
the reference itself stays as text, for everything that is stored; and once *real*, for building the data source.
References are allowed under ``data`` and in ``evaluation.test`` alone: what they change there is recorded by the
dataset's version, while anywhere else they would change results without a trace in the fingerprint. Under
``drift.alerts``, which changes no result, they stay as they are written, and are looked up when an alert is sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from mlops_cli.errors import ConfigError

_REFERENCE = re.compile(r"\$\{\s*oc\.env:\s*([A-Za-z_][A-Za-z0-9_]*)\s*(,[^${}]*)?\}")
_MENTION = re.compile(r"\boc\.env\s*:")
_MARK = "\ue000{}\ue001"  # private-use characters, which no interpolation grammar knows
_MARKED = re.compile("\ue000([0-9]+)\ue001")
_ESCAPABLE = re.compile(r"(\\*)\$\{")
_ALLOWED = ("data", "evaluation.test")
_LATER = ("drift", "alerts")


@dataclass(frozen=True)
class _Reference:
    """One reference: its text as written and the key that holds it."""

    text: str
    key: str


def resolve(config: DictConfig) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a config as plain containers, public and real.

    Parameters
    ----------
    config : DictConfig
        As composed. It is not changed.

    Returns
    -------
    public : dict
        With references to environment variables as they were written, and text that only looks like an interpolation
        escaped: composing it again gives the same.
    real : dict
        With the variables' values.

    Raises
    ------
    ConfigError
        A variable is not set, or is used where it may not be.
    omegaconf.errors.OmegaConfBaseException
        Another interpolation cannot be resolved.
    """
    references: list[_Reference] = []
    if mentions_environment(config):
        config = config.copy()
        _mark(config, references)
    marked = plain(config)
    if references:
        _check_places(marked, "")
    real = _real(marked, references) if references else marked
    return _map_text(marked, lambda text: _public(text, references)), real


def _real(marked: Mapping[str, Any], references: list[_Reference]) -> dict[str, Any]:
    """Return a config with the values of variables, but for what is looked up later."""
    section, name = _LATER
    made: dict[str, Any] = {}
    for key, value in marked.items():
        later = {name: value[name]} if key == section and isinstance(value, Mapping) and name in value else {}
        rest = {k: v for k, v in value.items() if k not in later} if later else value
        made[key] = _map_text(rest, lambda text: _substitute(text, references))
        if later:
            made[key] |= _map_text(later, lambda text: _MARKED.sub(lambda m: references[int(m[1])].text, text))
    return made


def plain(node: Any) -> Any:
    """Return a resolved node as plain containers."""
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node


def escape(value: Any) -> Any:
    """Return a plain value whose text OmegaConf reads back as it is."""
    return _map_text(value, _escape)


def _escape(text: str) -> str:
    return _ESCAPABLE.sub(lambda m: m[1] * 2 + r"\${", text) if "${" in text else text


def mentions_environment(config: DictConfig) -> bool:
    """Whether any text in a config names an environment variable."""
    return _MENTION.search(repr(OmegaConf.to_container(config, resolve=False))) is not None


def _mark(node: DictConfig | ListConfig, references: list[_Reference]) -> None:
    """Put a mark in the place of each reference, so that resolving leaves it alone."""
    keys: Any = node.keys() if isinstance(node, DictConfig) else range(len(node))
    for key in () if node._is_none() or node._is_missing() or node._is_interpolation() else keys:
        child = node._get_node(key)
        value = child._value() if child is not None else None  # type: ignore[union-attr]
        if isinstance(child, DictConfig | ListConfig) and not isinstance(value, str):
            _mark(child, references)
        elif isinstance(value, str) and "oc.env" in value:
            child._set_value(_marked(value, references, child._get_full_key(None)))  # type: ignore[union-attr]


def _marked(text: str, references: list[_Reference], key: str) -> str:
    if "\ue000" in text:
        raise ConfigError("holds the private-use character U+E000", key=key)

    def mark(match: re.Match[str]) -> str:
        references.append(_Reference(match.group(), key))
        return _MARK.format(len(references) - 1)

    marked = _REFERENCE.sub(mark, text)
    nested = any("\ue000" in part.split("}", 1)[0] for part in marked.split("${")[1:])
    if nested or _MENTION.search(marked):
        raise ConfigError(
            f"{text!r} uses an environment variable inside something else",
            key=key,
            hint="only ${oc.env:NAME} and ${oc.env:NAME,default} are understood, with text around",
        )
    return marked


def _check_places(value: Any, key: str) -> None:
    """Refuse references outside the places that may have them, whichever way they came there."""
    if key in _ALLOWED or key == ".".join(_LATER):
        return
    if isinstance(value, Mapping):
        for name, child in value.items():
            _check_places(child, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list):
        for position, child in enumerate(value):
            _check_places(child, f"{key}[{position}]")
    elif isinstance(value, str) and "\ue000" in value:
        raise ConfigError(
            "an environment variable may not be used here",
            key=key,
            hint=f"only under {' and '.join(_ALLOWED)}: elsewhere results would change without a record of why",
        )


def _public(text: str, references: list[_Reference]) -> str:
    return _MARKED.sub(lambda m: references[int(m[1])].text, _escape(text)) if references else _escape(text)


def _substitute(text: str, references: list[_Reference]) -> Any:
    whole = _MARKED.fullmatch(text)
    if whole:
        return _value(references[int(whole[1])])
    return _MARKED.sub(lambda m: str(_value(references[int(m[1])])), text)


def _value(reference: _Reference) -> Any:
    """Return what a reference stands for, as OmegaConf reads it."""
    from omegaconf.errors import OmegaConfBaseException

    try:
        return OmegaConf.create({"value": reference.text})["value"]
    except OmegaConfBaseException:
        match = _REFERENCE.fullmatch(reference.text)
        name = match[1] if match else reference.text
        hint = f"export {name}=… or write ${{oc.env:{name},default}}"
        raise ConfigError(f"the environment variable {name} is not set", key=reference.key, hint=hint) from None


def _map_text(value: Any, change: Callable[[str], Any]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: _map_text(child, change) for key, child in value.items()}
    if isinstance(value, list):
        return [_map_text(child, change) for child in value]
    return value

"""Turns what Hydra and OmegaConf raise into one line that names the key, what was found and the nearest name.

Their messages run over many lines, list search paths and name no file. The texts that are looked for here are those
of hydra-core 1.3.8 and 1.4.0rc3; a text that is not known is shown as it is, on one line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hydra.errors import MissingConfigException
from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    InterpolationKeyError,
    MissingMandatoryValue,
    OmegaConfBaseException,
)

from mlops_cli.config.catalogue import experiments, groups, options
from mlops_cli.config.origins import place_in
from mlops_cli.config.overrides import COMMAND_LINE
from mlops_cli.config.readers import found, wrong
from mlops_cli.config.schema import ROLE_KEYS
from mlops_cli.config.sources import FILE_CONFIG
from mlops_cli.errors import ConfigError, did_you_mean, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mlops_cli.config.compose import Composer

_LONGEST = 300
_NOISE = ("full_key:", "object_type=", "reference_type=", "See http")
_CONFIG = re.compile(r"^In '([^']+)': ")
_CLASH = "found a mapping where there must be a list, or a list where there must be a mapping"
_UNMERGED = r"Cannot merge (?:DictConfig with ListConfig|incompatible container types)"
_NO_KEY = re.compile(r"Interpolation key '([^']+)' not found")


@dataclass(frozen=True)
class Situation:
    """What was going on when something was raised.

    Parameters
    ----------
    composer : Composer
        What was composing.
    config : DictConfig, optional
        The experiment without value overrides, where there is one; its keys are the allowed ones.
    overrides : sequence
        Hydra's records of the overrides under which it was composed.
    """

    composer: Composer
    config: DictConfig | None = None
    overrides: Sequence[Any] = ()

    def file(self, text: str = "") -> str | None:
        """Return the file that a message of Hydra's is about; the experiment's own where it does not say."""
        match = _CONFIG.search(text)
        try:
            return self.composer.repository.shown_file(match[1] if match else self.composer.primary)
        except ConfigError:
            return None

    def options(self, group: str) -> list[str]:
        """Return the names of a group's options."""
        return [o.name for o in options(self.composer.workspace, group)]

    def groups(self) -> list[str]:
        """Return the names of all groups."""
        return groups(self.composer.workspace)


def to_config_error(error: Exception, situation: Situation) -> ConfigError:
    """Return the error to be shown for one that composing or resolving raised."""
    if isinstance(error, ConfigError):
        return error
    if isinstance(error, RecursionError):
        return ConfigError("configs or values refer to each other in a circle", file=situation.file())
    if isinstance(error, MissingConfigException):
        return _missing_config(error, situation)
    text = str(error) or str(error.__cause__ or type(error).__name__)
    for pattern, explain in _KNOWN:
        if match := pattern.search(text):
            return explain(match, text, situation)
    cause = error.__cause__ or error
    if isinstance(cause, OmegaConfBaseException):
        return _omegaconf_error(cause, situation)
    return ConfigError(_one_line(text), file=situation.file(text))


def _missing_config(error: Any, situation: Situation) -> ConfigError:
    group, _, option = str(error.missing_cfg_file or "").rpartition("/")
    file = situation.file(str(error))
    if not group:
        hint = did_you_mean(option, [*experiments(situation.composer.workspace), "experiment"])
        return ConfigError(f"there is no config {option!r}", key="defaults", file=file, hint=hint)
    if any(o.key_or_group == group and o.value() == option for o in situation.overrides):
        file = COMMAND_LINE
    if not situation.options(group):
        hint = did_you_mean(group, situation.groups())
        return ConfigError(f"there is no config group {group!r}", file=file, hint=hint)
    return unknown_option(group, option, situation.options(group), file=file)


def unknown_option(group: str, option: str, known: Sequence[str], *, file: str | None = None) -> ConfigError:
    """Return the error for an option that a group does not have."""
    return ConfigError(
        f"there is no option {option!r} of {group}", key=group, file=file, hint=did_you_mean(option, known)
    )


# --- the texts that Hydra is known to raise ------------------------------------------------------------------------


def _not_overridden(match: re.Match[str], _text: str, situation: Situation) -> ConfigError:
    return unknown_key(match[1], situation)


def _not_deleted(match: re.Match[str], _text: str, situation: Situation) -> ConfigError:
    return unknown_key(match[1].partition("=")[0], situation, message="there is nothing to delete")


def _not_deleted_value(match: re.Match[str], _text: str, _situation: Situation) -> ConfigError:
    return ConfigError("cannot be deleted: it has another value", key=match[1], file=COMMAND_LINE)


def _not_appended(match: re.Match[str], _text: str, _situation: Situation) -> ConfigError:
    hint = f"write {match[1]}=…, without the +"
    return ConfigError("is there already, and + only adds", key=match[1], file=COMMAND_LINE, hint=hint)


def _no_group(match: re.Match[str], _text: str, situation: Situation) -> ConfigError:
    hint = did_you_mean(match[1], situation.groups())
    return ConfigError(f"there is no config group {match[1]!r}", file=COMMAND_LINE, hint=hint)


def _chosen_twice(match: re.Match[str], text: str, situation: Situation) -> ConfigError:
    hint = f'write "- override {match[1]}: NAME" to change what another config in the list chose'
    return ConfigError("is chosen twice in the defaults", key=match[1], file=situation.file(text), hint=hint)


def _clash(match: re.Match[str], text: str, situation: Situation) -> ConfigError:
    """Name the key that one config has as a list and what every experiment begins with as a mapping, or so."""
    repository = situation.composer.repository
    base, own = repository.load_config("experiment"), repository.load_config(match[1])
    clashes = _clashes(base.config, own.config) if base and own else []
    if base is None or own is None or not clashes:
        return ConfigError(_CLASH, file=situation.file(text))
    error = _other_kind(clashes[0], OmegaConf.select(base.config, clashes[0]), OmegaConf.select(own.config, clashes[0]))
    error.file = place_in(repository, match[1], clashes[0].split("."))
    return error


def _other_kind(key: str, base: Any, value: Any) -> ConfigError:
    """Return the error for a list in the place of a mapping, or a mapping in the place of a list."""
    must = "a mapping" if isinstance(base, DictConfig) else "a list"
    plain = OmegaConf.to_container(value, resolve=False) if OmegaConf.is_config(value) else value
    return wrong(plain, key, must)


def _clash_of_override(key: str | None, situation: Situation) -> ConfigError:
    """Say of an override what it gives and what there must be, where both are known."""
    given = [o.value() for o in situation.overrides if o.key_or_group == key]
    base = OmegaConf.select(situation.config, key) if situation.config is not None and key else None
    if not given or not OmegaConf.is_config(base):
        return ConfigError(_CLASH, key=key)
    group, _, parameter = str(key).partition(".")
    if group == "data" and parameter.partition(".")[0] not in ROLE_KEYS:  # of a source, which may take both
        kind = "a mapping" if isinstance(base, DictConfig) else "a list"
        text = f"found {found(given[-1])}, and the config has {kind} there, which is not merged with it"
        return ConfigError(text, key=key, hint=f"'~{key}' '+{key}=…' puts it in its place")
    return _other_kind(str(key), base, given[-1])


def _clashes(base: Any, own: Any, prefix: str = "") -> list[str]:
    if isinstance(base, DictConfig) and isinstance(own, DictConfig):
        shared = [str(key) for key in own if key in base]
        return [k for key in shared for k in _clashes(base._get_node(key), own._get_node(key), f"{prefix}{key}.")]
    both = isinstance(base, DictConfig | ListConfig) and isinstance(own, DictConfig | ListConfig)
    return [prefix.rstrip(".")] if both and type(base) is not type(own) else []


def _undecided(match: re.Match[str], _text: str, situation: Situation) -> ConfigError:
    return undecided(match[1], situation)


_KNOWN: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], str, Situation], ConfigError]], ...] = (
    (re.compile(r"Could not override '([^']+)'"), _not_overridden),
    (re.compile(r"Could not delete from config\. The value of '([^']+)'"), _not_deleted_value),
    (re.compile(r"Could not delete (?:from config\. )?'([^']+)'"), _not_deleted),
    (re.compile(r"Could not append to config\. An item is already at '([^']+)'"), _not_appended),
    (re.compile(r"config group '([^']+)' does not\s+exist"), _no_group),
    (re.compile(r"(\S+) appears more than once"), _chosen_twice),
    (re.compile(r"Multiple values for (\S+)\."), _chosen_twice),
    (re.compile(rf"^In '([^']+)': .*{_UNMERGED}", re.DOTALL), _clash),
    (re.compile(r"You must specify '([^']+)'"), _undecided),
)


def undecided(group: str, situation: Situation) -> ConfigError:
    """Return the error for a group that no option was chosen for."""
    names = situation.options(group)
    shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    hint = f'add "- {group}: NAME" to the defaults, or {group}=NAME to the command; options: {shown}'
    return ConfigError(f"no {group} is chosen", key=group, file=situation.file(), hint=hint)


def unknown_key(key: str, situation: Situation, *, message: str = "unknown key") -> ConfigError:
    """Return the error for a key that the config does not have, with its neighbours where it ceases to be known."""
    node: Any = situation.config
    unknown = ""
    for part in key.partition("@")[0].split("."):
        unknown = part
        if not _has(node, part):
            break
        node = node._get_node(part)
    known = [str(k) for k in node] if isinstance(node, DictConfig) and not node._is_missing() else []
    hint = did_you_mean(unknown, known, limit=20) if known else None
    if key.startswith("transforms.") and not hint:
        hint = "+transforms.NAME={_target_: …} adds a step"
    return ConfigError(message, key=key, file=COMMAND_LINE, hint=hint)


def _has(node: Any, key: str) -> bool:
    if not isinstance(node, DictConfig) or node._is_none() or node._is_missing() or node._is_interpolation():
        return False
    return key in node.keys()  # noqa: SIM118 - `in` of a DictConfig is false for a missing value


# --- OmegaConf -----------------------------------------------------------------------------------------------------


def _omegaconf_error(error: OmegaConfBaseException, situation: Situation) -> ConfigError:
    key: str | None = error.full_key or None
    if isinstance(error, MissingMandatoryValue):
        return ConfigError("a value is needed", key=key)
    if isinstance(error, InterpolationKeyError) and (match := _NO_KEY.search(str(error))):
        close = nearest(match[1], _dotted(situation.config))
        hint = f"did you mean '{close}'?" if close else None
        return ConfigError(f"refers to {match[1]!r}, which there is not", key=key, hint=hint)
    if isinstance(error, ConfigAttributeError | ConfigKeyError) and key:
        return unknown_key(key, situation)
    text = _one_line(str(error))
    return _clash_of_override(key, situation) if re.match(_UNMERGED, text) else ConfigError(text, key=key)


def _dotted(node: Any, prefix: str = "") -> list[str]:
    keys = []
    names: Any = node if isinstance(node, DictConfig) and not (node._is_none() or node._is_missing()) else ()
    for name in names:
        child = node._get_node(name)
        keys += [f"{prefix}{name}", *_dotted(child, f"{prefix}{name}.")]
    return keys


def _one_line(text: str) -> str:
    """Return a message without its tables and places, on one line."""
    kept = [line.strip() for line in text.splitlines() if not line.strip().startswith(_NOISE)]
    line = " ".join(" ".join(kept).split("Config search path:")[0].split())
    line = _CONFIG.sub("", line).replace(FILE_CONFIG, "the file")
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


# --- values that are still to be given -----------------------------------------------------------------------------


def check_nothing_missing(value: Any, situation: Situation) -> None:
    """Refuse a plain config in which a value is still to be given.

    Raises
    ------
    ConfigError
        With the first such key.
    """
    for missing in _missing_keys(value)[:1]:
        if situation.options(missing):
            raise undecided(missing, situation)
        hint = f"write it in the experiment, or {missing}=VALUE on the command line"
        if missing == "data.path" and value["data"].get("name") is not None:
            hint = 'a data set is read by name with "- data: dataset" in the defaults, or data=dataset'
        raise ConfigError("a value is needed", key=missing, hint=hint)


def _missing_keys(value: Any, key: str = "") -> list[str]:
    if value == "???":
        return [key]
    if isinstance(value, dict):
        return [k for name, v in value.items() for k in _missing_keys(v, f"{key}.{name}" if key else str(name))]
    if isinstance(value, list):
        return [k for i, v in enumerate(value) for k in _missing_keys(v, f"{key}[{i}]")]
    return []

"""What was asked for on the command line: Hydra's override grammar, parted into fixed overrides and sweeps.

Hydra's own parser reads every override; this module turns its sweeps into `Dimension`s with typed values. It composes
nothing. It differs from Hydra's sweeps in three places: floating-point ranges are counted in decimals, so that
``range(0, 0.45, 0.15)`` has three values and not four; ``shuffle()`` is the same at every call; and a choice that is
given twice is tried once.
"""

from __future__ import annotations

import decimal
import math
import random
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_cli.config.declared import SECTIONS
from mlops_cli.config.grammar import explain, needs_comma_hint
from mlops_cli.errors import ConfigError, did_you_mean
from mlops_cli.records import Dimension, DimensionKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    GroupOptions = Callable[[str], Sequence[str] | None]
    """Return the options of a group; None where there is no such group."""

COMMAND_LINE = "command line"
SWEEPABLE = (
    *("model", "transforms", "target_transform", "calibration", "threshold", "split", "seed"),
    *("params", "agent", "env", "training", "script", "command"),
)
"""The parts of an experiment in which the trials of one run may differ."""

_SPACE = "sweep.space."
_LISTS = ("data.drop", "data.features", "evaluation.metrics")
_SHARED = ("name", "description", "task", "tags", "data", "evaluation", "sweep", "launcher", "artifacts", *SECTIONS)
_MAX_LENGTH = 100_000
_MAX_DEPTH = 50
_MAX_CHOICES = 1_000_000
_LONG_NUMBER = re.compile(r"[0-9]{301}")
_TAGS = frozenset({"log"})


@dataclass(frozen=True)
class Overrides:
    """The overrides of one command line.

    Parameters
    ----------
    texts : tuple of str
        As they were typed.
    fixed : tuple
        Hydra's own `Override` records of those that set one value, in order.
    swept : tuple
        Hydra's records of those that sweep, in order.
    dimensions : tuple of Dimension
        What ``swept`` says, one for each.
    dropped : tuple of str
        The keys that are taken out of the config's own sweep: ``~sweep.space.model.C``.
    """

    texts: tuple[str, ...]
    fixed: tuple[Any, ...]
    swept: tuple[Any, ...]
    dimensions: tuple[Dimension, ...]
    dropped: tuple[str, ...] = ()

    @property
    def keys(self) -> frozenset[str]:
        """The keys that are given one value."""
        return frozenset(o.key_or_group for o in self.fixed if not o.is_delete())

    @property
    def emptied(self) -> frozenset[str]:
        """The keys that are deleted or null, so that nothing under them can be swept."""
        return frozenset(o.key_or_group for o in self.fixed if o.is_delete() or o.value() is None)


def parse_overrides(texts: Sequence[str], options: GroupOptions) -> Overrides:
    """Read overrides.

    Parameters
    ----------
    texts : sequence of str
        Such as ``model=svm``, ``model.C=1,10``, ``+model.tol=1e-4``, ``~transforms.scale``.
    options : callable
        Returns the options of a group, or None where there is no such group.

    Raises
    ------
    ConfigError
        One of them is not in Hydra's grammar, or sweeps what cannot be swept.
    """
    parsed = [_without_empty_space(parse_override(text)) for text in texts]
    for override in parsed:
        _check_hydra(override.key_or_group)
    swept = {o.get_key_element().lstrip("+"): o for o in parsed if o.is_sweep_override()}  # the last one wins
    return Overrides(
        texts=tuple(texts),
        fixed=tuple(o for o in parsed if not o.is_sweep_override() and not _drops_dimension(o)),
        swept=tuple(swept.values()),
        dimensions=tuple(to_dimension(o, options) for o in swept.values()),
        dropped=tuple(o.key_or_group.removeprefix(_SPACE) for o in parsed if _drops_dimension(o)),
    )


def _without_empty_space(override: Any) -> Any:
    """Return ``sweep.space=null`` for ``sweep.space={}``, which Hydra would merge into the file's space."""
    empty = override.key_or_group == "sweep.space" and not override.is_delete() and override.value() in ({}, [])
    return parse_override("sweep.space=null") if empty else override


def _drops_dimension(override: Any) -> bool:
    """Whether it is such as ``~sweep.space.model.C``; Hydra finds no key that has dots in it."""
    return override.is_delete() and override.key_or_group.startswith(_SPACE) and override.value() is None


def _check_hydra(key: str) -> None:
    if key.startswith(("hydra.", "hydra/")) or key == "hydra":
        check_hydra_key(key, file=COMMAND_LINE)


def check_hydra_key(key: str, *, file: str | None) -> None:
    """Refuse a setting of Hydra's own that would change nothing here.

    Raises
    ------
    ConfigError
        It is not ``hydra.searchpath``.
    """
    if key != "hydra.searchpath":
        hint = "runs always lie in runs/<name>/; of hydra only hydra.searchpath can be set"
        raise ConfigError("has no meaning here", key=key, file=file, hint=hint)


def parse_override(text: str, *, file: str = COMMAND_LINE) -> Any:
    """Return Hydra's record of one override.

    Raises
    ------
    ConfigError
        It is not in Hydra's grammar, or is too long, too deep or too large to be meant.
    """
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    _check_text(text, file)
    try:
        (override,) = OverridesParser.create().parse_overrides([text])
    except (HydraException, ValueError, TypeError, AssertionError, RecursionError) as error:
        raise _grammar_error(text, error, file) from None
    _check_override(override, text, file)
    return override


def _check_text(text: str, file: str) -> None:
    depth = deepest = 0
    for character in text if len(text) <= _MAX_LENGTH else "":
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    key = text.partition("=")[0]
    if len(text) > _MAX_LENGTH or deepest > _MAX_DEPTH or key.count(".") > _MAX_DEPTH:
        raise ConfigError(f"the override {_shorten(text)} is too long or too deeply nested", file=file)
    if "\0" in text:
        raise ConfigError(f"the override {_shorten(text)} holds a NUL character", file=file)
    if _LONG_NUMBER.search(text):
        raise ConfigError(f"the override {_shorten(text)} has a number with more than 300 digits", file=file)


def _shorten(text: str) -> str:
    shown = ascii(text)
    return shown if len(shown) <= 80 else shown[:76] + "…" + shown[-1]


def _grammar_error(text: str, error: Exception, file: str) -> ConfigError:
    if "=" not in text and not text.startswith("~"):
        hint = needs_comma_hint(text) or "write KEY=VALUE or ~KEY"
        return ConfigError(f"{_shorten(text)} is not an override", file=file, hint=hint)
    reason, hint = explain(text, error)
    return ConfigError(f"the override {_shorten(text)} cannot be read: {reason}", file=file, hint=hint)


def _check_override(override: Any, text: str, file: str) -> None:
    if not override.key_or_group:
        raise ConfigError(f"the override {_shorten(text)} has no key", file=file, hint="write KEY=VALUE")
    if override.is_delete() and override.is_sweep_override():
        raise ConfigError(f"the override {_shorten(text)} deletes and sweeps at once", file=file)
    value = override.value()
    if "inf" not in text.lower() and _is_infinite(value):
        raise ConfigError(f"the override {_shorten(text)} has too large a number", file=file, hint="write inf")


def _is_infinite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isinf(value)
    if isinstance(value, dict | list):
        return any(map(_is_infinite, value.values() if isinstance(value, dict) else value))
    return any(_is_infinite(getattr(value, name)) for name in ("list", "start", "end", "stop") if hasattr(value, name))


# --- sweeps as dimensions ------------------------------------------------------------------------------------------


def to_dimension(override: Any, options: GroupOptions, *, file: str = COMMAND_LINE) -> Dimension:
    """Return what an override sweeps.

    Raises
    ------
    ConfigError
        The key may not be swept, or the values make no sense.
    """
    key = override.key_or_group
    check_sweepable(key, file=file, override=override.input_line)
    if override.package is not None:
        raise ConfigError(f"a sweep over {override.get_key_element()} is not possible", file=file, hint=f"sweep {key}")
    if override.is_interval_sweep():
        return _interval(key, override.value(), file)
    try:
        choices = _choices(override, options(key), file)
    except (ValueError, ArithmeticError) as error:
        raise ConfigError(f"cannot be listed: {error}", key=key, file=file) from None
    return choice_dimension(key, choices, options, file=file)


def choice_dimension(key: str, choices: Iterable[Any], options: GroupOptions, *, file: str = COMMAND_LINE) -> Dimension:
    """Return a dimension of choices; those of a group are checked to be its options.

    Raises
    ------
    ConfigError
        There is nothing to choose from, or a choice is not an option of the group.
    """
    check_sweepable(key, file=file)
    unique = {_identity(choice): choice for choice in choices}
    if not unique:
        raise ConfigError("there is nothing to choose from", key=key, file=file)
    known = options(key)
    is_group = known is not None and all(isinstance(choice, str) for choice in unique.values())
    if known is not None and not is_group and not all(isinstance(c, dict) for c in unique.values()):
        lists = any(isinstance(choice, list) for choice in unique.values())
        hint = f"several options at once cannot be swept; make a file configs/{key}/NAME.yaml that has them"
        raise ConfigError(
            "its choices must all be names of options, or all be mappings",
            key=key,
            file=file,
            hint=hint if lists else did_you_mean("", known),
        )
    for choice in unique.values() if is_group else ():
        if choice not in (known or ()):
            raise ConfigError(
                f"there is no option {choice!r}", key=key, file=file, hint=did_you_mean(choice, known or ())
            )
    return Dimension(key, DimensionKind.CHOICE, choices=tuple(unique.values()), is_group=is_group)


def _identity(value: Any) -> str:
    return f"{type(value).__name__}:{value!r}"


def check_sweepable(key: str, *, file: str = COMMAND_LINE, override: str | None = None) -> None:
    """Refuse to sweep what the trials of a run share.

    Raises
    ------
    ConfigError
        With what may be swept.
    """
    parts = key.split(".")
    if parts[0] in SWEEPABLE and all(parts):
        return
    if parts[:2] == ["sweep", "space"]:
        raise ConfigError("the space itself cannot be swept", key=key, file=file, hint=f"sweep {'.'.join(parts[2:])}")
    hint = did_you_mean(parts[0], SWEEPABLE)
    if override and parts[0] in _SHARED:
        hint = "run once for each value"
        if key in _LISTS and "(" not in override:
            hint = f"for a list write '{key}=[{override.partition('=')[2]}]', else {hint}"
    raise ConfigError(
        "cannot be swept: the trials of a run share their data and scoring", key=key, file=file, hint=hint
    )


def _interval(key: str, sweep: Any, file: str) -> Dimension:
    low, high = sweep.start, sweep.end
    _check_tags(key, sweep, _TAGS, file)
    log = "log" in sweep.tags
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ConfigError(f"interval({low}, {high}) must go from a smaller to a larger number", key=key, file=file)
    if log and low <= 0:
        raise ConfigError(f"a log interval begins above 0, not at {low}", key=key, file=file)
    integer = isinstance(low, int) and isinstance(high, int)
    return Dimension(key, DimensionKind.INTERVAL, low=float(low), high=float(high), integer=integer, log=log)


def _check_tags(key: str, sweep: Any, allowed: frozenset[str], file: str) -> None:
    for tag in sorted(sweep.tags - allowed):
        hint = "only interval() takes tag(log, …)" if tag in _TAGS else did_you_mean(tag, _TAGS)
        raise ConfigError(f"the tag {tag!r} has no meaning here", key=key, file=file, hint=hint)


def _choices(override: Any, options: Sequence[str] | None, file: str) -> list[Any]:
    from hydra.core.override_parser.types import ChoiceSweep, Glob, RangeSweep

    value = override._value
    if isinstance(value, Glob):
        if options is None:
            raise ValueError("glob() chooses among the options of a group, and this is not one")
        return list(value.filter(list(options)))
    if not isinstance(value, ChoiceSweep | RangeSweep):
        return [override.value()]
    _check_tags(override.key_or_group, value, frozenset(), file)
    values = _range(value) if isinstance(value, RangeSweep) else list(value.list)
    if value.shuffle:
        random.Random(0).shuffle(values)  # noqa: S311 - an order to try things in, the same each time
    return [type(override)._convert_value(v) for v in values]


def _range(sweep: Any) -> list[Any]:
    """Return the values of a range; ``r[i] = start + step * i`` in decimals, as Hydra 1.4 counts."""
    numbers = (sweep.start, sweep.stop, sweep.step)
    whole = all(isinstance(n, int) for n in numbers)
    start, stop, step = (decimal.Decimal(str(n)) for n in numbers)
    if not step:
        raise ValueError("a range needs a step other than 0")
    count = max(0, math.ceil((stop - start) / step))
    if count > _MAX_CHOICES:
        raise ValueError(f"{count:,} values are too many")
    values: list[Any] = [int(v) if whole else float(v) for v in (start + step * i for i in range(count))]
    for transform in getattr(sweep, "transformers", ()):  # Hydra 1.4 keeps casts such as int(range(…)) aside
        values = [transform(v) for v in values]
    return values

"""What MLflow takes: keys of its alphabet, values of its lengths, finite numbers, so many of each to a call.

One key that it refuses loses a whole call. So keys are mapped beforehand, the same name always to the same key, and a
tag ``mlops.name.KEY`` keeps the name. Pure; knows nothing of runs.
"""

from __future__ import annotations

import hashlib
import json
import math
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

NAME = "mlops.name."
"""Before a key that is not the name itself; the tag's value is the name."""

NON_FINITE = "mlops.nonfinite"
"""The tag that holds measured numbers that are not finite: MLflow would keep infinity as 1.8e308."""

CUT = "mlops.cut"
"""The tag that lists parameters whose value was longer than MLflow takes."""

_OWN = ("mlops.", "mlflow.")
_KEY, _PARAM, _TAG = 250, 6000, 8000
# mlflow.utils.validation; a call over HTTP has at most a million characters, of which some are JSON's own.
_METRICS, _OTHERS, _ALL, _CHARACTERS = 1000, 100, 1000, 700_000
_ODD = re.compile(r"[^\w.\- :/]")


@dataclass(frozen=True)
class Told:
    """What is told of a run, in words that MLflow takes."""

    params: Mapping[str, str] = field(default_factory=dict)
    metrics: tuple[tuple[str, float, int], ...] = ()  # key, value, step
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def latest(self) -> dict[str, float]:
        """The value of each metric at its last step."""
        found: dict[str, tuple[int, float]] = {}
        for key, value, step in self.metrics:
            if key not in found or step >= found[key][0]:
                found[key] = (step, value)
        return {key: value for key, (_, value) in found.items()}


def told(params: Mapping[str, Any], metrics: Iterable[tuple[str, float, int]], tags: Mapping[str, Any]) -> Told:
    """Return what is to be said in words that MLflow takes.

    Parameters
    ----------
    params : mapping of str to object
        By name.
    metrics : iterable of (str, float, int)
        Name, value, step.
    tags : mapping of str to object
        By key, which is one of ours or MLflow's; without those that are None.
    """
    points = list(metrics)
    values = {key_of(name): text_of(value) for name, value in params.items()}
    lost = {f"{name}[{step}]" if step else name: str(value) for name, value, step in points if not math.isfinite(value)}
    said = {key: text_of(value) for key, value in tags.items() if value is not None}
    said |= {f"{NAME}{key_of(name)}": name for name in [*params, *(p[0] for p in points)] if key_of(name) != name}
    if lost:
        said[NON_FINITE] = json.dumps(lost, ensure_ascii=False)
    if long := sorted(key for key, text in values.items() if len(text) > _PARAM):
        said[CUT] = ", ".join(long)
    kept = tuple((key_of(name), float(value), int(step)) for name, value, step in points if math.isfinite(value))
    return Told(
        {key: cut(text, _PARAM) for key, text in values.items()},
        kept,
        {key: cut(text, _TAG) for key, text in said.items()},
    )


def own_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return a user's tags by keys that are none of ours or of MLflow's, with what maps them back."""
    keys = {name: tag_key(name) for name in tags}
    names = {f"{NAME}{key}": name for name, key in keys.items() if key != name}
    return {**{keys[name]: value for name, value in tags.items()}, **names}


def tag_key(name: str) -> str:
    """Return the key of a user's tag."""
    return key_of(f"tag.{name}" if name.startswith(_OWN) else name)


def key_of(name: str) -> str:
    """Return the key that stands for a name: itself where MLflow takes it, else what is like it, with a digest.

    Examples
    --------
    >>> key_of("model.C"), key_of("f1 (macro)")
    ('model.C', 'f1 _macro_-619cdd')
    """
    if name and len(name) <= _KEY - len(NAME) and not _ODD.search(name) and _is_path(name):
        return name
    like = "/".join(part for part in _ODD.sub("_", name).split("/") if part.strip(".")) or "_"
    return f"{like[:200]}-{hashlib.sha256(name.encode(errors='backslashreplace')).hexdigest()[:6]}"


def _is_path(name: str) -> bool:
    """Whether a name is a path that stays where it is, which MLflow asks of every key."""
    return posixpath.normpath(name) == name and name != "." and not name.startswith(("..", "/"))


def text_of(value: Any) -> str:
    """Return a value as text that any data base takes."""
    if isinstance(value, Mapping | list | tuple):
        value = json.dumps(value, ensure_ascii=False, default=str)
    return str(value).replace("\0", "\\x00").encode(errors="backslashreplace").decode()


def cut(text: str, limit: int) -> str:
    """Return a text of at most ``limit`` characters that says how long it was, where it was longer."""
    if len(text) <= limit:
        return text
    end = f"… ({len(text):,} characters)"
    return text[: limit - len(end)] + end


# --- calls -------------------------------------------------------------------------------------------------------


@dataclass
class Batch:
    """What goes in one call."""

    metrics: list[tuple[str, float, int]] = field(default_factory=list)
    params: list[tuple[str, str]] = field(default_factory=list)
    tags: list[tuple[str, str]] = field(default_factory=list)
    size: int = 0

    def add(self, kind: str, item: Sequence[Any]) -> bool:
        """Take an item, where the call has room for it."""
        items: list[Any] = getattr(self, kind)
        count = len(self.metrics) + len(self.params) + len(self.tags)
        weight = 120 + sum(len(json.dumps(part)) for part in item)
        is_full = count >= _ALL or self.size + weight > _CHARACTERS
        if is_full or len(items) >= (_METRICS if kind == "metrics" else _OTHERS):
            return False
        items.append(item)
        self.size += weight
        return True


def batches(said: Told) -> Iterator[Batch]:
    """Yield the calls that tell all of it: one, where it fits into one."""
    items = [("tags", item) for item in said.tags.items()]
    items += [("params", item) for item in said.params.items()]
    items += [("metrics", item) for item in said.metrics]  # type: ignore[misc]
    batch = Batch()
    for kind, item in items:
        if not batch.add(kind, item):
            yield batch
            batch = Batch()
            batch.add(kind, item)
    if items:
        yield batch

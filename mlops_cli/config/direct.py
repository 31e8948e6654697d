"""A point's values set directly, without Hydra and OmegaConf, where it is plain that they would do nothing else.

Of a sweep over numbers and words this is all but all of composing a point. Whatever is not plain is left to them:
values that others refer to, missing ones, lists and mappings, keys that lie in what is no mapping.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MISSING = "???"
_REFERENCE = re.compile(r"\$\{([^${}]*)\}")
_KEY = re.compile(r"[A-Za-z_]\w*(\.\w+)*")


@dataclass(frozen=True)
class Settled:
    """Resolved sections of a config, and the keys that anything in the config refers to."""

    sections: Mapping[str, Any]
    targets: frozenset[str]

    def with_values(self, values: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the sections with some dotted keys set; None where it takes more than setting them.

        Examples
        --------
        >>> Settled({"model": {"C": 1, "tol": 0.1}}, frozenset()).with_values({"model.C": 10})
        {'model': {'C': 10, 'tol': 0.1}}
        """
        made = dict(self.sections)
        copied: set[int] = {id(made)}
        for key, value in values.items():
            if not _is_plain(value) or self._is_referred(key) or not _set(made, key.split("."), value, copied):
                return None
        return made

    def _is_referred(self, key: str) -> bool:
        return any(f"{t}.".startswith(f"{key}.") or f"{key}.".startswith(f"{t}.") for t in self.targets)


def referred(config: Any) -> frozenset[str] | None:
    """Return the keys that a plain, unresolved config refers to; None where it is not plain which.

    Examples
    --------
    >>> sorted(referred({"split": {"random_state": "${seed}"}, "x": "${data.path}.bak"}))
    ['data.path', 'seed']
    >>> referred({"x": "${oc.env:HOME}"}) is None
    True
    """
    found = set()
    for text in _texts(config):
        targets = _REFERENCE.findall(text)
        if text == MISSING or text.count("${") != len(targets) or not all(map(_KEY.fullmatch, targets)):
            return None
        found.update(targets)
    return frozenset(found)


def _texts(value: Any) -> Iterator[str]:
    """Yield each text in a plain container that says more than itself."""
    if isinstance(value, dict | list):
        for inner in [*value, *value.values()] if isinstance(value, dict) else value:
            yield from _texts(inner)
    elif isinstance(value, str) and ("${" in value or value == MISSING):
        yield value


def _is_plain(value: Any) -> bool:
    return value is None or (isinstance(value, bool | int | float | str) and not any(_texts(value)))


def _set(node: dict[str, Any], path: list[str], value: Any, copied: set[int]) -> bool:
    """Set a key in mappings that are copied on the way, each once."""
    for part in path[:-1]:
        inner = node.get(part)
        if not isinstance(inner, dict):
            return False
        if id(inner) not in copied:
            inner = dict(inner)
            copied.add(id(inner))
            node[part] = inner
        node = inner
    if isinstance(node.get(path[-1]), dict | list):
        return False  # a value in the place of a section
    node[path[-1]] = value
    return True

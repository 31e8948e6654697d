"""Keys as people give them: whole, or by an ending that only one key has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_cli.errors import UsageError, nearest
from mlops_cli.store.index.fields import BY_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHOWN = 6
_OPEN = {"metrics": "NAME", "params": "KEY", "tags": "KEY"}  # what stands after them is up to the runs


@dataclass(frozen=True)
class Names:
    """The keys that there are.

    Parameters
    ----------
    keys : frozenset of str
        The fixed ones and those that some run has.
    """

    keys: frozenset[str]

    @classmethod
    def of(cls, own: Iterable[str]) -> Names:
        """Return the fixed keys together with those of the runs."""
        return cls(frozenset([*BY_NAME, *own]))

    def resolve(self, name: str) -> str:
        """Return the key that a name means.

        Raises
        ------
        UsageError
            None or several are meant; the message lists what comes near. A whole name that begins with ``metrics.``,
            ``params.`` or ``tags.`` is a key that no run has yet, unless it is a slip of one that some have.

        Examples
        --------
        >>> Names.of(["params.model.C", "params.params.lr"]).resolve("params.lr")
        'params.params.lr'
        """
        if name in self.keys:
            return name
        if (inner := f"params.{name}") in self.keys and name.startswith("params."):
            return inner  # a script's own params.lr, as every screen shows it
        if self._may_come(name):
            return name
        found = sorted(key for key in self.keys if key.endswith(f".{name}"))
        if len(found) == 1:
            return found[0]
        raise _ambiguous(name, found) if found else self._unknown(name)

    def _may_come(self, name: str) -> bool:
        group, _, rest = name.partition(".")
        known = (key.partition(".")[2] for key in self.keys if key.startswith(f"{group}."))
        return group in _OPEN and bool(rest) and (group == "tags" or nearest(rest, known) is None)

    def _unknown(self, name: str) -> UsageError:
        if name in _OPEN:
            return UsageError(f"'{name}' is no field by itself", hint=f"{name}.{_OPEN[name]}")
        ends = {key.partition(".")[2]: key for key in self.keys if "." in key}
        lasts = {key.rpartition(".")[2]: key for key in self.keys}
        close = nearest(name, [*self.keys, *ends, *lasts])
        meant = {**lasts, **ends}.get(close or "", close)
        hint = f"did you mean '{close if close in self.keys else meant}'?" if close else _THERE_ARE
        return UsageError(f"no run has a field '{name}'", hint=hint)


_THERE_ARE = "there are status, started, score, metrics.NAME, params.KEY, tags.KEY …; mlops runs ls --help lists them"


def _ambiguous(name: str, found: list[str]) -> UsageError:
    listed = ", ".join(found[:_SHOWN]) + (" …" if len(found) > _SHOWN else "")
    return UsageError(f"'{name}' may be {listed}", hint="give more of the field's name")

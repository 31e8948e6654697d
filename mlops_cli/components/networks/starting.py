"""The weights that a network begins with: those of another one that was fitted before."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Start:
    """Where a network begins to learn from.

    Parameters
    ----------
    version : str
        The registered version that the weights are of: ``digits/3``.
    sha256 : str
        Of that version's model file.
    weights : mapping of str to array
        Name → parameter or buffer, as a fitted network has them in ``state_``.
    """

    version: str
    sha256: str
    weights: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def said(self) -> dict[str, str]:
        """What a config says of it."""
        return {"version": self.version, "sha256": self.sha256}


def weights_in(model: Any) -> Mapping[str, Any] | None:
    """Return the weights of the network in a fitted model, in whatever it is wrapped; None where there is none."""
    for _ in range(10):
        if hasattr(model, "state_"):
            found: Mapping[str, Any] = model.state_
            return found
        steps = getattr(model, "steps", None)
        inner = steps[-1][1] if steps else getattr(model, "regressor_", getattr(model, "estimator_", None))
        if inner is None:
            return None
        model = inner
    return None

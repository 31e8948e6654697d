"""How a level looks everywhere: a colour, a sign and a word, so that it is known without colour too."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text

from mlops_cli.records import Level

if TYPE_CHECKING:
    from collections.abc import Iterable

INK, MUTED = "#14181d", "#4a525b"
"""Text, and text that stands behind it; both legible on every light fill."""


@dataclass(frozen=True)
class Look:
    """How one level looks."""

    level: Level
    word: str
    sign: str  # a circle that is the fuller, the more is automated
    share: float  # how full
    fill: str
    stroke: str
    text: str  # on the fill
    dash: str = ""  # of the border; nothing: drawn through

    @property
    def style(self) -> str:
        """How a terminal shows it: both colours are named, and so its own do not matter."""
        return f"{self.text} on {self.fill}"

    @property
    def pale(self) -> str:
        """The fill of what is not spoken of."""
        return mixed(self.fill, 0.3)

    @property
    def pale_stroke(self) -> str:
        """The border of what is not spoken of."""
        return mixed(self.stroke, 0.5)


# The least distance of two fills (CIE 1976, ΔE*ab) is 34; with protanopia 33, deuteranopia 31, tritanopia 24 (Machado,
# Oliveira, Fernandes, 2009, doi:10.1109/TVCG.2009.113). Blue is far on and salmon is not: not red and green.
_LOOKS = (
    Look(Level.ABSENT, "absent", "○", 0.0, "#ffffff", "#59616a", INK, "6 4"),
    Look(Level.MANUAL, "manual", "◔", 0.25, "#f2a487", "#9c4524", INK),
    Look(Level.NON_REPEATABLE, "non-repeatable", "◑", 0.5, "#f8dc6a", "#8a6d00", INK),
    Look(Level.SEMI_AUTOMATED, "semi-automated", "◕", 0.75, "#4c9fca", "#1a5f87", INK),
    Look(Level.AUTOMATED, "automated", "●", 1.0, "#084a6e", "#042b41", "#ffffff"),
)
LONGEST = max(len(look.word) for look in _LOOKS)
"""Letters of the longest word."""


def of(level: Level) -> Look:
    """Return how a level looks."""
    return _LOOKS[level.rank]


def every() -> tuple[Look, ...]:
    """Return how all levels look, from automated to absent, as people read them."""
    return tuple(reversed(_LOOKS))


def counts(levels: Iterable[Level]) -> dict[Level, int]:
    """Return how many processes have each level, from automated to absent; of none 0."""
    found = Counter(levels)
    return {look.level: found[look.level] for look in every()}


def badge(level: Level, *, wide: bool = False) -> Text:
    """Return a level as a terminal shows it; ``wide``: as wide as the longest, so that a column is even."""
    look = of(level)
    word = look.word.ljust(LONGEST) if wide else look.word
    return Text(f" {look.sign} {word} ", style=look.style)


def mixed(colour: str, share: float) -> str:
    """Return so much of a colour, the rest white.

    Examples
    --------
    >>> mixed("#000000", 0.2), mixed("#084a6e", 1.0)
    ('#cccccc', '#084a6e')
    """
    parts = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(255 - share * (255 - part)):02x}" for part in parts)

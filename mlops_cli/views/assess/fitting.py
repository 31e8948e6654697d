"""Text that must fit: how wide it will be, where it is broken, and what is cut.

A picture says which fonts it would like, and a viewer takes those that it has. Widths are those of DejaVu Sans, the
widest of the usual ones: in another text is narrower, and fits as well.
"""

from __future__ import annotations

import re
import unicodedata

_BOLD = (
    (" ijlI|/\\'", 0.37),
    (",-.:;!()[]ft`", 0.45),
    ('r_"*?', 0.57),
    ("aceksvxyzL", 0.66),
    ("$0123456789EFSTYZbdghnopqu{}", 0.72),
    ("BCPRADGKUVX", 0.83),
    ("&#+<=>HNOQ^~w", 0.91),
    ("%@Mm", 1.05),
    ("W…", 1.11),
)  # em
_WIDTHS = {letter: width for letters, width in _BOLD for letter in letters}
_OTHER, _WIDE, _REGULAR = 0.85, 1.25, 0.91
_WORD = re.compile(r"\s*\S+?(?:(?<=\w\w[-/])(?=\w\w)|(?=\s|$))")
_FEWEST = 2


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return about how wide a line will be, rather too much than too little.

    Parameters
    ----------
    text : str
        One line.
    size : float
        Of the font, in the unit of the result.
    bold : bool
        Whether it is bold.
    """
    return sum(map(_letter, text)) * size * (1 if bold else _REGULAR)


def _letter(letter: str) -> float:
    if letter in _WIDTHS:
        return _WIDTHS[letter]
    if unicodedata.combining(letter):
        return 0.0
    return _WIDE if unicodedata.east_asian_width(letter) in "WF" else _OTHER


def fit(text: str, room: float, size: float, *, lines: int, bold: bool = False) -> tuple[str, ...]:
    """Return text in so many lines at most; a word that is too long is broken, and what is left over is an ellipsis.

    Examples
    --------
    >>> fit("Watch what comes in and what goes out", 90, 10, lines=2)
    ('Watch what', 'comes in and…')
    >>> fit("Donaudampfschifffahrt", 60, 10, lines=2)
    ('Donaudam-', 'pfschifff…')
    """
    made: list[str] = []
    parts = [part for word in _words(text) for part in _broken(word, room, size, bold=bold)]
    for word in parts:
        longer = f"{made[-1]}{word}" if made else word.strip()
        if made and text_width(longer, size, bold=bold) <= room:
            made[-1] = longer
        elif len(made) == lines:
            made[-1] = _cut(f"{made[-1].removesuffix('-')}…", room, size, bold=bold)
            break
        else:
            made.append(_cut(word.strip(), room, size, bold=bold))
    return tuple(made)


def _words(text: str) -> list[str]:
    """Return words with the spaces before them, parts of which end in a hyphen or a slash.

    In a script without spaces each letter is one.
    """
    found = _WORD.findall(text)
    return [part for word in found for part in (_letters(word) if _is_wide(word) else [word])]


def _broken(word: str, room: float, size: float, *, bold: bool) -> list[str]:
    """Return a word that is wider than a line in parts that end in hyphens; no line has less than two letters of it."""
    parts: list[str] = []
    left = word
    while text_width(left.strip(), size, bold=bold) > room:
        end = max(0, len(left) - _FEWEST)
        while end and (text_width(f"{left[:end].strip()}-", size, bold=bold) > room or _is_joined(left[end])):
            end -= 1
        if len(left[:end].strip()) < _FEWEST:
            break
        parts, left = [*parts, f"{left[:end]}-"], left[end:]
    return [*parts, left]


def _is_joined(letter: str) -> bool:
    """Whether a letter belongs to the one before it."""
    return bool(unicodedata.combining(letter)) or unicodedata.category(letter) in {"Mn", "Me", "Cf"}


def _letters(word: str) -> list[str]:
    return re.findall(r"\s*\S", word)


def _is_wide(word: str) -> bool:
    return all(unicodedata.east_asian_width(c) in "WF" for c in word.strip())


def _cut(text: str, room: float, size: float, *, bold: bool) -> str:
    """Return a line that fits."""
    if text_width(text, size, bold=bold) <= room:
        return text
    kept = text.rstrip("…")
    while kept and text_width(f"{kept}…", size, bold=bold) > room:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"

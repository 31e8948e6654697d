"""Comparisons in words: one honest sentence for each pair. Used by the terminal, pages and the library alike."""

from __future__ import annotations

import math
from string import ascii_uppercase
from typing import TYPE_CHECKING

from mlops_cli.records import OF_TABLE, Verdict, terms_of

if TYPE_CHECKING:
    from mlops_cli.records import Comparison, Contender, PairedDifference, Pairing, Terms


def names(count: int) -> list[str]:
    """Return what contenders are called: A, B, …, Z, A2, B2 and so on."""
    letters = len(ascii_uppercase)
    return [ascii_uppercase[n % letters] + (str(n // letters + 1) if n >= letters else "") for n in range(count)]


def sentence(pairing: Pairing, comparison: Comparison) -> str:
    """Return what a pairing comes to by the primary metric; by its first one where it lacks that."""
    first, other = comparison.first.name, pairing.other.name
    if pairing.refused:
        return f"{other} cannot be paired with {first}: {pairing.refused}"
    found = next((d for d in pairing.differences if d.metric == comparison.primary), pairing.differences[0])
    luck = selection(found, comparison.first, pairing.other)
    claim = told(found, first, other, pairs=len(comparison.pairings), terms=terms_of(comparison.first.task))
    return f"{claim}; {luck}" if luck else claim


def selection(found: PairedDifference, first: Contender, other: Contender) -> str:
    """Return what the better one owes to having been chosen by its scores; nothing where it was not, or none is better.

    The best of many equally good trials has the luckiest scores, and the test knows nothing of the others.
    """
    leader = {Verdict.BETTER: other, Verdict.WORSE: first}.get(found.verdict)
    if leader is None or leader.chosen_from < 2:
        return ""
    scores = "these same scores" if found.metric == (leader.primary or found.metric) else f"{leader.primary}"
    has_held_out = all(found.metric in c.metrics and c.metrics[found.metric].test is not None for c in (first, other))
    fair = "the held-out scores have none" if has_held_out else f"{terms_of(leader.task).fresh} have none"
    return f"{leader.name} is the best of {leader.chosen_from} trials by {scores}: part of its lead is luck; {fair}"


def told(
    found: PairedDifference,
    first: str,
    other: str,
    *,
    pairs: int = 1,
    against: str = "",
    terms: Terms = OF_TABLE,
) -> str:
    """Return what a paired difference comes to.

    Parameters
    ----------
    found : PairedDifference
        How much more ``other`` scores.
    first, other : str
        How the two are called.
    pairs : int
        How many differences were tested together; with several, p is adjusted and it is said against whom.
    against : str
        What to call ``first`` where it has to be said; with one pair it goes without saying.
    terms : Terms
        What is paired: splits, or repetitions.
    """
    against = f" than {against or first}" if against or pairs > 1 else ""
    if found.verdict is Verdict.SAME:
        return f"{other} and {first} have the same {found.metric} on every {terms.part} ({_parts(found, terms)})"
    if found.verdict is Verdict.UNKNOWN:
        return _untested(found, other, against, terms)
    better = found.direction.better(found.difference, 0)
    word = "better" if better else "worse"
    claim = f"{other} is {word}{against}"
    if found.verdict is Verdict.NOISE:
        claim = f"no evidence that {claim}" if found.difference else f"no evidence of a difference from {first}"
    adjusted = " by Holm" if pairs > 1 else ""
    size = difference_in_words(found)
    return f"{claim}: {found.metric} {size} ({_parts(found, terms)}, {p_in_words(found.p)}{adjusted})"


def _untested(found: PairedDifference, other: str, against: str, terms: Terms) -> str:
    size = f"{found.metric} {difference_in_words(found)}"
    if not math.isfinite(found.difference):
        return f"nothing to say of {other}{against}: {found.metric} is not a number on some {terms.part}"
    if found.splits == 1:
        return f"one {terms.part} cannot tell {other} from chance: {size}; run both with {terms.several}"
    better = found.direction.better(found.difference, 0)
    word = ("better" if better else "worse") + against + ("," if "," in against else "")
    return (
        f"{other} is {word} by the very same on each of {found.splits} {terms.part}s: "
        f"{size}; with no variance there is nothing to test by: more {terms.more} may tell"
    )


def _parts(found: PairedDifference, terms: Terms) -> str:
    return f"{found.splits} paired {terms.part}" + ("" if found.splits == 1 else "s")


def difference_in_words(found: PairedDifference) -> str:
    """Return a difference with the half-width of its 95 % interval, both to two digits of the latter.

    Examples
    --------
    >>> from mlops_cli.records import Direction, PairedDifference
    >>> up = Direction.MAXIMIZE
    >>> difference_in_words(PairedDifference("f1", up, 0.00412, (-0.007, 0.0152), 0.4, 5, Verdict.NOISE))
    '+0.004 ± 0.011'
    """
    if found.ci95 is None:
        return f"{found.difference:+.4g}" if found.difference else "0"
    half = (found.ci95[1] - found.ci95[0]) / 2
    exponent = math.floor(math.log10(half)) if half > 0 else 0
    if not -6 < exponent < 6:
        return f"{found.difference:+.2g} ± {half:.2g}"
    places = max(0, 1 - exponent)
    return f"{found.difference:+.{places}f} ± {half:.{places}f}"


def p_in_words(p: float | None) -> str:
    """Return a p value.

    Examples
    --------
    >>> p_in_words(0.4123), p_in_words(0.0123), p_in_words(0.00001)
    ('p = 0.41', 'p = 0.012', 'p < 0.001')
    """
    if p is None:
        return "no p"
    return "p < 0.001" if p < 0.001 else f"p = {p:.2f}" if p >= 0.1 else f"p = {p:.3f}"


def verdict_in_words(found: PairedDifference | None, first: str, other: str) -> str:
    """Return the verdict in two words; of nothing that was paired, that it was not."""
    if found is None:
        return "unpaired"
    return {
        Verdict.BETTER: f"{other} better",
        Verdict.WORSE: f"{first} better",
        Verdict.NOISE: "noise",
        Verdict.SAME: "same",
        Verdict.UNKNOWN: "unknown",
    }[found.verdict]

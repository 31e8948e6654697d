"""Student's t distribution in plain Python: scipy takes longer to load than a quick command may take in all."""

from __future__ import annotations

import math

_PRECISION = 1e-16
_MOST_TERMS = 100_000
_TINY = 1e-300  # in the place of a zero that would be divided by


def two_sided_p(t: float, degrees: int) -> float:
    """Return how likely a value at least as far from zero as ``t`` is by chance.

    Parameters
    ----------
    t : float
        The statistic; may be infinite.
    degrees : int
        Degrees of freedom, at least 1.

    Examples
    --------
    >>> round(two_sided_p(2.776, degrees=4), 4), two_sided_p(0.0, degrees=4)
    (0.05, 1.0)
    """
    square = t * t
    if math.isinf(square):
        return 0.0
    # Both parts of 1 are handed on: one minus the other would lose the digits of a small t.
    return _regularized_beta(degrees / (degrees + square), square / (degrees + square), degrees / 2, 0.5)


def critical_value(p: float, degrees: int) -> float:
    """Return the ``t`` whose two-sided probability is ``p``.

    Parameters
    ----------
    p : float
        Between 0 and 1, such as 0.05 for the half-width of a 95 % interval in standard errors.
    degrees : int
        Degrees of freedom, at least 1.

    Examples
    --------
    >>> round(critical_value(0.05, degrees=4), 4)
    2.7764
    """
    low, high = 0.0, 1.0
    while two_sided_p(high, degrees) > p:
        low, high = high, 2 * high
    while True:  # halving ends where no float lies between
        middle = (low + high) / 2
        if middle in {low, high}:
            return middle
        low, high = (middle, high) if two_sided_p(middle, degrees) > p else (low, middle)


def _regularized_beta(x: float, rest: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b), where ``rest`` is 1 - x."""
    if x <= 0 or rest <= 0:
        return 0.0 if x <= 0 else 1.0
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(rest)
    if x < (a + 1) / (a + b + 2):  # where the fraction converges quickly
        return math.exp(log_front) * _fraction(x, a, b) / a
    return 1 - math.exp(log_front) * _fraction(rest, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """Return the continued fraction of the incomplete beta function, by Lentz's method.

    References
    ----------
    NIST Digital Library of Mathematical Functions, 8.17.22. W. J. Lentz, Applied Optics 15, 1976.
    """
    c, d = 1.0, 1 / _nonzero(1 - (a + b) * x / (a + 1))
    result = d
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        before = result
        for term in (even, odd):
            d = 1 / _nonzero(1 + term * d)
            c = _nonzero(1 + term / c)
            result *= c * d
        if abs(result - before) <= _PRECISION * abs(result):
            break
    return result


def _nonzero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY

"""Numbers, parameters and foreign text as they are shown everywhere.

Text from data or configs never reaches the terminal raw: control characters become visible, and it is never read as
markup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text

from mlops_cli.components.codes import CODES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mlops_cli.records import Direction, MetricSummary, Notice


def clean(value: object) -> str:
    r"""Return text with its control characters made visible.

    Examples
    --------
    >>> clean("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(value))


def plain(value: object, style: str = "") -> Text:
    """Return foreign text as rich shows it literally."""
    return Text(clean(value), style=style)


def number(value: float | None) -> str:
    """Return a score with four significant digits or so.

    Examples
    --------
    >>> number(0.861234), number(53.21988), number(12345.678), number(None)
    ('0.8612', '53.22', '12346', '-')
    """
    if value is None:
        return "-"
    size = abs(value)
    if size >= 1000:
        return f"{value:.0f}"
    if size >= 10:
        return f"{value:.2f}"
    return f"{value:.4f}" if size >= 1e-3 or size == 0 else f"{value:.2e}"


def spread(summary: MetricSummary) -> str:
    """Return a mean with its standard deviation over the splits."""
    return number(summary.mean) if summary.std is None else plus_minus(summary.mean, summary.std)


def plus_minus(mean: float, std: float) -> str:
    """Return a mean with its standard deviation, both to the same place; a small one by its own digits.

    Examples
    --------
    >>> plus_minus(54.4912, 2.4353), plus_minus(0.86, 0.0212), plus_minus(5012.3, 0.123)
    ('54.49 ± 2.44', '0.8600 ± 0.0212', '5012 ± 0.1230')
    """
    shown = number(mean)
    places = len(shown.partition(".")[2])
    rounded = f"{std:.{places}f}"
    return f"{shown} ± {number(std) if 'e' in shown or (std and not float(rounded)) else rounded}"


def interval(summary: MetricSummary) -> str:
    """Return the 95 % interval of a mean."""
    return "-" if summary.ci95 is None else f"{number(summary.ci95[0])} … {number(summary.ci95[1])}"


def arrow(direction: Direction | None) -> str:
    """Return which way is better."""
    return {"maximize": "↑", "minimize": "↓"}.get(str(direction), "")


def params(values: Mapping[str, Any]) -> str:
    """Return parameters as they would be typed.

    Examples
    --------
    >>> params({"model.C": 0.1, "model": "svm", "model.gamma": None})
    'model.C=0.1 model=svm model.gamma=null'
    """
    return clean(" ".join(f"{key}={setting(value)}" for key, value in values.items()))


def setting(value: Any) -> str:
    """Return the value of a parameter as it would be typed.

    Examples
    --------
    >>> setting(None), setting(1e-05), setting([True, "a"])
    ('null', '1e-05', '[true,a]')
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(setting(v) for v in value) + "]"
    return str(value)


def seconds(value: float | None) -> str:
    """Return a duration.

    Examples
    --------
    >>> seconds(0.0123), seconds(3.14), seconds(75), seconds(7325), seconds(None)
    ('12 ms', '3.1 s', '1 min 15 s', '2 h 02 min', '-')
    """
    if value is None:
        return "-"
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 60:
        return f"{value:.1f} s"
    if value < 3600:
        return f"{int(value // 60)} min {int(value % 60):02d} s"
    return f"{int(value // 3600)} h {int(value % 3600 // 60):02d} min"


def plural(count: int, noun: str) -> str:
    """Return a count with its noun.

    Examples
    --------
    >>> plural(1, "trial"), plural(1200, "trial"), plural(2, "batch"), plural(2, "entry"), plural(2, "day")
    ('1 trial', '1,200 trials', '2 batches', '2 entries', '2 days')
    """
    if count == 1:
        return f"{count:,} {noun}"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{count:,} {noun[:-1]}ies"
    return f"{count:,} {noun}{'es' if noun.endswith(('ch', 's', 'x')) else 's'}"


def percent(share: float, digits: int = 0) -> str:
    """Return a share, 0 to 1, in percent; one that would be rounded to nothing is not.

    Examples
    --------
    >>> percent(0.675), percent(0.004), percent(0), percent(0.0123, 1), percent(0.0004, 1)
    ('68 %', '< 1 %', '0 %', '1.2 %', '< 0.1 %')
    """
    least = 10.0**-digits
    return f"< {least:g} %" if 0 < 100 * share < least else f"{100 * share:.{digits}f} %"


def notice(item: Notice) -> Text:
    """Return a warning as one paragraph."""
    # Yellow letters are lost on white, and so black stands on it.
    return Text.assemble(("!", "black on yellow"), (f" {item.code}: ", "bold"), clean(item.message))


def notices(items: Iterable[Notice]) -> list[Text]:
    """Return warnings, each as one paragraph, and how those about the data are said no more."""
    listed = list(items)
    known = ",".join(dict.fromkeys(item.code for item in listed if item.code in CODES))
    more = [Text(f"  known and meant? data.accept=[{known}]", style="dim")] if known else []
    return [*map(notice, listed), *more]

"""Times as people give them: ``2026-01-31``, ``2026-01-31T14:00``, ``today``, ``yesterday``, ``7d``. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

_AGO = re.compile(r"(\d{1,9}(?:\.\d+)?)\s*([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
ALLOWED = "2026-01-31, 2026-01-31T14:00, today, yesterday, or how long ago: 30m 12h 7d 2w"


def span(text: str, now: datetime) -> tuple[float, float] | None:
    """Return when what was typed begins and ends; None where it is no time.

    Parameters
    ----------
    text : str
        What was typed; without a zone it is local time.
    now : datetime
        The present, with a zone.

    Returns
    -------
    tuple of float
        Seconds since 1970. A date is its whole day, a time its minute or second; how long ago is one instant.
    """
    try:
        return _named(text.strip().lower(), now) or _written(text.strip())
    except (ValueError, OverflowError, OSError):  # no such day, or outside what clocks know
        return None


def _named(text: str, now: datetime) -> tuple[float, float] | None:
    if text in {"today", "yesterday"}:
        day = now.date() - timedelta(days=text == "yesterday")
        return _day(datetime(day.year, day.month, day.day))
    if text == "now":
        return now.timestamp(), now.timestamp()
    if (ago := _AGO.fullmatch(text)) is not None:
        then = (now - timedelta(**{_UNITS[ago[2]]: float(ago[1])})).timestamp()
        return then, then
    return None


def _written(text: str) -> tuple[float, float] | None:
    if _DATE.match(text) is None:
        return None
    if len(text) == len("2026-01-31"):
        return _day(datetime.fromisoformat(text))
    found = datetime.fromisoformat(text).astimezone()
    width = 1.0 if text.count(":") - _zone_colons(text) >= 2 else 60.0
    return found.timestamp(), found.timestamp() + width


def _zone_colons(text: str) -> int:
    return int(re.search(r"[+-]\d\d:\d\d$", text) is not None)


def _day(start: datetime) -> tuple[float, float]:
    """Return a local day, which has 23 or 25 hours where the clocks change."""
    end = start + timedelta(days=1)
    return start.astimezone().timestamp(), end.astimezone().timestamp()

"""Times and sizes as people read them."""

from __future__ import annotations

_SIZES = ((1 << 20, "MB"), (1 << 10, "kB"))


def moment(text: str) -> str:
    """Return an ISO time as people read it.

    Examples
    --------
    >>> moment("2026-11-21T10:23:50.016+00:00")
    '2026-11-21 10:23:50 +00:00'
    """
    from datetime import datetime

    try:
        return datetime.fromisoformat(text).isoformat(" ", "seconds").replace("+", " +")
    except ValueError:
        return text


def size(count: int) -> str:
    """Return a number of bytes.

    Examples
    --------
    >>> size(999), size(20480), size(5 * 1024 * 1024)
    ('999 B', '20.0 kB', '5.0 MB')
    """
    for unit, name in _SIZES:
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count} B"

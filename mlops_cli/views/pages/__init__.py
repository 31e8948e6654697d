r"""Pages of HTML: the one place that decides what foreign text may become in a browser.

All of it is text. Jinja escapes what it inserts, and what no one could see (ESC, bidirectional controls) is shown by
its code. A page carries its own styles and scripts and says by a Content-Security-Policy that nothing else may run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_cli.views.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Environment
    from markupsafe import Markup

SHOWN_ROWS = 100
"""Rows of a table that are there without scripts, and at once with them."""


def environment() -> Environment:
    """Return the templates of all pages: escaping, and refusing names that were not given."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("mlops_cli.views.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(shown_rows=SHOWN_ROWS, static=static, json_block=json_block)
    return made


def shown(value: Any) -> Any:
    """Return what a template inserts, with control characters made visible; lines and tabs stay."""
    if hasattr(value, "__html__") or not isinstance(value, str):
        return value
    return lines(value)


def lines(text: str) -> str:
    r"""Return text of several lines with its other control characters made visible.

    Examples
    --------
    >>> lines("a\x1b[31m\n\tb\u202e")
    'a\\x1b[31m\n\tb\\u202e'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else clean(c) for c in text)


def static(name: str) -> Markup:
    """Return a style sheet or script of the package, to stand inside a page."""
    from importlib.resources import files

    from markupsafe import Markup

    return Markup((files(__package__) / "static" / name).read_text(encoding="utf-8"))  # noqa: S704  our own file


def source_hash(text: str) -> str:
    """Return how a Content-Security-Policy names an inline style or script: by what it says.

    Examples
    --------
    >>> source_hash("")
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
    """
    from base64 import b64encode
    from hashlib import sha256

    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def policy(styles: Sequence[str], scripts: Sequence[str]) -> str:
    """Return the Content-Security-Policy of a page that loads nothing: its own styles, scripts and pictures alone."""
    return (
        f"default-src 'none'; style-src {' '.join(map(source_hash, styles))}; "
        f"script-src {' '.join(map(source_hash, scripts))}; img-src data:; base-uri 'none'; form-action 'none'"
    )


def json_block(value: Any) -> Markup:
    r"""Return JSON that can stand inside a ``<script>``: no text in it can end the element or begin another.

    Examples
    --------
    >>> print(json_block({"a": "</script>"}))
    {"a":"\u003c/script\u003e"}
    """
    import json

    from markupsafe import Markup

    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    escapes = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}
    return Markup(text.translate(escapes).encode(errors="backslashreplace").decode())  # noqa: S704  just escaped


def data_url(kind: str, content: bytes) -> str:
    """Return a picture as an address that holds it: in an ``<img>`` nothing in it runs."""
    from base64 import b64encode

    return f"data:{kind};base64,{b64encode(content).decode()}"

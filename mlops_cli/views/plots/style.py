"""What all plots share: colours, sizes, text that is only text, and a figure as bytes."""

from __future__ import annotations

import functools
import io
import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import UsageError
from mlops_cli.views.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, PURPLE, VERMILION, SKY, YELLOW, BLACK = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#D55E00",
    "#56B4E9",
    "#F0E442",
    "#000000",
)
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, VERMILION, SKY, BLACK)
"""Okabe and Ito's palette, which the colour-blind can tell apart; its yellow is too pale for a line on white.

Okabe, Ito (2008), Color Universal Design, https://jfly.uni-koeln.de/color/.
"""
GREY, PALE = "#767676", "#CFCFCF"
SEQUENTIAL = "viridis"
"""For ordered values: its lightness rises evenly, so it is read without colour too."""

WIDTH, HEIGHT = 5.5, 4.0
"""Inches; legible when shown 400 pixels wide."""

MOST_POINTS = 2_000
"""Points of one scatter: more are a blot, and a file that opens slowly."""

_DPI = 144  # twice as many as most screens: sharp on those that have more, too
_LONGEST = 32

_STYLE: dict[str, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#444444",
    "axes.grid": True,
    "axes.labelsize": 10,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "figure.constrained_layout.h_pad": 0.09,
    "figure.constrained_layout.w_pad": 0.09,
    "figure.dpi": _DPI,
    "figure.facecolor": "white",
    "font.size": 9.5,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.7,
    "legend.fontsize": 8.5,
    "legend.frameon": True,
    "legend.framealpha": 0.85,
    "legend.edgecolor": "none",
    "lines.linewidth": 1.8,
    "savefig.facecolor": "white",
    "svg.fonttype": "path",  # text as outlines: it looks the same wherever the picture is opened
    "svg.hashsalt": "mlops",  # names inside the file are the same each time
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
}


# The style and the filters of warnings belong to the process: of two threads that set them and put them back in turns,
# the second would find the style of the first, and leave it for good.
_STYLING = threading.RLock()


class UnsuitableError(UsageError):
    """A plot is asked for that the run has nothing to draw of."""


@contextmanager
def styled() -> Iterator[None]:
    """Draw in our style, whatever style the user has chosen; afterwards all is as it was. One thread at a time."""
    from matplotlib import style

    with _STYLING, warnings.catch_warnings(), style.context(["default", _STYLE]):
        warnings.simplefilter("ignore")  # of glyphs that the font lacks, and of layouts that are tight
        yield


def picture(draw: Callable[..., Figure]) -> Callable[..., Figure]:
    """Decorate a function that returns a figure: it draws in our style."""

    @functools.wraps(draw)
    def drawn(*args: Any, **kwargs: Any) -> Figure:
        with styled():
            return draw(*args, **kwargs)

    return drawn


def new_figure(width: float = WIDTH, height: float = HEIGHT) -> Figure:
    """Return an empty figure that pyplot does not know of; a notebook shows it where it is a cell's value.

    Parameters
    ----------
    width, height : float
        Inches.
    """
    from mlops_cli.views.plots.figure import Picture

    return Picture(figsize=(width, height), layout="constrained")


def render(figure: Figure, *formats: str) -> dict[str, bytes]:
    """Return a figure as files, the same bytes each time.

    Parameters
    ----------
    figure : Figure
        As one of the functions here returns it.
    *formats : {"svg", "png", "pdf"}
        What to return; both ``svg`` and ``png`` where nothing is said.
    """
    layout, canvas = figure.get_layout_engine(), figure.canvas
    with styled():
        try:
            if layout is not None:
                layout.execute(figure)
                figure.set_layout_engine("none")  # `savefig` would lay out anew, and draw twice, for each format
            return {kind: _written(figure, kind) for kind in formats or ("svg", "png")}
        finally:
            figure.set_layout_engine(layout)
            figure.set_canvas(canvas)


def _written(figure: Figure, kind: str) -> bytes:
    """Return one file, without what would differ from one time to the next: the date, and the version that draws."""
    from matplotlib.backends import backend_agg, backend_svg

    buffer, quick = io.BytesIO(), {"compress_level": 3}
    resolution, figure.dpi = figure.dpi, _DPI
    try:
        if kind == "svg":
            backend_svg.FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None, "Creator": None})  # type: ignore[no-untyped-call]
        elif kind == "png":
            backend_agg.FigureCanvasAgg(figure).print_png(buffer, metadata={"Software": None}, pil_kwargs=quick)  # type: ignore[no-untyped-call]
        else:
            from matplotlib.backends import backend_pdf

            nothing = {"CreationDate": None, "Producer": None, "Creator": None}
            backend_pdf.FigureCanvasPdf(figure).print_pdf(buffer, metadata=nothing)  # type: ignore[no-untyped-call]
    finally:
        figure.dpi = resolution  # an SVG is drawn at 72
    return buffer.getvalue()


# --- text --------------------------------------------------------------------------------------------------------


def label(value: object, most: int = _LONGEST) -> str:
    r"""Return foreign text as a plot shows it literally: one line, no mathematics, not too long.

    Examples
    --------
    >>> print(label("cost in $ of $10\n"))
    cost in \$ of \$10\n
    """
    text = clean(value)
    if len(text) > most:
        text = f"{text[: most * 2 // 3]}…{text[-(most // 3) :]}"
    return text.replace("$", r"\$")


def key_label(key: str, most: int = _LONGEST) -> str:
    """Return a dotted key, of a long one the end: it is what tells keys apart."""
    text = clean(key)
    return label(text if len(text) <= most else f"…{text[-most + 1 :]}", most)


# --- axes --------------------------------------------------------------------------------------------------------


def one_axes(title: str, width: float = WIDTH, height: float = HEIGHT) -> tuple[Figure, Axes]:
    """Return a new figure with one pair of axes and a title."""
    figure = new_figure(width, height)
    axes = figure.add_subplot()
    axes.set_title(title)
    return figure, axes


def headline(figure: Figure, title: str) -> None:
    """Give a figure of several axes its title."""
    figure.suptitle(title, x=0.02, ha="left", fontsize=11, fontweight="bold")


def legend_below(axes: Axes, columns: int = 4) -> None:
    """Put the legend under the axes and their label, where it hides nothing."""
    handles, labels = axes.get_legend_handles_labels()
    axes.figure.legend(handles, labels, loc="outside lower center", ncols=columns, frameon=False, columnspacing=1.2)


def tilt(axes: Axes, names: Sequence[str], room: int) -> None:
    """Tilt the names of categories under an axis where they do not fit side by side.

    Parameters
    ----------
    axes : Axes
        Whose ticks are set.
    names : sequence of str
        The names.
    room : int
        About how many letters fit.
    """
    if sum(min(len(clean(name)), _LONGEST // 2) + 2 for name in names) > room:
        for tick in axes.get_xticklabels():
            tick.set(rotation=35, ha="right", rotation_mode="anchor")


def is_wide(values: Sequence[float]) -> bool:
    """Whether numbers are better shown on a logarithmic axis: all positive, and over two powers of ten apart.

    Examples
    --------
    >>> is_wide([0.001, 1.0]), is_wide([1, 10]), is_wide([0, 1000])
    (True, False, False)
    """
    return bool(values) and min(values) > 0 and max(values) / min(values) >= 100

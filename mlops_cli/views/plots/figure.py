"""The figure that plots are drawn on; loads matplotlib, so it is imported where a plot is drawn."""

from __future__ import annotations

from matplotlib.figure import Figure


class Picture(Figure):
    """A figure that a notebook shows by itself: pyplot, which would tell the notebook how, does not know of it."""

    def _repr_png_(self) -> bytes:
        from mlops_cli.views.plots.style import render

        return render(self, "png")["png"]

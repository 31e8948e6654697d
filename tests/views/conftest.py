"""Screens as they stand in an 80-column terminal, as text."""

import pytest
from rich.console import Console


@pytest.fixture
def shown():
    def render(renderable, width=80):
        console = Console(width=width, color_system=None, highlight=False)
        with console.capture() as capture:
            console.print(renderable)
        lines = [line.rstrip() for line in capture.get().splitlines()]
        assert max(map(len, lines)) <= width
        return "\n".join(lines)

    return render

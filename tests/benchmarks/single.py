"""What a start costs before any work, and one small experiment."""

from __future__ import annotations

import itertools
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from measuring import compare, mlops, rival

if TYPE_CHECKING:
    from measuring import Bench

FORMATS = ("skops", "joblib")


def start(bench: Bench) -> None:
    """What a start costs beside the imports that it cannot do without."""
    least = {'python -c "import typer, rich"': [sys.executable, "-c", "import typer, rich"]}
    often = replace(bench, rounds=max(bench.rounds, 5))
    for arguments in (("--help",), ("runs", "ls")):
        command = {"mlops": mlops(*arguments), **least}
        compare(often, f"mlops {' '.join(arguments)}", command, scored=False)


def single(bench: Bench) -> None:
    """One experiment on iris, with each format of the model and with plots or without, beside a script that does it."""
    for name, plots in itertools.product(FORMATS, ("plots", "none")):
        asked = f"artifacts.plots={'auto' if plots == 'plots' else 'none'}"
        ours = mlops("run", "config=iris", f"artifacts.model_format={name}", asked, "--force", "--quiet")
        commands = {"mlops": ours, "script that does the same": rival("single", name, plots)}
        compare(bench, f"mlops run config=iris, model by {name}, {asked}", commands)

"""What the tool costs beside the script that a good engineer would write: wall and CPU seconds, memory, as ratios.

Run it with ``make bench``; ``make bench ARGS="--rounds 5 --only single"`` for a part, and with ``--scale 0.1`` for a
quick look at a tenth of the rows and points. Every line is a whole process with its workers, and in a comparison all
sides do the same work: read the CSV, the same splits, fits and metrics, refit the winner and write it. Where they rank
by the same scores the best one is held to be the same to 1e-9.

``measuring.py`` measures; each other file is a part, and ``rivals/`` has the scripts that we are compared with.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from drifting import drifting
from faults import faults
from grid import grid
from growth import growth
from measuring import Bench, adopt_orphans
from predicting import predicting
from pruning import pruning
from reading import reading
from seeing import seeing
from serving import serving
from single import single, start
from tiny import tiny

PARTS = {
    "start": start,
    "single": single,
    "tiny": tiny,
    "grid": grid,
    "growth": growth,
    "pruning": pruning,
    "faults": faults,
    "seeing": seeing,
    "reading": reading,
    "predict": predicting,
    "drift": drifting,
    "serve": serving,
}


def main() -> None:
    """Make a workspace in a temporary folder and measure in it."""
    asked = _parser().parse_args()
    adopt_orphans()
    repository = Path(__file__).resolve().parents[2]
    # Else what is measured first pays for compiling.
    folders = [str(repository / "mlops_cli"), str(Path(__file__).parent)]
    subprocess.run([sys.executable, "-m", "compileall", "-q", *folders], check=True)
    for name in asked.only or PARTS:
        with tempfile.TemporaryDirectory(prefix="mlops-bench-", ignore_cleanup_errors=True) as folder:
            PARTS[name](Bench.create(Path(folder), repository, asked.rounds, asked.scale))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="of each comparison, after one to warm up")
    parser.add_argument("--scale", type=float, default=1.0, help="a share of the rows and points, for a quick look")
    parser.add_argument("--only", choices=PARTS, action="append", help="a part; may be given several times")
    return parser


if __name__ == "__main__":
    main()

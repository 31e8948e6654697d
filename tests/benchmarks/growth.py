"""How cost grows with trials and with rows, and whether what comes after a long sweep stays quick."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from grid import configure_mixed, write_mixed
from measuring import heading, mlops, sweep
from tiny import IRIS

if TYPE_CHECKING:
    from measuring import Bench, Done

TRIALS = (100, 1_000, 10_000)
ROWS = (5_000, 10_000, 20_000, 40_000, 80_000)
POINTS = 16


def growth(bench: Bench) -> None:
    """More trials, then more rows; each is one run."""
    longest = _more_trials(bench)
    _afterwards(bench, longest)
    _more_rows(bench)


def _more_trials(bench: Bench) -> Done:
    heading("more trials: iris, 5 splits; ms of a trial")
    print(f"  {'trials':>10}{'wall s':>9}{'CPU s':>9}{'ms wall':>10}{'ms CPU':>9}{'MiB':>8}{'largest':>9}")
    for count in TRIALS:
        tenth = bench.scaled(count // 10)
        values = {"model.C": np.logspace(-3, 2, tenth).tolist(), "model.tol": np.logspace(-6, -4, 10).tolist()}
        bench.configure(f"trials{count}", **IRIS, sweep={"space": values})
        done = bench.run(sweep(f"trials{count}"), watch=True)
        trials, cost = tenth * 10, done.cost
        each = f"{1000 * cost.wall / trials:>10.1f}{1000 * cost.cpu / trials:>9.1f}"
        print(f"  {trials:>10,}{cost.wall:>9.1f}{cost.cpu:>9.1f}{each}{_memory(done)}", flush=True)
    return done


def _afterwards(bench: Bench, done: Done) -> None:
    """Look at the last run in all the ways that there are."""
    journal = bench.folder / done.last / "trials.jsonl"
    heading(f"after {len(bench.journal(done)):,} trials, trials.jsonl {journal.stat().st_size / 2**20:.1f} MiB")
    commands = {
        "mlops runs ls": mlops("runs", "ls"),
        "mlops runs show latest": mlops("runs", "show", "latest"),
        "mlops resume latest, finished": mlops("resume", "latest", "--quiet"),
        "mlops run, the same again": mlops("run", f"config=trials{TRIALS[-1]}", "--quiet", "-j", "2"),
        "mlops run, 100 known and 10 new": _some_new(bench),
    }
    for name, command in commands.items():
        ran = bench.run(command, watch=True)
        print(f"  {name:34}{ran.cost.wall:>8.2f} s{ran.cost.cpu:>8.2f} CPU s{_memory(ran)} MiB", flush=True)


def _some_new(bench: Bench) -> list[str]:
    """Return a run most of whose trials are known from the run before."""
    tenth = bench.scaled(TRIALS[-1] // 10)
    values = ",".join(map(repr, [*np.logspace(-3, 2, tenth)[:10].tolist(), 7.0]))
    return mlops("run", f"config=trials{TRIALS[-1]}", f"model.C={values}", "--quiet", "-j", "2")


def _more_rows(bench: Bench) -> None:
    heading(f"more rows: {POINTS} points × 5 splits, 60 mixed columns; µs of a row")
    print(f"  {'rows':>10}{'wall s':>9}{'CPU s':>9}{'µs wall':>10}{'µs CPU':>9}{'MiB':>8}{'largest':>9}")
    for rows in (bench.scaled(rows, 500) for rows in ROWS):
        name = f"rows{rows}"
        write_mixed(bench.folder / "data" / f"{name}.csv", rows)
        configure_mixed(bench, name, POINTS)
        done = bench.run(sweep(name), watch=True)
        each = f"{1e6 * done.cost.wall / rows:>10.0f}{1e6 * done.cost.cpu / rows:>9.0f}"
        print(f"  {rows:>10,}{done.cost.wall:>9.1f}{done.cost.cpu:>9.1f}{each}{_memory(done)}", flush=True)


def _memory(done: Done) -> str:
    tree = "" if done.cost.tree is None else f"{done.cost.tree:.0f}"
    return f"{tree:>8}{done.cost.largest:>9.0f}"

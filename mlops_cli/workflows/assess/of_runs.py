"""What the workspace shows of training and evaluation: what is recorded, repeated, tried, compared."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from mlops_cli.errors import StoreError
from mlops_cli.records import Level, Task
from mlops_cli.store.layout import RunPaths
from mlops_cli.store.registry import Registry
from mlops_cli.views.text import plural
from mlops_cli.workflows.assess.look import RERUN_OF, RETRAIN_OF, Found
from mlops_cli.workflows.assess.words import COMMIT, command, is_sweep, key_of, number, short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_cli.records import Evidence, RunRecord
    from mlops_cli.workflows.assess.look import Look
    from mlops_cli.workflows.assess.unattended import Call

_TRAINING = ("run", "resume", "retrain")
_TOLERANCE = 1e-9


def runs_recorded(look: Look) -> Evidence:
    """Whether runs are recorded with the commit of their code, and what it had no commit of."""
    damaged = len(look.listing.damaged)
    beside = f"; {plural(damaged, 'damaged run')} not counted" if damaged else ""

    def of(name: str, run: RunRecord, runs: Sequence[RunRecord]) -> Found:
        what = f"{plural(len(runs), 'completed run')} of {name}, the newest {run.id}"
        if run.git.commit is None:
            mend = f"{COMMIT} && {look.again(run, '--force')}"
            return Found(Level.NON_REPEATABLE, f"{what} with no commit of its code{beside}", mend)
        at = f"at commit {short(run.git.commit)}"
        if run.git.dirty and not RunPaths(run.path).source_diff.is_file():
            mend = f"git commit -qam 'as it is' && {look.again(run, '--force')}"
            return Found(Level.NON_REPEATABLE, f"{what} {at} with changes that are not kept{beside}", mend)
        kept = " and the changes beside it" if run.git.dirty else ""
        return Found(Level.SEMI_AUTOMATED, f"{what} {at}{kept}{beside}", look.again(run))

    return look.of_experiments("runs-recorded", of, _TRAINING)


# --- again -------------------------------------------------------------------------------------------------------


def runs_reproduced(look: Look) -> Evidence:
    """Whether a run was made again, and came out the same."""
    known = {run.id: run for run in look.listing.runs}

    def of(name: str, run: RunRecord, runs: Sequence[RunRecord]) -> Found:
        again = next((one for one in runs if RERUN_OF in one.tags), None)
        if again is None:
            return Found(Level.ABSENT, f"no run of {name} was made again", command("rerun", run.id))
        called = again.tags[RERUN_OF]
        first = known.get(called) or _version(look, called)
        if first is None:
            text = f"{again.id} is {called} made again, which is no longer there"
            return Found(Level.NON_REPEATABLE, text, command("rerun", run.id))
        text = f"{again.id} is {called} made again"
        if why := _differs(first, again):
            return Found(Level.NON_REPEATABLE, f"{text}, and {why}", command("rerun", called))
        text = f"{text}: the same data, the same {first.primary}"
        return Found(Level.SEMI_AUTOMATED, text, command("rerun", called))

    return look.of_experiments("runs-reproduced", of, ("rerun",))


def _version(look: Look, ref: str) -> RunRecord | None:
    """Return the run behind a registered version; None where there is none."""
    try:
        return Registry(look.paths).find(ref).record
    except StoreError:
        return None


def _differs(first: RunRecord, again: RunRecord) -> str:
    """Return in what the second differs; nothing where they are the same."""
    before, after = (run.metrics.get(run.primary or "") for run in (first, again))
    if first.dataset is not None and again.dataset is not None and first.dataset.version != again.dataset.version:
        return "read other data"
    if before is None or after is None:
        return "has no score to compare"
    pairs = zip(before.splits, after.splits, strict=False)
    is_same = len(before.splits) == len(after.splits)
    if is_same and all(math.isclose(a, b, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE) for a, b in pairs):
        return ""
    return f"its {again.primary} is {number(after.mean)}, not {number(before.mean)}"


# --- tried and compared ------------------------------------------------------------------------------------------


def parameters_swept(look: Look) -> Evidence:
    """Whether parameters are searched for by a sweep, or tried one by one."""

    def of(_name: str, run: RunRecord, runs: Sequence[RunRecord]) -> Found:
        run = _searched(run, runs)
        if run.counts.trials > 1:
            text = f"{run.id} tried {plural(run.counts.trials, 'candidate')}, the best by {run.primary}"
            is_declared = _declares_sweep(look, run)
            return Found(Level.SEMI_AUTOMATED, text, look.again(run), lambda call: is_declared or _sweeps(call))
        others = f", as one of {len(runs)} runs" if len(runs) > 1 else ""
        return Found(Level.MANUAL, f"{run.id} tried one candidate{others}", _sweep(look, run))

    return look.of_experiments("parameters-swept", of, ("run",))


def _searched(run: RunRecord, runs: Sequence[RunRecord]) -> RunRecord:
    """Return the newest run that chose for itself: one that is made again, or anew, takes what was chosen before."""
    return next((one for one in runs if not {RERUN_OF, RETRAIN_OF} & one.tags.keys()), run)


def _declares_sweep(look: Look, run: RunRecord) -> bool:
    """Whether the experiment itself says what is searched: then every call of it does."""
    space = look.config(run, "sweep").get("space")
    asked = {key_of(one).removeprefix("sweep.space.") for one in look.overrides(run)}
    return bool(set(space) - asked) if isinstance(space, dict) else False


def _sweeps(call: Call) -> bool:
    return any(map(is_sweep, call.words))


def _sweep(look: Look, run: RunRecord) -> str:
    """Return a sweep around a parameter that the run had; nothing where it had no number."""
    for key, value in run.params.items():
        if isinstance(value, int) and not isinstance(value, bool) and value > 1 and "seed" not in key:
            return look.again(run, f"{key}={max(1, value // 2)},{value},{value * 2}")
        if isinstance(value, float) and math.isfinite(value) and value > 0:
            return look.again(run, f"{key}={value / 2:g},{value:g},{value * 2:g}")
    return ""


def candidates_compared(look: Look) -> Evidence:
    """Whether what is chosen was compared with something else on the same rows and splits."""

    def of(name: str, run: RunRecord, runs: Sequence[RunRecord]) -> Found:
        run = _searched(run, runs)
        others = [one for one in runs if one.fingerprint != run.fingerprint and RERUN_OF not in one.tags]
        same = [one for one in others if _is_comparable(run, one)]
        if not same and run.counts.trials < 2:
            if not others:
                return Found(Level.ABSENT, f"{run.id} is the one candidate of {name}", _baseline(look, run))
            text = f"{plural(len(others), 'other run')} of {name} on other data or splits than {run.id}"
            return Found(Level.MANUAL, text, _baseline(look, run))
        parts = [f"{plural(run.counts.trials, 'candidate')} of {run.id}"] if run.counts.trials > 1 else [run.id]
        parts += [plural(len(same), "earlier run")] if same else []
        mend = command("runs", "compare", run.id, same[0].id) if same else look.again(run)
        return Found(Level.SEMI_AUTOMATED, f"{' and '.join(parts)} on the same rows and splits", mend)

    return look.of_experiments("candidates-compared", of, ("runs compare", "runs best", "report", "retrain"))


def _is_comparable(run: RunRecord, other: RunRecord) -> bool:
    """Whether two runs were scored on the same rows."""
    if run.splits is None or other.splits is None or run.splits.digest != other.splits.digest:
        return False
    return (run.dataset and run.dataset.version) == (other.dataset and other.dataset.version)


def _baseline(look: Look, run: RunRecord) -> str:
    if run.task not in {Task.CLASSIFICATION, Task.REGRESSION}:
        return _sweep(look, run)
    latest = f"{run.path.parent.name}:latest"
    return f"{look.again(run, 'model=dummy')} && {command('runs', 'compare', run.id, latest)}"


def evaluated_held_out(look: Look) -> Evidence:
    """Whether the winner is scored once on rows that nothing was fitted on or chosen by."""

    def of(_name: str, run: RunRecord, _: Sequence[RunRecord]) -> Found | None:
        if run.task not in {Task.CLASSIFICATION, Task.REGRESSION}:
            return None
        summary = run.metrics.get(run.primary or "")
        if summary is None or summary.test is None:
            text = f"{run.id} held no rows out: its scores are those that it was chosen by"
            return Found(Level.ABSENT, text, look.again(run, "evaluation.test=0.2"))
        scores = f"{number(summary.test)} on held-out rows, {number(summary.mean)} over its splits"
        text = f"{run.id}: {run.primary} {scores}"
        return Found(Level.SEMI_AUTOMATED, text, look.again(run))

    return look.of_experiments("evaluated-held-out", of, ("run", "evaluate", "retrain"))

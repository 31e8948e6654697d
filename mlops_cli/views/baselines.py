"""Whether a forecast is better than the naive ones, a line for each: the same words in the terminal and on pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_cli.analysis.wording import p_in_words
from mlops_cli.records import Verdict
from mlops_cli.views.text import number

if TYPE_CHECKING:
    from mlops_cli.records import Baseline, RunRecord


def against_baselines(record: RunRecord) -> list[str]:
    """Return what the best trial comes to against each naive forecast, the stronger one first.

    As in ``beats the value of 12 rows before (12 months are a year): mae 8.68 against 29.37, better on 5 of 5 splits
    (p = 0.037); on the held-out rows 9.11 against 47.83``.
    """
    scored = [b for b in record.baselines if record.primary in b.metrics and record.primary in record.metrics]
    lines = [_line(baseline, record) for baseline in scored]
    if lines and record.counts.completed > 1:
        lines.append(f"it is the best of {record.counts.completed:,} trials by these scores: part of its lead is luck")
    return lines


def _line(baseline: Baseline, record: RunRecord) -> str:
    metric = record.primary or ""
    ours, naive = record.metrics[metric], baseline.metrics[metric]
    about = f" ({baseline.about})" if baseline.about else ""
    told = f"{_claim(baseline, record)}{about}: {metric} {number(ours.mean)} against {number(naive.mean)}"
    if ours.test is not None and naive.test is not None:
        held = f"; on the held-out rows {number(ours.test)} against {number(naive.test)}"
    else:
        held = ""
    return f"{told}{_tested(baseline, record)}{held}"


def _claim(baseline: Baseline, record: RunRecord) -> str:
    metric = record.primary or ""
    ahead = _is_better(record, record.metrics[metric].mean, baseline.metrics[metric].mean)
    verdict = Verdict.UNKNOWN if baseline.difference is None else baseline.difference.verdict
    return {
        Verdict.BETTER: "beats {}",
        Verdict.WORSE: "worse than {}",
        Verdict.NOISE: "no evidence that it beats {}" if ahead else "no better than {}",
        Verdict.SAME: "the same as {} on every split",
        Verdict.UNKNOWN: "better than {}" if ahead else "no better than {}",
    }[verdict].format(baseline.name)


def _tested(baseline: Baseline, record: RunRecord) -> str:
    """Return on how many splits it is better, and whether that is more than noise."""
    found = baseline.difference
    if found is None or found.verdict is Verdict.SAME:
        return ""
    if found.splits == 1:
        return " (one split cannot tell that from chance)"
    pairs = zip(record.metrics[found.metric].splits, baseline.metrics[found.metric].splits, strict=True)
    often = sum(_is_better(record, ours, naive) for ours, naive in pairs)
    noise = ", within noise" if found.verdict is Verdict.NOISE else ""
    tested = "no variance to test by" if found.p is None else p_in_words(found.p)
    return f", better on {often} of {found.splits} splits ({tested}{noise})"


def _is_better(record: RunRecord, ours: float, naive: float) -> bool:
    return record.direction is not None and record.direction.better(ours, naive)

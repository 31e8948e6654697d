"""The model card: what a model is, for whoever meets it without its run. Markdown, made from the record alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_cli.records import RunRecord


def model_card(record: RunRecord) -> str:
    """Return the card of a run's model as Markdown.

    Text that comes from the config or the data is escaped: it cannot add headings, links or HTML.
    """
    return "\n".join([*_head(record), *_data(record), *_scores(record), *_limits(record), *_making(record)]) + "\n"


def _head(record: RunRecord) -> Iterator[str]:
    yield f"# {_text(record.experiment)}"
    yield ""
    yield _text(record.description) or f"A {record.task} model."
    yield ""


def _data(record: RunRecord) -> Iterator[str]:
    if record.dataset is None:
        return
    target = f", target `{_code(record.dataset.target)}`" if record.dataset.target else ""
    yield "## Data"
    yield ""
    size = f"{record.dataset.rows:,} rows × {len(record.dataset.columns)} columns"
    yield f"{size}{target}, from {_text(record.dataset.source)}"
    yield ""
    yield f"Version `{record.dataset.version}`"
    yield ""


def _scores(record: RunRecord) -> Iterator[str]:
    yield "## Scores"
    yield ""
    yield "| metric | mean | std | 95 % interval | test |"
    yield "|---|---|---|---|---|"
    for name, item in record.metrics.items():
        interval = "–" if item.ci95 is None else f"{item.ci95[0]:.4g} … {item.ci95[1]:.4g}"
        std = "–" if item.std is None else f"{item.std:.4g}"
        test = "–" if item.test is None else f"{item.test:.4g}"
        yield f"| {_text(name)} | {item.mean:.4g} | {std} | {interval} | {test} |"
    yield ""
    splits = max((len(item.splits) for item in record.metrics.values()), default=0)
    yield f"Means over {splits} splits, each scored by a model that had not seen its rows."
    yield ""


def _limits(record: RunRecord) -> Iterator[str]:
    if not record.warnings:
        return
    yield "## Warnings"
    yield ""
    for notice in record.warnings:
        yield f"- {_text(notice.code)}: {_text(notice.message)}"
    yield ""


def _making(record: RunRecord) -> Iterator[str]:
    packages = record.environment.get("packages", {})
    libraries = ", ".join(
        f"{name} {packages[name]}" for name in ("scikit-learn", "numpy", "pandas") if name in packages
    )
    yield "## How it was made"
    yield ""
    yield f"- run `{_code(record.id)}`, seed {record.seed}, {record.started}"
    if record.best is not None and record.best.params:
        yield f"- best of {record.counts.trials} trials: `{_code(dict(record.best.params))}`"
    if record.git.commit:
        yield f"- code `{record.git.commit}`{' with uncommitted changes' if record.git.dirty else ''}"
    yield f"- Python {record.environment.get('python', '')}, {libraries}"
    yield "- the steps and the model are in `../config.yaml`, which runs again: `mlops run config=PATH`"


def _text(value: Any) -> str:
    """Escape what Markdown or HTML would act on."""
    text = " ".join(str(value).split())
    for mark in "\\`*_[]<>|#!":
        text = text.replace(mark, f"\\{mark}" if mark not in "<>" else {"<": "&lt;", ">": "&gt;"}[mark])
    return text


def _code(value: Any) -> str:
    return " ".join(str(value).split()).replace("`", "'")

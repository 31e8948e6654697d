"""The model card: what a model is, for whoever meets it without its run. Markdown, made from the records alone.

Text that comes from the config, the data or a person is escaped: it cannot add headings, links or HTML. Of a
registered version's card the generated part stands between two comments; everything outside them is its owner's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_cli.records import Aliases, Direction, of_task

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlops_cli.records import Handover, ModelStatus, ModelVersion, RunRecord

BEGIN = "<!-- mlops: written from the record, and again whenever it changes; your own words go below or above -->"
END = "<!-- mlops: end of what is written from the record -->"
_OWN = "\n\n## Notes\n\nWhat its owner has to say goes here.\n"
_MARKS = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_[]|#!~$"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;"})
_SHOWN_COLUMNS = 60
_SHOWN_SETTINGS = 40
_LIBRARIES = ("scikit-learn", "numpy", "pandas")


def model_card(record: RunRecord) -> str:
    """Return the card of a run's model as Markdown."""
    title = [f"# {_text(record.experiment)}", "", _text(record.description) or f"A {record.task} model.", ""]
    return _joined([*title, *_body(record), "- the steps and the model are in `../config.yaml`, which runs again"])


def version_card(
    version: ModelVersion,
    status: ModelStatus,
    aliases: Aliases | None = None,
    old: str = "",
    handover: Handover | str | None = None,
) -> str:
    """Return the card of a registered version as Markdown.

    Parameters
    ----------
    version : ModelVersion
        The version.
    status : ModelStatus
        What people say of it.
    aliases : Aliases, optional
        What the model's versions are called, and how that came.
    old : str
        The card that there is; what stands outside the two comments is kept.
    handover : Handover or str, optional
        What its owner answered, or why that cannot be read.
    """
    head = _version_head(version, status, aliases or Aliases())
    answers = [] if handover is None else _handover(handover, version)
    generated = [*head, *answers, *_body(version.record), *_version_making(version)]
    return _renewed(old, _joined([BEGIN, *generated, "", END]).rstrip("\n"))


def _renewed(old: str, generated: str) -> str:
    """Return a card whose generated part is replaced; where it has none, on top of all that it says."""
    start, end = old.find(BEGIN), old.rfind(END)
    if 0 <= start < end:
        return old[:start] + generated + old[end + len(END) :]
    return generated + (f"\n\n{old}" if old.strip() else _OWN)


# --- of a version ------------------------------------------------------------------------------------------------


def _version_head(version: ModelVersion, status: ModelStatus, aliases: Aliases) -> Iterator[str]:
    yield f"# {_text(version.ref)}"
    yield ""
    yield _text(status.description) or _text(version.record.description) or f"A {version.record.task} model."
    yield ""
    called = ", ".join(f"`@{_code(alias)}`" for alias in aliases.of(version.number)) or "no alias"
    yield f"- called {called}; {status.approval}"
    for item in status.sign_offs:
        note = f": {_text(item.note)}" if item.note else ""
        yield f"- {item.verdict} by {_text(item.by)}, {_text(item.at)}{note}"
    for move in aliases.moves:
        if move.to == version.number and move.override:
            made = f"made `@{_code(move.alias)}` by {_text(move.by)}, {_text(move.at)}"
            yield f"- {made}, although gates had failed: {_text(move.override)}"
    yield f"- registered by {_text(version.by)}, {_text(version.created)}"
    if status.tags:
        yield f"- tags {', '.join(f'`{_code(key)}={_code(value)}`' for key, value in status.tags.items())}"
    yield ""


def _handover(handover: Handover | str, version: ModelVersion) -> Iterator[str]:
    """Yield what its owner answered, and of what must be answered that it is not."""
    yield "## Handover"
    yield ""
    if isinstance(handover, str):  # why is not for those who get the card: it names a place on this disk
        yield f"- the answers cannot be read: `mlops models verify {_code(version.name)}` says why"
        yield ""
        return
    for item in handover.items:
        if item.answer or item.must:
            yield f"- **{_text(item.question)}** {_text(item.answer) or 'not answered'}"
    other = "" if handover.ref == version.ref else f", for {_text(handover.ref)}"
    yield f"- answered by {_text(handover.by)}, {_text(handover.at)}{other}"
    yield ""


def _version_making(version: ModelVersion) -> Iterator[str]:
    missing = [name for name in version.record.code if f"code/{name}" not in version.files]
    for name in version.record.code:
        if name not in missing:
            yield f"- own code `{_code(f'code/{name}')}`"
    for name in missing:
        yield f"- own code `{_code(name)}` had changed before the model was registered, and is not kept here"
    yield "- every package with its version is in `packages.json`, and in `requirements.txt` as pip reads it"
    yield "- the steps and the model are in `config.yaml`, which runs again; the sha256 of each file in `version.json`"


# --- of any model ------------------------------------------------------------------------------------------------


def _body(record: RunRecord) -> Iterator[str]:
    yield from _data(record)
    yield from _scores(record)
    yield from _splits(record)
    yield from _limits(record)
    yield from _making(record)


def _data(record: RunRecord) -> Iterator[str]:
    if record.dataset is None:
        return
    data = record.dataset
    target = f", target `{_code(data.target)}`" if data.target else ""
    yield "## Data"
    yield ""
    yield f"{data.rows:,} rows × {len(data.columns)} columns{target}, from {_text(data.source)}"
    yield ""
    yield f"Version `{data.version}`"
    yield ""
    yield from _columns(record)
    if record.test_dataset is not None:
        test = record.test_dataset
        yield f"Held out: {test.rows:,} rows from {_text(test.source)}, version `{test.version}`"
        yield ""


def _columns(record: RunRecord) -> Iterator[str]:
    columns = record.dataset.columns if record.dataset is not None else ()
    if not columns:
        return
    yield "| column | type | kind | missing | distinct |"
    yield "|---|---|---|---|---|"
    for item in columns[:_SHOWN_COLUMNS]:
        distinct = "–" if item.unique is None else f"{item.unique:,}"
        yield f"| {_text(item.name)} | {_text(item.dtype)} | {item.kind} | {item.missing:,} | {distinct} |"
    if len(columns) > _SHOWN_COLUMNS:
        yield f"| and {len(columns) - _SHOWN_COLUMNS} more | | | | |"
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
    count = max((len(item.splits) for item in record.metrics.values()), default=0)
    yield f"Means over {count} splits, each scored by a model that had not seen its rows."
    if record.primary and record.direction is not None:
        good = {Direction.MAXIMIZE: "more", Direction.MINIMIZE: "less"}[record.direction]
        yield f"Trials were ranked by {_text(record.primary)}, of which {good} is better."
    if any(item.test is not None for item in record.metrics.values()):
        yield "Test is of rows that were held out before anything was fitted, scored once, by the winner."
    yield ""


def _splits(record: RunRecord) -> Iterator[str]:
    """Yield how rows were parted: by which splitter, into how many."""
    chosen = {k: v for k, v in of_task(record.params, record.task).items() if k == "split" or k.startswith("split.")}
    if record.splits is None and not chosen:
        return
    yield "## Splits"
    yield ""
    if record.splits is not None:
        rows = f" of {record.splits.rows:,} rows" if record.splits.rows is not None else ""
        share = f"{record.splits.test_share:.3g}"
        yield f"- {record.splits.count} splits{rows}, {share} test rows for each training row"
        yield f"- which rows are in which: `{_code(record.splits.digest)}`"
    for key, value in chosen.items():
        yield f"- `{_code(key)}: {_code(value)}`"
    yield ""


def _limits(record: RunRecord) -> Iterator[str]:
    yield "## Limits"
    yield ""
    if record.dataset is not None:
        yield "- it knows rows like those above; nothing is said of how it does on others"
    for notice in record.warnings:
        yield f"- {_text(notice.code)}: {_text(notice.message)}"
    yield ""


def _making(record: RunRecord) -> Iterator[str]:
    packages = record.environment.get("packages")
    known = packages if isinstance(packages, dict) else {}
    libraries = "".join(f", {name} {_text(known[name])}" for name in _LIBRARIES if name in known)
    yield "## How it was made"
    yield ""
    seed = "" if record.seed is None else f", seed {record.seed}"
    yield f"- run `{_code(record.id)}`{seed}, {_text(record.started)}"
    if record.best is not None and record.best.params:
        yield f"- best of {record.counts.trials} trials: `{_code(dict(record.best.params))}`"
    yield from _model_of(record)
    if record.git.commit:
        yield f"- code `{_code(record.git.commit)}`{' with uncommitted changes' if record.git.dirty else ''}"
    yield f"- Python {_text(record.environment.get('python', ''))}{libraries}"


def _model_of(record: RunRecord) -> Iterator[str]:
    params = of_task(record.params, record.task)
    found = [f"{key}: {params[key]}" for key in params if key == "model" or key.startswith("model.")]
    if found:
        yield f"- `{_code(', '.join(found[:_SHOWN_SETTINGS]))}`"


# --- escaping ----------------------------------------------------------------------------------------------------


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"


def _text(value: Any) -> str:
    """Escape what Markdown or HTML would act on."""
    return _one_line(value).translate(_MARKS)


def _code(value: Any) -> str:
    """Return text that stands between backticks: nothing in it ends them, or looks like the card's own comments."""
    return _one_line(value).replace("`", "'").replace("<!--", "<!- -")


def _one_line(value: Any) -> str:
    """Return text on one line, its control characters made visible."""
    text = " ".join(str(value).split())
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)

"""What the workspace shows of models in use: how they are deployed, watched, told of, and renewed."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from mlops_cli.config.declared import of_owner, of_run
from mlops_cli.config.drift import read_drift
from mlops_cli.config.retrain import read_retrain
from mlops_cli.errors import ConfigError, StoreError
from mlops_cli.records import CHAMPION, Action, Level
from mlops_cli.store.layout import VersionPaths
from mlops_cli.views.text import plural
from mlops_cli.workflows.assess.look import Found
from mlops_cli.workflows.assess.words import command, day, declared, number

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_cli.records import (
        Batch,
        DatasetVersion,
        DriftReport,
        DriftSpec,
        Evidence,
        Histogram,
        ModelVersion,
        RegisteredModel,
        RetrainSpec,
    )
    from mlops_cli.workflows.assess.look import Look

_DEPLOYING = ("serve", "predict", "models export")
_NEWEST = 20  # batches that are read
_DEEP = ("Dockerfile", "*/Dockerfile", "*/*/Dockerfile")
_LARGEST = 100_000
_OWN = frozenset({"runs", "models", "configs", "data"})


def deployed(look: Look) -> Evidence:
    """Whether a model is in use: served, in an image, or asked by a script."""

    def of(model: RegisteredModel) -> Found:
        version = look.used(model)
        ref, data = _ref(model, version), _input(look, version)
        export = command("serve", ref, "--export", f"deploy-{model.name}")
        again = command("predict", ref, data, "-o", f"predictions-{model.name}.csv") if data else export
        loaded = look.entries(model.name, Action.LOADED)
        if loaded:
            last = loaded[-1]
            asked = str(last.details.get("asked", last.subject))
            text = f"{last.subject} was loaded for serving on {day(last.at)}, asked for as {asked}"
            follows = "/" not in asked
            return Found(Level.SEMI_AUTOMATED if follows else Level.NON_REPEATABLE, text, again if follows else export)
        if image := _image(look, model.name):
            return Found(Level.SEMI_AUTOMATED, f"{image} serves {model.name}", again)
        call = look.automation.by_hand(*_DEPLOYING, about=model.name)
        if call is not None and CHAMPION in model.aliases.versions:
            text = f"{call.place} calls mlops {call.verb}, which a person starts, and {version.ref} is @{CHAMPION}"
            return Found(Level.SEMI_AUTOMATED, text, again)
        return Found(Level.ABSENT, f"nothing here loads {version.ref}: no server, no image, no script", export)

    return look.of_models("deployed", of, _DEPLOYING)


def _image(look: Look, name: str) -> str:
    """Return the Dockerfile that serves a model; nothing where there is none."""
    root = look.workspace.root
    for path in sorted(found for pattern in _DEEP for found in root.glob(pattern)):
        shown = path.relative_to(root)
        if shown.parts[0].startswith(".") or shown.parts[0] in _OWN:
            continue
        text = _read(path)
        if '"serve"' in text and any(f'"{name}{mark}' in text for mark in ('"', "@", "/")):
            return shown.as_posix()
    return ""


def _read(path: Path) -> str:
    with suppress(OSError):
        if path.is_file() and path.stat().st_size < _LARGEST:
            return path.read_text(encoding="utf-8", errors="replace")
    return ""


def _input(look: Look, version: ModelVersion) -> str:
    """Return new data of a model: where its policy finds new rows, else the last batch, else a name to be filled in.

    Nothing where the model was trained on no table. What it was trained on is not new: held against itself, it says
    nothing of drift.
    """
    data, found = version.record.dataset, ""
    with suppress(ConfigError):  # a policy that is declared wrongly is another check's to say
        found = _policy(look, version).data or ""
    if found and (data is None or not _names_training(look, data, found)):
        return found
    if data is None:
        return ""
    with suppress(StoreError):  # likewise a batch
        last = _newest(look, version).last
        found = "" if last is None else look.readable(last.report.data)
        return found or _new(data)
    return _new(data)


def _new(data: DatasetVersion) -> str:
    """Return what a file of new data may be called."""
    first = data.source.partition(", ")[0]
    return f"NEW{PurePosixPath(first).suffix or '.csv'}" if "://" not in first else "NEW.csv"


def _names_training(look: Look, data: DatasetVersion, source: str) -> bool:
    """Whether a source is what a version was trained on, by its name or by what it holds."""
    if source in {kept.ref for kept in look.alike(data)}:
        return True
    path = look.workspace.root / source
    if not data.sha256 or not _is_file(path):
        return source == data.source
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == data.sha256


def _is_file(path: Path) -> bool:
    with suppress(OSError, ValueError):
        return path.is_file()
    return False


@dataclass(frozen=True)
class _Newest:
    """The newest batches of a model."""

    batches: tuple[Batch, ...]  # of new data, in order
    own: tuple[Batch, ...]  # of what the version that answered was trained on

    @property
    def last(self) -> Batch | None:
        return self.batches[-1] if self.batches else None

    @property
    def besides(self) -> str:
        """What does not count, in words."""
        if not self.own:
            return ""
        return f"; {self.own[-1].name} holds what {self.own[-1].ref} was trained on, and does not count"


def _newest(look: Look, version: ModelVersion) -> _Newest:
    model = look.models[version.name]
    versions = {} if model is None else {one.number: one for one in model.versions}
    batches = [look.batch(version.name, batch) for batch in look.batch_ids(version.name)[-_NEWEST:]]
    own = {one.id for one in batches if _is_own(look, versions.get(one.number), one.report)}
    new = tuple(one for one in batches if one.id not in own)
    return _Newest(new, tuple(one for one in batches if one.id in own))


def _is_own(look: Look, version: ModelVersion | None, report: DriftReport) -> bool:
    """Whether a batch holds what the version that answered was trained on."""
    data = None if version is None else version.record.dataset
    if data is None or report.rows not in {data.rows, report.reference_rows}:
        return False
    if report.rows == report.reference_rows and report.columns and not report.unread:
        return all(column.before == column.after and _is_alike(column.histogram) for column in report.columns)
    return _names_training(look, data, report.data)


def _is_alike(histogram: Histogram | None) -> bool:
    return histogram is None or histogram.before == histogram.after


def _log(look: Look, model: RegisteredModel, version: ModelVersion) -> str:
    """Return the command that holds new data against a model; nothing where no data of its kind is known."""
    data = _input(look, version)
    return command("monitor", "log", _ref(model, version), data) if data else ""


def _ref(model: RegisteredModel, version: ModelVersion) -> str:
    return f"{model.name}@{CHAMPION}" if CHAMPION in model.aliases.versions else version.ref


# --- watched -----------------------------------------------------------------------------------------------------


def drift_watched(look: Look) -> Evidence:
    """Whether new data is held against what the version in use was trained on, batch by batch."""

    def of(model: RegisteredModel) -> Found:
        version, ids = look.used(model), look.batch_ids(model.name)
        log = _log(look, model, version)
        newest = _newest(look, version)
        last, besides = newest.last, newest.besides
        if last is None:
            return Found(Level.ABSENT, f"no batch of new data was held against {version.ref}{besides}", log)
        count = plural(len(ids) - len(newest.own), "batch")
        text = f"{count} of {model.name}, the last {last.name} on {day(last.logged)} by {last.ref}"
        if last.number != version.number:
            return Found(Level.NON_REPEATABLE, f"{text}, and {version.ref} is in use{besides}", log)
        return Found(Level.SEMI_AUTOMATED, f"{text}: {last.verdict}{besides}", log)

    return look.of_models("drift-watched", of, ("monitor log",))


def drift_alerted(look: Look) -> Evidence:
    """Whether somebody is told of drift."""

    def of(model: RegisteredModel) -> Found:
        from mlops_cli.components.alerts import shown

        version = look.used(model)
        alerts = _drift(look, version).alerts
        if not alerts:
            mend = declared("drift", model.name, f"alerts: [{{file: drift-{model.name}.jsonl}}]")
            return Found(Level.ABSENT, f"nobody is told of drift of {model.name}", mend)
        text = f"drift of {model.name} is told to {', '.join(shown(alert) for alert in alerts)}"
        return Found(Level.SEMI_AUTOMATED, text, _log(look, model, version))

    return look.of_models("drift-alerted", of, ("monitor log", "drift"))


def _drift(look: Look, version: ModelVersion) -> DriftSpec:
    owners = of_owner(look.workspace, "drift", version.name, read_drift)
    return of_run(VersionPaths(version.path).config, "drift", read_drift) if owners is None else owners


def labels_joined(look: Look) -> Evidence:
    """Whether what came true is joined to what the model said."""

    def of(model: RegisteredModel) -> Found:
        version = look.used(model)
        newest = _newest(look, version)
        batches, besides = newest.batches, newest.besides
        if not batches:
            text = f"{model.name} has no batch of new data that labels could be joined to{besides}"
            return Found(Level.ABSENT, text, _log(look, model, version))
        labelled = [batch for batch in batches if batch.labelled]
        labels = (labelled[-1].labels if labelled else None) or "LABELS.csv"
        join = command("monitor", "labels", model.name, labels)
        if not labelled:
            text = f"none of the {plural(len(batches), 'batch')} of {model.name} has labels{besides}"
            return Found(Level.ABSENT, text, join)
        last = labelled[-1]
        text = f"{len(labelled)} of {plural(len(batches), 'batch')} of {model.name} have labels, the last {last.name}"
        return Found(Level.SEMI_AUTOMATED, f"{text}{_metrics(last)}{besides}", join)

    return look.of_models("labels-joined", of, ("monitor labels",))


def _metrics(batch: Batch) -> str:
    first = next(iter(batch.metrics or batch.report.metrics), None)
    return "" if first is None else f": {first.metric} {number(first.after)}, in training {number(first.before)}"


# --- renewed -----------------------------------------------------------------------------------------------------


def model_retrained(look: Look) -> Evidence:
    """Whether a model is made anew by its policy, by a command, or by registering other runs by hand."""

    def of(model: RegisteredModel) -> Found:
        version = look.used(model)
        policy, made = _policy(look, version), look.entries(model.name, Action.RETRAINED)
        renew = command("retrain", model.name, "--if-needed")
        declare = declared("retrain", model.name, "when: drift")
        renewed = look.renewed(model.name)
        if renewed is not None and policy.has_trigger:
            why = str(next(iter(renewed.details["reasons"])))
            text = f"{renewed.subject} was made anew on {day(renewed.at)}, as the policy called for it: {why}"
            if look.automation.of("retrain", about=model.name) is None:
                text += "; no file of CI or schedule calls mlops retrain: if one elsewhere does, say level: automated"
            return Found(Level.SEMI_AUTOMATED, text, renew)
        if made:
            text = f"{made[-1].subject} was made anew on {day(made[-1].at)}, by somebody who asked for it"
            return Found(Level.SEMI_AUTOMATED, text, renew if policy.has_trigger else declare)
        if policy.has_trigger:
            return Found(Level.MANUAL, f"{model.name} has a policy, and was never made anew by it", renew)
        if len(model.versions) > 1:
            text = f"{plural(len(model.versions), 'version')} of {model.name}, each registered by hand"
            return Found(Level.MANUAL, text, declare)
        text = f"{version.ref} is the first of its kind, and no policy says when it is renewed"
        return Found(Level.ABSENT, text, declare)

    return look.of_models("model-retrained", of, ("retrain",))


def _policy(look: Look, version: ModelVersion) -> RetrainSpec:
    owners = of_owner(look.workspace, "retrain", version.name, read_retrain)
    return of_run(VersionPaths(version.path).config, "retrain", read_retrain) if owners is None else owners


def rollback_possible(look: Look) -> Evidence:
    """Whether the version that was in use before is there to go back to."""

    def of(model: RegisteredModel) -> Found:
        version = look.used(model)
        there = {one.number for one in model.versions} - {version.number}
        before = [move.to for move in model.aliases.moves if move.alias == CHAMPION and move.to in there]
        if CHAMPION not in model.aliases.versions:
            promote = command("models", "promote", version.ref)
            return Found(Level.ABSENT, f"no version of {model.name} is in use", promote)
        if not before:
            return Found(Level.ABSENT, f"no version was @{CHAMPION} before {version.ref}")
        text = f"{model.name}/{before[-1]} was @{CHAMPION} before {version.ref}, and is there: mlops models rollback"
        return Found(Level.SEMI_AUTOMATED, text)

    return look.of_models("rollback-possible", of, ("models rollback",))

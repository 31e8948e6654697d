"""What the workspace shows of models in use: how they are deployed, watched, told of, and renewed."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from mlops_cli.config.declared import of_owner, of_run
from mlops_cli.config.drift import read_drift
from mlops_cli.config.retrain import read_retrain
from mlops_cli.errors import ConfigError
from mlops_cli.records import CHAMPION, Action, Level
from mlops_cli.store.layout import VersionPaths
from mlops_cli.views.text import plural
from mlops_cli.workflows.assess.look import Found
from mlops_cli.workflows.assess.words import command, day, declared, number

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_cli.records import Batch, DriftSpec, Evidence, ModelVersion, RegisteredModel, RetrainSpec
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
    """Return data that a model can be held against: where its policy finds new rows, else what it was trained on."""
    data = version.record.dataset
    source = "" if data is None else look.readable(data.source)
    with suppress(ConfigError):  # a policy that is declared wrongly is another check's to say
        source = _policy(look, version).data or source
    return source


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
        if not ids:
            return Found(Level.ABSENT, f"no batch of new data was held against {version.ref}", log)
        last = look.batch(model.name, ids[-1])
        text = f"{plural(len(ids), 'batch')} of {model.name}, the last {last.name} on {day(last.logged)} by {last.ref}"
        if last.number != version.number:
            return Found(Level.NON_REPEATABLE, f"{text}, and {version.ref} is in use", log)
        return Found(Level.SEMI_AUTOMATED, f"{text}: {last.verdict}", log)

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
        version, ids = look.used(model), look.batch_ids(model.name)
        if not ids:
            text = f"{model.name} has no batch that labels could be joined to"
            return Found(Level.ABSENT, text, _log(look, model, version))
        batches = [look.batch(model.name, batch) for batch in ids[-_NEWEST:]]
        labelled = [batch for batch in batches if batch.labelled]
        labels = _labels(look, version, labelled)
        join = command("monitor", "labels", model.name, labels) if labels else ""
        if not labelled:
            return Found(Level.ABSENT, f"none of the {plural(len(batches), 'batch')} of {model.name} has labels", join)
        last = labelled[-1]
        text = f"{len(labelled)} of {plural(len(batches), 'batch')} of {model.name} have labels, the last {last.name}"
        return Found(Level.SEMI_AUTOMATED, f"{text}{_metrics(last)}", join)

    return look.of_models("labels-joined", of, ("monitor labels",))


def _labels(look: Look, version: ModelVersion, labelled: list[Batch]) -> str:
    return (labelled[-1].labels if labelled else None) or _input(look, version)


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
            return Found(Level.AUTOMATED, text)
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

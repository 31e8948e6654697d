"""What there is in a workspace, each thing read once, when a check first asks for it.

What is damaged is found here and told by the checks: nothing that lies in a workspace ends a look at it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlops_cli.config.declared import of_run
from mlops_cli.errors import MlopsError, StoreError
from mlops_cli.records import CHAMPION, Action, Evidence, Level, RunStatus
from mlops_cli.store.batches import Batches
from mlops_cli.store.chain import read_chain
from mlops_cli.store.contents import read_overrides
from mlops_cli.store.datasets import Datasets
from mlops_cli.store.find import list_runs
from mlops_cli.store.layout import RunPaths, VersionPaths, WorkspacePaths
from mlops_cli.workflows.assess.unattended import Automation, automation_around
from mlops_cli.workflows.assess.words import REF, beside, command, train

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import (
        AuditEntry,
        Batch,
        DatasetVersion,
        ModelVersion,
        NamedDataset,
        RegisteredModel,
        RunRecord,
    )
    from mlops_cli.store.chain import Chain
    from mlops_cli.store.find import RunListing
    from mlops_cli.workflows.assess.unattended import Call

RERUN_OF, RETRAIN_OF = "rerun_of", "retrain_of"
"""Tags of a run that name what was made again, or anew: the modules that give them take long to import."""

_SHOWN = 3


@dataclass(frozen=True)
class Found:
    """What a check found of one experiment, one model, or the workspace."""

    level: Level
    text: str
    command: str = ""
    counts: Callable[[Call], bool] | None = None  # which unattended calls do just this; else all of the commands


@dataclass(frozen=True)
class Look:
    """A look at a workspace.

    Parameters
    ----------
    workspace : Workspace
        At which.
    only_models, only_experiments : tuple of str
        What it is restricted to; none: all that there are. The experiments of models, where those alone are named.
    """

    workspace: Workspace
    only_models: tuple[str, ...] = ()
    only_experiments: tuple[str, ...] = ()

    @cached_property
    def paths(self) -> WorkspacePaths:
        """The files of the workspace."""
        return WorkspacePaths(self.workspace.root)

    # --- runs ----------------------------------------------------------------------------------------------------

    @cached_property
    def listing(self) -> RunListing:
        """All runs, the newest first, and what is damaged."""
        return list_runs(self.paths)

    @cached_property
    def experiments(self) -> Mapping[str, tuple[RunRecord, ...]]:
        """Experiment → its completed runs, the newest first; of one that is named there may be none."""
        names = self.only_experiments or self._of_models() or tuple(run.path.parent.name for run in self.listing.runs)
        found: dict[str, list[RunRecord]] = {name: [] for name in sorted(set(names))}
        for run in self.listing.runs:
            if run.path.parent.name in found and run.status is RunStatus.COMPLETED:
                found[run.path.parent.name].append(run)
        return {name: tuple(runs) for name, runs in found.items()}

    def _of_models(self) -> tuple[str, ...]:
        if not self.only_models:
            return ()
        used = [model for model in self.models.values() if model is not None]
        return tuple(version.record.experiment for model in used for version in model.versions)

    @cached_property
    def first_experiment(self) -> str:
        """The name of an experiment that can be run; nothing where there is none."""
        from mlops_cli.config.catalogue import experiments

        known = experiments(self.workspace)
        asked = [name for name in self.only_experiments if name in known]
        return next(iter([*asked, *known]), "")

    def config(self, run: RunRecord, section: str) -> Mapping[str, Any]:
        """Return a section of a run's own config; nothing where it declares none, or cannot be read."""
        found = of_run(RunPaths(run.path).config, section, lambda value, _: value)
        return found if isinstance(found, dict) else {}

    def overrides(self, run: RunRecord) -> tuple[str, ...]:
        """Return what was asked of a run on the command line; nothing of one that was made anew by a policy."""
        if RETRAIN_OF in run.tags or not RunPaths(run.path).overrides.is_file():
            return ()
        return read_overrides(run.path)

    def again(self, run: RunRecord, *words: str) -> str:
        """Return the command that runs an experiment as it was run, but for what is said."""
        return train(run.path.parent.name, *beside(self.overrides(run), words), *words)

    def newest(self, experiment: str) -> str:
        """Return what the newest run of an experiment is called that is not another one made again."""
        runs = self.experiments.get(experiment, ())
        if not runs or RERUN_OF not in runs[0].tags:
            return f"{experiment}:latest"
        return next((run.id for run in runs if RERUN_OF not in run.tags), f"{experiment}:latest")

    # --- data ----------------------------------------------------------------------------------------------------

    @cached_property
    def datasets(self) -> tuple[NamedDataset, ...]:
        """All versions of data sets that can be read."""
        found: list[NamedDataset] = []
        kept = Datasets(self.paths)
        for name in kept.names():
            try:
                found += kept.versions(name)
            except StoreError:  # mlops data verify says it
                continue
        return tuple(found)

    def is_here(self, source: str) -> bool:
        """Whether a source is a file or a folder of the workspace."""
        return os.path.exists(self.workspace.root / source)  # noqa: PTH110 - Path.exists raises for a name too long

    def readable(self, source: str) -> str:
        """Return the first part of a source that commands take by this name; nothing of a query, or where none is."""
        first = source.partition(", ")[0]
        is_named = REF.fullmatch(first) or self.is_here(first) or ("://" in first and " " not in first)
        return first if first and is_named else ""

    def alike(self, data: DatasetVersion) -> list[NamedDataset]:
        """Return the versions of data sets that hold what was read, wherever it was read from."""

        def is_same(kept: NamedDataset) -> bool:
            return kept.table.version == data.version or (data.sha256 != "" and kept.sha256 == data.sha256)

        return [kept for kept in self.datasets if is_same(kept)]

    # --- models --------------------------------------------------------------------------------------------------

    @cached_property
    def _listed(self) -> tuple[tuple[RegisteredModel, ...], tuple[str, ...]]:
        from mlops_cli.workflows.models.registry import list_models

        return list_models(workspace=self.workspace.root)

    @cached_property
    def models(self) -> Mapping[str, RegisteredModel | None]:
        """Model → its versions that can be read; None of one that is named and has none."""
        there = {model.name: model for model in self._listed[0]}
        damaged = [path.name for path in self._folders() if path.name not in there]
        names = self.only_models or sorted([*there, *damaged])
        return {name: there.get(name) for name in names}

    def _folders(self) -> list[Path]:
        from mlops_cli.store.registry import Registry

        return [self.paths.models / name for name in Registry(self.paths).names()]

    def faults(self, name: str) -> tuple[str, ...]:
        """Return what is wrong with versions of a model."""
        folder = f"{self.paths.models.as_posix()}/{name}/"
        return tuple(fault.replace(f"{self.paths.root}/", "") for fault in self._listed[1] if folder in fault)

    def used(self, model: RegisteredModel) -> ModelVersion:
        """Return the version that is in use: the champion, or the newest one where there is none."""
        number = model.aliases.versions.get(CHAMPION)
        return next((version for version in model.versions if version.number == number), model.versions[-1])

    def config_of(self, version: ModelVersion) -> Path:
        """Return the config that a version was made by."""
        return VersionPaths(version.path).config

    def batch_ids(self, name: str) -> list[str]:
        """Return the batches that a model was watched on, the first one first."""
        return Batches(self.paths, name).ids()

    def batch(self, name: str, batch: str) -> Batch:
        """Read a batch."""
        return Batches(self.paths, name).read(batch)

    # --- what is known of how it came about ------------------------------------------------------------------------

    @cached_property
    def chain(self) -> Chain:
        """The audit log."""
        return read_chain(self.paths)

    def entries(self, name: str, action: Action) -> list[AuditEntry]:
        """Return the entries of one kind about the versions of a model, in order."""
        every = self.chain.entries.values()
        return [e for e in every if e.action is action and e.subject.partition("/")[0] == name]

    @cached_property
    def automation(self) -> Automation:
        """What calls commands without a person."""
        return automation_around(self.workspace.root)

    def renewed(self, name: str) -> AuditEntry | None:
        """Return the last time that a model was made anew because its policy called for it."""
        made = [entry for entry in self.entries(name, Action.RETRAINED) if entry.details.get("reasons")]
        return made[-1] if made else None

    def calls(self, name: str, found: Found, verbs: Sequence[str]) -> list[Call]:
        """Return the lines that do what was found of an experiment or a model without a person."""
        such = (call for call in self.automation.calls if call.is_unattended and call.verb in verbs)
        return [call for call in such if call.is_about(name) and (found.counts is None or found.counts(call))]

    # --- how checks are put together -------------------------------------------------------------------------------

    def of_experiments(
        self, check: str, look: Callable[[str, RunRecord, Sequence[RunRecord]], Found | None], verbs: Sequence[str]
    ) -> Evidence:
        """Return what a check finds of all experiments: the level is that of the one that is furthest behind.

        Parameters
        ----------
        check : str
            Its name.
        look : callable
            Of the experiment, its newest completed run that is not another one made again, and all of them; None where
            the question does not arise.
        verbs : sequence of str
            The commands whose unattended call makes what is semi-automated automated.
        """

        def found(name: str) -> Found | None:
            runs = self.experiments[name]
            if not runs:
                return Found(Level.ABSENT, f"no run of {name} has completed", train(name))
            return look(name, next((run for run in runs if RERUN_OF not in run.tags), runs[0]), runs)

        return self._of_each(check, self.experiments, found, verbs) or self._no_run(check)

    def _no_run(self, check: str) -> Evidence:
        mend = train(self.first_experiment) if self.first_experiment else "mlops init"
        if self.experiments:
            return Evidence(check, Level.ABSENT, "no run of an experiment that this could be asked of", mend)
        damaged = len(self.listing.damaged)
        what = f"no run can be read: {damaged} damaged" if damaged else "there is no run"
        return Evidence(check, Level.ABSENT, what, "mlops runs ls" if damaged else mend)

    def of_models(self, check: str, look: Callable[[RegisteredModel], Found], verbs: Sequence[str]) -> Evidence:
        """Return what a check finds of all models, as `of_experiments` does."""

        def found(name: str) -> Found:
            model = self.models[name]
            if model is None:
                return self._no_version(name)
            return look(model)

        return self._of_each(check, self.models, found, verbs) or self._no_model(check)

    def _no_version(self, name: str) -> Found:
        if faults := self.faults(name):
            verify = command("models", "verify", name)
            return Found(Level.ABSENT, f"no version of {name} can be read: {faults[0]}", verify)
        return Found(Level.ABSENT, f"no version of {name} is registered", self._register(name))

    def _no_model(self, check: str) -> Evidence:
        if not self.listing.runs:
            return self._no_run(check)
        return Evidence(check, Level.ABSENT, "no model is registered", self._register(""))

    def _register(self, name: str) -> str:
        """Return how a model is registered of the newest run that kept one."""
        done = [run for runs in self.experiments.values() for run in runs if RunPaths(run.path).model_dir.is_dir()]
        if not done:
            return train(self.first_experiment) if self.first_experiment else "mlops init"
        newest = max(done, key=lambda run: (RERUN_OF not in run.tags, run.started))
        called = name or newest.path.parent.name
        return command("models", "register", newest.id, "--name", called)

    def _of_each(
        self, check: str, names: Mapping[str, object], look: Callable[[str], Found | None], verbs: Sequence[str]
    ) -> Evidence | None:
        found = {name: self._unattended(name, one, verbs) for name in names if (one := _safely(look, name)) is not None}
        return lowest(check, found) if found else None

    def _unattended(self, name: str, found: Found, verbs: Sequence[str]) -> Found:
        """Return what was found as automated, where what is semi-automated is called without a person."""
        if found.level is not Level.SEMI_AUTOMATED:
            return found
        calls = self.calls(name, found, verbs)
        if done := next((call for call in calls if call.is_committed), None):
            return Found(Level.AUTOMATED, f"{found.text}; {done.place} calls mlops {done.verb}")
        return Found(found.level, f"{found.text}; {calls[0].uncommitted}", calls[0].commit) if calls else found


def lowest(check: str, found: Mapping[str, Found]) -> Evidence:
    """Return what was found of the one that is furthest behind, and where the others are.

    Examples
    --------
    >>> by_hand, alone = Found(Level.MANUAL, "iris: by hand", "do"), Found(Level.AUTOMATED, "wine: by itself")
    >>> lowest("x", {"wine": alone, "iris": by_hand, "rust": by_hand}).found
    'iris: by hand; likewise rust; wine is automated'
    """
    last = min(found, key=lambda name: found[name].level.rank)
    levels = sorted({one.level for one in found.values()}, key=lambda level: level.rank)
    parts = [found[last].text]
    for level in levels:
        names = [name for name, one in found.items() if one.level is level and name != last]
        if names:
            listed = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
            is_same = level is found[last].level
            parts.append(f"likewise {listed}" if is_same else f"{listed} {'is' if len(names) == 1 else 'are'} {level}")
    return Evidence(check, found[last].level, "; ".join(parts), found[last].command)


def _safely(look: Callable[[str], Found | None], name: str) -> Found | None:
    """Return what a check finds of one thing; of what is damaged or declared wrongly, that it is so."""
    try:
        return look(name)
    except MlopsError as error:
        why = " ".join(str(error).removesuffix(f" ({error.hint})").split())
        hint = error.hint or ""
        return Found(Level.ABSENT, f"{name}: {why}", hint if hint.startswith("mlops ") else "")

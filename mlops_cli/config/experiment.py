"""An experiment as it was composed: its specification, its saved form, and any point of its sweep."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from mlops_cli.config.catalogue import experiments
from mlops_cli.config.environment import escape
from mlops_cli.config.flat import flat
from mlops_cli.config.names import check_experiment_name
from mlops_cli.config.session import Session
from mlops_cli.config.workspace import Workspace, find_workspace
from mlops_cli.errors import ConfigError, did_you_mean, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_cli.records import ExperimentSpec, Explanation, Notice, TrialSpec


def load_experiment(name: str, overrides: Sequence[str] = (), workspace: Workspace | None = None) -> Composition:
    """Compose, resolve and check an experiment.

    Parameters
    ----------
    name : str
        An experiment in the workspace's ``configs/``, or the path of a YAML file, such as a run's own ``config.yaml``.
    overrides : sequence of str
        In Hydra's grammar; sweeps included.
    workspace : Workspace, optional
        The one around the current directory if not given.

    Raises
    ------
    ConfigError
        In one line: the file, the key, what was found, what is allowed.
    """
    workspace = workspace or find_workspace()
    title, file = _locate(name, workspace)
    session = Session(workspace, title, file, tuple(overrides))
    return Composition(session.spec.name, session.spec, session.public, session.overrides.texts, session)


def to_yaml(config: Mapping[str, Any]) -> str:
    """Return a composition's config as YAML that composes to the same again."""
    return OmegaConf.to_yaml(OmegaConf.create(dict(config)))


def _locate(name: str, workspace: Workspace) -> tuple[str, Path | None]:
    """Return an experiment's name, and its file where that is not in ``configs/``."""
    if "\0" not in name and ("/" in name or name.endswith((".yaml", ".yml"))):
        path = next((p for p in (Path(name), workspace.root / name) if p.exists()), Path(name)).absolute()
        if path.is_dir() and (path / "config.yaml").is_file():
            path = path / "config.yaml"
        if not path.exists():
            _check_one(name)
            raise ConfigError(f"there is no file {name!r}", key="config", hint=_known(path.stem, workspace))
        inside = path.parent == workspace.configs and path.suffix == ".yaml"
        return path.stem, None if inside else path
    _check_one(name)
    check_experiment_name(name, key="config")
    if not (workspace.configs / f"{name}.yaml").exists():
        raise ConfigError(f"there is no experiment {name!r}", key="config", hint=_known(name, workspace))
    return name, None


def _check_one(name: str) -> None:
    if "," in name:
        raise ConfigError(f"one experiment is run at a time, found {name!r}", key="config", hint="run once for each")


def _known(name: str, workspace: Workspace) -> str:
    known = experiments(workspace)
    return did_you_mean(name, known) if known else f"{workspace.configs} has none: `mlops init` makes one"


def _did_you_mean(key: str, beside: Sequence[str], leaves: Sequence[str]) -> str:
    """Return the hint for a key that is not there: the key most like it anywhere, and those in its place."""
    named = [leaf for leaf in leaves if not leaf.endswith("_target_")]
    ending = [leaf for leaf in named if leaf.rpartition(".")[2] == key.rpartition(".")[2]]
    close = nearest(key, named) or next(iter(ending), None)
    said = did_you_mean(key, beside)
    return said if close is None else f"did you mean '{close}'? {said.rpartition('? ')[2]}"


@dataclass(frozen=True)
class Composition:
    """A composed experiment.

    Parameters
    ----------
    name : str
        The experiment's name.
    spec : ExperimentSpec
        What to do: the base trial, and in ``spec.sweep`` what is varied.
    config : dict
        The resolved config as it is saved. Composing it as ``config=…/config.yaml`` gives the same ``spec``.
    overrides : tuple of str
        As they were typed.
    """

    name: str
    spec: ExperimentSpec
    config: dict[str, Any]
    overrides: tuple[str, ...]
    _session: Session = field(repr=False, compare=False)

    def point(self, params: Mapping[str, Any]) -> TrialSpec:
        """Return the trial at one point of the search space, checked.

        Parameters
        ----------
        params : mapping
            Swept key → value; for a group the name of an option. Empty for the base.

        Raises
        ------
        ConfigError
            There is no such trial.
        """
        return self._session.trial(params)

    def point_config(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return what determines the trial at one point, as plain resolved mappings."""
        sections: dict[str, Any] = escape(self._session.sections(params))
        return sections

    def at(self, params: Mapping[str, Any]) -> tuple[TrialSpec, dict[str, Any]]:
        """Return both what `point` and what `point_config` return, for the price of one."""
        spec, sections = self._session.trial_at(params)
        return spec, escape(sections)

    def value(self, params: Mapping[str, Any], key: str) -> Any:
        """Return what a key of the trial is at one point.

        Raises
        ------
        ConfigError
            There is no such key.
        """
        config = self.point_config(params)
        value: Any = config
        for place, part in enumerate(key.split(".")):
            if not isinstance(value, dict) or part not in value:
                known = [".".join([*key.split(".")[:place], name]) for name in value] if isinstance(value, dict) else []
                hint = _did_you_mean(key, known, [*params, *flat(config)])
                raise ConfigError(f"'{key}' is no key of a trial", key="sweep.constraint", hint=hint)
            value = value[part]
        return value

    def leaves(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return all that determines the trial at one point by dotted key, and the options of its groups.

        Examples of keys: ``model`` (the option's name, where it was chosen by one), ``model.C``,
        ``transforms.impute_numeric.strategy``, ``seed``. A list is one value. What the command line
        and the experiment's own files set comes before what options and this package do.
        """
        found = {**self._session.choices(params), **flat(self.point_config(params)), **escape(dict(params))}
        inside = {key: [k for k in found if k.startswith(f"{key}.")] for key in self._session.said()}
        return {key: found[key] for said, more in inside.items() for key in (said, *more) if key in found} | found

    @property
    def options(self) -> dict[str, str]:
        """The option of each group of the base, where it was chosen by its name: ``{"model": "svm", …}``."""
        return self._session.choices({})

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What the file says of options that were not chosen, and is left out; of the points made so far."""
        return tuple(self._session.left_out)

    def explain(self, key: str) -> Explanation:
        """Return where the value of a key came from.

        Raises
        ------
        ConfigError
            There is no such key.
        """
        return self._session.explain(key)

    def where(self, key: str) -> str:
        """Return the short origin of a key, for messages: a file with a line, or the command line."""
        return self._session.where(key)

"""Joins the parts of the config stage for one experiment, and keeps what its points share.

In order: parse the overrides, compose, read the search space, choose the base, resolve, check what is trusted, read
the schema. A point of the space is the same with its own group choices and values.
"""

from __future__ import annotations

import copy
import functools
import itertools
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.types import Override, ValueType
from omegaconf import DictConfig, OmegaConf

from mlops_cli.config.catalogue import options
from mlops_cli.config.compose import Composer, apply_values, value_override
from mlops_cli.config.direct import Settled, referred
from mlops_cli.config.environment import mentions_environment, resolve
from mlops_cli.config.inherited import child, leave_out
from mlops_cli.config.messages import Situation, check_nothing_missing, to_config_error, unknown_key
from mlops_cli.config.origins import origins, place_of, said
from mlops_cli.config.overrides import COMMAND_LINE, Overrides, check_hydra_key, check_sweepable, parse_overrides
from mlops_cli.config.repeated import suited, trial_keys
from mlops_cli.config.schema import TRIAL_KEYS, read_experiment, read_trial
from mlops_cli.config.sections import section_of, without_space
from mlops_cli.config.space import Subspace, drop, join, read_space, typed_keys, write_space
from mlops_cli.config.suiting import Choice, suit
from mlops_cli.config.sweep import check_finite, read_sweep
from mlops_cli.config.trust import check_config, check_dimension, check_targets
from mlops_cli.errors import ConfigError
from mlops_cli.records import Dimension, Explanation, Notice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import ExperimentSpec, SamplerSpec, TrialSpec

_CHECKED_SUBSPACES = 20
_SHOWN_PARAMS = 5


class Session:
    """One experiment under one command line.

    Parameters
    ----------
    workspace : Workspace
        Where it is.
    title : str
        The experiment's name where the config gives none.
    file : Path, optional
        Its file where that is not in ``configs/``.
    texts : tuple of str
        The overrides.

    Attributes
    ----------
    spec : ExperimentSpec
        The checked experiment.
    public : dict
        The config as it may be saved.
    overrides : Overrides
        The overrides, parsed.
    subspaces : tuple
        The search space.
    """

    spec: ExperimentSpec
    public: dict[str, Any]
    subspaces: tuple[Subspace, ...] = ()

    def __init__(self, workspace: Workspace, title: str, file: Path | None, texts: tuple[str, ...]) -> None:
        self.workspace = workspace
        self.composer = Composer(workspace, title, file)
        self.overrides = Overrides(texts, (), (), ())
        self._options = functools.cache(self._list_options)
        self._prepared: dict[str, tuple[DictConfig, bool]] = {}
        self._settled_by_groups: dict[str, Settled | None] = {}
        self._templates: dict[str, tuple[DictConfig, bool]] = {}
        self._known: DictConfig | None = None  # a config that has the allowed keys, once there is one
        self._base_groups: tuple[Any, ...] = ()
        self._keys: tuple[str, ...] = TRIAL_KEYS  # the sections that determine a trial
        self.left_out: dict[Notice, None] = {}  # in the order in which it was met
        with self._translated():
            self._load(title, is_saved=file is not None)
        for point in itertools.islice(map(_first_point, self.subspaces), _CHECKED_SUBSPACES):
            self.trial(point)

    def _load(self, title: str, *, is_saved: bool) -> None:
        self.overrides = parse_overrides(self.overrides.texts, self._options)
        self.subspaces = self._suited(self._read_space())
        self._base_groups = tuple(_first_options(self.subspaces[0] if self.subspaces else ()))
        base, _ = self._prepare(self._base_groups)
        self._try_sweeps(base)
        self.public, real = self._resolve(base, title)
        check_config(self.public, self.workspace.trust)
        sweep = read_sweep(real["sweep"], "sweep", subspaces=self.subspaces)
        self._check_dimensions(sweep.sampler)
        self.spec = read_experiment(real, sweep, self.public, is_saved=is_saved)

    # --- loading ---------------------------------------------------------------------------------------------------

    def _list_options(self, group: str) -> tuple[str, ...] | None:
        return tuple(o.name for o in options(self.workspace, group)) or None

    def _read_space(self) -> tuple[Subspace, ...]:
        firsts = _first_options(self.overrides.dimensions)
        overrides = [*self.overrides.fixed, *firsts]
        config = self.composer.compose(overrides, allow_missing=True)
        self._known = config
        self._check_hydra(overrides)
        node = OmegaConf.select(config, "sweep.space")
        value = OmegaConf.to_container(node, resolve=False) if OmegaConf.is_config(node) else node
        space = read_space(value, self._options, file=self._origin("sweep.space")) if value else ()
        return join(drop(space, self.overrides.dropped), self.overrides)

    def _check_hydra(self, overrides: list[Any]) -> None:
        """Refuse a ``hydra`` node of a file that would change nothing."""
        if any(o.is_hydra_override() for o in overrides):  # a search path, and plain Hydra has composed
            return
        node = None
        with suppress(Exception):  # plain Hydra composes what is too new for us
            node = child(self.composer.composed(overrides, allow_missing=True).config, "hydra")
        for name in map(str, node or ()):
            check_hydra_key(f"hydra.{name}", file=self._safely_where(f"hydra.{name}", None))

    def _suited(self, space: tuple[Subspace, ...]) -> tuple[Subspace, ...]:
        """Return the space without what the file sweeps of options that were not chosen."""
        groups = {o.key_or_group for o in self.overrides.fixed if self.composer.is_group(o) and not o.is_delete()}
        groups |= {d.key for d in self.overrides.dimensions if d.is_group}
        choice = Choice(frozenset(groups), typed_keys(self.overrides))
        suited, refused = suit(space, choice, self._config_at, self.workspace.trust)
        for why, keys in refused.items():
            text = f"{', '.join(keys)} of sweep.space in {self._place_of_space()} {'is' if len(keys) == 1 else 'are'}"
            self.left_out[Notice("left-out", f"{text} left out: {why}")] = None
        return suited

    def _config_at(self, dimensions: Sequence[Dimension]) -> DictConfig:
        return self._prepare(tuple(_first_options(dimensions)))[0]

    def _prepare(self, groups: tuple[Any, ...]) -> tuple[DictConfig, bool]:
        """Return the config under some group choices and all fixed overrides, and whether it names the environment."""
        key = _said(groups)
        if key not in self._prepared:
            overrides = [*self.overrides.fixed, *groups]
            config = self.composer.compose(overrides)
            self.left_out |= dict.fromkeys(leave_out(config, self.composer, overrides, self.workspace.trust))
            self._prepared[key] = config, mentions_environment(config)
        return self._prepared[key]

    def _try_sweeps(self, base: DictConfig) -> None:
        """Apply the first value of each sweep on the command line as it was typed: ``+`` adds, else the key must be."""
        config = copy.deepcopy(base)
        for override, dimension in zip(self.overrides.swept, self.overrides.dimensions, strict=True):
            if not dimension.is_group:
                first = (override.type, dimension.key, ValueType.ELEMENT, _first(dimension))
                apply_values([Override(*first, input_line=override.input_line)], config)

    def _resolve(self, base: DictConfig, title: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the whole config, resolved: as it may be saved, and with real values."""
        config = without_space(base)
        if OmegaConf.select(config, "name", throw_on_missing=False) is None:
            config["name"] = title
        public, real = map(suited, resolve(config))
        self._keys = trial_keys(real, TRIAL_KEYS)
        check_nothing_missing(real, self._situation())
        if self.subspaces:  # what refers to a swept key has no one value
            raw: Any = OmegaConf.to_container(config, resolve=False)
            public |= {key: raw[key] for key in self._keys if key in raw}
        space = {"space": write_space(self.subspaces), **self._saved_options()}
        for container in (public, real):
            sweep = container.get("sweep") or {}
            container["sweep"] = sweep | space if isinstance(sweep, dict) else sweep
        return public, real

    def _saved_options(self) -> dict[str, Any]:
        """Return the options of swept groups, so that the saved config stands alone."""
        saved: dict[str, dict[str, Any]] = {}
        for dimension in itertools.chain(*self.subspaces):
            for option in dimension.choices if dimension.is_group else ():
                nodes = saved.setdefault(dimension.key, {})
                if option not in nodes:
                    nodes[option] = self._saved_option(dimension.key, option)
        return {"options": saved} if saved else {}

    def _saved_option(self, group: str, option: str) -> Any:
        others = [o for o in self._base_groups if o.key_or_group != group]
        config, _ = self._prepare((*others, value_override(group, option, is_group=True)))
        node = config._get_node(group)
        return OmegaConf.to_container(node, resolve=False) if OmegaConf.is_config(node) else None

    def _check_dimensions(self, sampler: SamplerSpec) -> None:
        for dimension in itertools.chain(*self.subspaces):
            try:
                check_dimension(dimension, self.workspace.trust)
                check_finite(sampler, dimension)
            except ConfigError as error:
                error.file = self._place_of_swept(dimension.key)
                raise

    # --- points ----------------------------------------------------------------------------------------------------

    def sections(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return what determines the trial at a point, resolved."""
        with self._translated(params):
            for key in params:
                check_sweepable(key)
            values = {key: value for key, value in params.items() if not self._is_option(key, value)}
            settled = self._settled(self._groups_at(params)) if params else None
            if settled is not None and (found := settled.with_values(values)) is not None:
                return found
            config, has_environment = self._at(params, values)
            if has_environment or "oc.env" in repr(params):
                _, real = resolve(without_space(config))
                return {key: real.get(key) for key in self._keys}
            return {key: section_of(config, key) for key in self._keys}

    def _at(self, params: Mapping[str, Any], values: Mapping[str, Any]) -> tuple[DictConfig, bool]:
        template, has_environment = self._template(self._groups_at(params))
        config = copy.deepcopy(template)
        apply_values([value_override(key, value) for key, value in values.items()], config)
        return config, has_environment

    def _settled(self, groups: tuple[Any, ...]) -> Settled | None:
        """Return the sections under some group choices with all that they refer to, where values can be set in them."""
        key = _said(groups)
        if key not in self._settled_by_groups:
            template, has_environment = self._template(groups)
            targets = None if has_environment else referred(OmegaConf.to_container(template, resolve=False))
            with suppress(Exception):  # whatever is wrong with it is said where a point is made of it
                sections = {section: section_of(template, section) for section in self._keys}
                self._settled_by_groups[key] = None if targets is None else Settled(sections, targets)
        return self._settled_by_groups.setdefault(key, None)

    def _template(self, groups: tuple[Any, ...]) -> tuple[DictConfig, bool]:
        """Return what the points of some group choices are copied from: a long list of choices is not copied along."""
        key = _said(groups)
        if key not in self._templates:
            config, has_environment = self._prepare(groups)
            template = without_space(config)
            OmegaConf.set_struct(template, OmegaConf.is_struct(config))
            self._templates[key] = template, has_environment
        return self._templates[key]

    def _groups_at(self, params: Mapping[str, Any] | None) -> tuple[Any, ...]:
        """Return the overrides that choose the options at a point."""
        if not params:
            return self._base_groups
        chosen = [(key, value) for key, value in params.items() if self._is_option(key, value)]
        return tuple(value_override(key, value, is_group=True) for key, value in chosen)

    def choices(self, params: Mapping[str, Any]) -> dict[str, str]:
        """Return the option of each group of a trial at a point, where it was chosen by its name."""
        with self._translated(params):
            defaults = self.composer.composed([*self.overrides.fixed, *self._groups_at(params)]).defaults
        chosen = {str(d.override_key): str(d.config_path).rpartition("/")[2] for d in defaults if d.override_key}
        return {group: option for group, option in chosen.items() if group in self._keys}

    def _is_option(self, key: str, value: Any) -> bool:
        return isinstance(value, str) and self._options(key) is not None

    def trial(self, params: Mapping[str, Any]) -> TrialSpec:
        """Return the checked trial at a point."""
        return self.trial_at(params)[0]

    def trial_at(self, params: Mapping[str, Any]) -> tuple[TrialSpec, dict[str, Any]]:
        """Return the checked trial at a point, and the sections that it was read from."""
        sections = self.sections(params)
        with self._translated(params):
            check_nothing_missing(sections, self._situation())
            check_targets(sections, self.workspace.trust)
            return read_trial(sections), sections

    # --- where things came from ------------------------------------------------------------------------------------

    def where(self, key: str) -> str:
        """Return the short origin of a key: of its sweep where it is swept, else of its value."""
        swept = [d.key for d in itertools.chain(*self.subspaces) if _is_of(key, d)]
        return (self._place_of_swept(swept[0]) if swept else None) or self._origin(key)

    def _origin(self, key: str, params: Mapping[str, Any] | None = None) -> str:
        """Return the short origin of a key's value, at the base or at a point."""
        return place_of(key, self.composer, self._applied(params))

    def explain(self, key: str) -> Explanation:
        """Return all origins of a key."""
        with self._translated():
            value: Any = self.public
            for part in key.split("."):
                if not isinstance(value, dict) or part not in value:
                    raise ConfigError("unknown key", key=key, hint=unknown_key(key, self._situation()).hint)
                value = value[part]
            found = [(o.place, o.value) for o in origins(key, self.composer, self._applied())]
        return Explanation(key, value, [*found, *self._swept(key)])

    def said(self) -> list[str]:
        """Return the keys that the command line and the experiment's own files set, the nearest first."""
        return said(self.composer, self._applied())

    def _swept(self, key: str) -> Iterator[tuple[str, Any]]:
        space = write_space(self.subspaces)
        for subspace in space if isinstance(space, list) else [space]:
            if key in subspace:
                yield f"{self._place_of_swept(key)} (swept)", subspace[key]

    def _applied(self, params: Mapping[str, Any] | None = None) -> tuple[Any, ...]:
        return (*self.overrides.fixed, *self._groups_at(params))

    @contextmanager
    def _translated(self, params: Mapping[str, Any] | None = None) -> Iterator[None]:
        """Raise what comes from below as one line that names the file, the key and the point."""
        try:
            yield
        except Exception as error:
            shown = to_config_error(error, self._situation(params))
            guilty = [param for param in params or {} if _concerns(param, shown.key)]
            if guilty:
                shown.file = self._place_of_swept(guilty[0])
            if shown.file is None:
                shown.file = self._safely_where(shown.key, params)
            point = [f"{k}={v}" for k, v in (params or {}).items() if k != shown.key]
            if point and len(point) <= _SHOWN_PARAMS:
                shown.message += f" (at {', '.join(point)})"
            raise shown from error

    def _situation(self, params: Mapping[str, Any] | None = None) -> Situation:
        """Return what messages say: the allowed keys as far as anything composes, and the overrides."""
        config = self._known
        if config is None:
            with suppress(Exception):  # this only makes a message better
                config = self.composer.composed(self._applied(), allow_missing=True).config
        return Situation(self.composer, config, self._applied(params))

    def _place_of_swept(self, key: str) -> str | None:
        return COMMAND_LINE if key in typed_keys(self.overrides) else self._place_of_space()

    def _place_of_space(self) -> str | None:
        """Return the file and line of ``sweep.space``."""
        with suppress(Exception):
            found = [o.place for o in origins("sweep.space", self.composer, self._applied())]
            return next((p for p in reversed(found) if p != COMMAND_LINE), COMMAND_LINE if found else None)
        return None

    def _safely_where(self, key: str | None, params: Mapping[str, Any] | None) -> str | None:
        try:
            return self._origin(key or "", params)
        except Exception:  # noqa: BLE001 - where nothing composes, there is only the experiment itself
            return None


def _said(overrides: Sequence[Any]) -> str:
    """Return the text of some overrides, by which what they give is remembered."""
    return "\n".join(o.input_line for o in overrides)


def _is_of(key: str, dimension: Dimension) -> bool:
    """Whether a key is a swept one or lies in its value; what lies in an option comes from the option's file."""
    inside = () if dimension.is_group else (f"{dimension.key}.", f"{dimension.key}[")
    return key == dimension.key or key.startswith(inside)


def _concerns(param: str, key: str | None) -> bool:
    """Whether an error at a key may be about the value of a swept parameter."""
    return key is not None and (param == key or param.startswith(f"{key}.") or key.startswith(f"{param}._target_"))


def _first(dimension: Dimension) -> Any:
    """Return one value of a dimension."""
    if dimension.is_finite:
        return dimension.choices[0]
    return int(dimension.low or 0) if dimension.integer else dimension.low


def _first_point(subspace: Subspace) -> dict[str, Any]:
    return {dimension.key: _first(dimension) for dimension in subspace}


def _first_options(dimensions: Sequence[Dimension]) -> Iterator[Any]:
    """Yield the overrides that choose the first option of each swept group."""
    for dimension in dimensions:
        if dimension.is_group:
            yield value_override(dimension.key, _first(dimension), is_group=True)

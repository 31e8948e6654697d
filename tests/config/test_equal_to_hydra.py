"""The quick way of composing gives what plain Hydra gives."""

import warnings
from collections.abc import Sequence
from typing import Any

import pytest
from hydra import version
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_search_path_impl import ConfigSearchPathImpl
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.types import RunMode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from omegaconf import DictConfig, OmegaConf

from mlops_cli.config import Workspace
from mlops_cli.config.catalogue import PACKAGE_CONF
from mlops_cli.config.compose import Composer
from mlops_cli.config.overrides import parse_override
from mlops_cli.errors import ConfigError

# what plain Hydra needs said, and a choice of everything that a defaults list may hold
DEFAULTS = """\
defaults:
  - experiment
  - data: csv
  - transforms: tabular
  - split: auto
  - target_transform: none
  - calibration: none
  - launcher: loky
  - model: svm
"""

EXPLICIT = (
    DEFAULTS
    + """\
  - optional extras: maybe
  - _self_
data: {path: data/x.csv, target: y}
model: {C: 2.0, same: "${model.kernel}"}
tags: {what: "${name}-${model.C}", where: "${data.path}"}
"""
)

OVERRIDES = [
    "model=ridge", "model=nested", "model=svm", "split=kfold", "transforms=none", "launcher=threading",
    "+extras=here", "~calibration", "~calibration=none", "target_transform=log", "model=missing", "nothing=3",
    "model.C=3", "model.C=1e-3", "model.C=null", "model.kernel='a,b'", 'model.kernel="a b"', "model.kernel=a\\,b",
    "model.C=${seed}", "model.kernel=${data.target}", "model.C=[1,2,[3,{a:4}]]", "model.C={a:1,b:[2,c]}",
    "+model.tol=1e-4", "++model.tol=1e-5", "++model.C=7", "+model.C=7", "~model.C", "~model.C=2.0", "~model.nope",
    "+model.grid={a:{b:{c:1}}}", "+model.estimator.alpha=3", "transforms.scale.columns=[a,b]", "~transforms.scale",
    "+transforms.extra={_target_:sklearn.decomposition.PCA,columns:all}", "transforms.impute=null",
    "evaluation.metrics=[f1,accuracy]", "evaluation.metrics=[]", "evaluation.nope=1", "+evaluation.nope=1",
    "data.drop=[a]", "data.read={sep: ';'}", "+data.read.sep=';'", "name=other", "tags={a: b}", "~tags.what",
    "seed=3", "seed=-1", "seed=true", "seed=", "description='x=y: [z]'", "model.C=inf", "+model.empty=''",
    "model={C: 5}", "launcher={n_jobs: 4}", "+data.path=3", "data.path=a/b.csv", "description=a-b_c.d/e:f@g%h",
]  # fmt: skip


def plain_hydra(workspace: Workspace, name: str, texts: Sequence[str]) -> DictConfig:
    """Return what Hydra itself composes, with its registries and without anything of ours."""
    Plugins.instance()
    path = ConfigSearchPathImpl()
    for provider, place in (
        ("hydra", "pkg://hydra.conf"),
        ("own", str(workspace.configs)),
        ("package", str(PACKAGE_CONF)),
        ("schema", "structured://"),
    ):
        path.append(provider, place)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        version.setbase("1.3")
        config = ConfigLoaderImpl(path).load_configuration(name, list(texts), RunMode.RUN, from_shell=False)
    OmegaConf.set_struct(config, value=False)
    config.pop("hydra")
    return config


def ours(composer: Composer, texts: Sequence[str]) -> DictConfig:
    return composer.compose([parse_override(text) for text in texts])


def outcome(compose: Any) -> Any:
    """Return the unresolved content in order, or None where composing fails."""
    try:
        return repr(OmegaConf.to_container(compose(), resolve=False))
    except (HydraException, ConfigError, ValueError):
        return None


def opens_a_node(texts: Sequence[str]) -> bool:
    """Whether an override may set a new key where Hydra wants a plus and we do not."""
    return any(t.startswith(("model.", "model={", "data.read", "tags={")) for t in texts)


@pytest.fixture
def explicit(workspace: Workspace, write: Any) -> Workspace:
    write("explicit", EXPLICIT)
    write("extras/here", "# @package tags\nextra: 1\n")
    return workspace


@pytest.mark.parametrize("text", OVERRIDES)
def test_each_override_gives_what_hydra_gives(explicit: Workspace, text: str) -> None:
    expected = outcome(lambda: plain_hydra(explicit, "explicit", [text]))
    got = outcome(lambda: ours(Composer(explicit, "explicit"), [text]))
    assert got == expected or (expected is None and opens_a_node([text]))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.sampled_from(OVERRIDES), min_size=2, max_size=5))
def test_overrides_together_give_what_hydra_gives(explicit: Workspace, texts: list[str]) -> None:
    expected = outcome(lambda: plain_hydra(explicit, "explicit", texts))
    got = outcome(lambda: ours(Composer(explicit, "explicit"), texts))
    assert got == expected or (expected is None and opens_a_node(texts))


def test_many_points_of_one_composer_give_what_hydra_gives_for_each(explicit: Workspace) -> None:
    composer = Composer(explicit, "explicit")
    for texts in (["model.C=1"], ["model.C=2", "model=ridge"], ["split=kfold"], ["model.C=1"], ["~model.C"], []):
        assert OmegaConf.to_container(ours(composer, texts)) == OmegaConf.to_container(
            plain_hydra(explicit, "explicit", texts)
        )


def test_resolved_values_are_hydras_too(explicit: Workspace) -> None:
    texts = ["model.C=${seed}", "seed=7", "model.kernel=poly"]
    mine, plain = ours(Composer(explicit, "explicit"), texts), plain_hydra(explicit, "explicit", texts)
    assert OmegaConf.to_container(mine, resolve=True) == OmegaConf.to_container(plain, resolve=True)
    assert mine.tags.what == "null-7" or mine.tags.what == plain.tags.what


def test_the_whole_catalogue_composes_as_in_hydra(explicit: Workspace) -> None:
    for group in ("model", "split", "transforms"):
        for path in sorted((PACKAGE_CONF / group).glob("*.yaml")):
            text = f"{group}={path.stem}"
            expected = outcome(lambda text=text: plain_hydra(explicit, "explicit", [text]))
            assert expected is not None
            assert outcome(lambda text=text: ours(Composer(explicit, "explicit"), [text])) == expected


def test_the_fallback_to_plain_hydra_gives_the_same(explicit: Workspace) -> None:
    composer = Composer(explicit, "explicit")
    for texts in ([], ["model=ridge", "split=kfold", "seed=3"], ["+model.tol=1", "~transforms.scale"]):
        overrides = [parse_override(t) for t in texts]
        assert OmegaConf.to_container(composer.compose_plainly(overrides)) == OmegaConf.to_container(
            composer.compose(overrides)
        )


def test_a_hydra_node_in_a_file_is_composed_by_hydra_and_left_out(explicit: Workspace, write: Any) -> None:
    write("verbose", EXPLICIT + "hydra: {verbose: true}\n")
    config = ours(Composer(explicit, "verbose"), ["model=ridge"])
    assert "hydra" not in config
    assert config == ours(Composer(explicit, "explicit"), ["model=ridge"])
    assert ours(Composer(explicit, "explicit"), ["hydra.verbose=true"]) == ours(Composer(explicit, "explicit"), [])


def test_a_fault_that_is_not_the_configs_falls_back_to_plain_hydra(
    explicit: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = ours(Composer(explicit, "explicit"), ["model=ridge"])
    composer = Composer(explicit, "explicit")
    monkeypatch.setattr(composer, "composed", lambda *a, **k: 1 / 0)  # as if Hydra's insides had changed
    assert ours(composer, ["model=ridge"]) == expected


@pytest.mark.skipif(not hasattr(version, "base_at_least"), reason="Hydra 1.4 has no such setting")
def test_hydras_own_version_setting_is_left_as_it_was(explicit: Workspace) -> None:
    version.setbase("1.2")
    ours(Composer(explicit, "explicit"), ["model=ridge"])
    assert str(version.getbase()) == "1.2"
    version.setbase("1.3")


def test_parsing_is_hydras(explicit: Workspace) -> None:
    for text in OVERRIDES:
        expected = OverridesParser.create().parse_override(text)
        assert parse_override(text).value() == expected.value()

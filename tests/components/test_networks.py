"""Networks as scikit-learn estimators: what comes out is a matter of the parameters alone, and is kept as arrays."""

from __future__ import annotations

import functools
import importlib.util
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
import torch
from network_modules import Calls, Counted, Net
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris

from mlops_cli.components import build as factory
from mlops_cli.components.checkpoints import checkpoints_in
from mlops_cli.components.curves import curve_of
from mlops_cli.components.fit_rows import FitRows, rows_known
from mlops_cli.components.networks import (
    ConvolutionClassifier,
    ConvolutionRegressor,
    NetworkClassifier,
    NetworkRegressor,
    Start,
    keeping,
)
from mlops_cli.components.networks.training import Lesson
from mlops_cli.components.targets import Role
from mlops_cli.contracts import BeforeFit
from mlops_cli.errors import MissingExtraError, TrustError
from mlops_cli.records import ComponentSpec, Task
from mlops_cli.store.trusted import check_types

IRIS, SPECIES = load_iris(return_X_y=True)
SCALED = (IRIS - IRIS.mean(0)) / IRIS.std(0)
NAMES = np.array(["setosa", "versicolor", "virginica"], dtype=object)[SPECIES]
SMALL = {"hidden": [8], "epochs": 4, "random_state": 0}


def same(one, other):
    return one.state_.keys() == other.state_.keys() and all(
        np.array_equal(one.state_[name], other.state_[name]) for name in one.state_
    )


# --- learning ----------------------------------------------------------------------------------------------------


def test_classes_may_be_text_and_are_learned():
    network = NetworkClassifier(hidden=[16], epochs=40, lr=0.01, random_state=0).fit(SCALED, NAMES)
    assert list(network.classes_) == ["setosa", "versicolor", "virginica"]
    assert network.score(SCALED, NAMES) > 0.95
    probabilities = network.predict_proba(SCALED)
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert (network.classes_[probabilities.argmax(axis=1)] == network.predict(SCALED)).all()


def test_numbers_are_learned_on_whatever_scale_they_are():
    x = np.random.default_rng(0).normal(size=(200, 3))
    y = 1e6 + 5e4 * (x[:, 0] - 2 * x[:, 1])
    assert NetworkRegressor(epochs=40, lr=0.01, random_state=0).fit(x, y).score(x, y) > 0.95


def test_images_come_flat_or_in_their_shape_and_are_learned():
    X, y = load_digits(return_X_y=True)
    flat = ConvolutionClassifier(shape=[1, 8, 8], channels=[8, 16], epochs=4, lr=0.01, random_state=0).fit(X, y)
    tensors = ConvolutionClassifier(channels=[8, 16], epochs=4, lr=0.01, random_state=0).fit(X.reshape(-1, 1, 8, 8), y)
    assert same(flat, tensors)
    assert flat.score(X, y) > 0.95


def test_a_number_is_learned_of_images_too():
    X, y = load_digits(return_X_y=True)
    network = ConvolutionRegressor(shape=[1, 8, 8], channels=[4], hidden=[], epochs=3, lr=0.01, random_state=0)
    assert network.fit(X[:400], y[:400]).score(X[:400], y[:400]) > 0.2


def test_rows_of_no_weight_teach_nothing():
    wrong = np.where(np.arange(150) % 2, 0, SPECIES)
    network = NetworkClassifier(hidden=[16], epochs=60, lr=0.01, random_state=0)
    assert network.fit(SCALED, wrong, sample_weight=1.0 - np.arange(150) % 2).score(SCALED, SPECIES) > 0.9


def test_a_rare_class_is_heard_where_classes_weigh_the_same():
    rng = np.random.default_rng(0)
    y = (np.arange(300) % 15 == 0).astype(int)
    X = rng.normal(size=(300, 2)) + y[:, None] * 1.5
    found = {
        weight: NetworkClassifier(epochs=20, random_state=0, class_weight=weight).fit(X, y).predict(X)[y == 1].mean()
        for weight in (None, "balanced")
    }
    assert found["balanced"] > found[None] + 0.3


@pytest.mark.parametrize("settings", [{"schedule": "cosine", "clip": 1.0}, {"optimizer": "sgd", "weight_decay": 0.1}])
def test_each_way_to_learn_is_another_one(settings):
    assert not same(
        NetworkClassifier(**SMALL).fit(SCALED, SPECIES), NetworkClassifier(**SMALL, **settings).fit(SCALED, SPECIES)
    )


def test_it_stops_when_held_out_rows_get_no_better_and_keeps_the_best():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 10)), rng.integers(0, 2, 120)  # nothing to be learned
    settings = {"hidden": [64], "epochs": 200, "lr": 0.01, "valid_share": 0.25, "random_state": 0}
    network = NetworkClassifier(**settings, patience=3).fit(X, y)
    losses = network.history_["valid_loss"]
    best = int(np.argmin(losses)) + 1
    assert len(losses) == best + 3 < 200
    assert same(network, NetworkClassifier(**{**settings, "epochs": best}).fit(X, y))


def test_a_batch_of_one_row_is_none():
    X, y = SCALED[:33], SPECIES[:33]
    NetworkClassifier(batch_norm=True, batch_size=32, epochs=1, random_state=0).fit(X, y)


# --- the same each time ------------------------------------------------------------------------------------------


def test_the_seed_decides_everything_whatever_else_draws_or_learns_beside_it():
    networks = [NetworkClassifier(dropout=0.3, valid_share=0.2, **SMALL) for _ in range(4)]
    alone = clone(networks[0]).fit(SCALED, SPECIES)
    torch.manual_seed(99)
    with ThreadPoolExecutor(4) as threads:
        beside = list(threads.map(lambda network: network.fit(SCALED, SPECIES), networks))
    assert all(same(alone, network) for network in beside)
    assert not same(alone, clone(alone).set_params(random_state=1).fit(SCALED, SPECIES))


def test_torch_is_left_as_it_was():
    torch.manual_seed(7)
    wanted, threads = torch.rand(3), torch.get_num_threads()
    torch.manual_seed(7)
    NetworkClassifier(**SMALL).fit(SCALED, SPECIES).predict(SCALED)
    assert torch.equal(torch.rand(3), wanted)
    assert torch.get_num_threads() == threads


# --- what is kept ------------------------------------------------------------------------------------------------


def test_a_fitted_network_is_arrays_and_numbers_that_skops_keeps():
    import skops.io

    network = NetworkClassifier(valid_share=0.2, **SMALL).fit(SCALED, NAMES)
    data = skops.io.dumps(network)
    names = skops.io.get_untrusted_types(data=data)
    assert names == ["mlops_cli.components.networks.estimators.NetworkClassifier"]
    check_types(names)
    assert "torch" not in zipfile.ZipFile(BytesIO(data)).read("schema.json").decode()
    again = skops.io.loads(data, trusted=names)
    assert (again.predict_proba(SCALED) == network.predict_proba(SCALED)).all()
    assert curve_of(again) == curve_of(network)


def test_the_curve_has_what_each_epoch_measured():
    network = NetworkClassifier(valid_share=0.2, **SMALL).fit(SCALED, SPECIES)
    curve = curve_of(network)
    assert (curve.unit, curve.steps) == ("epoch", (1, 2, 3, 4))
    assert set(curve.values) == {"train_loss", "valid_loss", "valid_accuracy"}
    assert curve.values["train_loss"][-1] < curve.values["train_loss"][0]
    assert all(0 <= value <= 1 for value in curve.values["valid_accuracy"])
    assert set(curve_of(NetworkClassifier(**SMALL).fit(SCALED, SPECIES)).values) == {"train_loss"}


def test_weights_to_begin_with_are_not_kept_twice():
    import skops.io

    begun = NetworkClassifier(**SMALL).fit(SCALED, SPECIES)
    network = NetworkClassifier(start=Start("iris/1", "abc", begun.state_), **SMALL).fit(SCALED, SPECIES)
    data = skops.io.dumps(network)
    again = skops.io.loads(data, trusted=skops.io.get_untrusted_types(data=data))
    assert again.start == {"version": "iris/1", "sha256": "abc"}


# --- a module of the user's own ----------------------------------------------------------------------------------


def built(module, trust=("network_modules",), **params):
    params = {**SMALL, **params, "module": module}
    spec = ComponentSpec("mlops_cli.components.networks.NetworkClassifier", params)
    return factory.build(spec, role=Role.ESTIMATOR, task=Task.CLASSIFICATION, seed=0, trust=trust, key="model")


def test_a_module_of_the_users_own_is_made_inside_the_fit_with_its_parameters():
    network = built({"_target_": "network_modules.Net", "width": 5})
    assert network.module.keywords == {"width": 5}
    network.fit(SCALED, SPECIES)
    assert network.state_["body.1.weight"].shape == (5, 4)
    assert same(network, NetworkClassifier(module=functools.partial(Net, width=5), **SMALL).fit(SCALED, SPECIES))


def test_a_module_that_is_not_trusted_is_refused():
    with pytest.raises(TrustError, match="network_modules is not trusted"):
        built({"_target_": "network_modules.Net"}, trust=())


def test_a_network_with_too_few_outputs_is_told_so():
    with pytest.raises(ValueError, match=r"numbers of shape \[2\] for a row; it needs 3 for each row"):
        NetworkClassifier(module=functools.partial(Net, outputs=2), **SMALL).fit(SCALED, SPECIES)


# --- taken up again ----------------------------------------------------------------------------------------------


@pytest.fixture
def interrupted(tmp_path, monkeypatch):
    """Fit a network that is interrupted after so many batches, then again; return it and its batches then."""
    monkeypatch.setattr(keeping, "APART_S", 0.0)
    monkeypatch.setattr(keeping, "SHARE", 1e9)

    def fit(network, batches):
        Calls.count, Calls.until = 0, batches
        with checkpoints_in(tmp_path / "kept"), pytest.raises(KeyboardInterrupt):
            clone(network).fit(SCALED, SPECIES)
        Calls.count, Calls.until = 0, None
        with checkpoints_in(tmp_path / "kept"):
            return network.fit(SCALED, SPECIES), Calls.count

    yield fit
    Calls.count, Calls.until = 0, None


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "adam", "schedule": "cosine"},
        {"optimizer": "sgd", "valid_share": 0.2, "patience": 2},
        {"optimizer": "rmsprop", "lr": 0.1, "valid_share": 0.2, "patience": 2},
    ],
)
def test_a_fit_that_was_interrupted_ends_as_if_it_had_not_been(interrupted, settings):
    network = NetworkClassifier(module=Counted, epochs=8, batch_size=50, random_state=0, **settings)
    whole = clone(network).fit(SCALED, SPECIES)
    Calls.count = 0
    found, batches = interrupted(network, 13)  # three in an epoch, so it is in the middle of the fifth
    assert same(found, whole)
    assert found.history_ == whole.history_
    assert batches == 3 * (len(whole.history_["train_loss"]) - 4)


def test_a_file_that_is_cut_short_is_no_help(interrupted, tmp_path):
    network = NetworkClassifier(module=Counted, epochs=4, batch_size=50, random_state=0)
    interrupted(clone(network), 8)
    (file,) = (tmp_path / "kept").iterdir()
    file.write_bytes(file.read_bytes()[:500])
    found, batches = interrupted(network, 2)  # ended before anything is written
    assert batches == 12
    assert same(found, clone(network).fit(SCALED, SPECIES))


def test_networks_of_one_fit_do_not_take_each_others_place(tmp_path, monkeypatch):
    monkeypatch.setattr(keeping, "APART_S", 0.0)
    with checkpoints_in(tmp_path):
        first = NetworkClassifier(**SMALL).fit(SCALED, SPECIES)
        second = NetworkClassifier(**SMALL).fit(SCALED[::2], SPECIES[::2])
        third = NetworkClassifier(**{**SMALL, "random_state": 1}).fit(SCALED, SPECIES)
    assert not same(first, second)
    assert not same(first, third)
    assert len(list(tmp_path.iterdir())) == 3


# --- from other weights ------------------------------------------------------------------------------------------


def start(network):
    return Start("digits/1", "abc", network.state_)


def test_frozen_layers_stay_as_they_begin_and_the_others_learn():
    first = NetworkClassifier(batch_norm=True, **SMALL).fit(SCALED, SPECIES)
    network = NetworkClassifier(batch_norm=True, start=start(first), freeze=["features.*"], **SMALL)
    network.fit(IRIS, SPECIES)  # other means, which batch norm would take note of
    still = [name for name in first.state_ if np.array_equal(first.state_[name], network.state_[name])]
    assert still == [name for name in first.state_ if name.startswith("features.")]


def test_a_head_may_begin_anew_for_other_classes():
    first = NetworkClassifier(**SMALL).fit(SCALED, SPECIES)
    two = SPECIES < 2
    with pytest.raises(
        ValueError, match=r"the shape of head.weight is \[2, 8\] here, \[3, 8\] in .*model.fresh=\[head"
    ):
        NetworkClassifier(start=start(first), **SMALL).fit(SCALED[two], SPECIES[two])
    network = NetworkClassifier(start=start(first), fresh=["head.*"], **{**SMALL, "epochs": 1, "lr": 1e-12})
    network.fit(SCALED[two], SPECIES[two])
    assert np.allclose(network.state_["features.0.weight"], first.state_["features.0.weight"], atol=1e-9)


def test_globs_that_name_nothing_are_refused():
    first = start(NetworkClassifier(**SMALL).fit(SCALED, SPECIES))
    with pytest.raises(ValueError, match=r"'freeze': no parameter is called feature\.\*; there are features.0.weight"):
        NetworkClassifier(start=first, freeze=["feature.*"], **SMALL).fit(SCALED, SPECIES)
    with pytest.raises(ValueError, match="leaves nothing to learn"):
        NetworkClassifier(start=first, freeze=["*"], **SMALL).fit(SCALED, SPECIES)


@pytest.mark.parametrize("key", ["freeze", "fresh"])
@pytest.mark.parametrize("kind", [NetworkClassifier, NetworkRegressor])
def test_weights_that_were_only_drawn_are_neither_frozen_nor_begun_anew(kind, key):
    network = kind(**{key: ["features.*"]}, **SMALL)
    with pytest.raises(ValueError, match=f"'{key}' needs weights to begin with: say model.start="):
        network.fit(SCALED, SPECIES)
    with pytest.raises(ValueError, match=f"'{key}' needs weights to begin with"):
        network.partial_fit(SCALED, SPECIES)  # which has none yet


def test_a_fitted_network_goes_on_with_some_layers_frozen():
    network = NetworkClassifier(**SMALL).fit(SCALED, SPECIES)
    before = network.state_
    network.set_params(freeze=["features.*"]).partial_fit(SCALED, SPECIES)
    still = [name for name in before if np.array_equal(before[name], network.state_[name])]
    assert still == [name for name in before if name.startswith("features.")]


def test_partial_fit_goes_on_from_where_it_stands():
    network = NetworkClassifier(**SMALL).fit(SCALED[::2], SPECIES[::2])
    before = network.history_["train_loss"][-1]
    network.partial_fit(SCALED[1::2], SPECIES[1::2])
    assert network.history_["train_loss"][0] < before + 0.05
    with pytest.raises(ValueError, match="does not know the classes"):
        network.partial_fit(SCALED, SPECIES + 1)


# --- what is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (ConvolutionClassifier(), r"take images of \[channels, height, width\]; rows have \[4\]: say model.shape"),
        (ConvolutionClassifier(shape=[1, 2, 3]), r"'shape': 4 columns do not fill \[1, 2, 3\]; it must multiply to 4"),
        (NetworkClassifier(patience=3), "'patience' needs rows that are held out: say model.valid_share=0.1"),
        (NetworkClassifier(device="tpu"), "'device': there is no 'tpu' on this machine; there are auto, cpu"),
        (NetworkClassifier(lr=-1.0), "The 'lr' parameter of NetworkClassifier must be"),
        (
            NetworkClassifier(optimizer="sgd", lr=1e30, random_state=0),
            "the loss is no number any more in epoch [0-9]+: a smaller model.lr",
        ),
        (NetworkClassifier(start="iris@champion"), "the weights of iris@champion are not at hand here"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(network, message):
    with pytest.raises(ValueError, match=message) as raised:
        network.fit(SCALED, SPECIES)
    assert "\n" not in str(raised.value)


FIRST = Start("points/1", "0" * 64, {"features.0.weight": np.zeros((8, 4)), "head.weight": np.zeros((3, 8))})


@pytest.mark.parametrize(
    ("network", "known", "message"),
    [
        (NetworkClassifier(patience=3), {}, "'patience' needs rows"),
        (NetworkClassifier(device="gpu"), {}, "'device': there is no 'gpu' on this machine; there are auto, cpu"),
        (NetworkClassifier(device="cuda:99"), {}, "'device': there is no 'cuda:99' on this machine"),
        (NetworkClassifier(device="gpu"), {"is_here": False}, "'device': 'gpu' is the name of no device"),
        (ConvolutionClassifier(shape=[1, 2, 3]), {"columns": 4}, "'shape': 4 columns do not fill"),
        (ConvolutionClassifier(), {"columns": 4}, "'shape': convolutions take images"),
        (ConvolutionClassifier(shape=[1, 2, 2], kernel=2), {"columns": 4}, "The 'kernel' parameter must be odd"),
        (NetworkClassifier(freeze=["features.*"]), {}, "'freeze' needs weights to begin with"),
        (NetworkClassifier(start="iris@champion"), {}, "the weights of iris@champion are not at hand here"),
        (NetworkClassifier(start=FIRST, hidden=[8], freeze=["body.*"]), {}, "'freeze': no parameter is called body"),
        (NetworkClassifier(start=FIRST, hidden=[9]), {"columns": 4, "classes": 3}, "'start': the shape of features.0"),
        (NetworkClassifier(start=FIRST, module=Net, freeze=["body.*"]), {}, "'freeze': no parameter is called body"),
        (NetworkRegressor(start=FIRST, fresh=["tail"], hidden=[8]), {"columns": 4}, "'fresh': no parameter is called"),
    ],
)
def test_what_no_fit_could_do_is_said_before_one(network, known, message):
    with pytest.raises(ValueError, match=message):
        network.check_before_fit(BeforeFit(**known))


@pytest.mark.parametrize(
    ("network", "known"),
    [
        (NetworkClassifier(device="cuda:1"), {"is_here": False}),  # where fits are done there may be one
        (ConvolutionClassifier(shape=[1, 2, 2]), {"columns": 4}),
        (ConvolutionClassifier(shape=[1, 2, 3]), {}),  # nobody knows how many columns the steps will give
        (ConvolutionClassifier(module=Net), {"columns": 4}),
        (NetworkClassifier(module=Net, freeze=["features.*"]), {"columns": 4, "classes": 3}),
        (NetworkClassifier(start=FIRST, fresh=["head.*"], freeze=["tail.*"]), {}),
    ],
)
def test_what_may_be_well_is_left_to_the_fit(network, known):
    network.check_before_fit(BeforeFit(**known))


@pytest.mark.parametrize("structure", [{"in_time": True}, {"groups": np.arange(60) // 6}])
def test_the_latest_rows_or_whole_groups_are_held_out_where_the_rows_have_them(structure):
    rows, target = np.arange(60, dtype="float32").reshape(60, 1), np.zeros(60, dtype="float32")
    lesson = Lesson(NetworkRegressor(valid_share=0.2), rows, target, None, 0)
    with rows_known(FitRows(60, **structure)):
        learned, held = ({int(row) for row in part.tensors[0]} for part in lesson.parts())
    assert learned | held == set(range(60))
    assert len(held) == 12
    if "groups" in structure:
        assert {row // 6 for row in learned}.isdisjoint(row // 6 for row in held)
    else:
        assert min(held) > max(learned)


def test_without_torch_it_says_what_to_install(monkeypatch):
    known = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "torch" else known(name, *rest)
    )
    with pytest.raises(MissingExtraError) as raised:
        built(None)
    assert raised.value.hint == 'pip install "mlops-cli[networks]"'


def test_its_parameters_are_plain():
    network = NetworkClassifier(hidden=[8])
    assert json.loads(json.dumps(network.get_params()))["hidden"] == [8]
    assert clone(network).get_params() == network.get_params()


@pytest.mark.parametrize(
    ("kind", "params"), [(NetworkClassifier, {"hidden": [0]}), (ConvolutionClassifier, {"channels": [8, -1]})]
)
def test_layers_without_units_are_refused_before_a_fit(kind, params):
    (name, counts) = next(iter(params.items()))
    text = f"The '{name}' parameter of {kind.__name__} must be a list of whole numbers of at least 1. Got {counts}"
    assert factory.check_values(kind(**params)) == f"{text} instead."
    with pytest.raises(ValueError, match="at least 1"):
        kind(**params).fit(SCALED, SPECIES)
    assert factory.check_values(kind(hidden=[])) is None  # nothing between columns and answers: a linear one

from typing import Any

import pytest

from mlops_cli.config import Workspace, load_experiment, to_yaml
from mlops_cli.errors import ConfigError


def test_a_value_is_explained_by_every_place_that_set_it(load: Any) -> None:
    explained = load("seed=1", "++seed=2").explain("seed")
    assert (explained.key, explained.value) == ("seed", 2)
    assert explained.origins == [
        ("mlops_cli/conf/experiment.yaml:5", 0),
        ("command line", 1),
        ("command line", 2),
    ]


def test_options_and_the_experiment_are_named_with_their_lines(load: Any, write: Any) -> None:
    write("own", "defaults:\n  - experiment\n  - model: svm\ndata: {path: x}\nmodel:\n  C: 5\n")
    assert load(name="own").explain("model.C").origins == [("configs/model/svm.yaml:3", 1.0), ("configs/own.yaml:6", 5)]
    assert load(name="own").where("model.kernel") == "configs/model/svm.yaml:4"
    assert load(name="own").where("model") == "configs/own.yaml:5"
    assert load("model=ridge", name="own").where("model.alpha") == "configs/model/ridge.yaml:2"


def test_a_choice_of_a_group_is_an_origin_of_the_group(load: Any) -> None:
    origins = load("model=ridge").explain("model").origins
    assert ("command line", "ridge") in origins


def test_a_swept_key_says_so(load: Any, write: Any) -> None:
    assert load("model.C=1,10").explain("model.C").origins[-1] == ("command line (swept)", [1, 10])
    write("space", "defaults: [experiment, model: svm]\ndata: {path: x}\nsweep:\n  space: {model.C: [1, 2]}\n")
    assert load(name="space").explain("model.C").origins[-1] == ("configs/space.yaml:4 (swept)", [1, 2])


def test_a_key_that_was_never_set_is_placed_by_what_it_lies_in(load: Any) -> None:
    assert load().where("data.nothing.deeper") == "configs/titanic.yaml:6"
    assert load().where("nothing") == "configs/titanic.yaml"
    assert load().where("evaluation.metrics[1]") == "configs/titanic.yaml:10"


def test_an_unknown_key_cannot_be_explained(load: Any) -> None:
    with pytest.raises(ConfigError, match=r"model\.c: unknown key \(did you mean 'C'|model\.c: unknown key"):
        load().explain("model.c")


def test_a_run_config_explains_itself(load: Any, workspace: Workspace, tmp_path: Any) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(to_yaml(load().config))
    again = load_experiment(str(path), ["model=ridge"], workspace)
    assert again.where("model.alpha") == "configs/model/ridge.yaml:2"
    assert again.where("data.target").startswith(f"{path}:")

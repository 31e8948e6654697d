"""How many columns the steps give is known before a fit where scikit-learn makes one of each, and not guessed else."""

import pytest

from mlops_cli.components.assemble import Assembly
from mlops_cli.records import Column, ComponentSpec, Kind, Task, TransformSpec, TrialSpec

SK = "sklearn.preprocessing."
IMPUTE = "sklearn.impute.SimpleImputer"


def width(*steps, gaps=0):
    kinds = {"a": Kind.NUMERIC, "b": Kind.NUMERIC, "c": Kind.CATEGORICAL}
    columns = tuple(Column(name, "float64", kind, missing=gaps) for name, kind in kinds.items())
    made = [ComponentSpec(target, params) for target, _, params in steps]
    specs = tuple(TransformSpec(f"s{n}", made[n], on) for n, (_, on, _) in enumerate(steps))
    model = ComponentSpec("sklearn.dummy.DummyClassifier")
    assembly = Assembly(TrialSpec(model, specs), Task.CLASSIFICATION, columns)
    return assembly.builder.width(assembly.steps.root, () if gaps else tuple(kinds))


@pytest.mark.parametrize(
    ("steps", "gaps", "wanted"),
    [
        ([], 0, 3),
        ([(SK + "StandardScaler", ("numeric",), {})], 0, 3),
        ([(IMPUTE, ("numeric",), {"add_indicator": True}), (SK + "StandardScaler", ("a",), {})], 0, 3),
        ([(IMPUTE, ("numeric",), {})], 2, None),  # a column of gaps alone would be left out
        ([(SK + "OneHotEncoder", ("c",), {})], 0, None),
        ([(SK + "TargetEncoder", ("c",), {})], 0, None),  # a column for each class
        ([("sklearn.decomposition.PCA", ("numeric",), {"n_components": 1})], 0, None),
        ([("drop", ("c",), {})], 0, 2),
    ],
)
def test_the_width_is_known_or_not(steps, gaps, wanted):
    assert width(*steps, gaps=gaps) == wanted

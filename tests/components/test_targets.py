"""What a config may name, and what is refused before anything is imported."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import mlops_cli
from mlops_cli.components.targets import Role, check_name, import_target, owner_of, resolve
from mlops_cli.errors import ConfigError, MlopsError, TrustError

REFUSED_BY_TEXT = [
    "os.system",
    "os.popen",
    "posix.system",
    "nt.system",
    "subprocess.run",
    "subprocess.Popen",
    "builtins.eval",
    "builtins.exec",
    "builtins.open",
    "builtins.__import__",
    "eval",
    "open",
    "__import__",
    "io.open",
    "codecs.open",
    "importlib.import_module",
    "runpy.run_path",
    "pty.spawn",
    "shutil.rmtree",
    "pathlib.Path",
    "pickle.load",
    "pickle.loads",
    "marshal.loads",
    "ctypes.CDLL",
    "joblib.load",
    "cloudpickle.load",
    "skops.io.load",
    "dill.load",
    "pandas.read_pickle",
    "pandas.eval",
    "numpy.testing.measure",
    "numpy.lib.npyio.load",
    "numpy.f2py.compile",
    "numpy.distutils.exec_command.exec_command",
    "sklearn.utils._joblib.joblib",
    "sklearn.linear_model._logistic.LogisticRegression",
    "sklearn.__builtins__.eval",
    "sklearn._os.system",
    "mlops_cli.cli.main",
    "mlops_cli.workflows.running.run",
    "mlops_cli.errors.MlopsError",
    "hydra.utils.get_class",
    "omegaconf.OmegaConf.load",
    "torch.load",
    "timeit.timeit",
    "code.interact",
    "functools.partial",
    "operator.methodcaller",
    "sklearn",
    "sklearn.",
    ".sklearn.linear_model.Ridge",
    "sklearn..linear_model.Ridge",
    "sklearn.linear_model.Ridge\n",
    "sklearn.linear_model.Ridge()",
    "sklearn.linear_model:Ridge",
    "sklearn linear_model.Ridge",
    "sklearn/../os.system",
    "sklearn\x00.linear_model.Ridge",
    "sklеarn.linear_model.Ridge",  # a Cyrillic letter
    "sklearn_evil.system",
    "sklearnos.system",
    "sklearn." + "a" * 500,
    "",
    "-rf",
    "../../outside",
    None,
    7,
    ["os.system"],
]

REFUSED_BY_IDENTITY = [
    "sklearn.utils.os",
    "sklearn.utils.os.system",
    "sklearn.datasets.os.system",
    "sklearn.utils.parallel.joblib.load",
    "sklearn.utils.estimator_checks.joblib",
    "sklearn.linear_model",
    "sklearn.base.warnings",
    "sklearn.utils.sys",
    "sklearn.utils.validation.joblib",
    "sklearn.pipeline.Memory",
    "sklearn.datasets.fetch_openml.os",
    "numpy.load",
    "numpy.save",
    "numpy.fromfile",
    "numpy.memmap",
    "numpy.genfromtxt",
    "numpy.DataSource",
    "numpy.vectorize",
    "numpy.testing",
    "mlops_cli.components.targets.importlib",
    "mlops_cli.components.targets.importlib.import_module",
]

REFUSED_BY_ROLE = [
    "sklearn.datasets.load_svmlight_file",
    "sklearn.datasets.fetch_openml",
    "sklearn.datasets.load_files",
    "sklearn.utils.Bunch",
    "sklearn.config_context",
    "sklearn.show_versions",
    "sklearn.metrics.f1_score",
    "sklearn.preprocessing.StandardScaler",
    "sklearn.model_selection.KFold",
    "sklearn.model_selection.cross_validate",
    "numpy.log1p",
    "mlops_cli.components.targets.import_target",
    "mlops_cli.components.targets.Role",
]


@pytest.mark.parametrize("name", REFUSED_BY_TEXT, ids=ascii)
def test_a_hostile_name_is_refused_by_its_text_alone(name: object) -> None:
    with pytest.raises(TrustError) as caught:
        check_name(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", REFUSED_BY_IDENTITY)
def test_a_trusted_path_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        import_target(name)


@pytest.mark.parametrize("name", REFUSED_BY_ROLE)
def test_something_trusted_that_is_no_model_is_no_model(name: str) -> None:
    with pytest.raises(ConfigError, match="is not a model"):
        resolve(name, Role.ESTIMATOR)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(
    "name", ["sklearn.datasets.load_files", "sklearn.datasets.fetch_openml", "sklearn.utils.Bunch", "numpy.load"]
)
def test_what_reads_files_or_the_network_has_no_role_at_all(name: str, role: Role) -> None:
    with pytest.raises(ConfigError):
        resolve(name, role)


def test_nothing_untrusted_is_imported_on_the_way_to_its_refusal(tmp_path) -> None:
    (tmp_path / "hostile.py").write_text("open('ran', 'w').close()\ndef f(): pass\n")
    script = f"""
        import sys
        from mlops_cli.components.targets import Role, resolve
        from mlops_cli.errors import MlopsError
        names = {[n for n in REFUSED_BY_TEXT if isinstance(n, str)]!r} + ["hostile.f"]
        before = set(sys.modules)
        for name in names:
            try:
                resolve(name, Role.PARAM)
            except MlopsError:
                continue
            raise SystemExit(f"{{name!r}} was let through")
        print(sorted(set(sys.modules) - before))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(mlops_cli.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("sklearn.linear_model.Ridge", Role.ESTIMATOR),
        ("sklearn.cluster.DBSCAN", Role.ESTIMATOR),
        ("sklearn.pipeline.Pipeline", Role.ESTIMATOR),
        ("sklearn.preprocessing.StandardScaler", Role.TRANSFORMER),
        ("sklearn.impute.IterativeImputer", Role.TRANSFORMER),
        ("sklearn.model_selection.GroupKFold", Role.SPLITTER),
        ("sklearn.metrics.fbeta_score", Role.METRIC),
        ("sklearn.gaussian_process.kernels.RBF", Role.PARAM),
        ("sklearn.feature_selection.mutual_info_classif", Role.PARAM),
        ("sklearn.metrics.pairwise.rbf_kernel", Role.PARAM),
        ("sklearn.metrics.make_scorer", Role.PARAM),
        ("numpy.log1p", Role.PARAM),
    ],
)
def test_what_the_catalogue_needs_is_let_through(name: str, role: Role) -> None:
    assert callable(resolve(name, role))


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """Return a function that writes a module of the user's own and gives its name."""

    def write(name: str, text: str) -> str:
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
        return name

    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield write
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]


def test_a_module_of_the_users_own_is_trusted_only_when_listed(mine) -> None:
    mine("own_models_a", "class Model:\n    def fit(self, X, y): ...\n    def predict(self, X): ...\n")
    with pytest.raises(TrustError, match="own_models_a is not trusted"):
        resolve("own_models_a.Model", Role.ESTIMATOR)
    assert resolve("own_models_a.Model", Role.ESTIMATOR, ["own_models_a"]).__name__ == "Model"


def test_what_a_trusted_module_imported_is_not_trusted_with_it(mine) -> None:
    mine("own_models_b", "import os\nfrom os import system\nfrom functools import partial\nrun = partial(system)\n")
    for name in ("system", "os", "run", "partial", "os.system"):
        with pytest.raises(ConfigError):
            import_target(f"own_models_b.{name}", ["own_models_b"])


def test_trusting_a_module_trusts_no_other_of_like_name(mine) -> None:
    mine("own_models_cx", "def f(): ...\n")
    with pytest.raises(TrustError):
        import_target("own_models_cx.f", ["own_models_c"])


def test_an_unknown_attribute_is_told_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'LogisticRegression'") as caught:
        import_target("sklearn.linear_model.LogisticRegresion", key="model._target_")
    assert str(caught.value).startswith("model._target_: sklearn.linear_model has no LogisticRegresion")


def test_an_unknown_module_is_told_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"sklearn has no module linear_models \(did you mean 'linear_model'"):
        import_target("sklearn.linear_models.Ridge")


def test_a_missing_package_is_told_with_how_to_get_it() -> None:
    with pytest.raises(MlopsError, match="pip install feature-engine"):
        import_target("feature_engine.imputation.MeanMedianImputer")


def test_a_missing_module_of_the_users_own_is_told(mine) -> None:
    with pytest.raises(ConfigError, match="there is no module own_models_zz"):
        import_target("own_models_zz.Model", ["own_models_zz"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("raise ValueError('the\\nreason')", "ValueError: the reason"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("import no_such_package_here", "no_such_package_here"),
        ("def broken(:", "SyntaxError"),
    ],
)
def test_a_module_that_fails_while_it_is_imported_is_one_line(mine, text: str, told: str) -> None:
    name = mine(f"own_models_{abs(hash(text))}", text)
    with pytest.raises(ConfigError, match=told) as caught:
        import_target(f"{name}.Model", [name])
    assert "\n" not in str(caught.value)


def test_an_instance_that_a_trusted_module_made_may_be_a_metric(mine) -> None:
    mine(
        "own_models_d", "from sklearn.metrics import fbeta_score, make_scorer\nf2 = make_scorer(fbeta_score, beta=2)\n"
    )
    assert resolve("own_models_d.f2", Role.METRIC, ["own_models_d"])


def test_the_owner_of_a_partial_is_that_of_its_function() -> None:
    assert owner_of(functools.partial(os.system)) == os.system.__module__


def test_a_source_comes_from_this_package_or_from_the_user(mine) -> None:
    mine("own_sources", "class Mine:\n    def load(self): ...\nclass No: ...\n")
    assert resolve("own_sources.Mine", Role.SOURCE, ["own_sources"])
    with pytest.raises(ConfigError, match="does not have load"):
        resolve("own_sources.No", Role.SOURCE, ["own_sources"])

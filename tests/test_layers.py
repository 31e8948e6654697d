"""The shape of the code: who imports whom, what a quick command may load, what is documented."""

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import mlops_cli

REPO = Path(__file__).resolve().parents[1]
SLOW = ("pandas", "sklearn", "hydra", "omegaconf", "numpy", "pyarrow", "skops", "scipy", "optuna", "matplotlib")


def test_data_flows_one_way():
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "Data flows one way KEPT" in done.stdout


def loaded_by(code, cwd):
    script = f"import sys\n{code}\nprint(*sorted({{m.partition('.')[0] for m in sys.modules}} & set({SLOW!r})))"
    done = subprocess.run([sys.executable, "-c", script], cwd=cwd, capture_output=True, text=True, check=False)
    return done.stdout.splitlines()[-1].split(), done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["run", "--help"],
        ["runs", "ls"],
        ["runs", "show", "latest"],
        ["models", "ls"],
        ["models", "show", "iris"],
        ["models", "handover", "iris", "--init"],
        ["monitor", "show", "iris"],
        ["assess", str(REPO / "mlops_cli" / "templates" / "_assess" / "processes.yaml"), "--target"],
        ["assess", "scan"],
        ["config", "--list"],
        ["__complete", "mlops run model="],
    ],
    ids=" ".join,
)
def test_a_quick_command_loads_nothing_slow(small_run, arguments):
    code = f"sys.argv = ['mlops', *{arguments!r}]\nfrom mlops_cli.cli import main\ntry: main()\nexcept SystemExit: pass"
    loaded, errors = loaded_by(code, small_run)
    assert loaded == []
    assert "Traceback" not in errors


@pytest.fixture(scope="module")
def small_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quick")
    for arguments in (["init"], ["run", "config=iris", "--quiet"], ["models", "register", "latest"]):
        subprocess.run([sys.executable, "-m", "mlops_cli", *arguments], cwd=folder, check=True, capture_output=True)
    return folder


def test_importing_the_library_loads_nothing_slow():
    assert loaded_by("import mlops_cli", REPO)[0] == []


def modules():
    return sorted(m.name for m in pkgutil.walk_packages(mlops_cli.__path__, "mlops_cli."))


@pytest.mark.parametrize("name", modules())
def test_every_module_and_public_name_says_what_it_is_for(name):
    module = importlib.import_module(name)
    assert module.__doc__, f"{name} has no docstring"
    for node in ast.parse(Path(module.__file__).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{name}.{node.name} has no docstring"


def commands():
    from typer.main import get_command

    from mlops_cli.cli.app import build

    def walk(command, path):
        if hasattr(command, "commands"):
            for name, inner in command.commands.items():
                yield from walk(inner, [*path, name])
        else:
            yield " ".join(path), command

    return dict(walk(get_command(build()), ["mlops"]))


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_has_help_with_an_example(name):
    command = commands()[name]
    assert command.help
    assert "Example: " in command.epilog


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_is_in_the_readme(name):
    assert name in (REPO / "README.md").read_text(encoding="utf-8")


def test_no_file_is_too_long_to_read():
    files = (REPO / "mlops_cli").rglob("*.py")
    assert [p for p in files if len(p.read_text(encoding="utf-8").splitlines()) > 400] == []


def test_every_folder_is_told_of_in_structure_md():
    text = (REPO / "docs" / "structure.md").read_text(encoding="utf-8")
    folders = {p.parent.name for p in (REPO / "mlops_cli").glob("*/__init__.py")} | {"conf"}
    assert {f for f in folders if f"**`{f}/`**" not in text} == set()


def test_the_public_library_is_what_all_says():
    assert all(callable(getattr(mlops_cli, name)) for name in mlops_cli.__all__)
    with pytest.raises(AttributeError, match="no attribute 'rnu'"):
        mlops_cli.rnu  # noqa: B018 - the access is the test


def test_the_readme_shows_only_commands_that_exist():
    text = (REPO / "README.md").read_text(encoding="utf-8")
    used = set(re.findall(r"mlops (init|run|config|doctor|completion|runs \w+|[a-z]+)\b(?=[^,.])", text))
    known = {name.removeprefix("mlops ") for name in commands()}
    verbs = {u for u in used if u.partition(" ")[0] in {"init", "run", "config", "doctor", "completion", "runs"}}
    assert verbs <= known

"""Completion: what may come next, and the scripts in real shells."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_cli.cli.completion import complete_line


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("mlops ru", ["run", "runs"]),
        ("mlops runs s", ["show"]),
        ("mlops run con", ["config="]),
        ("mlops run config=", ["config=points"]),
        ("mlops run config=points model=rand", ["model=random_forest"]),
        ("mlops run config=points model=svm,rand", ["model=svm,random_forest"]),
        ("mlops run config=points model.C", ["model.C=", "model.class_weight="][:1]),
        ("mlops run config=points model=knn model.n_n", ["model.n_neighbors="]),
        ("mlops run config=points evaluation.met", ["evaluation.metrics="]),
        ("mlops run config=points ~transforms.sc", ["~transforms.scale="]),
        ("mlops run config=points --dry", ["--dry-run"]),
        ("mlops config poi", ["points"]),
        ("mlops config points model=sv", ["model=svm"]),
        ("mlops run config=points model=nothing_like_it", []),
    ],
)
def test_what_may_come_next(small, line, offered):
    found = complete_line(line)
    if line.endswith("~transforms.sc"):
        assert any(f.startswith("~transforms.scale") for f in found)
    else:
        assert found == offered


def test_a_long_list_of_keys_unfolds_part_by_part(small):
    found = complete_line("mlops run config=points evaluation")
    assert "evaluation." in found
    assert not any(f.startswith("evaluation.metrics") for f in found)


@pytest.fixture
def path(monkeypatch):
    """PATH with this interpreter's ``mlops``."""
    folder = Path(sys.executable).parent
    if not (folder / "mlops").exists():
        pytest.skip("the command is not installed beside this Python")
    monkeypatch.setenv("PATH", str(folder), prepend=":")


@pytest.mark.parametrize(
    ("typed", "replies"),
    [
        ("mlops run config=po", ["points"]),  # readline replaces only what follows the "="
        ("mlops run config=points model=rand", ["random_forest"]),
        ("mlops run config=points evaluation.met", ["evaluation.metrics="]),
    ],
)
def test_in_a_real_bash(small, path, typed, replies):
    script = f"""
        eval "$(mlops completion bash)"
        COMP_LINE={typed!r} COMP_POINT={len(typed)} COMP_WORDS=(x) COMP_CWORD=0
        compopt() {{ :; }}
        _mlops
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == replies
    assert done.stderr == ""


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh here")
def test_in_a_real_zsh(small, path):
    script = """
        autoload -U compinit; compinit -D -u 2>/dev/null
        eval "$(mlops completion zsh)"
        compadd() { while [[ $1 == -* ]]; do [[ $1 == -S ]] && shift; [[ $1 == -a ]] && { shift; break }; shift; done
                    print -l -- ${(P)1} }
        words=(mlops run config=points model=rand) CURRENT=4
        _mlops
    """
    done = subprocess.run(["zsh", "-fc", script], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["model=random_forest"], done.stderr

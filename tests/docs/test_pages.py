"""Every command that README and docs show is run, in the order of the page; what cannot be run is parsed."""

from __future__ import annotations

import functools
import re
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

import mlops_cli as mlops

from . import not_run, stage
from .pages import PAGES, REPO, blocks, commands, inline_commands


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """The workspace that pages speak of, made once."""
    root = tmp_path_factory.mktemp("docs") / "base"
    stage.stage(root)
    return root


@pytest.fixture
def workspace_of_page(base, tmp_path, monkeypatch):
    """A copy of it for one page, whose modules no other page sees."""
    root = stage.copied(base, tmp_path / "work")
    monkeypatch.chdir(root)
    monkeypatch.syspath_prepend(root)
    before = set(sys.modules)
    yield root
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


SHOWN = {page: blocks(page) for page in PAGES}
WITH_COMMANDS = [page for page in PAGES if any(map(commands, SHOWN[page]))]


def reason_not_to(command):
    return next((why for pattern, why in not_run.NOT_RUN.items() if re.match(pattern, command.text)), None)


def allowed(command):
    own = next((codes for pattern, codes in not_run.OUTCOMES.items() if re.match(pattern, command.text)), {0})
    return own | command.codes


@pytest.mark.parametrize("page", WITH_COMMANDS)
def test_every_command_of_the_page_runs(page, workspace_of_page):
    here = workspace_of_page
    names = _names(here)
    for block in SHOWN[page]:
        if block.path is not None:
            _write(here, block)
        elif block.language == "toml":
            stage.settle(here, block.text)
        elif block.language == "python" and page not in not_run.PYTHON_NOT_RUN:
            stage.python(block, names)
        else:
            folder = here
            for command in commands(block):
                folder = _run(folder, command)


def _names(root):
    titanic, iris = (pd.read_csv(root / "data" / f"{name}.csv") for name in ("titanic", "iris"))
    outcomes = pd.read_csv(root / "data" / "outcomes.csv")
    return {"mlops": mlops, "pd": pd, "df": titanic, "table": iris, "outcomes": outcomes}


def _write(root, block):
    path = root / block.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text)


def _run(folder, command):
    """Run a command, and return the folder that the next one is typed in."""
    words = command.words
    if words[0] == "cd":
        assert (folder / words[1]).is_dir(), command
        return folder / words[1]
    if reason_not_to(command):
        if words[0] == "kaggle":
            stage.competition(folder)
        return folder
    assert command.is_ours or words[0] in not_run.SHELL, f"{command}: neither run nor listed in not_run.py"
    words += next((more for pattern, more in not_run.BESIDES.items() if re.match(pattern, command.text)), [])
    done = stage.call(folder, words[1:]) if command.is_ours else stage.shell(folder, command.text)
    assert done.code in allowed(command), f"{command}: exit code {done.code}\n{done.out}\n{done.err}"
    if words[:2] == ["mlops", "init"]:
        stage.keep_small(folder / words[-1])
    return folder


def all_commands():
    found = {str(command): command for page in PAGES for block in SHOWN[page] for command in commands(block)}
    return list(found.values())


@functools.cache
def root_command():
    from typer.main import get_command

    from mlops_cli.cli.app import build

    return get_command(build())


def command_of(words):
    """Return the command that words lead to, and the words after it."""
    command, rest = root_command(), list(words)
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        if rest[0] not in command.commands and hasattr(command, "usual"):
            break
        assert rest[0] in command.commands, f"there is no command mlops {' '.join(words)}"
        command = command.commands[rest.pop(0)]
    return (command.commands[command.usual] if hasattr(command, "usual") else command), rest


def test_what_is_not_run_is_parsed_by_the_command_line():
    parsed = [command for command in all_commands() if command.is_ours and reason_not_to(command)]
    for command in parsed:
        found, rest = command_of(command.words[1:])
        found.make_context("mlops", rest)  # refuses what it does not know
    assert parsed


def test_every_reason_is_for_something_that_is_shown():
    shown = all_commands()
    unused = [pattern for pattern in not_run.NOT_RUN if not any(re.match(pattern, c.text) for c in shown)]
    assert unused == []
    assert set(not_run.PYTHON_NOT_RUN) <= set(PAGES)


@pytest.mark.parametrize("page", [page for page in PAGES if inline_commands(page)])
def test_commands_in_the_prose_exist_with_their_options(page):
    for text in inline_commands(page):
        words = [word.strip("[],'\"") for word in text.split()]
        command, rest = command_of([word for word in words if word not in {"…", "VERB"}])
        known = {option for parameter in command.params for option in [*parameter.opts, *parameter.secondary_opts]}
        named = [word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)]
        assert {name for name in named if name not in {*known, "--help"}} == set(), f"{page}: mlops {text}"


def test_every_page_is_on_the_map():
    told = (REPO / "docs" / "index.md").read_text(encoding="utf-8")
    linked = {(Path("docs") / link).as_posix() for link in re.findall(r"\]\(([\w/.-]+\.md)", told)}
    assert {page for page in PAGES if page.startswith("docs/")} - {"docs/index.md"} <= linked


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file(page):
    text = (REPO / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", text)
    assert [link for link in links if not ((REPO / page).parent / link).exists()] == []


def test_what_is_shown_of_a_plugin_is_what_its_template_has():
    template = REPO / "mlops_cli" / "templates" / "plugin"
    shown = {block.path: block.text.partition("\n")[2] for block in SHOWN["docs/extending.md"] if block.path}
    same = {path for path in shown if (template / path).is_file()}
    assert {path: shown[path] for path in same} == {path: (template / path).read_text() for path in same}
    assert {f"my_plugin/{p.name}" for p in (template / "my_plugin").glob("[a-z]*.py")} <= same


def test_experiments_for_a_plugin_build_on_what_its_template_and_the_page_have():
    template = REPO / "mlops_cli" / "templates" / "plugin"
    shown = {b.path: yaml.safe_load(b.text) for b in SHOWN["docs/extending.md"] if b.language == "yaml" and b.path}
    there = {"experiment", *(p.stem for p in (template / "configs").glob("*.yaml"))}
    there |= {Path(path).stem for path in shown}
    used = {name for config in shown.values() for name in config.get("defaults", []) if isinstance(name, str)}
    assert used - there == {"_self_"}

"""Shell completion for bash and zsh: commands, options, experiments, groups, options of groups, keys.

The shell hands over the line up to the cursor and gets whole words back; nothing slow is imported on the way. Typer's
own script does not serve: bash breaks words at ``=``, which is in every override.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlops_cli.cli.screen import line as print_line
from mlops_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mlops_cli.config.workspace import Workspace

EXAMPLE = 'Example: eval "$(mlops completion bash)" in ~/.bashrc, or zsh in ~/.zshrc'

BASH = r"""_mlops() {
    local line="${COMP_LINE:0:$COMP_POINT}" word reply prefix=""
    word="${line##* }"
    mapfile -t reply < <(mlops __complete "$line" 2>/dev/null)
    # bash has broken the word at its last "=", and replaces only what follows
    [[ "$word" == *=* ]] && prefix="${word%=*}="
    COMPREPLY=("${reply[@]#"$prefix"}")
    [[ "${reply[*]}" == *[=./] ]] && compopt -o nospace
}
complete -F _mlops mlops"""

ZSH = r"""#compdef mlops
_mlops() {
    local -a reply open done
    reply=("${(@f)$(mlops __complete "${(j: :)words[1,CURRENT]}" 2>/dev/null)}")
    open=(${(M)reply:#*[=./]}) done=(${reply:#*[=./]})
    (( $#open )) && compadd -Q -S '' -a open
    (( $#done )) && compadd -Q -a done
}
compdef _mlops mlops"""

SCRIPTS = {"bash": BASH, "zsh": ZSH}
TAKES_OVERRIDES = {"run", "config"}


def completion(shell: Annotated[str, typer.Argument(help="bash or zsh")]) -> None:
    """Print the completion script of a shell."""
    if shell not in SCRIPTS:
        raise UsageError(f"there is no completion for '{shell}'", hint="mlops completion bash, or zsh")
    print_line(SCRIPTS[shell])


def complete_line(line: str) -> list[str]:
    """Return what may stand where the line ends, as whole words.

    Parameters
    ----------
    line : str
        The command line up to the cursor, the command included.
    """
    *before, word = line.split(" ")
    words = [w for w in before[1:] if w]
    return sorted(c for c in _candidates(words, word) if c.startswith(word))


def _candidates(words: list[str], word: str) -> Iterable[str]:
    command, rest = _command(words)
    if hasattr(command, "commands"):
        return list(command.commands)
    if word.startswith("-"):
        return [o for p in command.params for o in p.opts if o.startswith("-")]
    if words and words[0] in TAKES_OVERRIDES:
        from mlops_cli.config.workspace import find_workspace

        return _overrides(rest, word, find_workspace(), named=words[0] == "config")
    return []


def _command(words: list[str]) -> tuple[Any, list[str]]:
    """Return the command that the words lead to, and the words after its name."""
    from typer.main import get_command

    from mlops_cli.cli.app import build

    command: Any = get_command(build())
    for index, word in enumerate(words):
        if not hasattr(command, "commands"):
            return command, words[index:]
        if word in command.commands:
            command = command.commands[word]
    return command, []


def _overrides(words: list[str], word: str, workspace: Workspace, *, named: bool) -> Iterable[str]:
    """Return what may stand for an override: an experiment, an option of a group, a key."""
    from mlops_cli.config import catalogue

    key, sign, value = word.partition("=")
    sigil = key[: len(key) - len(key.lstrip("+~"))]
    name = key.removeprefix(sigil)
    if sign and key == "config":
        return [f"config={n}" for n in catalogue.experiments(workspace)]
    if sign:
        listed = value[: value.rfind(",") + 1]  # a sweep: what stands before the last comma is chosen already
        return [f"{key}={listed}{option.name}" for option in catalogue.options(workspace, name)]
    experiment = _experiment(words, bare=named)
    if experiment is None:
        return [*(catalogue.experiments(workspace) if named else []), "config="]
    return [sigil + k for k in _keys(workspace, experiment, name, words)]


def _experiment(words: list[str], *, bare: bool) -> str | None:
    named = [w.removeprefix("config=") for w in words if w.startswith("config=")]
    first = [w for w in words[:1] if bare and "=" not in w]
    return next(iter([*named, *first]), None)


def _keys(workspace: Workspace, experiment: str, word: str, words: list[str]) -> list[str]:
    """Return the keys at the level that a word has reached: with a dot where more keys are below, else with ``=``."""
    from mlops_cli.config import catalogue

    chosen = {k: v for k, _, v in (w.partition("=") for w in words) if v}
    groups = set(catalogue.groups(workspace))
    parent = word.rpartition(".")[0]
    found = []
    for key in catalogue.child_keys(workspace, experiment, parent, chosen):
        deeper = bool(catalogue.child_keys(workspace, experiment, key, chosen))
        found += [f"{key}."] if deeper else []
        found += [f"{key}="] if key in groups or not deeper else []
    return sorted({*found, *(() if parent else (f"{g}=" for g in groups))})

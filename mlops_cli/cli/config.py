"""``mlops config``: the resolved config, the catalogue, and where a value came from."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import dump, line, show
from mlops_cli.errors import UsageError, did_you_mean

EXAMPLE = "Example: mlops config titanic model=svm --explain model.C"


def config(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME] [OVERRIDE]", help="The experiment, then overrides as for run; or --list GROUP."),
    ] = None,
    list_: Annotated[
        bool,
        typer.Option("--list", help="List every experiment, group and option; of named groups, what each option is."),
    ] = False,
    explain: Annotated[str | None, typer.Option("--explain", metavar="KEY", help="Where a value came from.")] = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Print the resolved config of an experiment as YAML: itself runnable with config=PATH.

    With --quiet --list prints the names of the experiments alone, or of a group's options, and --explain the value.
    """
    if list_:
        if arguments:
            _print_groups(arguments, json=json, quiet=quiet)
        else:
            _print_catalogue(json=json, quiet=quiet)
        return
    from mlops_cli.config import load_experiment
    from mlops_cli.config.workspace import find_workspace
    from mlops_cli.execution.job import make_importable

    name, overrides = _experiment(arguments or [])
    workspace = find_workspace()
    make_importable(str(workspace.root), workspace.trust)
    composition = load_experiment(name, overrides, workspace)
    if explain is not None:
        _print_explanation(composition.explain(explain), json=json, quiet=quiet)
    elif json:
        dump(composition.config)
    else:
        from mlops_cli.config import to_yaml

        line(to_yaml(composition.config).rstrip())


def _experiment(arguments: list[str]) -> tuple[str, list[str]]:
    named = [a for a in arguments if a.startswith("config=")]
    bare = [a for a in arguments[:1] if "=" not in a and a[:1] not in "~+"]
    names = [*(n.removeprefix("config=") for n in named), *bare]
    if len(names) != 1:
        raise UsageError(
            "name one experiment" if not names else f"one experiment at a time, got {', '.join(names)}",
            hint="mlops config NAME, or mlops config --list to see what there is",
        )
    return names[0], [a for a in arguments if a not in {*named, *bare}]


def _print_catalogue(*, json: bool, quiet: bool) -> None:
    from mlops_cli.config import catalogue
    from mlops_cli.config.workspace import find_workspace

    workspace = find_workspace()
    names = catalogue.experiments(workspace)
    groups = {g: {o.name: o.origin for o in catalogue.options(workspace, g)} for g in catalogue.groups(workspace)}
    if json:
        dump({"experiments": names, "groups": groups})
        return
    if quiet:
        for name in names:
            line(name)
        return
    from mlops_cli.views.config import catalogue_tree

    show(catalogue_tree(names, groups))


def _print_groups(names: list[str], *, json: bool, quiet: bool) -> None:
    from mlops_cli.config import catalogue
    from mlops_cli.config.workspace import find_workspace

    workspace = find_workspace()
    known = catalogue.groups(workspace)
    for name in names:
        if name not in known:
            raise UsageError(f"there is no group '{name}'", hint=did_you_mean(name, known))
    groups = {name: catalogue.options(workspace, name) for name in names}
    if json:
        dump({g: {o.name: {"origin": o.origin, "about": catalogue.about(o)} for o in groups[g]} for g in groups})
    elif quiet:
        for option in (option for options in groups.values() for option in options):
            line(option.name)
    else:
        from mlops_cli.views.config import options_table

        for name, options in groups.items():
            show(options_table(name, [(o.name, o.origin, catalogue.about(o)) for o in options]))


def _print_explanation(explanation: Any, *, json: bool, quiet: bool) -> None:
    if json:
        origins = [{"origin": o, "value": v} for o, v in explanation.origins]
        dump({"key": explanation.key, "value": explanation.value, "origins": origins})
        return
    if quiet:
        from yaml import safe_dump

        line(safe_dump(explanation.value, allow_unicode=True, sort_keys=False).rstrip().removesuffix("\n..."))
        return
    from mlops_cli.views.config import explanation_table

    show(explanation_table(explanation))

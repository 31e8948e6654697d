"""``mlops models alias``: call a version by a word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mlops_cli.cli.models.options import ModelRef
from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import dump, err, line

if TYPE_CHECKING:
    from mlops_cli.records import ModelVersion

EXAMPLE = "Example: mlops models alias titanic/4 challenger"


def alias(
    model: ModelRef,
    word: Annotated[str, typer.Argument(metavar="ALIAS", help="A word, such as challenger.")],
    remove: Annotated[bool, typer.Option("--remove", help="Take the alias away.")] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Call a version by a word: titanic@challenger. An alias that another version has moves here.

    No gate is asked: promote does that. A version that was rejected or archived is refused.
    """
    from mlops_cli.workflows.models.registry import alias as call

    version = call(model, word, remove=remove)
    if not remove:
        tell_gates(version, word)
    if json:
        dump({"version": version.ref, "alias": None if remove else word})
    elif not quiet:
        line(f"{version.ref} is no longer @{word}" if remove else f"{version.ref} is @{word}")


def tell_gates(version: ModelVersion, word: str) -> None:
    """Say on stderr which gates an alias that was given by hand has not asked."""
    from mlops_cli.views.text import clean
    from mlops_cli.workflows.models.registry import gates_not_asked

    where = gates_not_asked(version)
    if where:
        told = f"! no gate of {where} was asked; mlops models promote {version.ref} --alias {word} asks them"
        err().print(clean(told), markup=False, highlight=False, soft_wrap=True)

"""``mlops doctor``: what is installed, what works, what is missing and the command that mends it."""

from __future__ import annotations

import typer

from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import dump, line, show
from mlops_cli.errors import ExitCode

EXAMPLE = "Example: mlops doctor --json"


def doctor(json: Json = False, quiet: Quiet = False, verbose: Verbose = False) -> None:
    """Check the installation and the workspace: what works, what is missing, and the command that mends it.

    With --quiet prints the names of what is broken alone.
    """
    from mlops_cli.workflows.doctor import examine

    findings = examine()
    if json:
        dump([{"check": f.check, "state": f.state, "found": f.found, "mend": f.mend} for f in findings])
    elif quiet:
        for finding in findings:
            if finding.state == "broken":
                line(finding.check)
    else:
        from mlops_cli.views.doctor import findings_table

        show(findings_table(findings))
    if any(f.state == "broken" for f in findings):
        raise typer.Exit(ExitCode.FAILED)

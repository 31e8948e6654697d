"""The command line: one file per command, each of which parses, calls a workflow, prints, and exits.

`main` is the script ``mlops``. Only this package prints or knows Typer.
"""

from __future__ import annotations


def main() -> None:
    """Run the command in ``sys.argv`` and exit with its code."""
    import sys

    if sys.argv[1:2] == ["__complete"]:  # the shell waits for this at every <TAB>
        from mlops_cli.cli.completion import complete_line

        print("\n".join(complete_line(" ".join(sys.argv[2:]))))  # noqa: T201 - what the shell reads
        return
    from mlops_cli.cli.app import invoke

    sys.exit(invoke())

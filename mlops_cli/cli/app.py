"""The commands, each from its own file, and the one place that turns an error into an exit code."""

from __future__ import annotations

import signal
import sys
import traceback
from typing import TYPE_CHECKING, Annotated

import typer

from mlops_cli.cli import (
    assess,
    audit,
    completion,
    config,
    data,
    doctor,
    drift,
    evaluate,
    init,
    models,
    monitor,
    predict,
    rerun,
    resume,
    retrain,
    run,
    runs,
    serve,
    tokens,
    ui,
)
from mlops_cli.cli import report as report_page
from mlops_cli.cli.screen import (
    UNWRITABLE,
    OutputError,
    discard,
    line,
    prepare_streams,
    printing,
    report,
    say,
)
from mlops_cli.errors import ExitCode, MlopsError

if TYPE_CHECKING:
    from types import FrameType


def build() -> typer.Typer:
    """Return the application with all its commands."""
    app = typer.Typer(
        name="mlops",
        help="Machine learning experiments from YAML: resolved, run in parallel, recorded.",
        epilog="Start with: mlops init && mlops run config=iris",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # with it, help takes twice as long to come
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    app.command("init", epilog=init.EXAMPLE, short_help="Make a workspace that runs at once.")(init.init)
    app.command("run", epilog=run.EXAMPLE, short_help="Run an experiment.")(run.run)
    app.command("resume", epilog=resume.EXAMPLE, short_help="Finish an interrupted run.")(resume.resume)
    app.command("rerun", epilog=rerun.EXAMPLE, short_help="Run a run again, and compare.")(rerun.rerun)
    app.command("config", epilog=config.EXAMPLE, short_help="Print a resolved config, or what there is.")(config.config)
    app.command("predict", epilog=predict.EXAMPLE, short_help="Predict new data by a model.")(predict.predict)
    app.command("evaluate", epilog=evaluate.EXAMPLE, short_help="Score a model on labelled data.")(evaluate.evaluate)
    app.command("retrain", epilog=retrain.EXAMPLE, short_help="Make a model anew on new data.")(retrain.retrain)
    app.command("drift", epilog=drift.EXAMPLE, short_help="Compare new data with a model's.")(drift.drift)
    app.add_typer(runs.build(), name="runs")
    app.add_typer(data.build(), name="data")
    app.add_typer(models.build(), name="models")
    app.add_typer(monitor.build(), name="monitor")
    app.command("report", epilog=report_page.EXAMPLE, short_help="Write one page about runs.")(report_page.report)
    app.command("ui", epilog=ui.EXAMPLE, short_help="Look at runs in a browser.")(ui.ui)
    app.command("serve", epilog=serve.EXAMPLE, short_help="Serve a model over HTTP.")(serve.serve)
    app.add_typer(tokens.build(), name="tokens")
    app.command("audit", epilog=audit.EXAMPLE, short_help="Show who did what, or check the log of it.")(audit.audit)
    app.add_typer(assess.build(), name="assess")
    app.command("doctor", epilog=doctor.EXAMPLE, short_help="Check the installation and workspace.")(doctor.doctor)
    app.command("completion", epilog=completion.EXAMPLE)(completion.completion)
    return app


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        line(f"mlops {version('mlops-cli')}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Machine learning experiments from YAML: resolved, run in parallel, recorded."""


def invoke() -> int:
    """Run the command in ``sys.argv`` and return its exit code; no error of a user's ends in a traceback."""
    signal.signal(signal.SIGTERM, _terminate)
    prepare_streams()
    try:
        code = _call()
        with printing():
            return code
    except BrokenPipeError:  # as of head, which has read enough
        discard()
        return ExitCode.FAILED
    except MlopsError as error:
        report(error)
        _trace()
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the last line of defence
        return _unexpected(error)


def _call() -> int:
    try:
        build()(prog_name="mlops")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else ExitCode.USAGE
    return ExitCode.OK


def _unexpected(error: Exception) -> int:
    if isinstance(error, OSError) and error.errno in UNWRITABLE:
        discard()
        report(OutputError(f"cannot write: {error.strerror}", hint="free space, or write elsewhere"))
    else:
        say(f"internal error: {type(error).__name__}: {error}", "bold red")
        say("  this is a fault of mlops; --verbose shows where it happened")
    _trace()
    return ExitCode.FAILED


def _trace() -> None:
    if "--verbose" in sys.argv:
        sys.stderr.write(traceback.format_exc())


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    """Treat SIGTERM as Ctrl-C: finished trials are kept, and workers end."""
    raise KeyboardInterrupt

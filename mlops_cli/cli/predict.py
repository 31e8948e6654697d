"""``mlops predict``: what a model says of new data."""

from __future__ import annotations

import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlops_cli.cli.data.options import As, Read, how_read
from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import binary_stdout, discard, dump, err, line, printing, say
from mlops_cli.errors import ExitCode, UsageError
from mlops_cli.records import Notice, ScoredFile, Unscored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mlops_cli.records import Predicted, Scored
    from mlops_cli.workflows.applying.asking import PredictOptions
    from mlops_cli.workflows.applying.predict import Output

EXAMPLE = "Example: mlops predict titanic@champion data/test.csv -o predictions.csv --proba"
STDOUT = Path("-")
PLAIN_EVERY_S = 10.0
TOUCHING = frozenset({"unseen-categories", "not-finite", "model-warning", "no-id", "id-missing"})
"""What is said of predictions that may be worth less than others: by --each --quiet too, for cron mails it."""

Model = Annotated[
    str,
    typer.Argument(metavar="MODEL", help="titanic@champion, titanic/3, titanic; or a run: an id, NAME:best, latest."),
]
AllowPickle = Annotated[
    bool, typer.Option("--allow-pickle", help="Open a model that is a pickle, which can run any code.")
]


def predict(
    model: Model,
    data: Annotated[
        str,
        typer.Argument(metavar="INPUT", help="A path, an address, a glob, a folder of parts, titanic@3; - is stdin."),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help=".csv, .tsv, .parquet, .json, .jsonl, .feather, .orc, .xlsx, .csv.gz …; CSV on stdout if not given.",
        ),
    ] = STDOUT,
    proba: Annotated[bool, typer.Option("--proba", help="The probability of each class too: proba_CLASS.")] = False,
    threshold: Annotated[
        float | None,
        typer.Option("--threshold", metavar="P", help="Of two classes: say the positive one from this probability on."),
    ] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option("--keep", metavar="COLUMN", help="A column to stand beside them, a glob, or all; several times."),
    ] = None,
    id_: Annotated[
        str | None, typer.Option("--id", metavar="COLUMN", help="What tells rows apart; as in training if not given.")
    ] = None,
    submission: Annotated[
        bool, typer.Option("--submission", help="The id and the target alone, as Kaggle asks for it.")
    ] = False,
    sample: Annotated[
        Path | None,
        typer.Option("--sample", metavar="FILE.csv", help="A submission like this sample; refused where it differs."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite OUT.")] = False,
    each: Annotated[
        bool,
        typer.Option("--each", help="Each file of INPUT to its own in the folder OUT; what is done is left alone."),
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="With --each: also those that another version has predicted.")
    ] = False,
    read: Read = None,
    option: As = None,
    allow_pickle: AllowPickle = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Predict every row of INPUT, in its order, with the id column beside it.

    A file of the kind that the model was trained on is read with the options of the training. Columns are matched by
    name. With --json and no OUT the predictions are JSON; with OUT what was done is. With --each, OUT is a folder, or
    'scored/{}.parquet' for another form; the exit code is 3 where a file could not be predicted, and the others are.
    """
    from mlops_cli.workflows.applying.asking import PredictOptions
    from mlops_cli.workflows.applying.predict import predict as ask

    options = PredictOptions(
        proba, threshold, tuple(keep or ()), id_, submission, sample, force, allow_pickle, how_read(read, option, None)
    )
    if each or again:
        _each(model, data, output, options, again=again, each=each, json=json, quiet=quiet)
        return
    to_stdout = output == STDOUT
    try:
        with printing(), counting(quiet=quiet) as told:
            found = ask(model, data, _destination(output, json=json), options, told=told)
    except BrokenPipeError:  # whoever reads has seen enough, and all that was asked for was to print
        discard()
        return
    if not quiet:
        for notice in found.notices:
            say(f"{notice.code}: {notice.message}", "dim")
    if not to_stdout:
        _tell(found, json=json, quiet=quiet)


def _each(
    model: str, data: str, output: Path, options: PredictOptions, *, again: bool, each: bool, json: bool, quiet: bool
) -> None:
    from mlops_cli.views.predict import scored_json, scored_line
    from mlops_cli.workflows.applying.each import EachOptions, folder_of, predict_each

    if not each:
        raise UsageError("--again is said of files that are predicted one by one", hint="add --each")

    found_in = folder_of(str(output))

    def told(event: ScoredFile | Unscored | Notice) -> None:
        if isinstance(event, Notice):
            say(event.message, "dim")
        elif isinstance(event, Unscored):
            say(f"error: {scored_line(event, found_in)}", "red")
        elif not json:
            line(str(found_in / event.output) if quiet else scored_line(event, found_in))

    found = predict_each(model, data, str(output), EachOptions(options, again), told=told)
    if json:
        dump(scored_json(found))
    else:
        _tell_of_each(found, quiet=quiet)
    if found.failed:
        raise typer.Exit(ExitCode.DATA)


def _tell_of_each(found: Scored, *, quiet: bool) -> None:
    from mlops_cli.views.predict import scored_summary

    for notice in found.notices:
        if not quiet or notice.code in TOUCHING:
            say(f"{notice.code}: {notice.message}", "dim")
    if not quiet:
        say(scored_summary(found))


def _destination(output: Path, *, json: bool) -> Output:
    from mlops_cli.store.outputs import CSV, JSON

    return output if output != STDOUT else (binary_stdout(), JSON if json else CSV)


def _tell(found: Predicted, *, json: bool, quiet: bool) -> None:
    from mlops_cli.views.predict import predicted_json, predicted_line

    if json:
        dump(predicted_json(found))
    else:
        line(str(found.path) if quiet else predicted_line(found))


@contextmanager
def counting(*, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Show how many rows are done: on a terminal while it lasts, elsewhere now and then."""
    from mlops_cli.cli.progress import is_live

    console = err()
    if quiet:
        yield lambda _rows: None
    elif is_live(console):
        with console.status("opening the model …") as status:
            yield lambda rows: status.update(f"{rows:,} rows predicted")
    else:
        yield _now_and_then()


def _now_and_then() -> Callable[[int], None]:
    """Return a function that says how many rows are done, at most every `PLAIN_EVERY_S` seconds."""
    last = time.monotonic()

    def told(rows: int) -> None:
        nonlocal last
        if time.monotonic() - last >= PLAIN_EVERY_S:
            last = time.monotonic()
            say(f"{rows:,} rows predicted", "dim")

    return told

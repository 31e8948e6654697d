"""``mlops predict --each``: every file of INPUT to a file of its own, as often as it is asked, and each only once.

What was made of the same content by the same model in the same way is left alone; a file that cannot be predicted does
not stop the others.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_cli.components.sources.gathering import WILD, matching, visible_in
from mlops_cli.components.sources.kinds import spec_for_file, suffix_of
from mlops_cli.errors import ConfigError, DataError, MlopsError, StoreError, UsageError
from mlops_cli.records import Notice, Scored, ScoredFile, Unscored
from mlops_cli.store.files import disk_errors, sha256
from mlops_cli.store.objects import digest_of
from mlops_cli.store.outputs import CSV, Form, form_of
from mlops_cli.store.scored import MANIFEST, Manifest, manifest_of
from mlops_cli.workflows.applying.asking import Asking, PredictOptions, asking
from mlops_cli.workflows.applying.carrying import Said
from mlops_cli.workflows.applying.incoming import incoming, opened
from mlops_cli.workflows.applying.model import find_model
from mlops_cli.workflows.applying.predict import write_tables

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NAME = "{}"
"""What stands for an input's name, without its ending, in the name of an output."""


def _ignore(_event: ScoredFile | Unscored | Notice) -> None:
    pass


@dataclass(frozen=True)
class EachOptions:
    """What is asked of every file.

    Parameters
    ----------
    asked : PredictOptions
        Of the model; ``force`` replaces outputs that were not made so.
    again : bool
        Predict again what another version of the model has predicted.
    """

    asked: PredictOptions = field(default_factory=PredictOptions)
    again: bool = False


@dataclass(frozen=True)
class _Input:
    """A file that is to be predicted."""

    path: Path
    below: Path  # as the folder sees it that was named, or in which the glob begins


@dataclass(frozen=True)
class _Outputs:
    """Where outputs go."""

    folder: Path
    name: str  # {}.csv

    @property
    def form(self) -> Form:
        return form_of(Path(self.name))

    def of(self, below: Path) -> tuple[str, str]:
        """Return the output of an input, and what it is called where another input has that already."""
        stem = below.name.removesuffix(_ending(below.name)) or below.name
        first, second = (str(below.parent / self.name.replace(NAME, word)) for word in (stem, below.name))
        return first, second


def _ending(name: str) -> str:
    """Return what tells a file's form and packing: ``.csv.gz``."""
    suffix = suffix_of(name)
    place = name.lower().rfind(suffix) if suffix else -1
    return name[place:] if place >= 0 else ""


def predict_each(
    ref: str,
    data: str,
    output: str,
    options: EachOptions | None = None,
    *,
    workspace: str | Path | None = None,
    told: Callable[[ScoredFile | Unscored | Notice], None] = _ignore,
) -> Scored:
    """Predict every file that is new or has changed, each to a file of its own.

    Parameters
    ----------
    ref : str
        A model: ``titanic/3``, ``titanic@champion``, a run.
    data : str
        A glob, a folder or a file of this machine.
    output : str
        A folder; or a name in it for the outputs, in which ``{}`` is that of the input without its ending:
        ``scored/{}.parquet``. Folders below the one that is named, or that the glob begins in, are there too.
    options : EachOptions, optional
        What is asked.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.
    told : callable
        Told of each file that was predicted, or could not be, and where another process is waited for.

    Returns
    -------
    Scored
        What was done, what was left alone, and what failed.

    Raises
    ------
    DataError
        There is no such file or folder.
    UsageError
        The model cannot be asked this, or the folder holds what another model said.
    """
    asked = options or EachOptions()
    outputs, saved = _outputs(output, asked.asked), find_model(ref, workspace=workspace)
    inputs = _inputs(data, outputs.folder)
    waiting = Notice("waiting", f"another process writes into {outputs.folder}: waiting for it to end")
    with manifest_of(outputs.folder, lambda: told(waiting)) as manifest:
        scoring = _Scoring(ref, saved.label, asked, outputs, manifest, workspace)
        scoring.refuse_other_models()
        manifest.sweep({manifest.place(outputs.of(item.below)[0]).parent for item in inputs})
        for item in inputs:
            found = scoring.one(item)
            if found is not None:
                told(found)
    return scoring.result()


@dataclass
class _Scoring:
    """One call, file by file."""

    ref: str
    label: str
    options: EachOptions
    outputs: _Outputs
    manifest: Manifest
    workspace: str | Path | None
    kept: list[ScoredFile] = field(default_factory=list)
    done: list[ScoredFile] = field(default_factory=list)
    failed: list[Unscored] = field(default_factory=list)
    notices: dict[Notice, list[str]] = field(default_factory=dict)  # with the files that each is said of

    def result(self) -> Scored:
        notices = tuple(_said_of(files, notice) for notice, files in self.notices.items())
        folder = self.outputs.folder
        return Scored(self.label, folder, tuple(self.done), tuple(self.kept), tuple(self.failed), notices)

    def refuse_other_models(self) -> None:
        """Refuse a folder of what another model said: half of it would be replaced."""
        others = sorted({f.model for f in self.manifest.files.values() if _named(f.model) != _named(self.label)})
        if others and not self.options.again:
            message = f"{self.outputs.folder} holds what {', '.join(others[:3])} said"
            raise UsageError(message, hint="another folder, or --again to predict its files by this model")

    def one(self, item: _Input) -> ScoredFile | Unscored | None:
        """Predict a file; None where its output is left alone."""
        draft = self._tried(item, lambda: self._draft(item))
        if not isinstance(draft, ScoredFile):
            return draft
        if draft.sha256:
            self.kept.append(draft)
            return None
        asking_ = replace(self._asking, said=Said())  # whatever is wrong with the model ends the call
        made = self._tried(item, lambda: self._made(item, draft, asking_))
        if isinstance(made, ScoredFile):
            self.done.append(made)
        return made

    def _tried(self, item: _Input, step: Callable[[], ScoredFile]) -> ScoredFile | Unscored:
        try:
            return step()
        except MlopsError as error:
            failed = Unscored(_shown(item.path), _why(error, item.path))
            self.failed.append(failed)
            return failed

    def _draft(self, item: _Input) -> ScoredFile:
        """Return the line of an output that is left alone; of one that is to be made, what is known of it before."""
        with disk_errors("read", item.path):
            digest = digest_of(item.path)
        seen = os.path.relpath(item.path, self.outputs.folder.resolve())
        output = self._output(item, seen)
        before = self.manifest.files.get(output)
        if before is not None and self._stays(before, digest):
            return before
        return ScoredFile(output, seen, digest, self.label, self._digest, "", 0, (), "")

    def _stays(self, before: ScoredFile, digest: str) -> bool:
        is_same = (before.input_sha256, before.asked) == (digest, self._digest)
        is_ours = before.model == self.label or not self.options.again
        return is_same and is_ours and self.manifest.is_there(before)

    def _output(self, item: _Input, seen: str) -> str:
        """Return where the predictions of an input go: a place that is not another input's, nor anybody's."""
        for output in dict.fromkeys(self.outputs.of(item.below)):
            owner = self.manifest.files.get(output)
            if output == MANIFEST or (owner is not None and owner.input != seen):
                continue
            self._check_place(output, is_ours=owner is not None)
            return output
        raise UsageError(f"{output} is that of {owner.input if owner else 'no input'}", hint="another folder for these")

    def _check_place(self, output: str, *, is_ours: bool) -> None:
        place = self.manifest.place(output)
        if not place.parent.resolve().is_relative_to(self.outputs.folder.resolve()):
            raise UsageError(f"{place.parent} leads out of {self.outputs.folder}", hint="move the link away")
        if place.is_dir():
            raise UsageError(f"{place} is a folder", hint="move it away")
        if os.path.lexists(place) and not (is_ours or self.options.asked.force):
            raise UsageError(f"{place} is there, and {MANIFEST} says nothing of it", hint="--force overwrites it")

    def _made(self, item: _Input, draft: ScoredFile, asked: Asking) -> ScoredFile:
        """Predict a file beside the place of its output, and put it there."""
        new = incoming(str(item.path), asked.model.spec, self.options.asked.how, asked.model.workspace)
        with self.manifest.beside(draft.output) as temp:
            with new.told():
                rows, columns = write_tables(asked.of_source(new.source), temp, self.outputs.form, lambda _rows: None)
            if digest_of(item.path) != draft.input_sha256:
                raise DataError("it was written to while it was read", hint="the next call predicts it")
            at = datetime.now(UTC).isoformat(timespec="milliseconds")
            file = replace(draft, sha256=digest_of(temp), rows=rows, columns=columns, at=at)
            self.manifest.settle(temp, file)
        for notice in asked.said.notices:
            self.notices.setdefault(notice, []).append(_shown(item.path))
        return file

    @cached_property
    def _asking(self) -> Asking:
        """The opened model; not opened where there is nothing to be done."""
        options = self.options.asked
        model = opened(self.ref, workspace=self.workspace, allow_pickle=options.allow_pickle)
        if model.saved.label != self.label:
            raise StoreError(f"{self.ref} has become {model.saved.label}", hint="call it again")
        asked = asking(model, options, typed=not self.outputs.form.is_text)
        self.notices |= {notice: [] for notice in asked.said.notices}
        return asked

    @cached_property
    def _digest(self) -> str:
        """What is asked beside the model, told by its content: how a file is read may be secret."""
        asked = self.options.asked
        sample = None if asked.sample is None else digest_of(asked.sample)
        said = asdict(replace(asked, sample=None, force=False, allow_pickle=False)) | {"sample": sample}
        return sha256(json.dumps(said, sort_keys=True, default=str).encode())


def folder_of(output: str) -> Path:
    """Return the folder that outputs go to.

    Raises
    ------
    UsageError
        It is no folder.
    """
    return _outputs(output, PredictOptions()).folder


# --- which files -------------------------------------------------------------------------------------------------


def _outputs(output: str, options: PredictOptions) -> _Outputs:
    """Return where outputs go.

    Raises
    ------
    UsageError
        It is no folder, or the ending tells no form.
    """
    path = Path(output).expanduser()
    name = path.name if NAME in path.name else f"{NAME}.csv"
    folder = path.parent if NAME in path.name else path
    hint = f"-o scored/, or -o 'scored/{NAME}.parquet'"
    if output == "-" or (folder.exists() and not folder.is_dir()) or (NAME not in path.name and suffix_of(path.name)):
        raise UsageError(f"each file is written to one of its own, and {output} is no folder", hint=hint)
    if NAME in str(folder) or name.count(NAME) != 1:
        raise UsageError(f"{NAME} stands once, in the name of the file: {output}", hint=hint)
    if form_of(Path(name)).name != CSV.name and options.is_submission:
        raise UsageError("a submission is a CSV file", hint="-o submissions/")
    return _Outputs(folder, name)


def _inputs(data: str, folder: Path) -> list[_Input]:
    """Return the files that are meant, by name, but for those that lie where outputs go."""
    if "://" in data:
        raise UsageError("--each is for files of this machine", hint="fetch them first, or leave --each out")
    path = Path.cwd() / Path(data).expanduser()
    base, found = _found(path)
    home = folder.resolve()
    is_output = [item.parent.resolve().is_relative_to(home) for item in found]
    if found and all(is_output):
        raise UsageError(f"{data} lies where the outputs go", hint="-o FOLDER, another one")
    return [_Input(item, item.relative_to(base)) for item, is_out in zip(found, is_output, strict=True) if not is_out]


def _found(path: Path) -> tuple[Path, list[Path]]:
    if path.is_dir():
        return path, [item for item in visible_in(path) if _is_readable(item)]
    if path.exists():
        return path.parent, [path]
    if not any(c in str(path) for c in WILD):
        raise DataError(f"{_shown(path)}: there is no such file or folder")
    base, found = matching(path)
    if any(c in next(iter(path.relative_to(base).parts)) for c in WILD):
        return base, found
    raise DataError(f"{_shown(path)}: the folder {_shown(base / path.relative_to(base).parts[0])} does not exist")


def _is_readable(path: Path) -> bool:
    try:
        spec_for_file(path.name, {}, "INPUT")
    except ConfigError:
        return False
    return True


# --- how they are told of ----------------------------------------------------------------------------------------


def _named(label: str) -> str:
    """Return the name in titanic/3, or in the id of a run."""
    return label.rpartition("/")[0]


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _said_of(files: Sequence[str], notice: Notice) -> Notice:
    """Return a notice with the files that it is about; none where it is about the model."""
    if not files:
        return notice
    more = f" and {len(files) - 1:,} more" if len(files) > 1 else ""
    return replace(notice, message=f"{files[0]}{more}: {notice.message}")


def _why(error: MlopsError, path: Path) -> str:
    return str(error).replace(f"{path}: ", "", 1)

"""``mlops data add``: the next version of a named data set, read once as a run would read it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_cli.components.sources.kinds import spec_for_file, suffix_of
from mlops_cli.components.sources.secrets import masked, refuse_password
from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import ConfigError, DataError, UsageError, did_you_mean
from mlops_cli.records import DatasetFile, DataSpec, NamedDataset, Notice
from mlops_cli.store.dataset_tags import check_tag
from mlops_cli.store.datasets import Datasets, files_in
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.names import check_name
from mlops_cli.workflows.data.tables import Table, check_option, hints_as_options, notices_as_options, read_source
from mlops_cli.workflows.data.versions import file_options, option_for, reader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import ComponentSpec


@dataclass(frozen=True)
class AddOptions:
    """What is said of a version beside what it is made of."""

    note: str = ""
    key: str | None = None  # the column that tells rows apart
    read: Mapping[str, Any] = field(default_factory=dict)  # options of the reader
    option: str | None = None  # of the group ``data``; None goes by the suffix
    link: bool = False  # let the files themselves become the contents
    tag: str | None = None


@dataclass(frozen=True)
class Added:
    """A version, and what came of adding it."""

    version: NamedDataset
    is_new: bool
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class _Given:
    """What is to be added: files of this machine, or an address."""

    path: str | list[str]  # as a source takes it
    files: tuple[tuple[str, Path], ...] = ()  # with the path of each inside the data set; none of an address
    is_folder: bool = False

    def stamps(self) -> list[tuple[int, int, int]]:
        """Return what changes when somebody writes into one of the files, or takes one away."""
        found = [file.stat() for _, file in self.files if file.exists()]
        return [(state.st_ino, state.st_size, state.st_mtime_ns) for state in found]


def add(
    place: str | Path,
    name: str,
    options: AddOptions | None = None,
    *,
    workspace: str | Path | None = None,
) -> Added:
    """Give a data set its next version; where the newest one is the same, there is no new one.

    Parameters
    ----------
    place : str or Path
        A file, a folder of parts, a glob or an address.
    name : str
        Of the data set; made where it is not there.
    options : AddOptions, optional
        How it is read, and what is said of it.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    DataError
        It cannot be read; nothing is added.
    StoreError
        The name is none, or the disk refuses.
    """
    home, asked, text = find_workspace(workspace), options or AddOptions(), str(place)
    datasets = Datasets(WorkspacePaths(home.root))
    _check(name, text, asked)
    given = _given(text)
    option, read = _reading(given, text, asked)
    _refuse_database(option, text)
    before = given.stamps()
    table = _read(reader(option, given.path, read), home, masked(text), asked.key)
    draft = NamedDataset(
        name=name,
        number=0,
        files=(),
        is_folder=given.is_folder,
        option=option,
        table=table.version,
        read=read,
        origin=masked(text),
        added=datetime.now(UTC).isoformat(timespec="seconds"),
        note=asked.note,
        key=asked.key,
    )
    if not given.files and not table.fetched:
        raise DataError(f"{text}: no such file")  # when it was looked for, though there was when it was read
    _require_unchanged(text, given, before)  # before a link makes the file read-only
    with datasets.changing():
        files = _stored(datasets, given, table, link=asked.link)
        _require_unchanged(text, given, before)
        version, is_new = datasets.add(replace(draft, files=files))
    if asked.tag is not None:
        datasets.tag(version, asked.tag)
    return Added(version, is_new, (*table.notices, *_note_dropped(version, asked.note)))


def _require_unchanged(text: str, given: _Given, before: list[tuple[int, int, int]]) -> None:
    """Refuse what is not what was read: a file was written into, or came, or went."""
    if _given(text) != given or given.stamps() != before:
        raise DataError(f"{text}: it changed while it was read", hint="add it again")


def _note_dropped(version: NamedDataset, note: str) -> list[Notice]:
    """Say that a version which was there already keeps the note that it has: a version never changes."""
    if note in {"", version.note}:
        return []
    has = f"its note '{version.note}'" if version.note else "no note"
    return [Notice("note-dropped", f"{version.ref} has this content already, and keeps {has}; a version never changes")]


def _check(name: str, text: str, asked: AddOptions) -> None:
    """Refuse at once what would be refused after minutes of reading."""
    check_name(name, "data set")
    refuse_password(text, "PATH")
    if asked.tag is not None:
        check_tag(asked.tag)
    if asked.option is not None:
        check_option(asked.option)


# --- what is given -------------------------------------------------------------------------------------------------


def _given(text: str) -> _Given:
    if "://" in text.removeprefix("file://"):
        return _Given(text)
    path = Path.cwd() / Path(text.removeprefix("file://")).expanduser()
    if path.is_dir():
        _refuse_links(path)
        files = tuple(files_in(path))
        if not files:
            raise DataError(f"{text}: the folder is empty")
        return _Given(str(path), files, is_folder=True)
    if path.is_file():
        return _Given(str(path), ((path.name, path),))
    start = next(folder for folder in path.parents if folder.is_dir())  # whose own name may hold brackets
    found = sorted(place for place in start.glob(str(path.relative_to(start))) if place.is_file())
    if not found:
        return _Given(str(path))  # whose reader says best what is wrong with it
    if len(found) == 1:
        return _Given(str(found[0]), ((found[0].name, found[0]),))
    base = _shared(found)
    return _Given([str(file) for file in found], tuple((file.relative_to(base).as_posix(), file) for file in found))


def _shared(files: list[Path]) -> Path:
    return next(folder for folder in files[0].parents if all(file.is_relative_to(folder) for file in files))


def _refuse_links(folder: Path) -> None:
    """Refuse a folder in which a link stands for a file: a reader follows it, and a version would not have it."""
    for place in folder.rglob("*"):
        if place.is_symlink() and not any(part.startswith(".") for part in place.relative_to(folder).parts):
            raise UsageError(f"{place} is a link, which no version can keep", hint="add a folder of plain files")


def _reading(given: _Given, text: str, asked: AddOptions) -> tuple[str, dict[str, Any]]:
    """Return the option of ``data`` that reads what is given, and what its reader is told."""
    if asked.option is not None:
        return asked.option, dict(asked.read)
    try:
        found = spec_for_file(_example(given, text), {}, "PATH")
    except ConfigError as error:
        raise UsageError(error.message, hint=f"--as OPTION, one of {', '.join(file_options())}") from error
    return option_for(found.target), {**(found.params.get("read") or {}), **asked.read}


def _refuse_database(option: str, text: str) -> None:
    """Refuse a data base: who writes to it keeps rows in other files too, which a copy of the first would lack."""
    if option not in file_options():
        hint = f"write the rows to a file, or train with data={option}: a run keeps what it was answered"
        raise UsageError(f"{masked(text)} is a data base, and a version is made of files", hint=hint)


def _example(given: _Given, text: str) -> str:
    """Return the name of a file by whose suffix all are read: that of most files of a folder."""
    names = [path for path, _ in given.files if not Path(path).name.startswith("_")]
    if not names:
        return text
    suffix = Counter(map(suffix_of, names)).most_common(1)[0][0]
    return next(name for name in names if suffix_of(name) == suffix)


# --- reading and storing -------------------------------------------------------------------------------------------


def _read(spec: ComponentSpec, workspace: Workspace, shown: str, key: str | None) -> Table:
    with hints_as_options():
        table = read_source(DataSpec(source=spec), workspace, shown)
    table = replace(table, notices=notices_as_options(table.notices))
    if key is not None:
        _check_key(table, key)
    return table


def _check_key(table: Table, key: str) -> None:
    """Refuse a key that does not tell rows apart."""
    values = table.values
    if key not in values.columns:
        raise DataError(f"--key: there is no column '{key}'", hint=did_you_mean(key, map(str, values.columns)))
    if missing := int(values[key].isna().sum()):
        raise DataError(f"--key: '{key}' is missing in {missing:,} of {len(values):,} rows", hint="another column")
    if repeated := int(values[key].duplicated().sum()):
        raise DataError(f"--key: '{key}' repeats in {repeated:,} of {len(values):,} rows", hint="another column")


def _stored(datasets: Datasets, given: _Given, table: Table, *, link: bool) -> tuple[DatasetFile, ...]:
    """Return the contents: of an address they are in the store already, since that is where it was read from."""
    if given.files:
        return datasets.take(given.files, link=link)
    names = [name for name, _ in table.fetched]
    is_unique = len(set(names)) == len(names)  # else files of several folders are called alike
    return tuple(
        DatasetFile(name if is_unique else f"{place:06d}/{name}", digest, datasets.objects.path(digest).stat().st_size)
        for place, (name, digest) in enumerate(table.fetched)
    )

"""The registry: which versions of which models there are, what they are called, and what is said of them.

``models/<name>/<number>/`` is a version, put together beside and moved to its place in one rename; nothing in it
changes but ``status.json`` and the card. ``models/<name>/aliases.json`` is what versions are called, and
``handover.json`` beside it what the model's owner answered: it outlives the version that it was answered for.
"""

from __future__ import annotations

import re
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from mlops_cli.errors import StoreError, did_you_mean
from mlops_cli.records import CHAMPION, Aliases, ModelStatus, RegisteredModel, holding
from mlops_cli.store.card import version_card
from mlops_cli.store.chain import given_aliases
from mlops_cli.store.files import (
    check_schema,
    damaged,
    locked,
    parse_json,
    read_bytes,
    read_json,
    remove_leftovers,
    sha256,
    write_file,
    write_json,
)
from mlops_cli.store.layout import VersionPaths
from mlops_cli.store.names import check_name
from mlops_cli.store.registry.json import (
    aliases_from_json,
    aliases_to_json,
    handovers_from_json,
    handovers_to_json,
    status_from_json,
    status_to_json,
    version_from_json,
)
from mlops_cli.store.serialize import run_from_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from mlops_cli.records import Handover, ModelVersion, RunRecord
    from mlops_cli.store.layout import WorkspacePaths

T = TypeVar("T")

_NUMBER = re.compile(r"[1-9]\d{0,8}", re.ASCII)
_MEND = "restore it from a copy"


@dataclass(frozen=True)
class Registry:
    """The registered models of a workspace.

    Parameters
    ----------
    paths : WorkspacePaths
        The workspace.
    """

    paths: WorkspacePaths

    # --- finding -----------------------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """Return the names of all models that have a version."""
        folder = self.paths.models
        found = folder.iterdir() if folder.is_dir() else []
        return sorted(p.name for p in found if not p.name.startswith(".") and self.numbers(p.name))

    def is_known(self, name: str) -> bool:
        """Whether a model of that name has a version."""
        return bool(self.numbers(name))

    def numbers(self, name: str) -> list[int]:
        """Return the numbers of a model's versions; none where there is no such model."""
        try:
            folder = self.paths.models / check_name(name, "model")
            if folder.is_symlink():  # what lies outside the workspace is none of its models
                return []
            found = [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()]
        except (OSError, StoreError):
            return []
        return sorted(int(path.name) for path in found if _NUMBER.fullmatch(path.name))

    def model(self, name: str) -> RegisteredModel:
        """Return a model with all its versions.

        Raises
        ------
        StoreError
            There is no such model, or a version is damaged.
        """
        numbers = self.numbers(check_name(name, "model"))
        if not numbers:
            raise self.unknown(name)
        versions = tuple(self.version(name, number) for number in numbers)
        return RegisteredModel(name, versions, self.aliases(name), {v.number: self.status(v) for v in versions})

    def find(self, ref: str) -> ModelVersion:
        """Return the version that ``titanic/3``, ``titanic@champion`` or ``titanic`` means.

        A bare name is the champion, or the newest version where there is none.

        Raises
        ------
        StoreError
            There is no such model, version or alias; the message says which there are.
        """
        name, mark, word = _parted(ref)
        numbers = self.numbers(name)
        if not numbers:
            raise self.unknown(name)
        if mark == "/":
            number = int(word) if _NUMBER.fullmatch(word) else None
            if number not in numbers:
                known = [f"{name}/{n}" for n in numbers]
                raise StoreError(f"the model '{name}' has no version '{word}'", hint=did_you_mean(ref, known))
            return self.version(name, number)
        aliases = self.sure_aliases(name).versions
        if not mark:
            return self.version(name, aliases.get(CHAMPION, numbers[-1]))
        if word not in aliases:
            known = [f"{name}@{alias}" for alias in aliases]
            hint = did_you_mean(ref, known) if known else f"mlops models alias {name}/{numbers[-1]} {word}"
            raise StoreError(f"no version of '{name}' has the alias '{word}'", hint=hint)
        return self.version(name, aliases[word])

    def unknown(self, name: str) -> StoreError:
        """Return the error for a model that is not there."""
        known = self.names()
        hint = did_you_mean(name, known) if known else f"mlops models register RUN --name {name}"
        return StoreError(f"there is no registered model '{name}'", hint=hint)

    # --- reading -----------------------------------------------------------------------------------------------------

    def version(self, name: str, number: int) -> ModelVersion:
        """Read one version.

        Raises
        ------
        StoreError
            It is not there, or damaged.
        """
        paths = self.paths.model_version(name, number)
        value = read_json(paths.version_json)
        try:
            found = version_from_json(value, paths.root, _record(paths, dict(value["files"])))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise damaged(paths.version_json, f"not a version of a model: {error!r}") from error
        if (found.name, found.number) != (name, number):
            raise damaged(paths.version_json, f"it says that it is {found.ref}")
        return found

    def status(self, version: ModelVersion) -> ModelStatus:
        """Return what people say of a version."""
        path = VersionPaths(version.path).status
        return _told(path, status_from_json, "what is said of a version") if path.exists() else ModelStatus()

    def aliases(self, name: str) -> Aliases:
        """Return what a model's versions are called."""
        path = self.paths.aliases(name)
        return _told(path, aliases_from_json, "the aliases of a model") if path.exists() else Aliases()

    def handovers(self, name: str) -> tuple[Handover, ...]:
        """Return all that the owner of a model answered, the first first."""
        path = self.paths.handover(name)
        return _told(path, handovers_from_json, "what a model's owner answered") if path.exists() else ()

    def handover(self, name: str, number: int) -> Handover | None:
        """Return the answers that hold for a version: its own, or those of the nearest earlier one that has any."""
        return holding(self.handovers(name), number)

    def readable_handover(self, name: str, number: int) -> Handover | str | None:
        """Return the answers that hold for a version, or why they cannot be read: no sign-off waits for that."""
        try:
            return self.handover(name, number)
        except StoreError as error:
            return str(error)

    def sure_aliases(self, name: str) -> Aliases:
        """Return what a model's versions are called, for whoever relies on it.

        Raises
        ------
        StoreError
            The file was edited by hand, or is gone although aliases were given.
        """
        path, aliases = self.paths.aliases(name), self.aliases(name)
        where = path.relative_to(self.paths.root).as_posix()
        for alias, (said, moved) in aliases.edited().items():
            raise StoreError(
                f"{where} says that @{alias} means {said or 'nothing'}, and by its moves it is {moved or 'nothing'}",
                hint="it was edited: write back what the moves say, then move it by mlops models alias",
            )
        if not path.exists() and self.numbers(name) and given_aliases(self.paths, name):
            raise StoreError(f"{where} is gone, and the audit log has aliases of {name}", hint="restore it from a copy")
        return aliases

    # --- changing ----------------------------------------------------------------------------------------------------

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Keep others from changing the registry while the block lasts."""
        with locked(self.paths.models_lock):
            yield

    def write_status(self, version: ModelVersion, status: ModelStatus) -> None:
        """Replace what is said of a version, and its card, inside `changing`."""
        path = VersionPaths(version.path).status
        remove_leftovers(path)
        write_json(path, status_to_json(status))
        self.write_card(version)

    def write_aliases(self, name: str, aliases: Aliases) -> None:
        """Replace what a model's versions are called, and the cards of those that it changes, inside `changing`."""
        before, path = self.aliases(name), self.paths.aliases(name)
        remove_leftovers(path)
        write_json(path, aliases_to_json(aliases))
        for number in self.numbers(name):
            if before.of(number) != aliases.of(number):
                with suppress(StoreError):  # a damaged version, or a card that nobody may write, keeps no alias
                    self.write_card(self.version(name, number))

    def write_handovers(self, name: str, handovers: Sequence[Handover]) -> None:
        """Replace what the owner of a model answered, and the cards that say so, inside `changing`."""
        before, path = self.handovers(name), self.paths.handover(name)
        remove_leftovers(path)
        write_json(path, handovers_to_json(handovers))
        for number in self.numbers(name):
            if holding(before, number) != holding(handovers, number):
                with suppress(StoreError):  # as of an alias
                    self.write_card(self.version(name, number))

    def card(self, version: ModelVersion, text: str | None = None) -> str:
        """Return a version's card as it should be now.

        Parameters
        ----------
        version : ModelVersion
            The version.
        text : str, optional
            What its owner's own words are taken from; the card that is there where not given.
        """
        path = VersionPaths(version.path).card
        if text is None:
            text = read_bytes(path).decode(errors="surrogateescape") if path.exists() else ""
        status, aliases = self.status(version), self.aliases(version.name)
        handover = self.readable_handover(version.name, version.number)
        return version_card(version, status, aliases, text, handover)

    def write_card(self, version: ModelVersion, text: str | None = None) -> None:
        """Write a version's card again, inside `changing`; see `card`."""
        path = VersionPaths(version.path).card
        remove_leftovers(path)
        write_file(path, self.card(version, text).encode(errors="surrogateescape"))


def _told(path: Path, read: Callable[[Mapping[str, Any]], T], what: str) -> T:
    """Return what a file of ours says, or refuse one that is damaged."""
    data = read_bytes(path)
    try:
        value = parse_json(data, path)
        check_schema(value, path)
        return read(value)
    except StoreError as error:
        raise StoreError(error.message, hint=error.hint or _MEND) from error
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise StoreError(damaged(path, f"not {what}: {error!r}").message, hint=_MEND) from error


def _parted(ref: str) -> tuple[str, str, str]:
    """Return the name, ``/`` or ``@`` or nothing, and what follows it."""
    for mark in ("@", "/"):
        name, found, word = ref.partition(mark)
        if found:
            return name, mark, word
    return ref, "", ""


def _record(paths: VersionPaths, files: dict[str, str]) -> RunRecord:
    """Return the record of the run that made a version, after its sha256 is checked."""
    data = read_bytes(paths.run_json)
    if sha256(data) != files.get(paths.run_json.name):
        raise damaged(paths.run_json, "its sha256 is not the one in version.json")
    return run_from_json(parse_json(data, paths.run_json), paths.root)

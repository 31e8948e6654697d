"""Before a source is built: what its paths name elsewhere is fetched, and what is relative starts from the workspace.

The components read files of this machine and ask data bases; keeping what was fetched is the store's business.
"""

from __future__ import annotations

import inspect
import math
import re
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_cli.components.build import build
from mlops_cli.components.sources.kinds import source_spec
from mlops_cli.components.sources.secrets import masked
from mlops_cli.components.targets import Role, import_target
from mlops_cli.errors import ConfigError, DataError, did_you_mean
from mlops_cli.records import NAMED_DATASET
from mlops_cli.store.datasets import Datasets
from mlops_cli.store.files import disk_errors
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.objects import digest_of
from mlops_cli.store.remote import Fetched, Remote, Wanted, check_sha256
from mlops_cli.store.snapshots import KeptFile, label
from mlops_cli.store.transfer import Limits, listed
from mlops_cli.workflows.data.versions import named_version, reader_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.contracts import DataSource
    from mlops_cli.records import ComponentSpec, Notice
    from mlops_cli.store.snapshots import Snapshot

_OURS = "mlops_cli."
_POLICY = ("sha256", "refresh", "max_bytes", "timeout")
_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass
class Gathered:
    """What was fetched while the specs of a source were made ready."""

    files: list[KeptFile] = field(default_factory=list)  # in order, each once
    called: dict[str, str] = field(default_factory=dict)  # path here → address, masked; or version of a data set
    versions: list[str] = field(default_factory=list)  # of named data sets: titanic@3
    notices: list[Notice] = field(default_factory=list)


@dataclass(frozen=True)
class Ready:
    """A source that can be loaded, and what was fetched for it."""

    source: DataSource
    gathered: Gathered

    @contextmanager
    def told(self) -> Iterator[None]:
        """Call files by where they came from in the errors of the block."""
        try:
            yield
        except (DataError, ConfigError) as error:
            for path, url in self.gathered.called.items():
                error.message = error.message.replace(path, url)
                error.hint = error.hint.replace(path, url) if error.hint else error.hint
            error.args = (error.message,)
            raise


def ready_source(
    source: ComponentSpec, workspace: Workspace, path: str | list[str] | None = None, snapshot: Snapshot | None = None
) -> Ready:
    """Fetch what a source needs, and build it.

    Parameters
    ----------
    source : ComponentSpec
        As the config has it.
    workspace : Workspace
        What relative paths start from, and where fetched files are kept.
    path : str or list of str, optional
        Other files, to be read in the same way; by their suffix where the source reads no file.
    snapshot : Snapshot, optional
        Files as they were fetched for an earlier run, to be read instead of fetching.

    Raises
    ------
    DataError
        A file cannot be had.
    StoreError
        What is kept of a file is gone, or has changed.
    ConfigError, TrustError
        The spec is wrong, or reads what no snapshot of files can give.
    """
    maker = _Maker(workspace, Remote(WorkspacePaths(workspace.root)), snapshot, Gathered())
    spec = maker.without_name(source, "data")
    spec = spec if path is None else _elsewhere(spec, path, workspace)
    ready = Ready(maker.built(spec, "data"), maker.gathered)
    if snapshot is not None:
        _check_snapshot(ready, snapshot, has_files=path is not None)
    return ready


def _check_snapshot(ready: Ready, snapshot: Snapshot, *, has_files: bool) -> None:
    """Refuse to ask again where what an earlier run saw is wanted."""
    is_remote = getattr(ready.source, "is_remote", False)
    if is_remote or not (has_files or ready.gathered.files):
        what = "asks somebody" if is_remote else "reads nothing of it"
        raise ConfigError(
            f"the version {snapshot.version[:12]} is kept as files, and this source {what}",
            key="data" if has_files else "data.snapshot",
            hint=f"it was read from {', '.join(snapshot.addresses())[:200]}",
        )


def _elsewhere(source: ComponentSpec, path: str | list[str], workspace: Workspace) -> ComponentSpec:
    """Return the spec for another file: the expected sha256 was that of the first."""
    if _is_ours(source):
        taken = _taken_by(source, workspace, "data")
        if "path" not in taken.parameters or (taken.is_path_optional and source.params.get("path") is None):
            return source_spec({"path": path}, "evaluation.test")
    params = {k: v for k, v in source.params.items() if k != "sha256" or not _is_ours(source)}
    return replace(source, params={**params, "path": path})


@dataclass(frozen=True)
class _Maker:
    workspace: Workspace
    remote: Remote
    snapshot: Snapshot | None
    gathered: Gathered

    def without_name(self, spec: ComponentSpec, key: str) -> ComponentSpec:
        """Return what reads the files of a named data set; the spec itself where it is another source."""
        if spec.target != NAMED_DATASET:
            return spec
        version = named_version(spec, Datasets(self.remote.paths), key)
        place = Datasets(self.remote.paths).place(version)
        self.gathered.called[str(place)] = version.ref
        self.gathered.versions.append(version.ref)
        return reader_of(version, place, spec.params)

    def built(self, spec: ComponentSpec, key: str) -> DataSource:
        """Return a source, with the sources inside it."""
        spec = self.without_name(spec, key)
        source: DataSource = build(self._located(spec, key), role=Role.SOURCE, trust=self.workspace.trust, key=key)
        return source

    def _located(self, spec: ComponentSpec, key: str) -> ComponentSpec:
        params = {k: v for k, v in spec.params.items() if k != "snapshot"}
        if not _is_ours(spec):
            return replace(spec, params=self._own_path(params))
        taken = _taken_by(spec, self.workspace, key)
        policy = {name: params.pop(name) for name in _POLICY if name in params and name not in taken.parameters}
        if "path" in taken.parameters and not (params.get("path") is None and taken.is_path_optional):
            params["path"] = self._paths(params.get("path"), _Policy.read(policy, key), f"{key}.path")
        if "root" in taken.parameters:
            params.setdefault("root", str(self.workspace.root))
        for name in taken.sources:
            if name in params:
                params[name] = self._inner(params[name], f"{key}.{name}")
        return replace(spec, params=params)

    def _own_path(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters of a source of the user's own, whose relative path alone is known here."""
        path = params.get("path")
        is_here = isinstance(path, str) and "://" not in path
        return {**params, "path": str(self.workspace.root / path)} if is_here and path is not None else dict(params)

    def _inner(self, value: Any, key: str) -> Any:
        if isinstance(value, list | tuple):
            return [self._inner(item, f"{key}[{i}]") for i, item in enumerate(value)]
        return self.built(source_spec(value, key), key)

    def _paths(self, path: Any, policy: _Policy, key: str) -> Any:
        """Return the paths on this machine: one where one was given and it stands for one file."""
        given = path if isinstance(path, list | tuple) else [path]
        found = [place for item in given for place in self._places(item, policy, key)]
        if policy.sha256 is not None and len(found) != 1:
            raise ConfigError(f"is that of one file, and there are {len(found)}", key=f"{key[:-5]}.sha256")
        return found[0] if len(found) == 1 and not isinstance(path, list | tuple) else found

    def _places(self, item: Any, policy: _Policy, key: str) -> list[str]:
        if not isinstance(item, str) or not item or "\0" in item:
            found = "null" if item is None else repr(item)
            raise ConfigError(f"found {found}, must be the path of a file", key=key, hint="data.path=data/FILE.csv")
        text = item.removeprefix("file://")
        if "://" in text:
            return [str(fetched.path) for fetched in self._gathered(text, policy)]
        place = self.workspace.root / Path(text).expanduser()
        if policy.sha256 is not None and place.is_file():
            with disk_errors("read", place):
                check_sha256(item, digest_of(place), policy.sha256)
        return [str(place)]

    def _gathered(self, asked: str, policy: _Policy) -> list[Fetched]:
        """Return the files behind an address, a glob or a folder: as they are now, or as an earlier run saw them."""
        if self.snapshot is None:
            return [self._fetched(url, asked, policy) for url in _addresses(asked)]
        return [self._seen(file, policy) for file in _kept(self.snapshot, asked)]

    def _seen(self, file: KeptFile, policy: _Policy) -> Fetched:
        check_sha256(file.address, file.digest, policy.sha256)
        return self._noted(file, self.remote.seen(file))

    def _fetched(self, url: str, asked: str, policy: _Policy) -> Fetched:
        fetched = self.remote.fetch(policy.wanted(url), policy.limits)
        return self._noted(KeptFile(label(asked), masked(url), fetched.digest, fetched.name), fetched)

    def _noted(self, file: KeptFile, fetched: Fetched) -> Fetched:
        if file not in self.gathered.files:
            self.gathered.files.append(file)
        self.gathered.called[str(fetched.path)] = file.address
        self.gathered.notices.extend(fetched.notices)
        return fetched


@dataclass(frozen=True)
class _Taken:
    """What a source's class takes."""

    parameters: frozenset[str]
    sources: tuple[str, ...]  # those of the parameters that are sources
    is_path_optional: bool


def _taken_by(spec: ComponentSpec, workspace: Workspace, key: str) -> _Taken:
    target = import_target(str(spec.target), workspace.trust, key=f"{key}._target_", role=Role.SOURCE)
    known = inspect.signature(target).parameters
    is_optional = "path" in known and known["path"].default is not inspect.Parameter.empty
    return _Taken(frozenset(known), tuple(getattr(target, "SOURCES", ())), is_optional)


def _is_ours(spec: ComponentSpec) -> bool:
    return isinstance(spec.target, str) and spec.target.startswith(_OURS)


def _kept(snapshot: Snapshot, asked: str) -> Sequence[KeptFile]:
    found = snapshot.files_of(asked)
    if not found:
        hint = did_you_mean(masked(asked), snapshot.addresses())
        raise ConfigError(f"that version was not read from {masked(asked)}", key="data.snapshot", hint=hint)
    return found


def _addresses(url: str) -> Sequence[str]:
    is_many = url.endswith("/") or any(c in url.partition("://")[2] for c in "*[")
    return listed(url) if is_many and not url.startswith(("http://", "https://")) else [url]


# --- how fresh, how large ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Policy:
    """``sha256``, ``refresh``, ``max_bytes`` and ``timeout`` of a source."""

    sha256: str | None = None
    max_age: float | None = None
    is_forced: bool = False
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def read(cls, said: Mapping[str, Any], key: str) -> _Policy:
        age, is_forced = _refresh(said.get("refresh"), f"{key}.refresh")
        default = Limits()
        size = _positive(said.get("max_bytes"), f"{key}.max_bytes", default.max_bytes)
        limits = Limits(int(size), _positive(said.get("timeout"), f"{key}.timeout", default.timeout))
        return cls(_sha256(said.get("sha256"), f"{key}.sha256"), age, is_forced, limits)

    def wanted(self, url: str) -> Wanted:
        return Wanted(url, self.sha256, self.max_age, self.is_forced)


def _refresh(value: Any, key: str) -> tuple[float | None, bool]:
    """Return the age up to which a copy is good without asking, and whether to fetch it whatever is kept."""
    words = {None: (None, False), "check": (None, False), "never": (math.inf, False), "always": (None, True)}
    if value is None or (isinstance(value, str) and value in words):
        return words[value]
    match = _AGE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ConfigError(f"must be check, never, always, or an age such as 1d. Got {value!r} instead.", key=key)
    return float(match[1]) * _SECONDS[match[2]], False


def _positive(value: Any, key: str, default: float) -> float:
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ConfigError(f"must be a number above 0. Got {value!r} instead.", key=key)
    return value


def _sha256(value: Any, key: str) -> str | None:
    if value is None:
        return None
    text = str(value).strip().lower().removeprefix("sha256:")
    if not _DIGEST.fullmatch(text):
        raise ConfigError("must be 64 hexadecimal digits", key=key, hint="sha256sum FILE prints them")
    return text

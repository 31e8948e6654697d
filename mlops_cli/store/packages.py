"""The packages that made a model: which versions, and what identifies the files of each.

What a run recorded is said as it was then. What those packages need in turn is looked up where the model is
registered, and said to be so. Where nothing identifies the files of a package, that is said too.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_cli.records import SCHEMA_VERSION
from mlops_cli.store.files import sha256
from mlops_cli.store.provenance import imports

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from importlib.metadata import Distribution

    from mlops_cli.records import RunRecord


@dataclass(frozen=True)
class Package:
    """One distribution.

    Parameters
    ----------
    name : str
        As it calls itself.
    version : str, optional
        None where nobody knows.
    sha256 : str, optional
        Of what its RECORD says of its own files: the same for the same wheel wherever it is installed, since what an
        installer adds (scripts, bytecode, notes of where it came from) is left out.
    seen : {"run", "registration"}
        When the version was looked up.
    note : str
        Why there is no sha256, or where it came from if from no index.
    indexed : bool
        Whether an index of packages may have it.
    """

    name: str
    version: str | None
    sha256: str | None = None
    seen: str = "registration"
    note: str = ""
    indexed: bool = True


def packages_of(record: RunRecord, sources: Iterable[bytes] = ()) -> tuple[Package, ...]:
    """Return every package in the closure of what a run used, by name.

    Parameters
    ----------
    record : RunRecord
        The run; its environment says what it used.
    sources : iterable of bytes
        The user's own code, for what it imports.
    """
    recorded = _recorded(record)
    installed = _closure([*recorded, *_imported(sources)])
    found = {name: _described(item, "registration") for name, item in installed.items() if name not in recorded}
    found |= {name: _as_recorded(name, version, installed.get(name)) for name, version in recorded.items()}
    return tuple(found[name] for name in sorted(found))


def installed_for(names: Iterable[str]) -> dict[str, str]:
    """Return the versions of installed distributions and of all that they need, by name."""
    return {name: item.version for name, item in sorted(_closure(names).items())}


def packages_to_json(record: RunRecord, packages: Iterable[Package]) -> dict[str, Any]:
    """Return ``packages.json``."""
    return {
        "schema_version": SCHEMA_VERSION,
        "python": record.environment.get("python"),
        "implementation": record.environment.get("implementation"),
        "platform": record.environment.get("platform"),
        "packages": {
            item.name: {"version": item.version, "sha256": item.sha256, "seen": item.seen, "note": item.note}
            for item in packages
        },
    }


def requirements_text(record: RunRecord, packages: Iterable[Package]) -> str:
    """Return the same as pip reads it; what no index has is a comment."""
    lines = [f"# Python {record.environment.get('python', '')}"]
    for item in packages:
        known = f"{item.name}=={item.version}" if item.version else item.name
        lines.append(known if item.indexed and item.version else f"# {known}: {item.note}")
    return "\n".join(lines) + "\n"


# --- one of them -------------------------------------------------------------------------------------------------


def _recorded(record: RunRecord) -> dict[str, str]:
    packages = record.environment.get("packages")
    return {plain_name(name): str(version) for name, version in packages.items()} if isinstance(packages, dict) else {}


def _as_recorded(name: str, version: str, installed: _Installed | None) -> Package:
    """Return a package that a run recorded."""
    if installed is None:
        return Package(name, version, seen="run", note="not installed when the model was registered")
    if installed.version != version:
        note = f"{installed.version} was installed when the model was registered"
        return Package(name, version, seen="run", note=note)
    return _described(installed, "run")


def _described(installed: _Installed, seen: str) -> Package:
    origin = _origin(installed.distribution)
    if origin.get("dir_info", {}).get("editable"):
        note = "an editable install: its files may have been changed at any time"
        return Package(installed.name, installed.version, seen=seen, note=note, indexed=False)
    digest = _digest(installed.distribution)
    notes = ["installed from a folder or an address, not from an index"] if origin else []
    notes += [] if digest else ["it has no RECORD of its files"]
    return Package(installed.name, installed.version, digest, seen, "; ".join(notes), indexed=not origin)


def _origin(distribution: Distribution) -> dict[str, Any]:
    """Return what PEP 610 says of where it came from; nothing for what came from an index."""
    try:
        value = json.loads(distribution.read_text("direct_url.json") or "{}")
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _digest(distribution: Distribution) -> str | None:
    try:
        text = distribution.read_text("RECORD") or ""
    except (OSError, ValueError):
        return None
    rows = [row for row in csv.reader(text.splitlines()) if len(row) >= 2 and _is_own(row[0], row[1])]
    return sha256("".join(sorted(f"{row[0]},{row[1]}\n" for row in rows)).encode()) if rows else None


def _is_own(path: str, digest: str) -> bool:
    folder = path.partition("/")[0]
    return bool(digest) and folder != ".." and not folder.endswith(".dist-info") and not path.endswith(".pyc")


# --- what they need ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Installed:
    """A distribution whose metadata were read: once, since that takes longer than all else."""

    name: str
    version: str
    requires: tuple[str, ...]
    distribution: Distribution


def _closure(names: Iterable[str]) -> dict[str, _Installed]:
    """Return each installed distribution that the given ones need, and they themselves, by name."""
    waiting: list[tuple[str, frozenset[str]]] = [(plain_name(name), frozenset()) for name in names]
    seen: set[tuple[str, frozenset[str]]] = set()
    found: dict[str, _Installed] = {}
    while waiting:
        asked = waiting.pop()
        if asked in seen:
            continue
        seen.add(asked)
        name, extras = asked
        installed = found.get(name) or _read(name)
        if installed is not None:
            found[name] = installed
            waiting += _needs(installed, extras)
    return found


def _read(name: str) -> _Installed | None:
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        found = distribution(name)
        metadata = found.metadata
        version = metadata["Version"] or ""
    except (PackageNotFoundError, ValueError, KeyError, OSError):
        return None
    if not version:
        return None
    return _Installed(plain_name(name), version, tuple(metadata.get_all("Requires-Dist") or ()), found)


def _needs(installed: _Installed, extras: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    from packaging.requirements import InvalidRequirement, Requirement  # hydra-core brings it

    for line in installed.requires:
        try:
            needed = Requirement(line)
            wanted = needed.marker is None or any(
                needed.marker.evaluate({"extra": extra}) for extra in ("", *sorted(extras))
            )
        except (InvalidRequirement, ValueError):
            continue
        if wanted:
            yield plain_name(needed.name), frozenset(needed.extras)


def _imported(sources: Iterable[bytes]) -> list[str]:
    """Return the distributions that code imports from."""
    modules = {name.partition(".")[0] for source in sources for name in imports(source)}
    if not modules:
        return []
    from importlib.metadata import packages_distributions

    known: Mapping[str, list[str]] = packages_distributions()
    return sorted({name for module in modules for name in known.get(module, ())})


def plain_name(name: str) -> str:
    """Return a name as indexes compare it."""
    return str(name).lower().replace("_", "-").replace(".", "-")

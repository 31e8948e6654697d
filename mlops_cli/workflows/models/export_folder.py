"""A model as a folder that says all of itself and predicts without this package."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_cli.components.holdings import held_by
from mlops_cli.errors import StoreError
from mlops_cli.records import ExportCheck, Notice
from mlops_cli.store.exporting import LOADER, loader_text
from mlops_cli.store.files import read_bytes, sha256
from mlops_cli.store.layout import RunPaths, VersionPaths
from mlops_cli.store.models import checked_bytes
from mlops_cli.store.packages import Package, packages_of, plain_name, requirements_text
from mlops_cli.store.provenance import imports, versions
from mlops_cli.store.registry.adding import code_of
from mlops_cli.workflows.applying.incoming import config_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    import pandas as pd

    from mlops_cli.workflows.applying.model import Model, SavedModel

EXAMPLE = "example.csv"
MADE = "rows made from the data profile"
_OWN = "mlops_cli"
_PLACE = f"{_OWN}.components."
_READ = frozenset({"sep", "decimal", "thousands", "encoding", "na_values", "keep_default_na", "skipinitialspace"})
_ALWAYS = ("numpy", "pandas", "scikit-learn")
_SECONDS = 600
_BLIND = """import runpy, sys
sys.modules["mlops_cli"] = None
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Runs a script as if this package were not installed."""

_STUB = b'"""Of mlops-cli: only what the model needs, as it was when the model was exported."""\n'


@dataclass(frozen=True)
class Bundle:
    """The files of a folder by their paths in it."""

    files: Mapping[str, bytes]
    notices: tuple[Notice, ...] = ()


def bundle_of(saved: SavedModel, model: Model, example: pd.DataFrame) -> Bundle:
    """Return all files of an exported folder.

    Parameters
    ----------
    saved : SavedModel
        What is exported.
    model : Model
        The same, open.
    example : DataFrame
        Rows to be shown, none of them of the training data.

    Raises
    ------
    StoreError
        The model holds code that cannot be given along.
    """
    name = saved.paths.skops.name if saved.paths.skops.name in saved.hashes else saved.paths.joblib.name
    held = held_by(model.pipeline)
    code = _code(saved, held)
    read = _reading(saved)
    types = sorted(held_types(saved)) if name == saved.paths.skops.name else []
    settings = {"MODEL": name, "SHA256": saved.hashes[name], "TYPES": types, "READ": read}
    requirements, notices = _requirements(saved, held, name, code.values())
    files = {
        name: checked_bytes(saved.paths, name, saved.hashes),
        "signature.json": checked_bytes(saved.paths, "signature.json", saved.hashes),
        "card.md": _card(saved),
        "requirements.txt": requirements,
        EXAMPLE: _csv(example, read),
        LOADER: loader_text(settings),
        **code,
    }
    return Bundle(dict(sorted(files.items())), tuple(notices))


def held_types(saved: SavedModel) -> list[str]:
    """Return the types in a skops file that skops does not trust by itself; all of them were checked on opening."""
    import skops.io

    found: list[str] = skops.io.get_untrusted_types(data=checked_bytes(saved.paths, "model.skops", saved.hashes))
    return found


def _card(saved: SavedModel) -> bytes:
    return read_bytes(saved.paths.card if saved.version is None else VersionPaths(saved.version.path).card)


def _reading(saved: SavedModel) -> dict[str, Any]:
    """Return how a CSV file is read, where the training data was one and its config says so."""
    source = config_of(saved).data.source
    if not str(source.target).endswith(".CsvSource"):
        return {}
    read = source.params.get("read") or {}
    return {name: read[name] for name in sorted(_READ & set(read))}


def _csv(table: pd.DataFrame, read: Mapping[str, Any]) -> bytes:
    text = table.to_csv(
        index=False, sep=read.get("sep") or ",", decimal=read.get("decimal") or ".", lineterminator="\n"
    )
    return text.encode(read.get("encoding") or "utf-8")


# --- code --------------------------------------------------------------------------------------------------------


def _code(saved: SavedModel, held: Iterable[str]) -> dict[str, bytes]:
    """Return the files that the model's classes are defined in, where no index of packages has them."""
    modules = {name.rpartition(".")[0] for name in held}
    own = {name for name in modules if name.partition(".")[0] == _OWN}
    files = {f"code/{path}": data for path, data in _of_this_package(own).items()}
    known = packages_distributions().keys() | sys.stdlib_module_names
    users = {name for name in modules - own if not _is_known(name.partition(".")[0], known)}
    return files | ({f"code/{path}": data for path, data in _of_user(saved, users).items()} if users else {})


def _is_known(top: str, known: AbstractSet[str]) -> bool:
    """Whether a module comes with Python or a package; Cython calls the home of its own classes ``_cython_3_2``."""
    return top in known or top.startswith("_cython")


def _of_this_package(modules: set[str]) -> dict[str, bytes]:
    """Return source files of this package that need nothing else of it, and its license."""
    if not modules:
        return {}
    files: dict[str, bytes] = {f"{_OWN}/LICENSE": _license()}
    for module in sorted(modules):
        spec = find_spec(module)
        data = Path(spec.origin).read_bytes() if spec is not None and spec.origin else b""
        if not module.startswith(_PLACE) or not data or any(n.partition(".")[0] == _OWN for n in imports(data)):
            raise StoreError(
                f"the model needs {module} of mlops-cli, which does not stand alone", hint="--format joblib"
            )
        *packages, last = module.split(".")
        files |= {f"{'/'.join(packages[: n + 1])}/__init__.py": _STUB for n in range(len(packages))}
        files[f"{'/'.join(packages)}/{last}.py"] = data
    return files


def _license() -> bytes:
    try:
        return (distribution("mlops-cli").read_text("licenses/LICENSE") or "MIT License\n").encode()
    except PackageNotFoundError:
        return b"MIT License\n"


def _of_user(saved: SavedModel, modules: set[str]) -> dict[str, bytes]:
    """Return the user's own files, as they were when the model was made."""
    found = {}
    for name, digest in saved.record.code.items():
        data = _kept(saved, name)
        if data is None or sha256(data) != digest:
            how = "is no longer there" if data is None else "has changed since the run"
            raise StoreError(f"{name} {how}, and the model needs it", hint="restore it, or run the experiment again")
        found[name] = data
    known = {name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in found}
    lost = sorted(modules - known)
    if lost:
        raise StoreError(
            f"the model holds something of {', '.join(lost)}, of which no code is kept", hint="--format joblib"
        )
    return found


def _kept(saved: SavedModel, name: str) -> bytes | None:
    if saved.version is None:
        return code_of(RunPaths(saved.record.path).workspace.root, name)
    place = VersionPaths(saved.version.path).code / name
    return read_bytes(place) if f"code/{name}" in saved.version.files else None


# --- packages ----------------------------------------------------------------------------------------------------


def _requirements(
    saved: SavedModel, held: Iterable[str], name: str, code: Iterable[bytes]
) -> tuple[bytes, list[Notice]]:
    """Return what pip has to install, in the versions that made the model."""
    modules = {dotted.partition(".")[0] for dotted in held} | {n.partition(".")[0] for c in code for n in imports(c)}
    known = packages_distributions()
    wanted = {plain_name(d) for module in modules for d in known.get(module, ())} | set(_ALWAYS)
    wanted |= {"skops" if name == saved.paths.skops.name else "joblib"}
    wanted -= {"mlops-cli"}
    found = {item.name: item for item in packages_of(saved.record) if item.name in wanted}
    now = versions(wanted)
    found |= {item: Package(item, now.get(item)) for item in wanted - found.keys()}
    listed = [found[item] for item in sorted(found)]
    other = [f"{p.name} {p.version} (here {now[p.name]})" for p in listed if p.name in now and p.version != now[p.name]]
    text = f"the model was made with {', '.join(other)}: it was checked with what is installed here"
    return requirements_text(saved.record, listed).encode(), [Notice("other-packages", text)] if other else []


# --- checked -----------------------------------------------------------------------------------------------------


def check_folder(folder: Path, model: Model, example: pd.DataFrame) -> ExportCheck:
    """Run the loader of an exported folder, without this package, and hold it against the model.

    Raises
    ------
    StoreError
        It fails, or says something else.
    """
    import pandas as pd

    done = _run(folder)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise StoreError(f"{LOADER} of the exported folder fails: {last[:300]}", hint="--format joblib")
    said = pd.read_csv(io.StringIO(done.stdout), keep_default_na=False)
    expected = pd.DataFrame({"prediction": model.predict(example)})
    if hasattr(model.pipeline, "predict_proba"):
        names = [f"proba_{label}" for label in model.pipeline.classes_]
        expected[names] = model.predict_proba(example)
    differences = [_apart(said.get(name), column) for name, column in expected.items()]
    if not max(differences) <= 1e-9:
        raise StoreError(f"{LOADER} of the exported folder predicts something else", hint="--format joblib")
    return ExportCheck(len(example), MADE, max(differences))


def _apart(said: Any, expected: pd.Series[Any]) -> float:
    """Return how far two columns are apart, as a share of the largest number; classes that differ, infinitely."""
    import numpy as np
    from pandas.api import types as pdt

    if said is None or len(said) != len(expected):
        return float("inf")
    if not pdt.is_float_dtype(expected.dtype):
        return 0.0 if said.astype(str).tolist() == expected.astype(str).tolist() else float("inf")
    numbers = expected.to_numpy()
    return float(np.abs(said.to_numpy(dtype="float64") - numbers).max() / (np.abs(numbers).max() or 1.0))


def _run(folder: Path) -> subprocess.CompletedProcess[str]:
    loader = str(folder / LOADER)
    blind = [] if (folder / "code" / _OWN).exists() else ["-c", _BLIND]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8"}
    try:
        return subprocess.run(
            [sys.executable, *blind, loader, EXAMPLE],
            cwd=folder,
            env=environment,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StoreError(f"{LOADER} of the exported folder cannot be run: {error}") from error

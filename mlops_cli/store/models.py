"""Model files: written with their sha256, and opened only after it is checked and every type in them is allowed.

The same bytes are hashed and loaded, so that nothing can be exchanged in between. Does not import a module of the
user's by itself, and does not know what a model computes.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import StoreError
from mlops_cli.records import SCHEMA_VERSION
from mlops_cli.store.files import damaged, json_bytes, parse_json, read_bytes, sha256, write_files
from mlops_cli.store.serialize import signature_from_json, signature_to_json
from mlops_cli.store.trusted import check_types, is_allowed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_cli.records import Signature
    from mlops_cli.store.layout import ModelPaths

_USE_JOBLIB = "artifacts.model_format=joblib stores it as a pickle"
# Opening a file again costs as much as writing it: worth it for all but the largest.
_VERIFY_BYTES = 4_000_000


# --- writing -----------------------------------------------------------------------------------------------------


def save_model(
    model: Any,
    signature: Signature,
    card: str,
    paths: ModelPaths,
    model_format: str = "skops",
    *,
    trust: Sequence[str] = (),
) -> dict[str, str]:
    """Write a fitted model with its signature, its card and their hashes.

    Parameters
    ----------
    model : estimator
        Fitted.
    signature : Signature
        What it takes and gives.
    card : str
        What it is, for people, as Markdown.
    paths : ModelPaths
        Where it goes.
    model_format : {"skops", "joblib"}
        How it is written.
    trust : sequence of str
        The workspace's trusted modules, whose types the model may hold.

    Returns
    -------
    dict of str to str
        File name → sha256, to be recorded outside the folder: what `load_model` checks the files against.

    Raises
    ------
    StoreError
        skops cannot keep this model, or could not open it again; or the disk refuses.
    """
    is_pickle = model_format == "joblib"
    data = _pickled(model) if is_pickle else _skopsed(model, trust)
    files = {
        (paths.joblib if is_pickle else paths.skops): data,
        paths.signature: json_bytes(signature_to_json(signature)),
        paths.card: card.encode(errors="backslashreplace"),
    }
    hashes = {path.name: sha256(content) for path, content in files.items()}
    write_files({**files, paths.hashes: json_bytes({"schema_version": SCHEMA_VERSION, "files": hashes})})
    return hashes


def _pickled(model: Any) -> bytes:
    import joblib

    buffer = io.BytesIO()
    try:
        joblib.dump(model, buffer)
    except Exception as error:
        raise StoreError(f"the model cannot be pickled: {error}", hint="artifacts.keep=none keeps no model") from error
    return buffer.getvalue()


def _skopsed(model: Any, trust: Sequence[str]) -> bytes:
    import skops.io

    try:
        # A forest shrinks to a quarter at the lightest compression, for a few hundredths of a second.
        data: bytes = skops.io.dumps(model, compression=zipfile.ZIP_DEFLATED, compresslevel=1)
    except Exception as error:
        raise _not_kept(f"skops cannot store this model: {error}") from error
    try:
        types = _checked_types(data, trust)
        if len(data) <= _VERIFY_BYTES:
            skops.io.loads(data, trusted=types)
    except StoreError as error:
        raise _not_kept(f"skops could not open this model again: {error.message}", error.hint) from error
    except Exception as error:
        raise _not_kept(f"skops could not open this model again: {error}") from error
    return data


def _not_kept(message: str, hint: str | None = None) -> StoreError:
    return StoreError(message, hint=f"{hint}; else {_USE_JOBLIB}" if hint else _USE_JOBLIB)


def _checked_types(data: bytes, trust: Sequence[str]) -> list[str]:
    import skops.io

    names: list[str] = skops.io.get_untrusted_types(data=data)
    check_types(names, trust)
    return names


def _allowed_names(data: bytes, trust: Sequence[str]) -> list[str]:
    """Return those of the names in a file's schema that are allowed.

    skops' own list of what it does not trust takes as long as opening the file, for it unpacks every array. What it
    does not trust and is not among these names it refuses to open, so no more is let through than by `_checked_types`.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        schema = parse_json(file.read("schema.json"), Path("schema.json"))
    names, todo = set(), [schema]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            names.add(f"{value.get('__module__')}.{value.get('__class__')}")
            todo += value.values()
        elif isinstance(value, list):
            todo += value
    return [name for name in names if is_allowed(name, trust)]


# --- opening -----------------------------------------------------------------------------------------------------


def load_model(
    paths: ModelPaths, recorded: Mapping[str, str], *, trust: Sequence[str] = (), allow_pickle: bool = False
) -> Any:
    """Open a model whose sha256 is recorded elsewhere.

    Parameters
    ----------
    paths : ModelPaths
        Where it lies.
    recorded : Mapping[str, str]
        File name → sha256, as `save_model` returned it and ``run.json`` or the registry keeps it.
    trust : sequence of str
        The workspace's trusted modules; they must be importable.
    allow_pickle : bool
        Whether a joblib file may be opened, which runs whatever code is in it.

    Raises
    ------
    StoreError
        There is no model, it is not the recorded one, or it holds a type that is not allowed.
    """
    if paths.skops.name in recorded:
        return _open_skops(checked_bytes(paths, paths.skops.name, recorded), paths, trust)
    if paths.joblib.name not in recorded:
        raise StoreError(f"no model is kept in {paths.root.parent}", hint="artifacts.keep=best keeps one")
    if not allow_pickle:
        raise StoreError(
            f"{paths.joblib} is a pickle, which runs code when it is opened",
            hint="--allow-pickle opens it, if you trust where it comes from",
        )
    return _open_pickle(checked_bytes(paths, paths.joblib.name, recorded), paths)


def checked_bytes(paths: ModelPaths, name: str, recorded: Mapping[str, str]) -> bytes:
    """Return a file of a model, if it is the one that was recorded.

    Raises
    ------
    StoreError
        It is not there, or has another sha256.
    """
    path = paths.root / name
    data = read_bytes(path)
    if sha256(data) != recorded.get(name):
        raise StoreError(
            f"{path} is not the file that was recorded: its sha256 differs",
            hint="restore it from a copy, or run the experiment again",
        )
    return data


def _open_skops(data: bytes, paths: ModelPaths, trust: Sequence[str]) -> Any:
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        try:
            return skops.io.loads(data, trusted=_allowed_names(data, trust))
        except UntrustedTypesFoundException:  # asked in full, which says which type it is
            return skops.io.loads(data, trusted=_checked_types(data, trust))
    except StoreError as error:
        raise StoreError(f"{paths.skops}: {error.message}", hint=error.hint) from error
    except Exception as error:
        raise _not_opened(paths, error) from error


def _open_pickle(data: bytes, paths: ModelPaths) -> Any:
    import joblib

    try:
        return joblib.load(io.BytesIO(data))
    except Exception as error:
        raise _not_opened(paths, error) from error


def _not_opened(paths: ModelPaths, error: Exception) -> StoreError:
    return StoreError(
        f"the model in {paths.root} cannot be opened: {type(error).__name__}: {error}",
        hint="run.json says which versions it was made with",
    )


def load_signature(paths: ModelPaths, recorded: Mapping[str, str]) -> Signature:
    """Read what a model takes and gives, after its sha256 is checked.

    Raises
    ------
    StoreError
        It is missing, damaged, or not the recorded one.
    """
    data = checked_bytes(paths, paths.signature.name, recorded)
    try:
        return signature_from_json(parse_json(data, paths.signature))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(paths.signature, f"not a signature: {error!r}") from error

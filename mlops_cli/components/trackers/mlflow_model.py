"""The model of a run as a model of MLflow's, with a signature, and as a version of its registry."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_cli.components.trackers.mlflow_names import text_of
from mlops_cli.components.trackers.mlflow_told import RUN_ID
from mlops_cli.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_cli.contracts import Ended
    from mlops_cli.records import Column, RunRecord, Signature

MODEL = "mlops.mlflow_model"
"""The tag of a run that says which model of MLflow's is its own, and the sha256 of our file."""

_SKOPS = "model/model.skops"
_JOBLIB = "model/model.joblib"
MODEL_FILES = frozenset({_SKOPS, _JOBLIB})
"""What is logged as a model of MLflow's, and as no file beside it."""

_NEEDED = ("scikit-learn", "skops", "pandas", "numpy", "scipy")
_NUMBERS = {"float64": "double", "float32": "float", "bool": "boolean", "boolean": "boolean"}
_ALIAS = re.compile(r"[\w-]{1,255}")


@dataclass(frozen=True)
class Registration:
    """A version of MLflow's registry that a run's model becomes."""

    name: str
    aliases: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    description: str = ""


def is_alias(word: str) -> bool:
    """Whether MLflow takes a word as an alias."""
    is_number = word[:1] in {"v", "V"} and word[1:].isdecimal()
    return _ALIAS.fullmatch(word) is not None and not is_number and word.lower() != "latest"


def log_model(client: Any, run: Any, ended: Ended) -> str | None:
    """Keep the model of a run with it, unless it is kept already.

    Parameters
    ----------
    client : MlflowClient
        Of the place.
    run : mlflow.entities.Run
        Of MLflow's.
    ended : Ended
        What ended.

    Returns
    -------
    str or None
        The model's id; None where the run has no model.
    """
    record = ended.record
    digest = record.files.get(_SKOPS) or record.files.get(_JOBLIB)
    if digest is None or ended.open_model is None or ended.signature is None:
        return None
    known, _, of = run.data.tags.get(MODEL, "").partition(" ")
    if of == digest:
        return str(known)
    made = client.create_logged_model(
        run.info.experiment_id, "model", run.info.run_id, tags={RUN_ID: record.id}, model_type=str(record.task or "")
    )
    try:
        with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
            _save(ended, ended.signature, Path(folder) / "model", made)
            client.log_model_artifacts(made.model_id, str(Path(folder) / "model"))
    except BaseException:
        client.delete_logged_model(made.model_id)
        raise
    client.finalize_logged_model(made.model_id, "READY")
    _say_of(client, run.info.run_id, made.model_id)
    client.set_tag(run.info.run_id, MODEL, f"{made.model_id} {digest}")
    return str(made.model_id)


def _say_of(client: Any, run_id: str, model_id: str) -> None:
    from mlflow.entities import LoggedModelOutput

    client.log_outputs(run_id, [LoggedModelOutput(model_id, step=0)])


def _save(ended: Ended, signature: Signature, path: Path, made: Any) -> None:
    """Write a model in MLflow's form: by skops, which runs no code when it is opened, or as a pickle where ours is."""
    import mlflow.sklearn
    from mlflow.models import Model

    pipeline = ended.open_model() if ended.open_model is not None else None
    is_skops = _SKOPS in ended.record.files
    trusted = _types(pipeline) if is_skops else None
    mlflow.sklearn.save_model(
        pipeline,
        str(path),
        mlflow_model=Model(
            artifact_path=made.artifact_location,
            run_id=made.source_run_id,
            model_uuid=made.model_id,
            model_id=made.model_id,
        ),
        serialization_format="skops" if is_skops else "pickle",
        signature=_signature(signature),
        pip_requirements=requirements(ended.record, trusted or ()),
        skops_trusted_types=trusted,
        metadata={RUN_ID: ended.record.id},
    )


def _types(pipeline: Any) -> list[str]:
    """Return the types of a model that skops wants to be told of; it was opened, so they are allowed."""
    import skops.io

    return list(skops.io.get_untrusted_types(data=skops.io.dumps(pipeline)))


def requirements(record: RunRecord, types: Any) -> list[str]:
    """Return what a model needs to be opened, in the versions that it was made with.

    Without it MLflow would open the model in a process of its own to see what is imported, which takes 20 s.
    """
    versions = record.environment.get("packages", record.environment)
    tops = {name.partition(".")[0] for name in types}
    names = [*_NEEDED, *sorted(name for name in versions if name.replace("-", "_") in tops)]
    return [f"{name}=={versions[name]}" for name in dict.fromkeys(names) if isinstance(versions.get(name), str)]


# --- what it takes and gives -------------------------------------------------------------------------------------


def _signature(signature: Signature) -> Any:
    import numpy as np
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema, TensorSpec

    inputs = Schema([ColSpec(column_type(column), column.name) for column in signature.inputs])
    try:
        output = np.dtype(signature.output_dtype)
    except TypeError:  # a type of pandas'
        output = np.dtype("str")
    # MLflow knows texts by no length, and no objects.
    return ModelSignature(inputs, Schema([TensorSpec(output if output.kind in "biufM" else np.dtype("str"), (-1,))]))


def column_type(column: Column) -> str:
    """Return a column's type in MLflow's words.

    Whole numbers of which some are missing are read as fractions, and would be refused as anything else.
    """
    dtype = column.categories or column.dtype if column.dtype == "category" else column.dtype
    if dtype in _NUMBERS:
        return _NUMBERS[dtype]
    if dtype.lower().startswith(("int", "uint")):
        return "double" if column.missing else "long"
    if dtype.lower().startswith("float"):
        return "double"
    return "datetime" if dtype.startswith("datetime") else "string"


# --- the registry ------------------------------------------------------------------------------------------------


def register_model(client: Any, run_id: str, model_id: str, record: RunRecord, asked: Registration) -> str:
    """Make a model a version of MLflow's registry, unless it is one, and say what it is called; return its number."""
    sources = _sources(client, model_id)
    found = [v for v in client.search_model_versions(f"run_id = '{run_id}'") if v.name == asked.name]
    version = next((v for v in found if v.source in sources), None)
    tags = _lineage(record, asked)
    if version is None:
        _require_model(client, asked.name)
        said = asked.description or None
        version = client.create_model_version(asked.name, sources[0], run_id, tags, description=said, model_id=model_id)
    else:
        for key, value in tags.items():
            client.set_model_version_tag(asked.name, version.version, key, value)
    for alias in asked.aliases:
        client.set_registered_model_alias(asked.name, alias, version.version)
    return str(version.version)


def _sources(client: Any, model_id: str) -> tuple[str, str]:
    """Return the two names of where a model is, the one that is to be said first.

    Of a data base, MLflow looks for ``models:/…`` not in the one that is written to, but in the one that is set for
    the whole process; a server takes no paths.
    """
    place = str(client.get_logged_model(model_id).artifact_location)
    is_server = client.tracking_uri.startswith(("http://", "https://"))
    return (f"models:/{model_id}", place) if is_server else (place, f"models:/{model_id}")


def _require_model(client: Any, name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _lineage(record: RunRecord, asked: Registration) -> dict[str, str]:
    """Return what a version came from."""
    said = {
        RUN_ID: record.id,
        "mlops.fingerprint": record.fingerprint,
        "mlops.dataset.version": "" if record.dataset is None else record.dataset.version,
        "mlops.dataset.source": "" if record.dataset is None else record.dataset.source,
        "mlops.git.commit": record.git.commit or "",
        "mlops.primary": record.primary or "",
        **asked.tags,
    }
    return {key: text_of(value) for key, value in said.items() if value}


def check_registration(name: str | None, aliases: tuple[str, ...]) -> None:
    """Refuse a name or an alias that MLflow would refuse, before anything is run.

    Raises
    ------
    StoreError
        It would.
    """
    if name is not None and (not name.strip() or set("/:") & set(name) or name.startswith(".")):
        raise StoreError(
            f"tracker.register: {name!r} cannot be the name of a model in MLflow", hint="register: titanic"
        )
    for word in aliases:
        if not is_alias(word):
            hint = "letters, digits, _ and -; not 'latest', and not v1"
            raise StoreError(f"tracker.alias: {word!r} cannot be an alias in MLflow", hint=hint)
    if aliases and name is None:
        raise StoreError(
            "tracker.alias says what a model is called that is not registered", hint="tracker.register=NAME"
        )

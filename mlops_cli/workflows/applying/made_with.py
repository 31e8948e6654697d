"""What a model was made with and is installed otherwise now: it is opened all the same, and may say something else."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from mlops_cli.records import Notice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ALWAYS = "numpy"
_NAMES = {"sklearn": "scikit-learn", "mlops_cli": "mlops-cli"}


def other_packages(pipeline: Any, environment: Mapping[str, Any]) -> tuple[Notice, ...]:
    """Say which packages of a model's own steps are of another version than when it was fitted.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted.
    environment : mapping
        As the run recorded it. Of versions the first two numbers count: the last one stands for mends.
    """
    recorded: Mapping[str, str] = environment.get("packages") or {}
    other = [
        f"{name} {recorded[name]}, and {now or 'none'} is installed"
        for name in sorted({_ALWAYS, *_packages(pipeline)} & recorded.keys())
        if _minor(now := _installed(name)) != _minor(recorded[name])
    ]
    return (Notice("other-packages", f"the model was made with {'; '.join(other)}"),) if other else ()


def _packages(pipeline: Any) -> Iterator[str]:
    """Yield the packages that the classes of all steps come from."""
    steps = [pipeline, *(pipeline.get_params(deep=True).values() if hasattr(pipeline, "get_params") else ())]
    for module in {type(step).__module__.partition(".")[0] for step in steps if hasattr(step, "fit")}:
        yield _NAMES.get(module, module.replace("_", "-"))


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _minor(number: str) -> list[str]:
    return number.split(".")[:2]

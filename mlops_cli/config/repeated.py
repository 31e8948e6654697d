"""Tasks without a table: what is done, and how it is scored. They are repeated where others are split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlops_cli.components.commands import words_of
from mlops_cli.components.measures import ALL, BUILT_IN, direction_of
from mlops_cli.config import readers as read
from mlops_cli.errors import ConfigError, did_you_mean
from mlops_cli.records import ComponentSpec, DataSpec, Direction, EvaluationSpec, MetricSpec, Task

if TYPE_CHECKING:
    from mlops_cli.records import SweepSpec

REPEATED_KEYS = ("script", "command", "params", "inputs", "env", "agent", "training")
"""The sections that make a `TrialSpec` of a task without a table, beside the seed."""

NO_DATA = DataSpec(ComponentSpec("none"))
"""What stands for the data of such a task."""

REPETITIONS = {Task.SCRIPT: 1, Task.REINFORCEMENT: 3}
"""How often a task is repeated where nothing is said."""

_TABLE = ("data", "model", "transforms", "target_transform", "calibration", "threshold", "split")
_INSTEAD = {"data": "put what it reads into params and inputs", "split": "evaluation.repetitions=5 repeats it"}
_NEEDED = {
    Task.SCRIPT: "script: train.main, a function of yours, or command: python train.py --lr ${params.lr}",
    Task.REINFORCEMENT: "env: {id: FrozenLake-v1}",
}
_MEASURES = "[accuracy, {loss: minimize}]"


def suited(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config without the sections that its task has no use for."""
    if _task(config).has_table:
        kept = {key: value for key, value in config.items() if key not in REPEATED_KEYS}
        return {**kept, **_without_repetitions(config)}
    return {key: value for key, value in config.items() if key not in _TABLE or _says(value)}


def _without_repetitions(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the evaluation without a key that says nothing, for tasks that have no use for it."""
    evaluation = config.get("evaluation")
    if not isinstance(evaluation, Mapping) or evaluation.get("repetitions") is not None:
        return {}
    return {"evaluation": {key: value for key, value in evaluation.items() if key != "repetitions"}}


def trial_keys(config: Mapping[str, Any], of_table: tuple[str, ...]) -> tuple[str, ...]:
    """Return the sections that determine a trial; of a task without a table those that say anything."""
    if _task(config).has_table:
        return of_table
    return (*(key for key in REPEATED_KEYS if config.get(key) not in (None, {}, [])), "seed")


def _task(config: Mapping[str, Any]) -> Task:
    """Return the task as far as it is known to be one; what is wrong is said where it is read."""
    said = config.get("task")
    return Task(said) if said in {str(task) for task in Task} else Task.CLASSIFICATION


def refuse_table(config: Mapping[str, Any], task: Task, sweep: SweepSpec) -> None:
    """Refuse what a task without a table has no use for.

    Raises
    ------
    ConfigError
        With the key.
    """
    for key in _TABLE:
        if _says(config.get(key)):
            hint = _INSTEAD.get(key, f"leave {key} out")
            raise ConfigError(f"task: {task} reads no table, and has no use for this", key=key, hint=hint)
    if sweep.pruner.prunes and sweep.pruner.over == "rows":
        hint = "over: splits prunes over the repetitions"
        raise ConfigError(f"task: {task} has no rows to give a share of", key="sweep.pruner.over", hint=hint)


def _says(value: Any) -> bool:
    """Whether a section says what it is made of."""
    if not isinstance(value, Mapping):
        return value not in (None, "???", [])
    own = value.get("_target_") is not None or value.get("path") not in (None, "???") or bool(value.get("accept"))
    return own or any(isinstance(inner, Mapping) and "_target_" in inner for inner in value.values())


# --- what is done ------------------------------------------------------------------------------------------------


def read_repeated(config: Mapping[str, Any]) -> ComponentSpec:
    """Return what one trial does: one of script, command and env, by that name, and all that it is given.

    Raises
    ------
    ConfigError
        Nothing is said, or two things.
    """
    said = [key for key in ("script", "command", "env") if config.get(key) not in (None, {}, "")]
    if len(said) != 1:
        found = "nothing is to be done" if not said else f"{' and '.join(said)} are said, and one is done"
        needed = _NEEDED[Task.REINFORCEMENT if config.get("agent") else Task.SCRIPT]
        raise ConfigError(found, key=said[-1] if said else "task", hint=needed)
    _CHECKS[said[0]](config)
    read.mapping(config.get("params"), "params")
    read.names(config.get("inputs"), "inputs")
    return ComponentSpec(said[0], {"config": dict(config)})


def _check_script(config: Mapping[str, Any]) -> None:
    read.text(config["script"], "script")


def _check_command(config: Mapping[str, Any]) -> None:
    command = config["command"]
    if isinstance(command, list):
        if not command:
            raise read.wrong(command, "command", "a command and its arguments")
        return
    try:
        words_of(read.text(command, "command"))
    except ValueError as error:
        raise ConfigError(f"cannot be read as words: {error}", key="command", hint="close every quote") from None


def _check_env(config: Mapping[str, Any]) -> None:
    read.text(read.mapping(config["env"], "env").get("id"), "env.id")
    agent = read.mapping(config.get("agent"), "agent")
    if agent.get("_target_") is None:
        hint = 'add "- agent: q_learning" to the defaults, or give it a _target_'
        raise ConfigError("no agent is chosen", key="agent", hint=hint)
    read.mapping(config.get("training"), "training")


_CHECKS = {"script": _check_script, "command": _check_command, "env": _check_env}


# --- how it is scored --------------------------------------------------------------------------------------------


def read_measures(value: object, key: str, task: Task | None) -> EvaluationSpec:
    """Return the measures that a task without a table gives, each with its good end.

    Raises
    ------
    ConfigError
        A measure says no good end, and its name none either.
    """
    node = read.mapping(value, key)
    read.only(node, key, ("test", "metrics", "primary", "repetitions"))
    if node.get("test") is not None:
        raise ConfigError(f"task: {task} reads no table to hold rows out of", key=f"{key}.test", hint="leave it out")
    items = node.get("metrics") or list(BUILT_IN.get(str(task), ()))
    if not items:
        hint = f"name what it gives, with its good end where that is not plain: {_MEASURES}"
        raise ConfigError("a measure is needed to rank by", key=f"{key}.metrics", hint=hint)
    listed = items if isinstance(items, list) else [items]
    _check_given(listed, f"{key}.metrics", task)
    given = ALL.get(str(task), ())
    metrics = tuple(_measure(item, f"{key}.metrics[{i}]", given) for i, item in enumerate(listed))
    primary = node.get("primary")
    if primary is not None:
        read.choice(primary, f"{key}.primary", [m.name for m in metrics])
    often = node.get("repetitions")
    repetitions = REPETITIONS.get(task or Task.SCRIPT, 1)
    if often is not None:
        repetitions = read.integer(often, f"{key}.repetitions", minimum=1)
    return EvaluationSpec(metrics, primary, None, repetitions)


def _check_given(listed: list[Any], key: str, task: Task | None) -> None:
    """Refuse a measure that a task does not give, before hours are spent to find that out."""
    known = ALL.get(str(task), ())
    for i, item in enumerate(listed):
        name = next(iter(item), None) if isinstance(item, Mapping) else item
        if known and name not in known:
            hint = did_you_mean(str(name), known)
            raise ConfigError(f"task: {task} gives no measure {name!r}", key=f"{key}[{i}]", hint=hint)


def _measure(value: object, key: str, given: tuple[str, ...]) -> MetricSpec:
    """Return a measure with its good end; one of those that the task gives by itself need not have any."""
    if isinstance(value, Mapping) and len(value) == 1:
        ((name, end),) = read.mapping(value, key).items()
        return MetricSpec(name, direction=Direction(read.choice(end, f"{key}.{name}", list(Direction))))
    if not isinstance(value, str) or not value:
        raise read.wrong(value, key, f"the name of a measure, or a name with its good end: {_MEASURES}")
    direction = direction_of(value)
    if direction is None and value not in given:
        hint = f"{{{value}: maximize}} or {{{value}: minimize}}"
        raise ConfigError(f"which end of {value!r} is the good one is not known", key=key, hint=hint)
    return MetricSpec(value, direction=direction)

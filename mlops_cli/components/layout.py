"""Named transform steps → a tree of fits over the columns of the data.

Steps act in order on their columns; the others pass through. ``columns`` is read against the columns of the data, so
``scale: numeric`` acts on whatever the numeric columns of the data have become by then. `execution` fits the nodes of
the tree one by one to share them between trials; `components.pipeline` writes the same tree as a plain scikit-learn
Pipeline. Nothing here is fitted or built.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from mlops_cli.errors import ConfigError, did_you_mean
from mlops_cli.records import Kind, Notice

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from mlops_cli.records import Column, TransformSpec

DROP = "drop"
PASSTHROUGH = "passthrough"
ALL = "all"
BUT = "~"


@dataclass(frozen=True)
class Traits:
    """What the layout must know of a step's transformer."""

    flat: bool = False  # takes one column in one dimension, as text vectorisers do
    takes_sparse: bool = True
    gives_sparse: bool = False
    resamples: bool = False  # makes other training rows, and leaves test rows alone
    by_name: bool = False  # asks for columns by name
    gives_tensors: bool = False  # which no other step takes
    reads_target: bool = False  # as far as is known: a user's own may
    keeps_frame: bool = False  # the model must be given a DataFrame, as for columns marked as categories


@dataclass(frozen=True)
class Columns:
    """Columns of the data as they are; ``flat`` hands a single one over in one dimension."""

    names: tuple[str, ...]
    flat: bool = False


@dataclass(frozen=True)
class Step:
    """A transformer fitted on what its source gives."""

    source: Node
    spec: TransformSpec
    only: tuple[str, ...] | None = None  # acts on these alone of the source's columns; the others pass through
    frame: bool = False  # gives a DataFrame, because a later step picks columns by name
    resamples: bool = False  # makes other training rows
    gives_tensors: bool = False


@dataclass(frozen=True)
class Union:
    """Several parts side by side, as in a ColumnTransformer."""

    parts: tuple[Node, ...]
    dense: bool = False  # whoever reads it takes no sparse matrix
    frame: bool = False


Node = Columns | Step | Union


@dataclass(frozen=True)
class Layout:
    """The tree that the steps make of the columns, and what is worth saying about it."""

    root: Node  # gives the matrix that the model is fitted on
    notices: tuple[Notice, ...] = ()


def columns_of(node: Node) -> tuple[str, ...]:
    """Return the columns of the data that a node reads, in order."""
    if isinstance(node, Columns):
        return node.names
    if isinstance(node, Step):
        return columns_of(node.source)
    return tuple(name for part in node.parts for name in columns_of(part))


def step_nodes(node: Node) -> tuple[Step, ...]:
    """Return the nodes of a tree that are steps, those that are read before those that read them."""
    if isinstance(node, Columns):
        return ()
    if isinstance(node, Step):
        return (*step_nodes(node.source), node)
    return tuple(step for part in node.parts for step in step_nodes(part))


def steps_of(node: Node) -> tuple[TransformSpec, ...]:
    """Return the steps of a tree, those that are read before those that read them."""
    return tuple(step.spec for step in step_nodes(node))


def last_column(node: Node) -> str | None:
    """Return the column of the data that stands last in what a node gives; None where a step has made what does."""
    if isinstance(node, Columns):
        return node.names[-1]
    if isinstance(node, Union):
        return last_column(node.parts[-1])
    kept = last_column(node.source) if node.resamples or node.only is not None else None
    return None if node.only is not None and kept in node.only else kept


def untouched(node: Node) -> tuple[str, ...]:
    """Return the columns of the data that reach the root as they are."""
    if isinstance(node, Columns):
        return node.names
    if isinstance(node, Union):
        return tuple(name for part in node.parts for name in untouched(part))
    if node.resamples:
        return untouched(node.source)
    return tuple(n for n in untouched(node.source) if n not in node.only) if node.only is not None else ()


def resampling(node: Node) -> tuple[TransformSpec, ...]:
    """Return the steps that make other training rows, first to last; each acts on all columns, so there is one path."""
    if isinstance(node, Columns):
        return ()
    if isinstance(node, Union):
        return resampling(node.parts[0]) if len(node.parts) == 1 else ()
    return (*resampling(node.source), *([node.spec] if node.resamples else []))


def select(selectors: Sequence[str], columns: Sequence[Column], *, key: str) -> list[str]:
    """Return the names of the columns that a step's ``columns`` asks for, in the data's order.

    Parameters
    ----------
    selectors : sequence of str
        Kinds (``numeric``, …), ``all``, names, or globs; ``~`` before a name or glob leaves it out of the others.
    columns : sequence of Column
        The features of the data.
    key : str
        Where the selectors stand in the config.

    Raises
    ------
    ConfigError
        A name or glob matches no column. A kind of which there are none selects nothing, silently: one config serves
        data with and without, say, text.
    """
    names = [c.name for c in columns]
    but = [s.removeprefix(BUT) for s in selectors if s.startswith(BUT) and s not in names]
    asked = [s for s in selectors if s.removeprefix(BUT) not in but]
    wanted = {name for selector in asked or [ALL] for name in _selected(selector, columns, key)}
    left_out = {name for pattern in but for name in names if name == pattern or fnmatchcase(name, pattern)}
    return [name for name in names if name in wanted - left_out]


def _selected(selector: str, columns: Sequence[Column], key: str) -> list[str]:
    if selector == ALL:
        return [c.name for c in columns]
    if selector in set(Kind):
        return [c.name for c in columns if c.kind == selector]
    return _matching(selector, columns, key)


def _matching(pattern: str, columns: Sequence[Column], key: str) -> list[str]:
    names = [c.name for c in columns]
    found = [pattern] if pattern in names else [n for n in names if fnmatchcase(n, pattern)]
    if not found:
        known = [*names, *Kind, ALL]
        raise ConfigError(f"'{pattern}' is no column of the features", key=key, hint=did_you_mean(pattern, known))
    return found


def lay_out(
    transforms: Sequence[TransformSpec],
    columns: Sequence[Column],
    traits: Callable[[TransformSpec], Traits],
    *,
    dense: bool = False,
) -> Layout:
    """Lay the steps out over the columns.

    Parameters
    ----------
    transforms : sequence of TransformSpec
        The steps in order.
    columns : sequence of Column
        The features of the data.
    traits : callable
        Tells of a step's transformer what the layout depends on.
    dense : bool
        The model takes no sparse matrix.

    Raises
    ------
    ConfigError
        A step names columns that are not there, or nothing is left for the model.
    """
    pieces: list[Node] = []
    raw = [c.name for c in columns]
    notices: list[Notice] = []
    for spec in transforms:
        alive = {*raw, *(n for p in pieces for n in columns_of(p))}
        chosen = [n for n in select(spec.columns, columns, key=f"transforms.{spec.name}.columns") if n in alive]
        if not chosen or spec.component.target == PASSTHROUGH:
            continue
        if spec.component.target == DROP:
            notices.extend(_left_out(spec, [c for c in columns if c.name in chosen]))
        own = traits(spec)
        if own.resamples or own.gives_tensors:
            _require_all(spec, chosen, alive)
        if own.gives_tensors:
            _require_last(spec, transforms)
        pieces, raw = _apply(spec, chosen, pieces, raw, own)
    if raw:
        pieces.append(Columns(tuple(raw)))
    if not pieces:
        raise ConfigError("the steps leave no column for the model", key="transforms", hint="use transforms=none")
    root = pieces[0] if len(pieces) == 1 else Union(tuple(pieces))
    frame = any(traits(spec).keeps_frame for spec in steps_of(root))
    return Layout(_settled(root, traits, dense=dense, frame=frame), tuple(notices))


def _left_out(spec: TransformSpec, columns: Sequence[Column]) -> list[Notice]:
    """Say which columns a step leaves out only because of what they hold: nobody named them."""
    found = [c for c in columns if c.name not in spec.columns]
    if not found:
        return []
    names = ", ".join(f"{c.name} ({c.kind})" for c in found)
    mend = "name them in data.drop to say so on purpose, or give them a step"
    if any(c.kind is Kind.TEXT for c in found):
        mend += " (transforms=text reads text)"
    return [Notice("columns-left-out", f"transforms.{spec.name} leaves out {names}: {mend}")]


def _require_all(spec: TransformSpec, chosen: Sequence[str], alive: Collection[str]) -> None:
    left = [name for name in alive if name not in set(chosen)]
    if left:
        shown = ", ".join(sorted(left)[:5])
        message = f"{spec.component.target} takes whole rows, and this leaves out {shown}"
        raise ConfigError(message, key=f"transforms.{spec.name}.columns", hint="say nothing of columns: it is all")


def _require_last(spec: TransformSpec, transforms: Sequence[TransformSpec]) -> None:
    if transforms[-1] is not spec:
        message = f"{spec.component.target} gives tensors, which the step {transforms[-1].name} cannot take"
        raise ConfigError(message, key=f"transforms.{spec.name}", hint="make it the last step")


def _apply(
    spec: TransformSpec, chosen: Sequence[str], pieces: list[Node], raw: list[str], own: Traits
) -> tuple[list[Node], list[str]]:
    """Return the pieces and the untouched columns after one more step."""
    wanted = set(chosen)
    touched = [p for p in pieces if wanted & set(columns_of(p))]
    fresh = [n for n in raw if n in wanted]
    rest = [n for n in raw if n not in wanted]
    partly = any(not set(columns_of(p)) <= wanted for p in touched)
    if spec.component.target == DROP and not partly:
        return [p for p in pieces if p not in touched], rest
    if own.flat:
        return _replaced(pieces, touched, _flat_steps(spec, touched, fresh)), rest
    parts: list[Node] = [*touched, *([Columns(tuple(fresh))] if fresh else [])]
    source = parts[0] if len(parts) == 1 else Union(tuple(parts))
    only = tuple(chosen) if partly else None
    step = Step(source, spec, only=only, resamples=own.resamples, gives_tensors=own.gives_tensors)
    return _replaced(pieces, touched, [step]), rest


def _flat_steps(spec: TransformSpec, touched: Sequence[Node], fresh: Sequence[str]) -> list[Node]:
    if touched:
        changed = ", ".join(n for p in touched for n in columns_of(p))
        raise ConfigError(
            f"{spec.component.target} takes raw text, and an earlier step has changed {changed}",
            key=f"transforms.{spec.name}.columns",
            hint="move this step before the others on those columns",
        )
    return [Step(Columns((name,), flat=True), spec) for name in fresh]


def _replaced(pieces: Sequence[Node], old: Sequence[Node], new: Sequence[Node]) -> list[Node]:
    """Put the new pieces where the first of the old ones was, or at the end."""
    if not old:
        return [*pieces, *new]
    place = pieces.index(old[0])
    return [*pieces[:place], *new, *(p for p in pieces[place:] if p not in old)]


def _settled(node: Node, traits: Callable[[TransformSpec], Traits], *, dense: bool, frame: bool = False) -> Node:
    """Return the tree with every node told what its readers need: a DataFrame, or no sparse matrix."""
    if isinstance(node, Columns):
        return node
    if isinstance(node, Step):
        needs = frame or node.only is not None or traits(node.spec).by_name
        takes = traits(node.spec).takes_sparse and node.only is None
        # A resampler gives what it takes: nothing can be made dense between it and the end of the Pipeline.
        source = _settled(node.source, traits, dense=not takes or (dense and node.resamples), frame=needs)
        settled: Node = replace(node, source=source, frame=frame)
    else:
        parts = tuple(_settled(p, traits, dense=False, frame=frame) for p in node.parts)
        settled = Union(parts, dense=dense or frame, frame=frame)
    if dense and isinstance(settled, Step) and not frame and _gives_sparse(settled, traits):
        return Union((settled,), dense=True)
    return settled


def _gives_sparse(node: Node, traits: Callable[[TransformSpec], Traits]) -> bool:
    if isinstance(node, Columns):
        return False
    if isinstance(node, Union):
        return not node.dense and any(_gives_sparse(p, traits) for p in node.parts)
    own = traits(node.spec)
    passes_on = own.takes_sparse and not own.gives_tensors
    return own.gives_sparse or (passes_on and _gives_sparse(node.source, traits))

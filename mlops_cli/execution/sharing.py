"""Which fits several trials have in common: each of those is computed once per split, stored, and read by all.

A node of the tree of fits is worth storing when it has several consumers: steps that read it, or trials whose model
is fitted on it. A node with one consumer is computed where it is consumed. Pure: nothing is fitted here.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_cli.components.layout import Columns, Node, Step, Union

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlops_cli.execution.job import Candidate
    from mlops_cli.records import Trial


@dataclass(frozen=True)
class SharedNode:
    """A node that several trials read, with one of them to build its transformers from."""

    key: str
    node: Node
    trial: Trial
    splits: str
    consumers: frozenset[str]


def node_key(node: Node, candidate: Candidate) -> str:
    """Return the identity of a fit: the steps that lead to it, the seed of their transformers, the splits."""
    text = f"{node!r}|{candidate.trial.spec.seed}|{candidate.splits}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def shared_levels(candidates: Sequence[Candidate]) -> list[list[SharedNode]]:
    """Return the nodes to store, in levels: those of a level read only from the levels before it."""
    consumers: dict[str, set[str]] = defaultdict(set)
    found: dict[str, SharedNode] = {}
    for candidate in candidates:
        for node, consumer in _edges(candidate.root, candidate, f"trial {candidate.trial.number}"):
            key = node_key(node, candidate)
            consumers[key].add(consumer)
            found[key] = SharedNode(key, node, candidate.trial, candidate.splits, frozenset())
    shared = [
        SharedNode(s.key, s.node, s.trial, s.splits, frozenset(consumers[s.key]))
        for s in found.values()
        if len(consumers[s.key]) > 1
    ]
    levels: dict[int, list[SharedNode]] = defaultdict(list)
    for item in shared:
        levels[_depth(item.node)].append(item)
    return [levels[depth] for depth in sorted(levels)]


def _edges(node: Node, candidate: Candidate, consumer: str) -> Iterator[tuple[Node, str]]:
    """Yield each node below with who reads it. Raw columns are cheap to take, unless a model reads them."""
    if not isinstance(node, Columns) or consumer.startswith("trial "):
        yield node, consumer
    own = node_key(node, candidate)
    if isinstance(node, Step):
        yield from _edges(node.source, candidate, own)
    elif isinstance(node, Union):
        for part in node.parts:
            yield from _edges(part, candidate, own)


def _depth(node: Node) -> int:
    if isinstance(node, Columns):
        return 0
    if isinstance(node, Step):
        return 1 + _depth(node.source)
    return 1 + max(_depth(part) for part in node.parts)

"""Which fits several trials have in common: each of those is computed once per split, stored, and read by all.

A node of the tree of fits is worth storing when it has several consumers: steps that read it, or trials whose model
is fitted on it. A node with one consumer is computed where it is consumed. Trials come a few at a time, so that the
memory of a sweep does not grow with it. Nothing is fitted here.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mlops_cli.components.layout import Columns, Node, Step, Union

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from mlops_cli.execution.job import Candidate

REMEMBERED = 20_000
"""How many fits are remembered with who reads them; of older ones it is forgotten that they were seen."""

BUDGET = 4 << 30
"""Bytes of stored fits that are kept although nobody reads them now."""


@dataclass(frozen=True)
class Stored:
    """Stands in a tree for a node whose blocks are in a file.

    Where workers do not see this machine's files there is a ``node``: whoever needs it first on a machine makes it and
    stores it there.
    """

    path: str
    node: Node | None = None


@dataclass(frozen=True)
class Keyed:
    """A node with the identity of its fit, and its parts likewise."""

    key: str
    node: Node
    parts: tuple[Keyed, ...] = ()


def keyed(candidate: Candidate, share: float = 1.0) -> Keyed:
    """Return a trial's tree with the identity of each fit: what it does, to what, by which seed, on which rows."""
    return _keyed(candidate.root, f"{candidate.trial.spec.seed}|{candidate.splits}|{share!r}")


def _keyed(node: Node, context: str) -> Keyed:
    if isinstance(node, Columns):
        return Keyed(_digest(f"{node!r}|{context}"), node)
    sources = (node.source,) if isinstance(node, Step) else node.parts
    parts = tuple(_keyed(source, context) for source in sources)
    own = repr((node.spec, node.only, node.frame)) if isinstance(node, Step) else repr((node.dense, node.frame))
    return Keyed(_digest("|".join([type(node).__name__, own, *(p.key for p in parts)])), node, parts)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass
class Block:
    """The fit of one node on one split, as it is stored."""

    keyed: Keyed
    split: int
    path: Path
    done: bool = False
    failed: bool = False  # then whoever needs it computes it, and meets the same failure
    readers: int = 0  # tasks that wait for it or read it
    size: int = 0


@dataclass
class Sharing:
    """Knows which nodes are shared, and where their blocks are.

    Parameters
    ----------
    folder : Path
        Where blocks are stored.
    budget : int
        Bytes that may stay there unread.
    """

    folder: Path
    budget: int = BUDGET
    _readers: OrderedDict[str, set[str]] = field(default_factory=OrderedDict)  # at most two of each are of interest
    _blocks: OrderedDict[tuple[str, int], Block] = field(default_factory=OrderedDict)
    _held: int = 0  # bytes

    def look_ahead(self, trees: Sequence[tuple[int, Keyed]]) -> None:
        """Take note of who reads what among trials that come next, given by number."""
        for number, tree in trees:
            for key, reader in _edges(tree, f"trial {number}"):
                known = self._readers.setdefault(key, set())
                if len(known) < 2:
                    known.add(reader)
                self._readers.move_to_end(key)
        while len(self._readers) > REMEMBERED:
            self._readers.popitem(last=False)

    def is_shared(self, tree: Keyed) -> bool:
        """Whether a node has several readers."""
        return len(self._readers.get(tree.key, ())) > 1

    def needed(self, tree: Keyed, split: int) -> list[Block]:
        """Return the blocks that the fit of a tree reads: the shared nodes that are nearest to its root."""
        if self.is_shared(tree):
            return [self._block(tree, split)]
        return self.needed_below(tree, split)

    def needed_below(self, tree: Keyed, split: int) -> list[Block]:
        """Return the blocks that the fit of a node itself reads."""
        return [block for part in tree.parts for block in self.needed(part, split)]

    def _block(self, tree: Keyed, split: int) -> Block:
        place = (tree.key, split)
        if place not in self._blocks:
            self._blocks[place] = Block(tree, split, self._path(tree, split))
        self._blocks.move_to_end(place)
        return self._blocks[place]

    def _path(self, tree: Keyed, split: int) -> Path:
        return self.folder / f"{tree.key}-{split}.joblib"

    def to_be_stored(self, tree: Keyed, split: int) -> Node | Stored:
        """Return the tree of a fit with each shared node to be made and stored wherever it is needed."""
        parts = tuple(self.to_be_stored(part, split) for part in tree.parts)
        node = _with_parts(tree.node, parts)
        return Stored(str(self._path(tree, split)), node) if self.is_shared(tree) else node

    def settle(self, block: Block, *, failed: bool) -> None:
        """Take note that a block is stored, or that its fit failed."""
        block.done, block.failed = True, failed
        block.size = 0 if failed else block.path.stat().st_size
        self._held += block.size

    def release(self, blocks: Sequence[Block]) -> None:
        """Take note that a reader of some blocks has ended, and remove the oldest that nobody reads."""
        for block in blocks:
            block.readers -= 1
        if self._held > self.budget:
            self._make_room()

    def _make_room(self) -> None:
        for place, block in list(self._blocks.items()):
            if self._held > self.budget and block.done and not block.readers:
                block.path.unlink(missing_ok=True)
                del self._blocks[place]
                self._held -= block.size


def stand_in(tree: Keyed, reads: Mapping[str, Block]) -> Node | Stored:
    """Return the tree of a fit with each block that it reads, by its node's key, in the place of that node.

    A block whose fit failed is not there: whoever needs it computes it, and meets the same failure.
    """
    block = reads.get(tree.key)
    if block is not None and not block.failed:
        return Stored(str(block.path))
    return _with_parts(tree.node, tuple(stand_in(part, reads) for part in tree.parts))


def _with_parts(node: Node, parts: tuple[Any, ...]) -> Node:
    if isinstance(node, Step):
        return replace(node, source=parts[0])
    return replace(node, parts=parts) if isinstance(node, Union) else node


def _edges(tree: Keyed, reader: str) -> Iterator[tuple[str, str]]:
    """Yield each node below with who reads it. Raw columns are cheap to take, unless a model reads them."""
    if not isinstance(tree.node, Columns) or reader.startswith("trial "):
        yield tree.key, reader
    for part in tree.parts:
        yield from _edges(part, tree.key)

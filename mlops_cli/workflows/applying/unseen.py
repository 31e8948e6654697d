"""Categories that training did not have: a model answers them all the same, mostly as if there was nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlops_cli.errors import StoreError
from mlops_cli.records import Kind, Notice
from mlops_cli.store.layout import RunPaths, VersionPaths

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from mlops_cli.workflows.applying.incoming import Opened

UNSEEN = "unseen-categories"
_MOST_SHOWN = 5


@dataclass(frozen=True)
class Unseen:
    """Counts what is new in rows that come in parts.

    Parameters
    ----------
    known : mapping of str to set of str
        The categories that training had of each column.
    """

    known: Mapping[str, frozenset[str]]
    found: dict[str, Counter[str]] = field(default_factory=dict)

    def look(self, X: pd.DataFrame) -> None:
        """Count what is new in some rows, in the form of the training data."""
        from mlops_cli.analysis.tallies import words_of

        for name, known in self.known.items():
            new = {word: count for word, count in words_of(X[name], Kind.CATEGORICAL).items() if word not in known}
            if new:
                self.found.setdefault(name, Counter()).update(new)

    def notices(self, rows: int) -> Iterator[Notice]:
        """Yield what there is to say of each column."""
        for name, counts in self.found.items():
            shown = [f"'{word}'" for word, _ in counts.most_common(_MOST_SHOWN)]
            named = ", ".join(shown) + (", …" if len(counts) > len(shown) else "")
            text = f"{name}: {counts.total():,} of {rows:,} rows have what training did not: {named}"
            yield Notice(UNSEEN, text)


def known_categories(model: Opened) -> dict[str, frozenset[str]]:
    """Return the categories of each input of a model, where what is kept of its training data names them all."""
    inputs = {column.name for column in model.model.signature.inputs if column.kind is Kind.CATEGORICAL}
    version, record = model.saved.version, model.saved.record
    path = RunPaths(record.path).reference if version is None else VersionPaths(version.path).reference
    recorded = (record if version is None else version).files
    if not inputs or path.name not in recorded:
        return {}
    from mlops_cli.store.references import read_reference

    try:
        kept = read_reference(path, recorded[path.name])
    except StoreError:  # said where it is needed: predictions do without
        return {}
    words = {column.name: column.words for column in kept.columns if column.name in inputs}
    return {name: frozenset(found.counts) for name, found in words.items() if found is not None and not found.others}

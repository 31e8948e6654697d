"""Protocols of what a user can slot in that scikit-learn has no interface for.

Models, transforms, splitters and metrics follow scikit-learn's own interfaces and need nothing from here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import pandas as pd

    from mlops_cli.records import Event, Notice


@runtime_checkable
class DataSource(Protocol):
    """Where data comes from: a class whose constructor takes the keys under ``data:`` that are not roles.

    A source of a user's own is a class with these methods and ``data: {_target_: my_module.MySource, …}``.
    """

    def load(self) -> pd.DataFrame:
        """Return the table: one row per example, one column per variable.

        Raises
        ------
        DataError
            The data cannot be read; the message says what would mend it.
        """
        ...


@runtime_checkable
class InspectsItself(Protocol):
    """A data source that can say what is suspicious in its raw form, before parsing hides it."""

    def inspect(self, table: pd.DataFrame) -> list[Notice]:
        """Return what to say about the raw data behind the ``table`` that `load` returned."""
        ...


class Observer(Protocol):
    """Whoever watches a run: called in the parent process with each event, in order."""

    def __call__(self, event: Event, /) -> None:
        """Take note of ``event``. It must be quick, and an exception in it ends the run."""
        ...

"""What a model says of each row of a batch, written down as that is gone through: labels are joined to it later."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import DataError, did_you_mean
from mlops_cli.store.outputs import form_of, table_file
from mlops_cli.workflows.applying.carrying import Carrying, refuse_taken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pandas as pd

    from mlops_cli.workflows.applying.incoming import Opened

    Array = np.ndarray[Any, Any]


class Keeping:
    """A file of predictions, each beside the id and the target of its row.

    Parameters
    ----------
    place : Path
        The file.
    model : Opened
        Who answers.
    id : str, optional
        The column that tells rows apart, which has to be there; that of the training where not given, if it is there.
    """

    def __init__(self, place: Path, model: Opened, id: str | None = None) -> None:  # noqa: A002 - as commands call it
        self.failed = ""  # why there is no such file
        self._place = place
        self._needs_id = id is not None
        self._carrying = Carrying(model.inputs, model.trained, id or model.model.signature.id)
        self._target = model.spec.data.target
        self._names: list[str] = []
        self._write: Callable[[pd.DataFrame], None] | None = None

    @property
    def id(self) -> str | None:
        """The column that tells the rows of the file apart."""
        return self._carrying.id if self._carrying.id in self._names and not self.failed else None

    def as_text(self) -> list[str]:
        """Return the columns that are read as they are written."""
        return self._carrying.as_text(list)

    def wanted(self, names: Sequence[str]) -> set[str]:
        """Return the columns that are read for this.

        Raises
        ------
        DataError
            There is no such id.
        """
        name = self._carrying.id
        if self._needs_id and name not in names:
            raise DataError(f"the data has no column '{name}', the id", hint=did_you_mean(str(name), names))
        return set() if name is None else {name}

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Write what is taken while the block lasts; nothing stays of what could not be written whole."""
        with table_file(self._place, form_of(self._place)) as write:
            self._write = write
            yield
        if self.failed or not self._names:
            self._place.unlink(missing_ok=True)

    def take(self, rows: pd.DataFrame, said: Mapping[str, Array], target: pd.Series[Any] | None) -> None:
        """Add some rows.

        Parameters
        ----------
        rows : DataFrame
            As they were read.
        said : mapping of str to array
            What the model said of them.
        target : Series, optional
            Their targets in the form of the training data, as far as they have one.
        """
        if self.failed or self._write is None:
            return
        try:
            self._write(self._table(rows, said, target))
        except DataError as error:
            self.failed = error.message

    def _table(self, rows: pd.DataFrame, said: Mapping[str, Array], target: pd.Series[Any] | None) -> pd.DataFrame:
        import pandas as pd

        carried = self._carrying.of(rows, typed=True)
        if target is not None:
            carried[str(self._target)] = target.astype(object) if target.dtype == "category" else target
        refuse_taken([*said], [*carried])
        table = pd.DataFrame({**carried, **said}, copy=False)
        self._names = self._names or list(table.columns)
        if list(table.columns) != self._names:
            raise DataError("some of its files have the id or the target, and others have not")
        return table

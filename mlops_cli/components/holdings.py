"""What a fitted model is made of: the classes and functions that must be there for it to be opened."""

from __future__ import annotations

import pickle
from types import BuiltinFunctionType, FunctionType
from typing import Any

from mlops_cli.errors import StoreError


def held_by(model: Any) -> frozenset[str]:
    """Return the dotted names of all classes and functions in a model.

    Parameters
    ----------
    model : object
        Trusted: it is asked how it would be pickled, which runs its code.

    Raises
    ------
    StoreError
        Something in it cannot be pickled, such as a lambda.
    """
    found = _Names()
    try:
        found.dump(model)
    except Exception as error:
        raise StoreError(f"the model cannot be looked into: {' '.join(str(error).split())}") from error
    return frozenset(found.names)


class _Nowhere:
    """A file that forgets what is written."""

    def write(self, data: bytes) -> int:
        return len(data)


class _Names(pickle.Pickler):
    """Goes through a model as pickling does, which looks into every part of it, and keeps the names."""

    def __init__(self) -> None:
        super().__init__(_Nowhere(), protocol=5, buffer_callback=lambda _: False)
        self.names: set[str] = set()

    def reducer_override(self, obj: Any) -> Any:
        """Note what an object is, and leave the rest to pickle."""
        named = obj if isinstance(obj, type | FunctionType | BuiltinFunctionType) else type(obj)
        self.names.add(f"{named.__module__}.{named.__qualname__}")
        return NotImplemented

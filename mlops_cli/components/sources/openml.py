"""A data set of OpenML by its number, by scikit-learn's `fetch_openml`."""

from __future__ import annotations

import http.client
import socket
import urllib.error
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from mlops_cli.components.sources.http import Unreachable
from mlops_cli.components.sources.options import check_seconds, check_whole, first_line
from mlops_cli.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd


@dataclass(frozen=True)
class OpenmlSource:
    """A data set of OpenML as one table, its target among the columns under its own name.

    Parameters
    ----------
    data_id : int
        The number in the address of its page, ``https://www.openml.org/d/61``. A number never changes its content.
    parser : {"pandas", "liac-arff"}
        How scikit-learn reads its file; liac-arff is slow and takes sparse ones.
    retries : int
        How many more times to ask after a failed answer.
    timeout : float
        Seconds without an answer.
    """

    data_id: int
    parser: str = "pandas"
    retries: int = 3
    timeout: float = 60.0

    is_remote: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if isinstance(self.data_id, bool) or not isinstance(self.data_id, int) or self.data_id < 1:
            raise ConfigError(
                f"found {self.data_id!r}, must be the number of a data set", key="data.data_id", hint="data.data_id=61"
            )
        if self.parser not in {"pandas", "liac-arff"}:
            raise ConfigError(f"must be 'pandas' or 'liac-arff'. Got {self.parser!r} instead.", key="data.parser")
        check_whole(self.retries, "data.retries", 0)
        check_seconds(self.timeout, "data.timeout")

    def load(self) -> pd.DataFrame:
        """Return the table.

        Raises
        ------
        DataError
            OpenML cannot be reached, or has no such data set, or has withdrawn it.
        """
        from sklearn.datasets import fetch_openml

        shown = f"OpenML {self.data_id}"
        try:
            with _patient(self.timeout), warnings.catch_warnings():
                # that it is tried again is not worth a word; that a data set is withdrawn is
                warnings.filterwarnings("ignore", message="A network error|Downloaded file could")
                bunch: Any = fetch_openml(
                    data_id=self.data_id,
                    as_frame=True,
                    parser=self.parser,
                    cache=False,
                    n_retries=max(1, self.retries),
                    target_column=None,
                )
        except urllib.error.HTTPError as error:
            error.close()
            missing = error.code in {404, 412}
            hint = "look it up on https://www.openml.org" if missing else "try later"
            what = "there is no such data set" if missing else f"the server answered {error.code}"
            raise DataError(f"{shown}: {what}", hint=hint) from None
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as error:
            raise Unreachable(f"{shown}: cannot be reached: {getattr(error, 'reason', None) or error}") from None
        except (ValueError, OSError) as error:
            raise DataError(f"{shown}: {first_line(error)}", hint="data.parser=liac-arff reads more forms") from error
        table: pd.DataFrame = bunch.frame
        return table


@contextmanager
def _patient(seconds: float) -> Iterator[None]:
    """Let new connections wait so long and no longer; scikit-learn's reader has no parameter for it."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)

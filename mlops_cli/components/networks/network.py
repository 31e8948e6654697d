"""What all networks share. What a fitted one holds are arrays and numbers, so that no pickle is needed to keep it.

The parameters are fields of dataclasses, so that each is said once for all networks that have it.
"""

from __future__ import annotations

import importlib.util
import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

from sklearn.base import BaseEstimator
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from mlops_cli.components.networks.starting import Start
from mlops_cli.errors import MissingExtraError
from mlops_cli.records import Curve

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

    import numpy.typing as npt

    from mlops_cli.contracts import BeforeFit

    Array = npt.NDArray[Any]

OPTIMIZERS = ("adam", "adamw", "sgd", "rmsprop")
SCHEDULES = ("constant", "cosine", "linear")

POSITIVE = [Interval(Real, 0, None, closed="neither")]
COUNT = [Interval(Integral, 1, None, closed="left")]
SHARE = [Interval(Real, 0, 1, closed="left")]


def require_torch() -> None:
    """Refuse to go on without torch and skorch.

    Raises
    ------
    MissingExtraError
        One of them is not installed.
    """
    for package in ("torch", "skorch"):
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package, "networks", "a network")


@dataclass(eq=False, repr=False, kw_only=True)
class Network(BaseEstimator):  # type: ignore[misc]
    """What all networks share: how they learn.

    Parameters
    ----------
    module : callable, optional
        Makes the network, a `torch.nn.Module`, in place of the layers that the estimator would make. Where it has
        parameters ``shape`` (of one row) and ``outputs``, they are given to it.
    shape : list of int, optional
        Of one row, such as ``[1, 8, 8]`` for channels, height and width, where rows come flat.
    epochs : int
        How often all training rows are seen, at most.
    batch_size : int
        Rows of one step.
    lr : float
        The learning rate, at first.
    optimizer : {"adam", "adamw", "sgd", "rmsprop"}
        What makes the steps.
    momentum : float
        Of ``sgd`` and ``rmsprop``.
    weight_decay : float
        How strongly weights are drawn to 0.
    schedule : {"constant", "cosine", "linear"}
        How the learning rate goes down to 0 over the epochs, if it does.
    clip : float, optional
        The greatest norm of the gradient of a step.
    valid_share : float
        The share of the training rows that is held out, to see how the loss goes on rows that are not learned from;
        see `stopping_rows` for which.
    patience : int, optional
        Epochs without a smaller loss on those rows after which no more are begun; the weights of the best are kept.
    start : Start, optional
        The weights to begin with; in a config the version of a registered model: ``digits@champion``.
    freeze : list of str
        Globs over names of parameters, such as ``features.*``, that stay as they begin, by ``start`` or a module
        of your own.
    fresh : list of str
        Globs over names of parameters that begin anew, whatever ``start`` has: ``head.*`` for other classes.
    device : str
        ``auto``: CUDA where there is one, else the processor. Or ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
    threads : int
        On the processor: the sums of several threads come out otherwise in their last digits, so this is no matter of
        how many trials are run at a time.
    random_state : int, optional
        Of the first weights, of which rows are held out, of the order of rows and of dropout.

    Attributes
    ----------
    state_ : dict of str to array
        Name → parameter or buffer.
    shape_ : tuple of int
        The shape of one row.
    history_ : dict of str to list of float
        ``train_loss``, ``valid_loss``, ``valid_accuracy`` of each epoch.
    """

    module: Any = None
    shape: Sequence[int] | None = None
    epochs: int = 50
    batch_size: int = 32
    lr: float = 1e-3
    optimizer: str = "adam"
    momentum: float = 0.9
    weight_decay: float = 0.0
    schedule: str = "constant"
    clip: float | None = None
    valid_share: float = 0.0
    patience: int | None = None
    start: Any = None
    freeze: Sequence[str] = ()
    fresh: Sequence[str] = ()
    device: str = "auto"
    threads: int = 1
    random_state: int | None = None

    factories: ClassVar[frozenset[str]] = frozenset({"module"})
    """Parameters that are handed over uncalled: a module is made inside `fit`, with the seed."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "module": [callable, None],
        "shape": ["array-like", None],
        "epochs": COUNT,
        "batch_size": COUNT,
        "lr": POSITIVE,
        "optimizer": [StrOptions(set(OPTIMIZERS))],
        "momentum": SHARE,
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "schedule": [StrOptions(set(SCHEDULES))],
        "clip": [*POSITIVE, None],
        "valid_share": SHARE,
        "patience": [*COUNT, None],
        "freeze": ["array-like"],
        "fresh": ["array-like"],
        "device": [str],
        "threads": COUNT,
        "random_state": ["random_state"],
    }

    def __post_init__(self) -> None:
        require_torch()

    def layers(self, shape: tuple[int, ...], outputs: int) -> Any:
        """Return a new network for rows of a shape; its weights are drawn from torch's generator."""
        from mlops_cli.components.networks.modules import user_module

        return user_module(self.module, shape, outputs)

    @property
    def curve_(self) -> Curve:
        """What was measured in each epoch."""
        values = {name: tuple(series) for name, series in self.history_.items()}
        return Curve("epoch", tuple(range(1, len(values["train_loss"]) + 1)), values)

    # --- before a fit ------------------------------------------------------------------------------------------------

    def check_before_fit(self, known: BeforeFit) -> None:
        """Refuse what no fit could do; torch is loaded only where there is something to ask it.

        Parameters
        ----------
        known : BeforeFit
            What is known of the rows, and of the machine.

        Raises
        ------
        ValueError
            The device is not there, columns do not fill the shape, or weights and names of parameters do not fit.
        """
        self._check_patience()
        if self.device not in {"auto", "cpu"}:
            from mlops_cli.components.networks.places import check_device

            check_device(self.device, is_here=known.is_here)
        shape = None if known.columns is None else self._filled(known.columns)
        if shape is not None and self.module is None:
            self._check_shape(shape)
        if self._first_weights() is not None or len(self.freeze):
            from mlops_cli.components.networks.beginning import check_beginning

            check_beginning(self, shape, known.classes)

    def _check_patience(self) -> None:
        if self.patience is not None and not self.valid_share:
            raise ValueError("'patience' needs rows that are held out: say model.valid_share=0.1")

    def _filled(self, columns: int) -> tuple[int, ...]:
        """Return the shape of a row of so many columns."""
        if self.shape is None:
            return (columns,)
        shape = tuple(map(int, self.shape))
        if columns != math.prod(shape):
            text = f"'shape': {columns} columns do not fill {list(shape)}; it must multiply to {columns}"
            raise ValueError(text)
        return shape

    def _check_shape(self, shape: tuple[int, ...]) -> None:
        """Refuse rows of a shape that the layers do not take."""

    # --- learning ----------------------------------------------------------------------------------------------------

    def _begin(self, X: Any) -> Array:
        """Check the parameters and the rows of a fit that begins anew, and return the rows in their shape."""
        require_torch()
        self._validate_params()
        rows = self._rows(X, reset=True)
        self.shape_ = tuple(rows.shape[1:])
        return rows

    def _learn(self, rows: Array, target: Array, weights: Array | None, beginning: Mapping[str, Any] | None) -> Self:
        from mlops_cli.components.networks.training import Lesson, rebuilt, train

        check_consistent_length(rows, target)

        seed = self.random_state
        if not isinstance(seed, Integral):
            seed = int(check_random_state(seed).randint(2**31))
        lesson = Lesson(self, rows, target, None if weights is None else weights / weights.mean(), int(seed))
        self.state_, self.history_ = train(lesson, beginning)
        self._made = rebuilt(self)
        return self

    def _first_weights(self) -> Mapping[str, Any] | None:
        if self.start is None:
            self._check_start_is_needed()
            return None
        if not isinstance(self.start, Start) or not self.start.weights:
            raise ValueError(f"the weights of {self.start} are not at hand here: a run reads them from the registry")
        return self.start.weights

    def _check_start_is_needed(self) -> None:
        """Refuse to freeze weights that were only drawn; a module of one's own may bring some."""
        for key, is_useless in (("fresh", True), ("freeze", self.module is None)):
            if len(getattr(self, key)) and is_useless:
                raise ValueError(f"'{key}' needs weights to begin with: say model.start=NAME@champion")

    def _weights(self, sample_weight: Any, X: Any) -> Array | None:
        return None if sample_weight is None else _check_sample_weight(sample_weight, X, ensure_non_negative=True)

    def _rows(self, X: Any, *, reset: bool) -> Array:
        rows: Array = validate_data(self, X, reset=reset, dtype="float32", allow_nd=True)
        return rows if rows.ndim > 2 else rows.reshape(len(rows), *self._filled(rows.shape[1]))

    # --- answering ---------------------------------------------------------------------------------------------------

    @property
    def _outputs(self) -> int:
        raise NotImplementedError

    def _answers(self, X: Any) -> Array:
        """Return what the network gives for rows, shape (rows, outputs)."""
        from mlops_cli.components.networks.training import answers, rebuilt

        check_is_fitted(self)
        require_torch()
        rows = self._rows(X, reset=False)
        if rows.shape[1:] != tuple(self.shape_):
            raise ValueError(f"rows have the shape {list(rows.shape[1:])}; the network learned {list(self.shape_)}")
        if getattr(self, "_made", None) is None:
            self._made = rebuilt(self)
        return answers(self._made, rows, self)

    def __getstate__(self) -> dict[str, Any]:
        """Return what is kept: no module, and of weights to begin with, once they have been used, where they are."""
        state: dict[str, Any] = dict(super().__getstate__())
        state.pop("_made", None)
        if "state_" in state and isinstance(state.get("start"), Start):
            state["start"] = state["start"].said
        return state

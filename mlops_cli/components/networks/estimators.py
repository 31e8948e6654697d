"""Networks with scikit-learn's interface: of fully connected layers or of convolutions, for classes or for numbers."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.utils import compute_sample_weight
from sklearn.utils._param_validation import InvalidParameterError, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from mlops_cli.components.networks.network import COUNT, SHARE, Network

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Array = npt.NDArray[Any]

ACTIVATIONS = ("relu", "gelu", "silu", "elu", "tanh")
LOSSES = ("mse", "mae", "huber")


@dataclass(eq=False, repr=False, kw_only=True)
class _Classification(ClassifierMixin):  # type: ignore[misc]
    """Learns classes by cross entropy.

    Parameters
    ----------
    class_weight : {"balanced"} or dict, optional
        How much the rows of each class weigh.
    """

    class_weight: Any = None

    def fit(self: Any, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Learn from rows.

        Parameters
        ----------
        X : array-like of shape (rows, features), or of (rows, channels, height, width)
            Numbers, none missing.
        y : array-like of shape (rows,)
            The class of each.
        sample_weight : array-like of shape (rows,), optional
            How much each row weighs.

        Raises
        ------
        ValueError
            Rows, shape or weights to begin with do not fit; or the loss is no number any more.
        """
        rows, y = self._begin(X), column_or_1d(y, warn=True)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        return self._taught(rows, codes, y, sample_weight, self._first_weights())

    def partial_fit(self: Any, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Any:
        """Go on from the weights that there are, for ``epochs`` more; a network that has none begins.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.
        classes : array-like, optional
            All classes that there will be; needed where the first rows have not all.

        Raises
        ------
        ValueError
            As `fit`; or the rows have a class that the network does not know.
        """
        anew = not hasattr(self, "state_")
        rows = self._begin(X) if anew else self._rows(X, reset=False)
        y = column_or_1d(y, warn=True)
        if anew:
            self.classes_ = np.unique(y if classes is None else classes)
        if unknown := set(np.unique(y).tolist()) - set(self.classes_.tolist()):
            raise ValueError(f"the network does not know the classes {sorted(map(str, unknown))}")
        codes = np.searchsorted(self.classes_, y)
        return self._taught(rows, codes, y, sample_weight, self._first_weights() if anew else self.state_)

    def _taught(self: Any, rows: Array, codes: Array, y: Array, sample_weight: Any, beginning: Any) -> Any:
        weights = self._weights(sample_weight, rows)
        if self.class_weight is not None:
            weights = compute_sample_weight(self.class_weight, y) * (1.0 if weights is None else weights)
        return self._learn(rows, codes.astype("int64"), weights, beginning)

    @property
    def _outputs(self: Any) -> int:
        return len(self.classes_)

    loss = "cross_entropy"

    def predict_proba(self: Any, X: Any) -> Array:
        """Return the probability of each class, shape (rows, classes).

        Parameters
        ----------
        X : array-like
            Rows as in `fit`.
        """
        found = self._answers(X).astype("float64")
        powers = np.exp(found - found.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def predict(self: Any, X: Any) -> Array:
        """Return the most probable class of each row, shape (rows,)."""
        places = self._answers(X).argmax(axis=1)
        return np.asarray(self.classes_[places])


@dataclass(eq=False, repr=False, kw_only=True)
class _Regression(RegressorMixin):  # type: ignore[misc]
    """Learns numbers; while it learns they have mean 0 and standard deviation 1.

    Parameters
    ----------
    loss : {"mse", "mae", "huber"}
        What is made small.
    """

    loss: str = "mse"

    def fit(self: Any, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Learn from rows; as in the classifier, but ``y`` is a number for each."""
        rows, y = self._begin(X), self._numbers(y)
        self.mean_, self.scale_ = float(y.mean()), float(y.std()) or 1.0
        return self._taught(rows, y, sample_weight, self._first_weights())

    def partial_fit(self: Any, X: Any, y: Any, sample_weight: Any = None) -> Any:
        """Go on from the weights that there are, for ``epochs`` more; a network that has none begins."""
        if not hasattr(self, "state_"):
            return self.fit(X, y, sample_weight)
        return self._taught(self._rows(X, reset=False), self._numbers(y), sample_weight, self.state_)

    def _taught(self: Any, rows: Array, y: Array, sample_weight: Any, beginning: Any) -> Any:
        scaled = ((y - self.mean_) / self.scale_).astype("float32")
        return self._learn(rows, scaled, self._weights(sample_weight, rows), beginning)

    def _numbers(self, y: Any) -> Array:
        found: Array = column_or_1d(y, warn=True, dtype="float64")
        if not np.isfinite(found).all():
            raise ValueError("Input y contains NaN or infinity")
        return found

    @property
    def _outputs(self) -> int:
        return 1

    def predict(self: Any, X: Any) -> Array:
        """Return the number of each row, shape (rows,)."""
        found = self._answers(X)[:, 0].astype("float64")
        return np.asarray(found * self.scale_ + self.mean_)


@dataclass(eq=False, repr=False, kw_only=True)
class _Perceptron(Network):
    """Layers of which each is connected to all of the next.

    Parameters
    ----------
    hidden : list of int
        Units of each hidden layer.
    activation : {"relu", "gelu", "silu", "elu", "tanh"}
        After each hidden layer.
    dropout : float
        The share of units that is left out in each step, after each hidden layer.
    batch_norm : bool
        Whether the units of each hidden layer are brought to mean 0 and standard deviation 1 over a batch.
    """

    hidden: Sequence[int] = (64, 64)
    activation: str = "relu"
    dropout: float = 0.0
    batch_norm: bool = False

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **Network._parameter_constraints,
        "hidden": ["array-like"],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "dropout": SHARE,
        "batch_norm": ["boolean"],
    }

    def _validate_params(self) -> None:
        super()._validate_params()
        for name in ("hidden", "channels"):  # torch makes layers of no units, which give the same for all rows
            counts = list(getattr(self, name, ()))
            if not all(isinstance(count, Integral) and int(count) >= 1 for count in counts):
                text = f"must be a list of whole numbers of at least 1. Got {counts} instead."
                raise InvalidParameterError(f"The {name!r} parameter of {type(self).__name__} {text}")

    def layers(self, shape: tuple[int, ...], outputs: int) -> Any:
        """Return a new network for rows of a shape."""
        if self.module is not None:
            return super().layers(shape, outputs)
        from mlops_cli.components.networks.modules import perceptron

        return perceptron(self, shape, outputs)


@dataclass(eq=False, repr=False, kw_only=True)
class _Convolution(_Perceptron):
    """Convolutions and pooling over images, then layers of which each is connected to all of the next.

    Parameters
    ----------
    channels : list of int
        Of each convolution; after each the image is half as high and wide, as long as it is larger than 1.
    kernel : int
        Height and width of a convolution; odd.
    """

    channels: Sequence[int] = (32, 64)
    kernel: int = 3
    hidden: Sequence[int] = (128,)
    dropout: float = 0.25
    batch_norm: bool = True

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **_Perceptron._parameter_constraints,
        "channels": ["array-like"],
        "kernel": COUNT,
    }

    def _check_shape(self, shape: tuple[int, ...]) -> None:
        if len(shape) != 3:
            hint = "say model.shape=[1,8,8], or add transforms=reshape"
            text = f"'shape': convolutions take images of [channels, height, width]; rows have {list(shape)}: {hint}"
            raise ValueError(text)
        if self.kernel % 2 == 0:
            raise ValueError(f"The 'kernel' parameter must be odd. Got {self.kernel} instead.")

    def layers(self, shape: tuple[int, ...], outputs: int) -> Any:
        """Return a new network for images of a shape: channels, height, width."""
        if self.module is not None:
            return super().layers(shape, outputs)
        self._check_shape(shape)
        from mlops_cli.components.networks.modules import convolutions

        return convolutions(self, shape, outputs)


@dataclass(eq=False, repr=False, kw_only=True)
class NetworkClassifier(_Classification, _Perceptron):
    """A network of fully connected layers, or of your own module, that tells classes apart.

    Its parameters are those of `Network` and of what else it is made of.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **_Perceptron._parameter_constraints,
        "class_weight": [StrOptions({"balanced"}), dict, None],
    }


@dataclass(eq=False, repr=False, kw_only=True)
class NetworkRegressor(_Regression, _Perceptron):
    """A network of fully connected layers, or of your own module, that predicts numbers."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **_Perceptron._parameter_constraints,
        "loss": [StrOptions(set(LOSSES))],
    }


@dataclass(eq=False, repr=False, kw_only=True)
class ConvolutionClassifier(_Classification, _Convolution):
    """A small network of convolutions that tells images apart."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **_Convolution._parameter_constraints,
        "class_weight": [StrOptions({"balanced"}), dict, None],
    }


@dataclass(eq=False, repr=False, kw_only=True)
class ConvolutionRegressor(_Regression, _Convolution):
    """A small network of convolutions that predicts a number for each image."""

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **_Convolution._parameter_constraints,
        "loss": [StrOptions(set(LOSSES))],
    }

"""How a network learns: skorch's loop, epoch by epoch, each begun with a seed of its own.

torch draws from one generator for the whole process and settles its threads for all, so one network learns at a time
in a process; what it learns is the same whatever else runs there.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from math import cos, isnan, pi
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from skorch import NeuralNet
from skorch.callbacks import Callback, GradientNormClipping
from skorch.helper import predefined_split
from torch import nn
from torch.utils.data import TensorDataset

from mlops_cli.components.fit_rows import stopping_rows
from mlops_cli.components.networks.beginning import begin_with, freeze
from mlops_cli.components.networks.keeping import Keeper
from mlops_cli.components.networks.places import deterministic, device_of, few_threads

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt

    Array = npt.NDArray[Any]
    Learned = tuple[dict[str, Array], dict[str, list[float]]]

_OPTIMIZERS = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": torch.optim.SGD,
    "rmsprop": torch.optim.RMSprop,
}
_LOSSES = {"cross_entropy": nn.CrossEntropyLoss, "mse": nn.MSELoss, "mae": nn.L1Loss, "huber": nn.HuberLoss}


@dataclass(frozen=True)
class Lesson:
    """What is to be learned.

    Parameters
    ----------
    network : Network
        Says how.
    rows : array of shape (rows, …)
        float32.
    target : array of shape (rows,)
        Places of classes, or numbers.
    weights : array of shape (rows,), optional
        1 on average.
    seed : int
        Of everything random.
    """

    network: Any
    rows: Array
    target: Array
    weights: Array | None
    seed: int

    def at(self, epoch: int) -> int:
        """Return the seed of an epoch; 0 is what comes before the first."""
        return int(np.random.SeedSequence([self.seed, epoch]).generate_state(1, np.uint64)[0] >> 1)

    def parts(self) -> tuple[TensorDataset, TensorDataset | None]:
        """Return the rows to learn from, and those that are held out, as `stopping_rows` has them."""
        if not self.network.valid_share:
            return self._tensors(np.arange(len(self.rows))), None
        has_classes = self.network.loss == "cross_entropy"
        apart = stopping_rows(self.target, self.network.valid_share, self.seed, has_classes=has_classes)
        return self._tensors(np.flatnonzero(~apart)), self._tensors(np.flatnonzero(apart))

    def _tensors(self, places: Array) -> TensorDataset:
        weights = np.ones(len(places)) if self.weights is None else self.weights[places]
        target = self.target[places]
        return TensorDataset(*map(torch.from_numpy, (self.rows[places], target, weights.astype("float32"))))


@dataclass(frozen=True)
class Progress:
    """How far a network is: plain tensors and numbers, so that it can be kept without a pickle."""

    history: Mapping[str, list[float]]
    module: Mapping[str, torch.Tensor]
    optimizer: Mapping[str, Any]
    best: Mapping[str, torch.Tensor] | None = None

    @property
    def epochs(self) -> int:
        """How many are done."""
        return len(self.history.get("train_loss", ()))

    @property
    def best_epoch(self) -> int:
        """The one, from 1 on, with the smallest loss on rows that are held out."""
        return int(np.argmin(self.history["valid_loss"])) + 1

    def is_over(self, network: Any) -> bool:
        """Whether no more epochs are to be begun."""
        if network.patience is None or not self.epochs:
            return bool(self.epochs >= network.epochs)
        return bool(self.epochs >= network.epochs or self.epochs - self.best_epoch >= network.patience)


def train(
    lesson: Lesson, beginning: Mapping[str, Any] | None = None
) -> tuple[dict[str, Array], dict[str, list[float]]]:
    """Let a network learn; where an earlier fit of the same was interrupted, from where that was.

    Parameters
    ----------
    lesson : Lesson
        What, and how.
    beginning : mapping of str to array, optional
        The weights to begin with.

    Returns
    -------
    tuple
        The weights by name, and what was measured in each epoch by quantity.

    Raises
    ------
    ValueError
        The weights to begin with do not fit, the device is not there, or the loss is no number any more.
    """
    network = lesson.network
    network._check_patience()
    device = device_of(network.device)
    with _alone(device), deterministic(device), few_threads(network.threads):
        torch.manual_seed(lesson.at(0))
        module = network.layers(tuple(lesson.rows.shape[1:]), network._outputs)
        if beginning is not None:
            begin_with(module, beginning, network)
        freeze(module, network.freeze)
        progress = _taught(lesson, module, str(device), Keeper.of(lesson, beginning))
    state = progress.best if network.patience is not None and progress.best is not None else progress.module
    arrays = {name: value.detach().cpu().numpy().copy() for name, value in state.items()}
    return arrays, {name: list(series) for name, series in progress.history.items()}


@contextmanager
def _alone(device: torch.device) -> Iterator[None]:
    """Have torch's generators for oneself, and leave them as they were."""
    others = [device] if device.type == "cuda" else []
    with _one_at_a_time(), torch.random.fork_rng(others):
        yield


@cache
def _one_at_a_time() -> threading.Lock:
    return threading.Lock()


# --- the loop ----------------------------------------------------------------------------------------------------


def _taught(lesson: Lesson, module: nn.Module, device: str, keeper: Keeper) -> Progress:
    rows, held = lesson.parts()
    net = _engine(lesson.network, module, device, held)
    progress = _state(net, {}, None)
    if (kept := keeper.read()) is not None:
        progress = Progress(**kept)
        net.module_.load_state_dict(dict(progress.module))
        net.optimizer_.load_state_dict(dict(progress.optimizer))
    while not progress.is_over(lesson.network):
        progress = _epoch(net, progress, lesson, rows)
        if keeper.is_due:
            keeper.write(vars(progress))
    return progress


def _engine(network: Any, module: nn.Module, device: str, held: TensorDataset | None) -> NeuralNet:
    named = {"momentum": network.momentum} if network.optimizer in {"sgd", "rmsprop"} else {}
    clip = [] if network.clip is None else [("clip", GradientNormClipping(network.clip))]
    net = NeuralNet(
        module,
        criterion=_Weighted(network.loss, network._outputs),
        optimizer=_OPTIMIZERS[network.optimizer],
        optimizer__weight_decay=network.weight_decay,
        **{f"optimizer__{name}": value for name, value in named.items()},
        lr=network.lr,
        batch_size=network.batch_size,
        iterator_train=_Shuffled,
        iterator_valid=_Batches,
        train_split=None if held is None else predefined_split(held),
        device=device,
        callbacks=[*clip, *([("hits", _Hits())] if network.loss == "cross_entropy" else [])],
        callbacks__print_log=None,
        callbacks__epoch_timer=None,
        verbose=0,
    )
    net.initialize().notify("on_train_begin", X=None, y=None)
    return net


def _epoch(net: NeuralNet, before: Progress, lesson: Lesson, rows: TensorDataset) -> Progress:
    """Go through the rows once, in an order and with a dropout that the number of the epoch decides."""
    network, number = lesson.network, before.epochs + 1
    torch.manual_seed(lesson.at(number))
    for group in net.optimizer_.param_groups:
        group["lr"] = network.lr * _slowed(network.schedule, before.epochs / network.epochs)
    net.fit_loop(rows, epochs=1)
    found = _measured(net)
    net.history.clear()
    if isnan(found["train_loss"]):
        raise ValueError(
            f"the loss is no number any more in epoch {number}: a smaller model.lr, or model.clip=1, helps"
        )
    history = {name: [*before.history.get(name, ()), value] for name, value in found.items()}
    after = _state(net, history, before.best)
    is_best = network.patience is not None and after.best_epoch == number
    return replace(after, best=_copied(after.module)) if is_best else after


def _slowed(schedule: str, done: float) -> float:
    """Return the share of the learning rate that is left after a share of the epochs."""
    return {"constant": 1.0, "cosine": (1 + cos(pi * done)) / 2, "linear": 1 - done}[schedule]


def _measured(net: NeuralNet) -> dict[str, float]:
    """Return what was measured in the last epoch."""
    row = net.history[-1]
    found = {name: float(row[name]) for name in ("train_loss", "valid_loss") if name in row}
    batches = [batch for batch in row["batches"] if "hits" in batch]
    if batches:
        rows = sum(batch["valid_batch_size"] for batch in batches)
        found["valid_accuracy"] = sum(batch["hits"] for batch in batches) / rows
    return found


def _state(net: NeuralNet, history: Mapping[str, list[float]], best: Mapping[str, Any] | None) -> Progress:
    return Progress(history, net.module_.state_dict(), net.optimizer_.state_dict(), best)


def _copied(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in state.items()}


class _Weighted(nn.Module):  # type: ignore[misc]
    """A loss of which each row has a weight: 1 on average over all rows, so that no batch counts for more."""

    def __init__(self, name: str, outputs: int) -> None:
        super().__init__()
        self.of_rows, self.outputs, self.classes = _LOSSES[name](reduction="none"), outputs, name == "cross_entropy"

    def forward(self, given: torch.Tensor, wanted: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        target, weights = wanted
        given = given if self.classes else given.reshape(len(given), -1)
        if given.ndim != 2 or given.shape[1] != self.outputs:
            what = f"{self.outputs} for each row, one for each class" if self.classes else "one for each row"
            raise ValueError(f"the network gives numbers of shape {list(given.shape)[1:]} for a row; it needs {what}")
        return (self.of_rows(given if self.classes else given[:, 0], target) * weights).mean()


class _Hits(Callback):  # type: ignore[misc]
    """Counts how often the class of a row that is held out is given the most."""

    def on_batch_end(self, net: NeuralNet, batch: Any, training: bool, y_pred: Any, **_: Any) -> None:
        if not training:
            hits = (y_pred.argmax(1).cpu() == batch[1][0]).sum()
            net.history.record_batch("hits", int(hits))


class _Batches:
    """Gives rows in slices; torch's own loader puts each batch together row by row, which costs more than the fit."""

    def __init__(self, rows: TensorDataset, batch_size: int) -> None:
        self.tensors, self.size = rows.tensors, batch_size

    def __iter__(self) -> Iterator[Any]:
        for places in self._places():
            rows, target, weights = (tensor[places] for tensor in self.tensors)
            yield rows, (target, weights)

    def _places(self) -> list[torch.Tensor]:
        return list(torch.arange(len(self.tensors[0])).split(self.size))


class _Shuffled(_Batches):
    """Gives rows in an order that torch's generator draws; none is left alone, for batch norm has no use for one."""

    def _places(self) -> list[torch.Tensor]:
        first: list[torch.Tensor]
        *first, last = torch.randperm(len(self.tensors[0])).split(self.size)
        return [*first[:-1], torch.cat([first[-1], last])] if first and len(last) == 1 else [*first, last]


# --- answering ---------------------------------------------------------------------------------------------------


def rebuilt(network: Any) -> nn.Module:
    """Return the module of a fitted network, with the weights that it has learned."""
    with _alone(torch.device("cpu")):
        module = network.layers(tuple(network.shape_), network._outputs)
    module.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in network.state_.items()})
    return module.to(device_of(network.device, is_needed=False)).eval()


def answers(module: nn.Module, rows: Array, network: Any) -> Array:
    """Return what a module gives for rows, batch by batch."""
    place = next((parameter.device for parameter in module.parameters()), torch.device("cpu"))
    found = []
    with torch.inference_mode(), deterministic(place), few_threads(network.threads):
        for start in range(0, len(rows), network.batch_size):
            given = module(torch.from_numpy(rows[start : start + network.batch_size]).to(place))
            found.append(given.reshape(len(given), -1).cpu().numpy())
    return np.concatenate(found)

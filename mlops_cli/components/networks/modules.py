"""The layers of networks. Those of ``features`` find what matters in a row, ``head`` makes the answer of it."""

from __future__ import annotations

import functools
import inspect
import math
from typing import Any

from torch import nn

_ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU, "elu": nn.ELU, "tanh": nn.Tanh}


def perceptron(network: Any, shape: tuple[int, ...], outputs: int) -> nn.Sequential:
    """Return fully connected layers: ``features.0.weight``, …, ``head.weight``.

    Parameters
    ----------
    network : Network
        Whose ``hidden``, ``activation``, ``dropout`` and ``batch_norm`` say what there is.
    shape : tuple of int
        Of one row.
    outputs : int
        How many numbers are given for each.
    """
    inputs = math.prod(shape)
    flat: list[nn.Module] = [nn.Flatten()] if len(shape) > 1 else []
    features = nn.Sequential(*flat, *_connected(network, inputs, network.batch_norm))
    return _joined(features, nn.Linear([inputs, *network.hidden][-1], outputs))


def convolutions(network: Any, shape: tuple[int, ...], outputs: int) -> nn.Sequential:
    """Return convolutions, then fully connected layers: ``features.0.weight``, …, ``head.1.weight``, ….

    Parameters
    ----------
    network : Network
        As for `perceptron`, with ``channels`` and ``kernel``.
    shape : tuple of int
        Channels, height and width.
    outputs : int
        How many numbers are given for each image.
    """
    layers: list[nn.Module] = []
    before, height, width = shape
    for channels in network.channels:
        layers += [nn.Conv2d(before, channels, network.kernel, padding="same", bias=not network.batch_norm)]
        layers += [nn.BatchNorm2d(channels)] if network.batch_norm else []
        layers += [_ACTIVATIONS[network.activation]()]
        if min(height, width) > 1:
            layers += [nn.MaxPool2d(2)]
            height, width = height // 2, width // 2
        before = channels
    inputs = before * height * width
    head = [nn.Flatten(), *_connected(network, inputs, batch_norm=False)]
    return _joined(nn.Sequential(*layers), nn.Sequential(*head, nn.Linear([inputs, *network.hidden][-1], outputs)))


def _joined(features: nn.Module, head: nn.Module) -> nn.Sequential:
    whole = nn.Sequential()
    whole.add_module("features", features)
    whole.add_module("head", head)
    return whole


def _connected(network: Any, inputs: int, batch_norm: bool) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for units in network.hidden:
        layers += [nn.Linear(inputs, units)]
        layers += [nn.BatchNorm1d(units)] if batch_norm else []
        layers += [_ACTIVATIONS[network.activation]()]
        layers += [nn.Dropout(network.dropout)] if network.dropout else []
        inputs = units
    return layers


def user_module(factory: Any, shape: tuple[int, ...], outputs: int) -> nn.Module:
    """Return a network of the user's own, given the shape of a row and the number of outputs where it asks for them.

    Parameters
    ----------
    factory : callable
        A subclass of `torch.nn.Module`, or what returns one.
    shape, outputs
        As for `perceptron`.

    Raises
    ------
    ValueError
        It makes something else.
    """
    said = factory.keywords if isinstance(factory, functools.partial) else {}
    asked = set(inspect.signature(factory).parameters) - set(said)
    module = factory(**{k: v for k, v in {"shape": shape, "outputs": outputs}.items() if k in asked})
    if not isinstance(module, nn.Module):
        raise ValueError(f"'module' makes a {type(module).__name__}, which is no torch.nn.Module")  # noqa: TRY004
    return module

"""What a network begins with: the weights of another one, of which some stay as they are and some begin anew."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn


def check_beginning(network: Any, shape: tuple[int, ...] | None, classes: int | None) -> None:
    """Refuse weights to begin with, and globs over names of parameters, as far as they are known not to fit.

    Parameters
    ----------
    network : Network
        Not fitted.
    shape : tuple of int, optional
        Of a row, where it is known.
    classes : int, optional
        How many there are, likewise.

    Raises
    ------
    ValueError
        They do not fit.
    """
    weights = None if network.start is None else network.start.weights
    outputs = classes if network.loss == "cross_entropy" else 1
    if network.module is None and shape is not None and outputs is not None:
        with torch.device("meta"):  # shapes and names alone
            module = network.layers(shape, outputs)
        if weights is not None:
            _check_weights(module.state_dict(), weights, network)
        _check_globs(network.freeze, dict(module.named_parameters()), "freeze")
    elif weights is not None and not len(network.fresh):  # which must then have every parameter that there is
        _check_globs(network.freeze, weights, "freeze")


def begin_with(module: nn.Module, weights: Mapping[str, Any], network: Any) -> None:
    """Put weights into a network; all but those that begin anew.

    Raises
    ------
    ValueError
        Some do not fit.
    """
    own = module.state_dict()
    wanted = _check_weights(own, weights, network)
    module.load_state_dict({**own, **{name: torch.from_numpy(np.array(weights[name])) for name in wanted}})


def _check_weights(own: Mapping[str, Any], weights: Mapping[str, Any], network: Any) -> list[str]:
    """Return the names of those weights that a network begins with, or raise why they do not fit."""
    _check_globs(network.fresh, own, "fresh")
    wanted = [name for name in own if not _matches(name, network.fresh)]
    for name in wanted:
        if name not in weights:
            raise ValueError(f"'start': the network has {name}, which those weights lack: is it another network?")
        if tuple(own[name].shape) != np.shape(weights[name]):
            found = f"{list(own[name].shape)} here, {list(np.shape(weights[name]))} in the weights to begin with"
            hint = f"make them alike, or let it begin anew by model.fresh=[{name.partition('.')[0]}.*]"
            raise ValueError(f"'start': the shape of {name} is {found}: {hint}")
    return wanted


def freeze(module: nn.Module, globs: Any) -> None:
    """Let parameters stay as they are; what is measured of batches stays with them.

    Raises
    ------
    ValueError
        A glob names none, or they leave nothing to learn.
    """
    _check_globs(globs, dict(module.named_parameters()), "freeze")
    for name, parameter in module.named_parameters():
        if _matches(name, globs):
            parameter.requires_grad_(requires_grad=False)
    if globs and not any(parameter.requires_grad for parameter in module.parameters()):
        raise ValueError("'freeze' leaves nothing to learn")
    for part in module.modules():
        own = list(part.parameters(recurse=False))
        if own and not any(parameter.requires_grad for parameter in own):
            part.register_forward_pre_hook(_still)


def _still(part: nn.Module, _given: Any) -> None:
    part.eval()


def _matches(name: str, globs: Any) -> bool:
    return any(fnmatchcase(name, str(glob)) for glob in globs)


def _check_globs(globs: Any, names: Any, key: str) -> None:
    for glob in globs:
        if not any(fnmatchcase(name, str(glob)) for name in names):
            shown = ", ".join(list(names)[:12])
            raise ValueError(f"'{key}': no parameter is called {glob}; there are {shown}")

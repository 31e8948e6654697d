"""What chooses the points of a sweep: one file for each way.

A sampler gives each point once, and only points that are feasible; what it gives depends on its seed and on what it was
told alone, in this order. `make_sampler` is the door.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_cli.records import Direction

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from mlops_cli.contracts import Sampler
    from mlops_cli.records import SweepSpec

__all__ = ["make_sampler"]


def make_sampler(
    sweep: SweepSpec,
    *,
    directions: Sequence[Direction] = (Direction.MAXIMIZE,),
    seed: int = 0,
    feasible: Callable[[Mapping[str, Any]], bool] | None = None,
    earlier: Sequence[tuple[Mapping[str, Any], Sequence[float]]] = (),
    trust: Collection[str] = (),
) -> Sampler:
    """Return what chooses the points of a sweep; where nothing is swept, the one empty point.

    Parameters
    ----------
    sweep : SweepSpec
        The space, the sampler, and how many points.
    directions : sequence of Direction
        The good end of each objective; the values that the sampler is told come in this order.
    seed : int
        Of everything that is drawn.
    feasible : callable, optional
        Whether a point may be tried.
    earlier : sequence of (point, values)
        Trials of another run, which a sampler that learns is told before its first point. Those that do not fit the
        space are left out.
    trust : collection of str
        The modules that the workspace's owner trusts, where the sampler is a class of a config's own.

    Raises
    ------
    ConfigError
        The sampler cannot be made as the config says.
    MissingExtraError
        It needs a package that is not installed.

    Examples
    --------
    >>> from mlops_cli.records import Dimension, DimensionKind, SweepSpec
    >>> c = Dimension("model.C", DimensionKind.CHOICE, (1, 10))
    >>> sampler = make_sampler(SweepSpec(subspaces=((c,),)))
    >>> sampler.size, sampler.ask(), sampler.ask(), sampler.ask()
    (2, {'model.C': 1}, {'model.C': 10}, None)
    """
    if sweep.sampler.name == "grid" or not sweep.is_sweep:
        from mlops_cli.components.samplers.grid import GridSampler

        return GridSampler(sweep.subspaces, feasible)
    from mlops_cli.components.samplers.drawing import Draws

    draws = Draws(sweep.subspaces, sweep.trials or 0, seed, feasible)
    if sweep.sampler.name == "random":
        from mlops_cli.components.samplers.random import RandomSampler

        return RandomSampler(draws)
    from mlops_cli.components.samplers.optuna import OptunaSampler

    return OptunaSampler(sweep, draws, directions=directions, seed=seed, earlier=earlier, trust=trust)

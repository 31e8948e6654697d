"""The tree of fits as one scikit-learn Pipeline, and the transformer of each of its steps.

What comes out is the plain Pipeline of ColumnTransformers that a person would have written, so a saved model needs
nothing of this package. `execution` makes the transformers of single nodes by the same `Builder`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_cli.components.layout import DROP, PASSTHROUGH, Columns, Node, Step, Traits, Union, columns_of, resampling

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from mlops_cli.records import TransformSpec

SPARSE_THRESHOLD = 0.3
"""ColumnTransformer's own default: below this share of non-zeros the joined matrix stays sparse."""


_BLIND = (
    "mlops_cli.components.transforms.",
    "skrub.",
    "sklearn.cluster.",
    "sklearn.decomposition.",
    "sklearn.feature_extraction.",
    "sklearn.impute.",
    "sklearn.kernel_approximation",
    "sklearn.preprocessing.",
    "sklearn.random_projection",
)
"""Where the transformers are from that do not look at the target unless their tags say so."""


@dataclass(frozen=True)
class Builder:
    """Makes the unfitted transformers of a tree.

    Parameters
    ----------
    build : callable
        Returns a new transformer for a step's component.
    """

    build: Callable[[TransformSpec], Any]

    def traits(self, spec: TransformSpec) -> Traits:
        """Return what the layout must know of a step's transformer."""
        if spec.component.target in {DROP, PASSTHROUGH}:
            return Traits()
        from sklearn.utils import get_tags

        made = self.build(spec)
        tags = get_tags(made).input_tags
        flat = bool(tags.string and not tags.two_d_array)
        sparse = flat or bool(getattr(made, "sparse_output", False)) or getattr(made, "encode", "") == "onehot"
        return Traits(
            flat=flat,
            takes_sparse=bool(tags.sparse),
            gives_sparse=sparse,
            resamples=is_resampler(made),
            by_name=bool(getattr(made, "reads_names", False)),
            gives_tensors=bool(getattr(made, "gives_tensors", False)),
            reads_target=may_read_target(made),
            keeps_frame=bool(getattr(made, "keeps_frame", False)),
        )

    def width(self, node: Node, whole: Collection[str] = ()) -> int | None:
        """Return how many columns a node gives, where that is known before a fit.

        Parameters
        ----------
        node : Node
            Of the tree.
        whole : collection of str
            The columns of the data without a gap.
        """
        if isinstance(node, Columns):
            return None if node.flat else len(node.names)
        if isinstance(node, Union):
            widths = [self.width(part, whole) for part in node.parts]
            return None if None in widths else sum(filter(None, widths))
        has_gaps = not set(columns_of(node)) <= set(whole)
        is_same = node.resamples or self._gives_each_column(node.spec, has_gaps=has_gaps)
        return self.width(node.source, whole) if is_same else None

    def _gives_each_column(self, spec: TransformSpec, *, has_gaps: bool) -> bool:
        """Whether a step gives a column for each that it is given, as scikit-learn's scalers do."""
        if spec.component.target == DROP:
            return False
        from sklearn.base import OneToOneFeatureMixin
        from sklearn.impute import SimpleImputer

        made = self.build(spec)
        if isinstance(made, SimpleImputer):  # which leaves out what is missing altogether, and may tell of gaps
            return not has_gaps
        named = getattr(type(made), "get_feature_names_out", None)  # of its own where there may be more
        return named is OneToOneFeatureMixin.get_feature_names_out

    def transformer(self, step: Step) -> Any:
        """Return the unfitted transformer of a step, set up for what its readers need."""
        made = DROP if step.spec.component.target == DROP else self.build(step.spec)
        if step.resamples:
            return made
        if step.only is not None:
            from sklearn.compose import ColumnTransformer

            part = (step.spec.name, _dense_output(made), list(step.only))
            made = ColumnTransformer([part], remainder=PASSTHROUGH, verbose_feature_names_out=False)
            return made.set_output(transform="pandas")
        return _dense_output(made).set_output(transform="pandas") if step.frame else made


def is_resampler(transformer: Any) -> bool:
    """Whether it makes other training rows, as the samplers of imbalanced-learn do."""
    return hasattr(transformer, "fit_resample") and not hasattr(transformer, "transform")


def may_read_target(transformer: Any) -> bool:
    """Whether its fit may look at the target: all do that are not known to leave it alone, and whatever holds a model.

    Tags alone do not tell: SelectKBest has one for scores that need no target.
    """
    from sklearn.utils import get_tags

    held = (value for value in transformer.get_params().values() if hasattr(value, "fit"))
    parts = (transformer, *(value for value in held if not isinstance(value, type)))
    is_told = any(get_tags(part).target_tags.required for part in parts)
    return is_told or not type(transformer).__module__.startswith(_BLIND)


def _dense_output(transformer: Any) -> Any:
    """Return the transformer with its output dense where it has the choice: a DataFrame holds no sparse matrix."""
    if hasattr(transformer, "sparse_output"):
        transformer.set_params(sparse_output=False)
    if getattr(transformer, "encode", "") == "onehot":
        transformer.set_params(encode="onehot-dense")
    return transformer


def to_estimator(root: Node, builder: Builder, model: Any, columns: Iterable[str]) -> Any:
    """Write the tree and the model as one unfitted scikit-learn Pipeline.

    Parameters
    ----------
    root : Node
        The tree from `lay_out`.
    builder : Builder
        Makes the transformers.
    model : estimator
        The last step.
    columns : iterable of str
        All features of the data in order; a tree that reads just these, as they stand, needs no ColumnTransformer.

    Returns
    -------
    sklearn.pipeline.Pipeline
        imbalanced-learn's own where a step resamples: a Pipeline that passes such steps by when it predicts.
    """
    from sklearn.pipeline import Pipeline

    if resampling(root) or (isinstance(root, Step) and root.gives_tensors):
        return _in_one_line(root, builder, model, columns)
    steps, base = _chain(root, builder)
    if isinstance(base, Union):
        steps = [("columns", _column_transformer(base, builder)), *steps]
    elif base.flat or base.names != tuple(columns):
        # Columns as they are stay a DataFrame, with their categories.
        steps = [("columns", _column_transformer(Union((root,), frame=isinstance(root, Columns)), builder))]
    return Pipeline([*_renamed(steps), ("model", model)])


def _in_one_line(root: Node, builder: Builder, model: Any, columns: Iterable[str]) -> Any:
    """Return the Pipeline of steps of which some cannot stand inside a ColumnTransformer."""
    if resampling(root):
        from imblearn.pipeline import Pipeline
    else:
        from sklearn.pipeline import Pipeline

    steps: list[tuple[str, Any]] = []
    if isinstance(root, Union):  # of one part, that is made dense
        steps = [("dense", _as_dense())]
        root = root.parts[0]
    chain, base = _chain(root, builder)
    if isinstance(base, Union) or base.names != tuple(columns):
        union = base if isinstance(base, Union) else Union((base,), frame=True)
        chain = [("columns", _column_transformer(union, builder)), *chain]
    return Pipeline([*_renamed([*chain, *steps]), ("model", model)])


def _as_dense() -> Any:
    from sklearn.compose import ColumnTransformer

    return ColumnTransformer([("rest", PASSTHROUGH, slice(0, None))], sparse_threshold=0.0)


def _chain(node: Node, builder: Builder) -> tuple[list[tuple[str, Any]], Columns | Union]:
    """Return the named transformers that end in ``node``, first to last, and the node that they start from."""
    chain: list[tuple[str, Any]] = []
    while isinstance(node, Step):
        chain.append((node.spec.name, builder.transformer(node)))
        node = node.source
    return [*reversed(chain)], node


def _column_transformer(union: Union, builder: Builder) -> Any:
    from sklearn.compose import ColumnTransformer

    branches = [_branch(part, builder) for part in union.parts]
    names = _renamed([(name, None) for name, _, _ in branches])
    made = ColumnTransformer(
        [(name, made, where) for (name, _), (_, made, where) in zip(names, branches, strict=True)],
        sparse_threshold=0.0 if union.dense else SPARSE_THRESHOLD,
        verbose_feature_names_out=False,
    )
    return made.set_output(transform="pandas") if union.frame else made


def _branch(part: Node, builder: Builder) -> tuple[str, Any, Any]:
    """Return a part of a union as ColumnTransformer wants it: name, transformer, columns."""
    from sklearn.pipeline import Pipeline

    steps, base = _chain(part, builder)
    if isinstance(base, Union):
        steps = [("columns", _column_transformer(base, builder)), *steps]
    names = columns_of(base)
    where: Any = names[0] if isinstance(base, Columns) and base.flat else list(names)
    if not steps:
        return "rest", PASSTHROUGH, where
    transformer = steps[0][1] if len(steps) == 1 else Pipeline(_renamed(steps))
    return _label(part, names), transformer, where


def _label(part: Node, names: Sequence[str]) -> str:
    """Return a branch's name: that of its last step, with the column where there is one branch for each."""
    if not isinstance(part, Step):
        return "columns"
    flat = isinstance(part.source, Columns) and part.source.flat
    return f"{part.spec.name}_{names[0]}".replace("__", "_") if flat else part.spec.name


def _renamed(steps: Sequence[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Keep a user's step names apart from each other and from those given here."""
    names: list[str] = ["model"]
    for name, _ in steps:
        names.append(_free(name, names))
    return [(name, transformer) for name, (_, transformer) in zip(names[1:], steps, strict=True)]


def _free(name: str, taken: Sequence[str]) -> str:
    return name if name not in taken else _free(f"{name}_step", taken)

"""Computes with PyTorch itself what does not depend on the image, within limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import fx
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._pytree import tree_leaves, tree_map

from bnas_deploy.converters.from_program.call import Given, Value, operator_name
from bnas_deploy.converters.from_program.export import first_line
from bnas_deploy.converters.signs.limits import ARRAY_LIMIT
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["ABOUT_SHAPES", "called", "computed", "without_data"]

ABOUT_SHAPES = {
    "empty_like", "full_like", "new_empty", "new_full", "new_ones", "new_zeros", "ones_like",
    "sym_numel", "sym_size", "sym_stride", "zeros_like",
}  # fmt: skip
"""What reads shapes and types only, so that its result does not depend on the image."""

UNSET = {"empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided"}
"""What makes a tensor whose numbers are whatever was there: zeros, so that every run is alike."""

UNKNOWN_BEFORE = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}

FAILURES = (RuntimeError, TypeError, ValueError, NotImplementedError)


def computed(
    node: fx.Node, args: Sequence[Given], kwargs: Mapping[str, Given], fake: FakeTensorMode
) -> Given:
    """Return what a call gives, or a `CannotConvert` that says why it was not made.

    Args:
        node: The call.
        args: Constants; of values only the shape is read.
        kwargs: The same.
        fake: In which the sizes of the results are found out first.
    """
    name = operator_name(node)
    if torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ()):
        return CannotConvert(f"{name} draws numbers", "leave it out of the model")
    args, kwargs = tree_map(_blank, (args, kwargs))
    if name in UNSET:
        return _zeros(node, args, kwargs, fake)
    try:
        # What depends on the data has no shape before it is computed; it is never larger than that.
        known = not UNKNOWN_BEFORE.intersection(getattr(node.target, "tags", ()))
        for part in tree_leaves(called(node, args, kwargs, fake)) if known else ():
            if isinstance(part, torch.Tensor) and part.numel() > ARRAY_LIMIT:
                what = f"{name} makes a constant of {part.numel():,} elements"
                return CannotConvert(what, f"at most {ARRAY_LIMIT:,} are computed")
        return called(node, args, kwargs)
    except FAILURES as error:
        what = f"{name} of constants cannot be computed: {first_line(error)}"
        return CannotConvert(what, "check the model")


def _zeros(
    node: fx.Node, args: Sequence[Given], kwargs: Mapping[str, Given], fake: FakeTensorMode
) -> Given:
    like = called(node, args, kwargs, fake)
    if like.numel() > ARRAY_LIMIT:
        what = f"{operator_name(node)} makes a constant of {like.numel():,} elements"
        return CannotConvert(what, f"at most {ARRAY_LIMIT:,} are computed")
    return torch.zeros(like.shape, dtype=like.dtype, device=like.device)


def without_data(
    node: fx.Node, args: Sequence[Given], kwargs: Mapping[str, Given], fake: FakeTensorMode
) -> Given:
    """Return shapes and types of what a call gives, or a `CannotConvert`."""
    args, kwargs = tree_map(lambda x: x.like if isinstance(x, Value) else x, (args, kwargs))
    try:
        return called(node, args, kwargs, fake)
    except FAILURES as error:
        return CannotConvert(f"does not fit its inputs: {first_line(error)}", "check the model")


def called(
    node: fx.Node,
    args: Sequence[Given],
    kwargs: Mapping[str, Given],
    fake: FakeTensorMode | None = None,
) -> Given:
    """Call a node's function, without data if `fake` is given."""
    function: Given = node.target
    with torch.no_grad():
        if fake is None:
            return function(*args, **kwargs)
        with fake:
            return function(*args, **kwargs)


def _blank(given: Given) -> Given:
    """Zeros in place of what depends on the image."""
    if not isinstance(given, Value):
        return given
    return torch.zeros((), dtype=given.like.dtype, device=given.like.device).expand(given.shape)

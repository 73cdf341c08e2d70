"""The operations of a graph: their attributes, constants and shapes.

Shapes: C channels in, O channels out, H W pixels, kh kw the kernel. Attributes named ``stride`` and
``dilation`` are (y, x); ``padding`` is (top, left, bottom, right). The first group has the float
meaning of the PyTorch module of that name; the second mirrors steps of docs/format.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bnas_deploy.converters.graph.activations import ACTIVATIONS
from bnas_deploy.converters.graph.conv_ops import (
    conv,
    depthwise,
    groups_of,
    packed_conv,
    packed_depthwise,
    windows,
)
from bnas_deploy.converters.graph.values import BITS, F32, Shape, Stage, Value, added, require
from bnas_deploy.errors import ConversionError

if TYPE_CHECKING:
    from bnas_deploy.converters.graph.nodes import Node

__all__ = ["BITS", "F32", "OPS", "PACKED", "Op", "Shape", "Stage", "Value", "groups_of", "infer"]

Infer = Callable[["Node", Sequence[Value]], tuple[Value, ...]]


@dataclass(frozen=True)
class Op:
    """What a node of this operation must have.

    Attributes:
        inputs: Kinds of the inputs; a last `...` means any number, or none, of the kind before it.
        attributes: Names of all attributes.
        constants: Names of the constants that must be there.
        optional: Names of constants that may be.
        infer: From node and inputs to the values it makes.
    """

    inputs: tuple[str, ...]
    infer: Infer
    attributes: tuple[str, ...] = ()
    constants: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


def infer(node: Node, inputs: Sequence[Value]) -> tuple[Value, ...]:
    """Check a node against its operation and return the values it makes.

    Raises:
        ConversionError: The operation is unknown, or something of the node does not fit it.
    """
    if node.op not in OPS:
        msg = f"{node.name}: unknown operation {node.op!r}; known are {', '.join(OPS)}"
        raise ConversionError(msg)
    op = OPS[node.op]
    _check_kinds(node, op, [value.kind for value in inputs])
    require(node, set(node.attributes) == set(op.attributes), f"attributes {op.attributes}")
    if node.op not in PACKED:  # whose constants depend on their stages
        have, must = set(node.constants), set(op.constants)
        require(node, must <= have <= must | set(op.optional), f"constants {op.constants}")
    values = op.infer(node, inputs)
    for value in values:
        require(node, min(value.shape) >= 1, f"a value without pixels is made: {value.shape}")
    return values


def _check_kinds(node: Node, op: Op, kinds: list[str]) -> None:
    expected = list(op.inputs)
    if expected and expected[-1] == "...":
        expected = expected[:-2] + [expected[-2]] * (len(kinds) - len(expected) + 2)
    require(node, kinds == expected, f"inputs of kinds {expected}; got {kinds}")


def _same(node: Node, inputs: Sequence[Value]) -> tuple[Value, ...]:
    channels = inputs[0].shape[0]
    for name, array in node.constants.items():
        require(node, array.shape == (channels,), f"{name} of shape ({channels},)")
    return (inputs[0],)


def _activation(node: Node, inputs: Sequence[Value]) -> tuple[Value, ...]:
    activation, channels = ACTIVATIONS[node.op], inputs[0].shape[0]
    counts = {**dict.fromkeys(activation.constants, channels), **activation.shared}
    for name, count in counts.items():
        require(node, node.constants[name].shape == (count,), f"{name} of shape ({count},)")
    return (inputs[0],)


def _bits(node: Node, inputs: Sequence[Value]) -> tuple[Value, ...]:
    (value,) = _same(node, inputs)
    return (Value(BITS, value.shape),)


def _floats(node: Node, inputs: Sequence[Value]) -> tuple[Value, ...]:
    return (Value(F32, inputs[0].shape),)


def _zero(node: Node, inputs: Sequence[Value]) -> tuple[Value, ...]:
    return (Value(F32, node.attributes["shape"]),)


def _mean_magnitude(node: Node, inputs: Sequence[Value]) -> tuple[Value, ...]:
    channels, *size = inputs[0].shape
    for name, count in (("scale", channels), ("shift", channels), ("terms", 2)):
        require(node, node.constants[name].shape == (count,), f"{name} of shape ({count},)")
    return (Value(F32, (1, size[0], size[1])),)


def _multiply(node: Node, inputs: Sequence[Value]) -> tuple[Value, ...]:
    x, factor = (value.shape for value in inputs)
    fits = factor[0] in (1, x[0]) and factor[1:] in ((1, 1), x[1:])
    require(node, fits, f"a factor that is broadcast to {x}; got {factor}")
    return (inputs[0],)


def _constant(node: Node, inputs: Sequence[Value]) -> tuple[Value, ...]:
    value = node.constants["value"]
    require(node, value.ndim == 3, f"a value of shape (C, H, W); got {value.shape}")
    return (Value(F32, value.shape),)


def _add(node: Node, inputs: Sequence[Value]) -> tuple[Value, ...]:
    require(node, inputs[0] == inputs[1], f"equal shapes; got {[v.shape for v in inputs]}")
    return (inputs[0],)


def _add_slice(node: Node, inputs: Sequence[Value]) -> tuple[Value, ...]:
    return (added(node, inputs[0], inputs[1], node.attributes["at"]),)


def _concat(node: Node, inputs: Sequence[Value]) -> tuple[Value, ...]:
    require(node, len({v.shape[1:] for v in inputs}) == 1, "inputs of one resolution")
    return (Value(F32, (sum(v.shape[0] for v in inputs), *inputs[0].shape[1:])),)


def _select(node: Node, inputs: Sequence[Value]) -> tuple[Value, ...]:
    index = node.constants["index"]
    fits = index.ndim == 1 and index.min() >= -1 and index.max() < inputs[0].shape[0]
    require(node, bool(fits), f"indices from -1 to {inputs[0].shape[0] - 1}")
    return (Value(F32, (len(index), *inputs[0].shape[1:])),)


def _pool(node: Node, inputs: Sequence[Value]) -> tuple[Value, ...]:
    channels = inputs[0].shape[0]
    if "minimum" in node.constants:
        minimum = node.constants["minimum"]
        require(node, minimum.shape == (channels,), f"minimum of shape ({channels},)")
    return (
        Value(
            inputs[0].kind, (channels, *windows(node, inputs[0].shape, node.attributes["kernel"]))
        ),
    )


def _global_pool(node: Node, inputs: Sequence[Value]) -> tuple[Value, ...]:
    return (Value(F32, (inputs[0].shape[0], 1, 1)),)


def _linear(node: Node, inputs: Sequence[Value]) -> tuple[Value, ...]:
    weight = node.constants["weight"]
    c, h, w = inputs[0].shape
    require(
        node, weight.ndim == 2 and weight.shape[1] == c * h * w, f"weight of {c * h * w} inputs"
    )
    return (Value(F32, (weight.shape[0], 1, 1)),)


PACKED = {"packed_conv", "packed_depthwise"}
"""What the binary convolutions become when they have their stages."""

_WINDOW = ("stride", "padding", "dilation")
_POOL = Op((F32,), _pool, ("kernel", "stride", "padding"))

OPS: dict[str, Op] = {
    "zero": Op((), _zero, ("shape",)),
    # value (C, H, W): the same for every image.
    "constant": Op((), _constant, (), ("value",)),
    # weight (O, C / groups, kh, kw): so many groups, as everywhere below.
    "conv": Op((F32,), conv, (*_WINDOW, "activation"), ("weight",), ("bias",)),
    # weight int8 of -1 and +1; padding adds nothing; times scale, then the activation.
    # fold (O, kh, kw): added to the dot product for each tap inside the image.
    "binary_conv": Op((BITS,), conv, (*_WINDOW, "activation"), ("weight", "scale"), ("fold",)),
    # weight int8 (C, 1, kh, kw): each channel alone, otherwise as binary_conv.
    "binary_depthwise": Op((BITS,), depthwise, (*_WINDOW, "activation"), ("weight", "scale")),
    "batch_norm": Op((F32,), _same, ("eps",), ("weight", "bias", "mean", "var")),
    # zero_sign: what exactly zero becomes, 1 or 0; `split_zero_signs` leaves none of the latter.
    "sign": Op((F32,), _bits, ("zero_sign",)),
    # The numbers that signs stand for, for a layer whose weights are floats.
    "bits_to_float": Op((BITS,), _floats),
    **{name: Op((F32,), _activation, (), a.names) for name, a in ACTIVATIONS.items()},
    "add": Op((F32, F32), _add),
    "concat": Op((F32, F32, "..."), _concat),
    "max_pool": _POOL,
    "avg_pool": _POOL,
    # The greatest sign, or the least in channels where minimum (C,) is True.
    "binary_max_pool": Op((BITS,), _pool, _POOL.attributes, (), ("minimum",)),
    "global_avg_pool": Op((F32,), _global_pool),
    "linear": Op((F32,), _linear, (), ("weight",), ("bias",)),
    "affine": Op((F32,), _same, (), ("scale", "shift")),
    "binarize": Op((F32,), _bits, (), ("threshold", "flip")),
    "packed_conv": Op((BITS, F32, "..."), packed_conv, (*_WINDOW, "stages")),
    "packed_depthwise": Op((BITS, F32, "..."), packed_depthwise, (*_WINDOW, "stages")),
    # terms: the mean is the sum over the channels of |x * scale + shift|, times terms[0], plus
    # terms[1].
    "mean_magnitude": Op((F32,), _mean_magnitude, (), ("scale", "shift", "terms")),
    # The factor has the shape of x, one channel, one pixel, or both.
    "multiply": Op((F32, F32), _multiply),
    "add_slice": Op((F32, F32), _add_slice, ("at",)),
    "select_channels": Op((F32,), _select, (), ("index",)),
}

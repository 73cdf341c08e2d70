"""Convolutions, linear layers, normalisations, pools and reductions."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from bnas_deploy.converters.from_program.call import Call, Outputs, Rule
from bnas_deploy.converters.signs.obstacles import CannotConvert

__all__ = ["LAYERS"]


def _convolution(call: Call) -> Outputs:
    if call["transposed"]:
        msg = "a transposed convolution"
        raise CannotConvert(msg, "use Conv2d")
    if len(call["input"].shape) != 4:
        msg = "a convolution of one or three dimensions"
        raise CannotConvert(msg, "use Conv2d")
    padding = _pair(call["padding"])
    return call.emit(
        "Conv",
        call["input"],
        call["weight"],
        call["bias"],
        strides=_pair(call["stride"]),
        pads=(*padding, *padding),
        dilations=_pair(call["dilation"]),
        group=int(call["groups"]),
    )


def _linear(call: Call) -> Outputs:
    x, weight, bias = call["input"], call["weight"], call["bias"]
    if len(x.shape) == 2:
        return call.emit("Gemm", x, weight, bias, transB=1)
    weight = call.constant("weight", "its weight")
    assert weight is not None
    product = call.emit("MatMul", x, weight.t(), label="" if bias is None else "product")
    return product if bias is None else call.emit("Add", product, bias)


def _product_and_sum(call: Call) -> Outputs:
    alpha, beta = float(call["alpha"]), float(call["beta"])
    return call.emit("Gemm", call["mat1"], call["mat2"], call["self"], alpha=alpha, beta=beta)


def _product(call: Call) -> Outputs:
    other = "mat2" if "mat2" in call.given else "other"
    return call.emit("MatMul", call["self"], call[other])


def _batch_norm(call: Call) -> Outputs:
    mean, var = (call.constant(f"running_{x}", f"its {x}") for x in ("mean", "var"))
    assert mean is not None
    assert var is not None
    weight, bias = call["weight"], call["bias"]
    weight = torch.ones_like(mean) if weight is None else weight
    bias = torch.zeros_like(mean) if bias is None else bias
    terms = (weight, bias, mean, var)
    name = call.emit("BatchNormalization", call["input"], *terms, epsilon=float(call["eps"]))
    return name, "", ""


def _batch_norm_in_training(call: Call) -> Outputs:
    msg = "normalises by the batch (training mode)"
    raise CannotConvert(msg, "export in evaluation mode, with running statistics")


def _drops(call: Call) -> Outputs:
    msg = "drops values (training mode)"
    raise CannotConvert(msg, "export in evaluation mode")


def _layer_norm(call: Call) -> Outputs:
    terms = (call["weight"], call["bias"])
    axis = -len(call["normalized_shape"])
    name = call.emit(
        "LayerNormalization", call["input"], *terms, axis=axis, epsilon=float(call["eps"])
    )
    return name, "", ""


def _group_norm(call: Call) -> Outputs:
    groups, eps = int(call["group"]), float(call["eps"])
    count = call["input"].shape[1]
    weight = torch.ones(count) if call["weight"] is None else call["weight"]
    bias = torch.zeros(count) if call["bias"] is None else call["bias"]
    name = call.emit(
        "GroupNormalization", call["input"], weight, bias, num_groups=groups, epsilon=eps
    )
    return name, "", ""


def _instance_norm(call: Call) -> Outputs:
    if not call["use_input_stats"]:
        msg = "normalises each image by running statistics"
        raise CannotConvert(msg, "use BatchNorm")
    count = call["input"].shape[1]
    weight = torch.ones(count) if call["weight"] is None else call["weight"]
    bias = torch.zeros(count) if call["bias"] is None else call["bias"]
    return call.emit(
        "InstanceNormalization", call["input"], weight, bias, epsilon=float(call["eps"])
    )


def _pair(given: Sequence[int]) -> tuple[int, int]:
    return (int(given[0]), int(given[-1]))


def _max_pool(call: Call) -> Outputs:
    kernel = _pair(call["kernel_size"])
    padding = _pair(call["padding"])
    name = call.emit(
        "MaxPool",
        call["self"],
        kernel_shape=kernel,
        strides=_pair(call["stride"]) if call["stride"] else kernel,
        pads=(*padding, *padding),
        dilations=_pair(call["dilation"]),
        ceil_mode=int(call["ceil_mode"]),
    )
    return name, ""


def _average_pool(call: Call) -> Outputs:
    kernel = _pair(call["kernel_size"])
    padding = _pair(call["padding"])
    if call["divisor_override"] is not None:
        msg = "divides its sum by another number"
        raise CannotConvert(msg, "leave divisor_override out")
    return call.emit(
        "AveragePool",
        call["self"],
        kernel_shape=kernel,
        strides=_pair(call["stride"]) if call["stride"] else kernel,
        pads=(*padding, *padding),
        ceil_mode=int(call["ceil_mode"]),
        count_include_pad=int(call["count_include_pad"]),
    )


def _adaptive_average(call: Call) -> Outputs:
    return _adaptive(call, "AveragePool")


def _adaptive_max(call: Call) -> Outputs:
    return _adaptive(call, "MaxPool"), ""


def _adaptive(call: Call, op: str) -> str:
    """A pool to a number of windows, which must be equally large."""
    have, want = call["self"].shape[2:], _pair(call["output_size"])
    if any(a % b for a, b in zip(have, want, strict=True)):
        msg = f"pools {list(have)} into {list(want)} windows of different sizes"
        raise CannotConvert(msg, "choose a size that divides the image's")
    kernel = (have[0] // want[0], have[1] // want[1])
    name: str = call.emit(op, call["self"], kernel_shape=kernel, strides=kernel)
    return name


def _reduction(op: str) -> Rule:
    def rule(call: Call) -> Outputs:
        rank = len(call["self"].shape)
        given = call.given.get("dim")
        dims = [given] if isinstance(given, int) else given
        axes = sorted({int(a) % rank for a in (dims if dims else range(rank))})
        keep = int(bool(call.given.get("keepdim", False)))
        return call.emit(op, call["self"], axes, keepdims=keep)

    return rule


def _extreme(op: str) -> Rule:
    """The maximum along an axis, and where it is."""

    def rule(call: Call) -> Outputs:
        axes, keep = [int(call["dim"])], int(call["keepdim"])
        return call.emit(op, call["self"], axes, keepdims=keep), ""

    return rule


def _norm(call: Call) -> Outputs:
    if call["ord"] != 1 or not call["dim"]:
        msg = f"a norm of order {call['ord']}"
        raise CannotConvert(msg, "use abs().sum() or abs().mean()")
    size = call.emit("Abs", call["self"], label="abs")
    return call.emit("ReduceSum", size, list(call["dim"]), keepdims=int(call["keepdim"]))


def _softmax(op: str) -> Rule:
    def rule(call: Call) -> Outputs:
        return call.emit(op, call["self"], axis=int(call["dim"]))

    return rule


def _arg_max(call: Call) -> Outputs:
    if call["dim"] is None:
        msg = "the largest of all elements"
        raise CannotConvert(msg, "state the axis")
    return call.emit("ArgMax", call["self"], axis=int(call["dim"]), keepdims=int(call["keepdim"]))


LAYERS: dict[str, Rule] = {
    "_adaptive_avg_pool2d": _adaptive_average,
    "_log_softmax": _softmax("LogSoftmax"),
    "_native_batch_norm_legit": _batch_norm_in_training,
    "_native_batch_norm_legit_functional": _batch_norm_in_training,
    "_native_batch_norm_legit_no_training": _batch_norm,
    "_softmax": _softmax("Softmax"),
    "adaptive_avg_pool2d": _adaptive_average,
    "adaptive_max_pool2d": _adaptive_max,
    "addmm": _product_and_sum,
    "amax": _reduction("ReduceMax"),
    "amin": _reduction("ReduceMin"),
    "argmax": _arg_max,
    "avg_pool2d": _average_pool,
    "bernoulli": _drops,
    "bmm": _product,
    "convolution": _convolution,
    "instance_norm": _instance_norm,
    "linalg_vector_norm": _norm,
    "linear": _linear,
    "matmul": _product,
    "max": _extreme("ReduceMax"),
    "max_pool2d_with_indices": _max_pool,
    "mean": _reduction("ReduceMean"),
    "min": _extreme("ReduceMin"),
    "mm": _product,
    "native_batch_norm": _batch_norm_in_training,
    "native_dropout": _drops,
    "native_group_norm": _group_norm,
    "native_layer_norm": _layer_norm,
    "sum": _reduction("ReduceSum"),
}

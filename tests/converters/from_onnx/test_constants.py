"""What depends on constants and shapes alone: any operator, any batch, and nothing endless."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from support.onnx_models import OnnxModel, imported, steps

from bnas_deploy import engine
from bnas_deploy.converters.from_onnx.constants import evaluator
from bnas_deploy.converters.from_onnx.convert import convert_onnx
from bnas_deploy.converters.from_onnx.logits import onnx_logits
from bnas_deploy.errors import ConversionError

C, H, W = 6, 7, 5


def sizes(m):
    return m.const([8, 1, 1, 1], np.int64)


def scattered(m):
    index = m.const([[0, 0, 0, 0], [7, 0, 0, 0]], np.int64)
    return m.add("ScatterND", m.normal(8, 1, 1, 1), index, m.normal(2))


# Every one makes (8, 1, 1, 1), of numbers from 1 on or so.
SCALES = {
    "Log": lambda m, w: m.add("Log", m.rng.random((8, 1, 1, 1)) + 2),
    "Exp": lambda m, w: m.add("Exp", m.rng.random((8, 1, 1, 1))),
    "Pow": lambda m, w: m.add("Pow", m.rng.random((8, 1, 1, 1)) + 1, 1.5),
    "Erf": lambda m, w: m.add("Erf", m.rng.random((8, 1, 1, 1)) + 1),
    "Sin": lambda m, w: m.add("Sin", m.rng.random((8, 1, 1, 1)) + 1),
    "ReduceProd": lambda m, w: m.add("Mul", m.normal(8, 1, 1, 1),
                                     m.add("ReduceProd", m.normal(3), keepdims=0)),
    "ReduceL1": lambda m, w: m.add("ReduceL1", w, axes=[1, 2, 3], keepdims=1),
    "ReduceL2": lambda m, w: m.add("ReduceL2", w, axes=[1, 2, 3], keepdims=1),
    "ReduceLogSumExp": lambda m, w: m.add("ReduceLogSumExp", w, axes=[1, 2, 3], keepdims=1),
    "ReduceSumSquare": lambda m, w: m.add("ReduceSumSquare", w, axes=[1, 2, 3], keepdims=1),
    "MatMul": lambda m, w: m.add("Reshape", m.add("MatMul", m.normal(8, 3), m.normal(3)), sizes(m)),
    "Einsum": lambda m, w: m.add("Reshape", m.add("Einsum", w, w, equation="ocyx,ocyx->o"),
                                 sizes(m)),
    "ScatterND": lambda m, w: scattered(m),
    "CumSum": lambda m, w: m.add("CumSum", m.normal(8, 1, 1, 1), m.const(0, np.int64)),
    "Trilu": lambda m, w: m.add(
        "Reshape", m.add("ReduceSum", m.add("Trilu", m.normal(8, 8)), m.whole(1)), sizes(m)
    ),
    "Tile": lambda m, w: m.add("Tile", m.normal(1, 1, 1, 1), sizes(m)),
    "TopK": lambda m, w: m.add("TopK", m.normal(12, 1, 1, 1), m.whole(8), axis=0, outputs=2)[0],
    "Softmax": lambda m, w: m.add("Softmax", m.normal(8, 1, 1, 1), axis=0),
    "GatherND": lambda m, w: m.add(
        "Reshape", m.add("GatherND", m.normal(9, 2), m.const([[i, 1] for i in range(8)], np.int64)),
        sizes(m),
    ),
    "OneHot": lambda m, w: m.add(
        "Reshape", m.add("OneHot", m.whole(3), m.const(8, np.int64), m.const([1, 2])),
        sizes(m),
    ),
    "Range": lambda m, w: m.add(
        "Reshape", m.add("Range", m.const(1), m.const(9), m.const(1)), sizes(m)
    ),
    "a deviation, as PyTorch exports it": lambda m, w: m.add(
        "Sqrt", m.add("Div", m.add("ReduceSumSquare", m.add(
            "Sub", w, m.add("ReduceMean", w, axes=[1, 2, 3])), axes=[1, 2, 3]), 53.0)
    ),
}  # fmt: skip


@pytest.mark.parametrize("operator", SCALES)
def test_weights_that_are_computed(operator, tmp_path):
    m = OnnxModel((C, H, W))
    w = m.const(m.normal(8, C, 3, 3))
    weight = m.add("Mul", m.add("Sign", w), SCALES[operator](m, w))
    x = m.add("Conv", m.add("Sign", m.norm("x", C)), weight)
    result = imported(m.save(tmp_path, m.head(x, 8)), allow_float=False)
    assert steps(result).count("binary_conv2d") == 2


def as_torch_expands(m, x, like):
    """What the TorchScript exporter makes of x.expand_as(like)."""
    shape = m.add("Shape", like)
    ones = m.add("ConstantOfShape", m.whole(4), value=helper.make_tensor("v", 7, [1], [1]))
    minus = m.add("Mul", ones, m.const(-1, np.int64))
    return m.add("Expand", x, m.add("Where", m.add("Equal", shape, minus), ones, shape))


def filled(m, value):
    """full_like(x, value)."""
    tensor = helper.make_tensor("v", TensorProto.FLOAT, [1], [value])
    return m.add("ConstantOfShape", m.add("Shape", "x"), value=tensor)


REPEATED = {
    "expand_as": lambda m, x: m.add("Mul", x, as_torch_expands(m, m.normal(C, 1, 1), "x")),
    "expand": lambda m, x: m.add(
        "Add", x, m.add("Expand", m.normal(1, C, 1, W), m.add("Shape", x))
    ),
    "ones_like": lambda m, x: m.add("Where", m.add("Greater", x, 0.1), filled(m, 1), filled(m, -1)),
    "zeros_like": lambda m, x: m.add("Greater", x, filled(m, 0)),
    "multiples of ones_like": lambda m, x: m.add(
        "Sub", x, m.add("Mul", filled(m, 1), m.normal(C, 1, 1))
    ),
    "a gate that is expanded": lambda m, x: m.add(
        "Mul", x, as_torch_expands(m, m.add("Sigmoid", m.add("GlobalAveragePool", x)), x)
    ),
    "a map that is expanded": lambda m, x: m.add(
        "Add", x, m.add("Expand", m.add("Sigmoid", m.add("ReduceMean", x, axes=[1])),
                        m.add("Shape", x))
    ),
    "joined zeros": lambda m, x: m.add("Concat", x, filled(m, 0), axis=1),
    "joined zeros in front": lambda m, x: m.add("Concat", filled(m, -1), x, filled(m, 0), axis=1),
    "flattened by shapes": lambda m, x: m.add("Reshape", m.add("Reshape", x, m.add(
        "Concat", m.add("Gather", m.add("Shape", x), m.whole(0)), m.whole(-1), axis=0)),
        m.add("Shape", x)),
    "a size divided": lambda m, x: m.add("Reshape", x, m.add("Concat", m.add("Div", m.add(
        "Unsqueeze", m.add("Size", x), m.whole(0)), m.whole(C * H * W)), m.whole(C, H, W), axis=0)),
}  # fmt: skip


@pytest.mark.parametrize("case", REPEATED)
@pytest.mark.parametrize("batch", ["N", 1, 3])
def test_what_is_laid_out_for_a_batch(case, batch, tmp_path):
    m = OnnxModel((C, H, W))
    y = REPEATED[case](m, m.norm("x", C))
    y = m.add("Cast", y, to=TensorProto.FLOAT) if case == "zeros_like" else y
    y = m.add("Mul", m.add("GlobalAveragePool", m.add("Relu", y)), 3.0)
    imported(m.save(tmp_path, m.add("Flatten", y), batch=batch))


def test_an_expanded_gate_costs_nothing(tmp_path):
    m = OnnxModel((C, H, W))
    y = REPEATED["a gate that is expanded"](m, m.norm("x", C))
    names = steps(imported(m.save(tmp_path, m.add("Flatten", m.add("GlobalAveragePool", y)))))
    assert names.count("multiply") == 1
    assert "constant" not in names


def test_a_constant_stored_for_each_image_of_the_batch(tmp_path):
    m = OnnxModel((C, H, W))
    bound = np.repeat(m.normal(1, C, 1, 1), 4, axis=0)
    x = m.add("Where", m.add("Less", x := m.norm("x", C), 0.0), -bound, bound)
    x = m.add("GlobalAveragePool", m.add("Add", x, np.repeat(m.normal(1, C, H, W), 4, axis=0)))
    imported(m.save(tmp_path, m.add("Flatten", x), batch=4))


def test_a_constant_that_differs_from_image_to_image(tmp_path):
    m = OnnxModel((C, H, W))
    numbers = m.add("Range", m.const(0, np.int64), m.add("Gather", m.add("Shape", "x"),
                    m.const(0, np.int64)), m.const(1, np.int64))  # fmt: skip
    noise = m.add("Reshape", m.add("Cast", numbers, to=1), m.whole(-1, 1, 1, 1))
    y = m.add("Flatten", m.add("GlobalAveragePool", m.add("Add", m.norm("x", C), noise)))
    with pytest.raises(ConversionError, match="differs from image to image"):
        convert_onnx(m.save(tmp_path, y), allow_float=True, images=0)


def test_layers_of_constants_alone(tmp_path):
    m = OnnxModel((C, H, W))
    edge = m.add("Conv", filled(m, 0.5), m.normal(C, C, 1, 1), m.normal(C))
    y = m.add("Concat", m.norm("x", C), m.add("Relu", edge), axis=1)
    imported(m.save(tmp_path, m.add("Flatten", m.add("GlobalAveragePool", y))))


def with_scale(m, scale):
    x = m.add("Mul", m.norm("x", C), scale)
    return m.add("Flatten", m.add("GlobalAveragePool", x))


ENDLESS = {
    "Tile": lambda m: m.add("Tile", m.normal(4), m.whole(2**40)),
    "Resize": lambda m: m.add("Resize", m.normal(1, 1, 4, 4), "", m.const([1, 1, 2**20, 2**20])),
    "OneHot": lambda m: m.add("OneHot", m.const([0] * 9, np.int64), m.const(2**40, np.int64),
                              m.const([0, 1])),
    "Pad": lambda m: m.add("Pad", m.normal(4), m.whole(0, 2**40)),
    "MatMul": lambda m: m.add("MatMul", m.add("Expand", m.normal(1), m.whole(2**20, 1)),
                              m.add("Expand", m.normal(1), m.whole(1, 2**20))),
    "EyeLike": lambda m: m.add("EyeLike", m.add("ConstantOfShape", m.whole(2**20, 2**20))),
}  # fmt: skip


@pytest.mark.parametrize("operator", ENDLESS)
def test_constants_that_ask_for_endless_memory(operator, tmp_path):
    m = OnnxModel((C, H, W))
    path = m.save(tmp_path, with_scale(m, m.add("ReduceMax", ENDLESS[operator](m), keepdims=0)))
    with pytest.raises(ConversionError, match="cannot be computed"):
        convert_onnx(path, allow_float=True, images=0)


def test_a_constant_that_takes_too_long(tmp_path, monkeypatch):
    monkeypatch.setattr(evaluator, "SECONDS", 0.5)
    m = OnnxModel((C, H, W))
    wide = m.add("Expand", m.normal(1), m.whole(2**14, 2**14))
    product = m.add("MatMul", m.add("MatMul", wide, wide), m.add("MatMul", wide, wide))
    path = m.save(tmp_path, with_scale(m, m.add("ReduceMax", product, keepdims=0)))
    with pytest.raises(ConversionError, match="it takes more than"):
        convert_onnx(path, allow_float=True, images=0)
    monkeypatch.undo()
    test_weights_that_are_computed("Log", tmp_path)  # with another process


def looping(m):
    value = helper.make_tensor_value_info("y", TensorProto.FLOAT, [])
    ins = [helper.make_tensor_value_info("i", TensorProto.INT64, []),
           helper.make_tensor_value_info("go", TensorProto.BOOL, []),
           helper.make_tensor_value_info("x0", TensorProto.FLOAT, [])]  # fmt: skip
    nodes = [
        helper.make_node("Identity", ["x0"], ["y"]),
        helper.make_node("Identity", ["go"], ["g"]),
    ]
    outs = [helper.make_tensor_value_info("g", TensorProto.BOOL, []), value]
    body = helper.make_graph(nodes, "body", ins, outs)
    return m.add("Loop", m.const(2**60, np.int64), m.const(True, bool), m.const(1.0), body=body)


DENIED = {
    "Loop": looping,
    "RandomNormal": lambda m: m.add("RandomNormal", shape=[1]),
    "Bernoulli": lambda m: m.add("Bernoulli", m.const([0.5])),
}


@pytest.mark.parametrize("operator", DENIED)
def test_operators_that_are_no_constants(operator, tmp_path):
    m = OnnxModel((C, H, W))
    path = m.save(tmp_path, with_scale(m, DENIED[operator](m)))
    with pytest.raises(ConversionError, match=f"{operator} is not computed"):
        convert_onnx(path, allow_float=True, images=0)


def test_bits_are_those_of_onnx_runtime(tmp_path):
    m = OnnxModel((C, 1, 1))
    y = m.add("Flatten", m.add("Mul", "x", m.add("Exp", m.normal(C, 1, 1))))
    path = m.save(tmp_path, y)
    ones = np.ones((1, C, 1, 1), np.float32)
    model = imported(path, images=ones).model
    assert np.array_equal(engine.create(model).run(ones), onnx_logits(onnx.load(path), ones))

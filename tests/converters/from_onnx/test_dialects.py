"""Other dialects than float32 of today's opsets: halves, 8 bits, fused operators, old opsets."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from support.onnx_models import OnnxModel, imported, steps

from bnas_deploy import engine
from bnas_deploy.converters.eight_bit.facts import KINDS, EightBitOptions
from bnas_deploy.converters.from_onnx.convert import convert_onnx
from bnas_deploy.converters.from_onnx.logits import onnx_logits
from bnas_deploy.converters.from_onnx.read import read_onnx
from bnas_deploy.converters.packing.model_file import ModelFile
from bnas_deploy.converters.packing.report_text import report_lines
from bnas_deploy.errors import ConversionError

C, H, W = 6, 7, 5


def network(m, x="x"):
    """A float stem, a binary layer, a float classifier."""
    x = m.add("Relu", m.add("Conv", x, m.normal(8, C, 3, 3), m.normal(8), pads=[1] * 4))
    return m.float_head(m.norm(m.binary(m.add("Sign", m.add("Sub", x, 0.3)), 8, 8), 8), 8)


def halved(proto, kind):
    """The model in half precision, its input and output too."""
    for tensor in proto.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT:
            array = numpy_helper.to_array(tensor)
            dtype = helper.tensor_dtype_to_np_dtype(kind)
            tensor.CopyFrom(numpy_helper.from_array(array.astype(dtype), tensor.name))
    for value in (*proto.graph.input, *proto.graph.output):
        value.type.tensor_type.elem_type = kind
    return proto


@pytest.mark.parametrize("kind", ["FLOAT16", "BFLOAT16"])
def test_half_precision(kind, tmp_path):
    m = OnnxModel((C, H, W))
    path = tmp_path / "half.onnx"
    onnx.save(halved(m.proto(network(m)), getattr(TensorProto, kind)), path)
    result = imported(path)
    assert steps(result).count("binary_conv2d") == 1
    assert any(f"{kind.lower()} is computed in float32" in note for note in result.notes)


def test_a_half_between_casts(tmp_path):
    m = OnnxModel((C, H, W))
    x = m.add("Cast", m.norm("x", C), to=TensorProto.FLOAT16)
    x = m.add("Cast", m.add("Relu", x), to=TensorProto.FLOAT)
    imported(m.save(tmp_path, network(m, x)))


def test_a_double_between_casts(tmp_path):
    m = OnnxModel((C, H, W))
    x = m.add("Cast", m.norm("x", C), to=TensorProto.DOUBLE)
    x = m.add("Mul", x, m.const(m.normal(C, 1, 1), np.float64))
    imported(m.save(tmp_path, network(m, m.add("Cast", x, to=TensorProto.FLOAT))))


def test_what_onnx_runtime_fuses(tmp_path):
    m = OnnxModel((C, H, W))
    path, fused = m.save(tmp_path, network(m)), tmp_path / "fused.onnx"
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(fused)
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    assert any(node.domain for node in onnx.load(fused).graph.node)
    assert steps(imported(fused)) == steps(imported(path))


FUSED = {
    "FusedConv": lambda m, x: m.add(
        "FusedConv", x, m.normal(C, C, 1, 1), m.normal(C), x, activation="Relu"
    ),
    "clipped": lambda m, x: m.add(
        "FusedConv", x, m.normal(C, C, 1, 1), activation="Clip", activation_params=[-0.5, 0.7]
    ),
    "leaky": lambda m, x: m.add(
        "FusedConv", x, m.normal(C, C, 1, 1), activation="LeakyRelu", activation_params=[0.3]
    ),
}


@pytest.mark.parametrize("case", FUSED)
def test_fused_convolutions(case, tmp_path):
    m = OnnxModel((C, H, W))
    y = FUSED[case](m, m.norm("x", C))
    m.nodes[-1].domain = "com.microsoft"
    imported(m.save(tmp_path, network(m, y), domains=["com.microsoft"]))


def test_fused_linear_layers(tmp_path):
    m = OnnxModel((C,))
    x = m.add("FusedGemm", "x", m.normal(8, C), m.normal(8), transB=1, activation="LeakyRelu",
              activation_alpha=0.2)  # fmt: skip
    m.nodes[-1].domain = "com.microsoft"
    x = m.add("FusedMatMul", x, m.normal(4, 8), transB=1, alpha=0.25)
    m.nodes[-1].domain = "com.microsoft"
    imported(m.save(tmp_path, x, domains=["com.microsoft"]))


def quantized(m, x, scale, zero, kind=np.uint8):
    terms = m.const(scale), m.const(zero, kind)
    return m.add("DequantizeLinear", m.add("QuantizeLinear", x, *terms), *terms)


def eight_bit_weight(m, *shape):
    """Whole numbers with a scale for each output."""
    whole = m.rng.integers(-127, 128, shape)
    scale = m.rng.random(shape[0]).astype(np.float32) / 99
    zero = m.const(np.zeros(shape[0]), np.int8)
    return m.add("DequantizeLinear", m.const(whole, np.int8), m.const(scale), zero, axis=0)


def test_layers_between_quantizers(tmp_path):
    m = OnnxModel((C, H, W))
    x = quantized(m, "x", 0.05, 120)
    x = m.add("Conv", x, eight_bit_weight(m, 8, C, 3, 3), m.normal(8))
    x = quantized(m, x, 0.1, 0)  # a ReLU, too
    x = m.norm(m.binary(m.add("Sign", m.add("Sub", x, 0.3)), 8, 8), 8)
    x = quantized(m, x, 0.5, 7, np.int8)
    path = m.save(tmp_path, m.float_head(x, 8))
    model, report = convert_onnx(path, allow_float=True)
    assert [step.OP for step in model.program.steps].count("binary_conv2d") == 1
    assert any(note.startswith("3 values in 8 bits and more: in float32") for note in report.notes)


@pytest.mark.parametrize("dialect", ["QuantizeLinear", "Quant"])
def test_layers_run_in_8_bits_with_the_ranges_that_the_file_states(dialect, tmp_path):
    domain = "qonnx.custom_op.general"
    m = OnnxModel((C, H, W))
    if dialect == "Quant":
        x = m.add("Quant", "x", 0.02, 0.0, 8.0, domain=domain, signed=1)
        kept = m.add("Quant", m.normal(8, C, 3, 3), 0.02, 0.0, 8.0, domain=domain, signed=1)
        x = m.add("Relu", m.add("Conv", x, kept))
        x = m.add("Quant", x, 0.05, 0.0, 8.0, domain=domain, signed=0)
    else:
        x = quantized(m, "x", 0.02, 0, np.int8)
        x = m.add("Conv", x, eight_bit_weight(m, 8, C, 3, 3), m.normal(8))
        x = quantized(m, x, 0.05, 0)
    x = m.add("Gemm", m.add("Flatten", m.add("GlobalAveragePool", x)), m.normal(8, 4))
    path = m.save(tmp_path, x, domains=[domain])
    options = EightBitOptions(KINDS)
    model, report = convert_onnx(path, allow_float=True, eight_bit=options)
    found = report.eight_bit
    assert found.calibration is None
    assert found.calibration_images == 0
    assert [step.OP for step in model.program.steps].count("quantized_conv2d") == 2
    assert "in 8 bits, with the ranges that the model states:" in report_lines(report)
    images = np.random.default_rng(3).standard_normal((8, C, H, W)).astype(np.float32)
    expected = onnx_logits(read_onnx(ModelFile(path)).proto, images)
    assert np.abs(engine.create(model).run(images) - expected).max() < 0.2 * expected.std()
    _, report = convert_onnx(path, allow_float=True, eight_bit=EightBitOptions(KINDS, images))
    assert report.eight_bit.calibration == "given"


def test_float_answers_are_those_of_finer_steps(tmp_path):
    m = OnnxModel((C, H, W))
    x = quantized(m, m.add("GlobalAveragePool", quantized(m, "x", 0.0002, 0, np.int16)), 1e-4, 0,
                  np.int16)  # fmt: skip
    path = m.save(tmp_path, m.add("Gemm", m.add("Flatten", x), m.normal(C, 4)))
    proto = onnx.load(path)
    proto.opset_import[0].version = 21
    onnx.save(proto, path)
    images = np.random.default_rng(3).standard_normal((8, C, H, W)).astype(np.float32)
    model, _ = convert_onnx(path, allow_float=True, images=images)
    difference = np.abs(engine.create(model).run(images) - onnx_logits(proto, images)).max()
    assert 0 < difference < 3e-3


def test_operators_on_whole_numbers(tmp_path):
    m = OnnxModel((C, H, W))
    terms = [m.const(0.05), m.const(128, np.uint8)]
    x = m.add("QuantizeLinear", "x", *terms)
    weight = m.const(m.rng.integers(-127, 128, (8, C, 3, 3)), np.int8)
    scales = m.const(m.rng.random(8).astype(np.float32) / 99)
    bias = m.const(m.rng.integers(-999, 999, 8), np.int32)
    out = [m.const(0.1), m.const(100, np.uint8)]
    x = m.add("QLinearConv", x, *terms, weight, scales, m.const(np.zeros(8), np.int8), *out, bias)
    x = m.add("MaxPool", x, kernel_shape=[2, 2])
    x = m.add("Flatten", m.add("GlobalAveragePool", m.add("DequantizeLinear", x, *out)))
    path = m.save(tmp_path, m.add("Gemm", x, m.normal(8, 4)))
    result, _ = convert_onnx(path, allow_float=True)
    images = np.random.default_rng(3).standard_normal((8, C, H, W)).astype(np.float32)
    expected = onnx_logits(onnx.load(path), images)
    difference = np.abs(engine.create(result).run(images) - expected).max()
    assert difference < 0.1 * expected.std()


@pytest.mark.parametrize("mode", ["ROUND", "FLOOR"])
@pytest.mark.parametrize("narrow", [0, 1])
def test_quantized_weights_of_qonnx(mode, narrow, tmp_path):
    m = OnnxModel((C, H, W))
    domain = "qonnx.custom_op.general"
    terms = [m.const(0.02 * np.ones((8, 1, 1, 1))), m.const(0.0), m.const(8.0)]
    weight = m.add("Quant", m.normal(8, C, 3, 3), *terms, domain=domain, signed=1, narrow=narrow,
                   rounding_mode=mode)  # fmt: skip
    x = m.add("Quant", "x", m.const(0.03), m.const(0.0), m.const(8.0), domain=domain, signed=1)
    x = m.add("Sign", m.add("Conv", x, weight))
    y = m.float_head(m.binary(x, 8, 8), 8)
    result = imported(m.save(tmp_path, y, domains=[domain]))
    assert steps(result).count("binary_conv2d") == 1
    assert any("without the rounding to steps" in note for note in result.notes)


def test_activations_of_a_few_bits_are_refused(tmp_path):
    m = OnnxModel((C, H, W))
    domain = "qonnx.custom_op.general"
    x = m.add("Quant", "x", m.const(0.3), m.const(0.0), m.const(4.0), domain=domain)
    path = m.save(tmp_path, network(m, x), domains=[domain])
    with pytest.raises(ConversionError, match=r"Quant.*8 and more are understood"):
        convert_onnx(path, allow_float=True)


@pytest.mark.parametrize("opset", [7, 8, 9, 10])
def test_old_opsets(opset, tmp_path):
    m = OnnxModel((C, H, W), opset=opset)
    x = m.add("Pad", m.norm("x", C), pads=[0, 0, 1, 1, 0, 0, 1, 1], value=0.0)
    x = m.add("MaxPool", m.add("Clip", m.add("Dropout", x, ratio=0.3), min=0.1, max=0.9),
              kernel_shape=[3, 3])  # fmt: skip
    x = m.add("Slice", x, starts=[1], ends=[9], axes=[2]) if opset < 10 else x
    x = m.add("Conv", m.add("Relu", x), m.normal(8, C, 3, 3))
    x = m.binary(m.add("Sign", m.add("Sub", x, 0.1)) if opset > 8 else m.add("Relu", x), 8, 8, 1, 0)
    imported(m.save(tmp_path, m.float_head(x, 8)))

"""Small ONNX models for the tests: nodes added one by one, random weights, float or binary."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from bnas_deploy import engine
from bnas_deploy.converters.from_onnx.convert import convert_onnx
from bnas_deploy.converters.from_onnx.logits import onnx_logits
from bnas_deploy.converters.from_onnx.read import read_onnx
from bnas_deploy.converters.packing.model_file import ModelFile
from bnas_deploy.converters.packing.report import Report
from bnas_deploy.format import PackedModel

TOLERANCE = 2e-5  # of the logits' spread: sums in another order


class Imported(NamedTuple):
    """A converted model with its report."""

    model: PackedModel
    report: Report

    @property
    def notes(self):
        return self.report.notes


class OnnxModel:
    """A model from `x`, (N, *dims), while it is made; every method returns the new value's name."""

    def __init__(self, dims=(6, 7, 5), seed=0, opset=17):
        self.dims, self.opset = dims, opset
        self.rng = np.random.default_rng(seed)
        self.nodes, self.initialisers = [], []
        self.count = 0

    def const(self, array, dtype=np.float32):
        self.count += 1
        name = f"const{self.count}"
        self.initialisers.append(numpy_helper.from_array(np.asarray(array, dtype), name))
        return name

    def whole(self, *numbers):
        return self.const(numbers, np.int64)

    def add(self, op, *inputs, outputs=1, domain="", **attributes):
        names = []
        for _ in range(outputs):
            self.count += 1
            names.append(f"{op.lower()}{self.count}")
        given = [x if isinstance(x, str) else self.const(x) for x in inputs]
        self.nodes.append(
            helper.make_node(op, given, names, name=names[0], domain=domain, **attributes)
        )
        return names[0] if outputs == 1 else names

    def signs(self, *shape):
        return self.rng.choice(np.array([-1, 1], np.float32), size=shape)

    def normal(self, *shape):
        return self.rng.standard_normal(shape).astype(np.float32)

    def norm(self, x, channels):
        """A BatchNormalization as after training; some of its weights are negative."""
        terms = [self.normal(channels) for _ in range(3)]
        var = self.rng.random(channels).astype(np.float32) + np.float32(0.1)
        return self.add("BatchNormalization", x, *terms, var, epsilon=1e-4)

    def binary(self, x, inputs, outputs, kernel=3, pad=1, **attributes):
        """A convolution of signs; x is a value of signs."""
        scale = self.rng.random((outputs, 1, 1, 1)).astype(np.float32) + np.float32(0.1)
        groups = attributes.get("group", 1)
        weight = self.signs(outputs, inputs // groups, kernel, kernel) * scale
        return self.add("Conv", x, weight, pads=[pad] * 4, **attributes)

    def head(self, x, channels, classes=4):
        """Mean and a binary linear layer, so that nothing stays in full precision."""
        x = self.add("GlobalAveragePool", x)
        x = self.add("Flatten", self.norm(x, channels))
        return self.add("MatMul", self.add("Sign", x), self.signs(channels, classes))

    def float_head(self, x, channels, classes=4):
        x = self.add("Flatten", self.add("GlobalAveragePool", x))
        return self.add("Gemm", x, self.normal(classes, channels), self.normal(classes), transB=1)

    def proto(self, output, *, batch="N", initialisers_as_inputs=False, domains=()):
        inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, *self.dims])]
        if initialisers_as_inputs:
            inputs += [
                helper.make_tensor_value_info(t.name, t.data_type, list(t.dims))
                for t in self.initialisers
            ]
        result = helper.make_tensor_value_info(output, TensorProto.FLOAT, [batch, "K"])
        graph = helper.make_graph(self.nodes, "test", inputs, [result], self.initialisers)
        opsets = [helper.make_opsetid("", self.opset)]
        opsets += [helper.make_opsetid(domain, 1) for domain in domains]
        # What ONNX Runtime of the same year can read.
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)

    def save(self, folder: Path, output, **options) -> Path:
        path = folder / "model.onnx"
        onnx.save(self.proto(output, **options), path)
        return path


def imported(path: Path, *, images=None, allow_float=True, **options) -> Imported:
    """Import a model and compare it with ONNX Runtime, in the reference and the native engine."""
    result = Imported(*convert_onnx(path, allow_float=allow_float, images=0, **options))
    source = read_onnx(ModelFile(path))
    if images is None:
        images = np.random.default_rng(1).standard_normal((9, *source.dims)).astype(np.float32)
    expected = onnx_logits(source.proto, images, batch=source.batch)
    shape = result.model.program.values[result.model.program.input].shape
    if expected.shape[1] == 1:  # the packed network has two: see `packing.one_logit`
        expected = np.concatenate([np.zeros_like(expected), expected], axis=1)
    spread = max(1e-6, float(expected.std()))
    for backend in ("reference", "native"):
        runner = engine.create(result.model, backend=backend)
        got = runner.run(images.reshape(len(images), *shape))
        assert np.abs(got - expected).max() <= TOLERANCE * max(spread, np.abs(expected).max())
    return result


def steps(result: Imported) -> list[str]:
    return [step.OP for step in result.model.program.steps]

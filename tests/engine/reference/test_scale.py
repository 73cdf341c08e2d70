"""Tests of the reference's depthwise convolution and activation scale against PyTorch and loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from support.program_builder import Builder
from support.random_programs import random_images, step_programs

from bnas_deploy.bits import unpack_rows
from bnas_deploy.engine.reference.arithmetic import fma
from bnas_deploy.engine.reference.backend import ReferenceRunner

MODELS = {name: m for name, m in step_programs(4) if name.startswith("binary_depthwise")}


@pytest.mark.parametrize("name", MODELS)
def test_dot_products_are_a_grouped_convolutions(name: str) -> None:
    m = MODELS[name]
    values = ReferenceRunner(m).trace(random_images(np.random.default_rng(0), m, 2))
    (step,) = [s for s in m.program.steps if s.OP == "binary_depthwise_conv2d"]
    bits = values[step.input]
    c, (kh, kw) = bits.shape[1], step.kernel
    negative = unpack_rows(m.tensors[step.weight], kh * kw).reshape(c, 1, kh, kw)
    top, left, bottom, right = step.padding
    x = F.pad(torch.from_numpy(np.where(bits, -1.0, 1.0)), (left, right, top, bottom))
    weight = torch.from_numpy(np.where(negative, -1.0, 1.0))
    dot = F.conv2d(x, weight, None, step.stride, 0, step.dilation, c).numpy()
    threshold, scale = step.stages[0], step.stages[1]
    flip = unpack_rows(m.tensors[threshold.flip], c)[:, None, None]
    positive = (dot >= m.tensors[threshold.threshold][:, None, None]) != flip
    assert np.array_equal(values[threshold.output], ~positive)
    want = dot.astype(np.float32) * m.tensors[scale.scale][:, None, None]
    assert np.array_equal(values[scale.output], want)


def test_mean_magnitude_in_the_order_of_the_specification() -> None:
    b = Builder(np.random.default_rng(0), (7, 3, 4))
    b.multiply("image", b.mean_magnitude("image"))
    m = b.finish()
    images = random_images(np.random.default_rng(1), m, 1)
    images[0, 2, 0, 0] = np.nan
    images[0, 3, 0, 1] = np.inf
    mean, product = m.program.steps[:2]
    values = ReferenceRunner(m).trace(images)
    scale, shift, terms = (m.tensors[name] for name in (mean.scale, mean.shift, mean.terms))
    total = np.zeros((3, 4), np.float32)
    with np.errstate(all="ignore"):
        for c in range(7):
            t = fma(images[0, c], scale[c], shift[c])
            total += np.where(np.isnan(t), np.float32(0), np.abs(t))
        k = fma(total, terms[0], terms[1])
        want = images[0] * k
    assert np.array_equal(values[mean.output][0, 0], k)
    assert np.isfinite(k[0, 0])
    assert np.isinf(k[0, 1])
    assert np.array_equal(values[product.output][0], want, equal_nan=True)

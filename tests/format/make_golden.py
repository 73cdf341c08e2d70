"""Makes the golden file of the current format version; run by hand, once per version.

Usage: python tests/format/make_golden.py   (writes golden_v<version>.bnn and .npz beside itself)

A golden file is never made again after its version is released: it must stay readable.
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from support.program_builder import AFFINE_KINDS, STAGE_KINDS, Builder  # noqa: E402
from support.random_programs import random_images  # noqa: E402

from bnas_deploy.engine.reference.backend import ReferenceRunner  # noqa: E402
from bnas_deploy.format import PackedModel, write  # noqa: E402
from bnas_deploy.format.steps import AvgPool2d, MaxPool2d  # noqa: E402
from bnas_deploy.format.version import VERSION  # noqa: E402


def golden_model() -> PackedModel:
    """A small program with every step, every stage and every optional field."""
    b = Builder(np.random.default_rng(2020), (3, 7, 8))
    x = b.conv2d(b.affine("image"), 9, activation="relu", stride=(1, 2), padding=(1, 0, 1, 1))
    bits = b.binarize(x)
    ends = b.binary_conv2d(bits, 9, stages=STAGE_KINDS, fold=True)
    b.binary_conv2d(ends[0], 70, kernel=(5, 3), dilation=2, padding=4, stages=("threshold",))
    b.pool(MaxPool2d, ends[1], stride=2)
    b.pool(AvgPool2d, ends[2], kernel=(2, 3), padding=(1, 1, 0, 1))
    wide = b.concat(x, b.relu(ends[1]))
    b.select_channels(b.add_slice(wide, x, 3), [2, -1, 17, 0])
    b.linear(ends[3], 3, bias=False)
    b.quantized_conv2d(x, 5, kernel=(3, 2), stride=(2, 1), padding=(1, 0, 2, 1), activation="relu")
    b.binary_depthwise_conv2d(bits, kernel=(3, 2), stride=(1, 2), stages=STAGE_KINDS)
    b.multiply(x, b.mean_magnitude(x))
    b.multiply(b.prelu(x), b.sigmoid(b.global_avg_pool(b.clip(x))))
    b.add_slice(x, b.constant(*b.shape(x)), 0)
    b.binary_max_pool2d(b.binary_max_pool2d(bits, stride=2), minimum=False)
    b.binary_conv2d(bits, 9, stages=AFFINE_KINDS)
    b.multiply(x, b.hard_sigmoid(x))
    three, six = b.affine("image"), b.concat("image", "image")
    b.binary_conv2d(b.binarize(six), 4, groups=2, fold=True, stages=STAGE_KINDS)
    b.conv2d(three, 6, groups=3, stride=(2, 1), padding=(1, 0, 2, 1), activation="relu")
    m = b.finish(classes=5)
    return dataclasses.replace(
        m,
        labels=("airplane", "Vogel", "鸟", 'quote " and \\', ""),
        provenance={"made by": "tests/format/make_golden.py", "nested": {"list": [1, 2.5, None]}},
        cost={"binary MACs": 12345678901},
    )


def main() -> None:
    """Write the files."""
    m = golden_model()
    stem = "golden_v{}_{}".format(*VERSION)
    images = random_images(np.random.default_rng(1), m, 2)
    write(m, HERE / f"{stem}.bnn")
    np.savez(HERE / f"{stem}.npz", images=images, logits=ReferenceRunner(m).run(images))


if __name__ == "__main__":
    main()

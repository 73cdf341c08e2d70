"""Makes networks of the Larq zoo with random weights: .tflite, .onnx, inputs and answers.

Runs in the environment of larq's engine, not in this project's (docs/benchmarks.md):

    python benchmarks/larq_engine/make_networks.py FOLDER [NAME ...]

For each NAME, FOLDER gets NAME.tflite (LCE's converter), NAME.onnx (tf2onnx) and NAME.npz:
`x`, pictures (N, 224, 224, 3) float32 in -1...1, and `answers`, what Keras makes of them (N, 1000).
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import sys
from pathlib import Path

import larq_compute_engine as lce
import larq_zoo
import numpy as np
import tensorflow as tf
import tf2onnx

NETWORKS = {
    "quicknet-small": larq_zoo.sota.QuickNetSmall,
    "quicknet": larq_zoo.sota.QuickNet,
    "quicknet-large": larq_zoo.sota.QuickNetLarge,
    "birealnet": larq_zoo.literature.BiRealNet,
    "binary-resnet-e18": larq_zoo.literature.BinaryResNetE18,
    "binary-densenet28": larq_zoo.literature.BinaryDenseNet28,
    "real-to-binary": larq_zoo.literature.RealToBinaryNet,
    "meliusnet22": larq_zoo.literature.MeliusNet22,
    "xnornet": larq_zoo.literature.XNORNet,
    "binary-alexnet": larq_zoo.literature.BinaryAlexNet,
}
SIZE, PICTURES, FOR_STATISTICS = 224, 4, 6

# Of a BatchNorm behind a binary convolution. Branches are small beside the shortcut, so that one
# sign that falls the other way, by a rounding, does not change the whole answer.
GAIN = 0.1


def make(name: str, folder: Path) -> None:
    tf.keras.utils.set_random_seed(sum(map(ord, name)))
    rng = np.random.default_rng(sum(map(ord, name)))
    model = NETWORKS[name](weights=None)
    x = pictures(rng)
    randomise(model, rng, x)
    x = x[:PICTURES]
    np.savez(folder / f"{name}.npz", x=x, answers=model(x, training=False).numpy())
    (folder / f"{name}.tflite").write_bytes(lce.convert_keras_model(model))
    signature = [tf.TensorSpec([1, SIZE, SIZE, 3], tf.float32, name="image")]
    onnx = folder / f"{name}.onnx"
    tf2onnx.convert.from_keras(model, signature, opset=13, output_path=str(onnx))


def pictures(rng: np.random.Generator) -> np.ndarray:
    """Smooth noise of different colours and contrasts."""
    coarse = rng.normal(size=(FOR_STATISTICS, 14, 14, 3))
    x = 0.5 * tf.image.resize(coarse, (SIZE, SIZE), "bicubic").numpy()
    x += rng.normal(0, 0.15, x.shape)
    contrast = rng.uniform(0.3, 1.2, (FOR_STATISTICS, 1, 1, 1))
    colour = rng.normal(0, 0.3, (FOR_STATISTICS, 1, 1, 3))
    return np.clip(x * contrast + colour, -1, 1).astype(np.float32)


def randomise(model: tf.keras.Model, rng: np.random.Generator, x: np.ndarray) -> None:
    """Random BatchNorms and PReLUs, BatchNorm statistics of `x`, and logits that differ."""
    for layer in model.layers:
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            _randomise_norm(layer, rng)
        elif getattr(layer, "bias", None) is not None:
            layer.bias.assign(rng.normal(0, 0.1, layer.bias.shape))
        for weight in layer.trainable_weights:
            if "alpha" in weight.name:
                weight.assign(rng.uniform(0.1, 0.4, weight.shape))
    model(x, training=True)  # with a momentum of 0, BatchNorms keep the statistics of this batch
    _spread_logits(model, x)


def _randomise_norm(norm: tf.keras.layers.Layer, rng: np.random.Generator) -> None:
    channels, gain = norm.moving_mean.shape[0], _gain(norm)
    norm.momentum = 0.0
    if norm.gamma is not None:
        signs = np.where(rng.random(channels) < 0.15, -1, 1)
        norm.gamma.assign(gain * signs * rng.uniform(0.5, 1.5, channels))
    if norm.beta is not None:
        norm.beta.assign(gain * rng.normal(0, 0.3, channels))


def _gain(layer: tf.keras.layers.Layer) -> float:
    """GAIN behind a binary convolution, with nothing but activations between."""
    while True:
        before = layer.inbound_nodes[0].inbound_layers
        if isinstance(before, (list, tf.keras.layers.InputLayer)):
            return 1.0
        if getattr(before, "input_quantizer", None) is not None:
            return GAIN
        if before.weights:
            return 1.0
        layer = before


def _spread_logits(model: tf.keras.Model, x: np.ndarray) -> None:
    """Give the float classifier, if there is one, logits of mean 0 and deviation 2 over `x`."""
    last = [layer for layer in model.layers if layer.weights][-1]
    if not isinstance(last, tf.keras.layers.Dense) or last.bias is None:
        return
    if getattr(last, "kernel_quantizer", None) is not None:
        return
    features = tf.keras.Model(model.input, last.input)(x, training=False).numpy()
    logits = features @ last.kernel.numpy()
    scale = 2 / logits.std(0).clip(1e-6)
    last.kernel.assign(last.kernel.numpy() * scale)
    last.bias.assign(-(logits * scale).mean(0))


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for network in sys.argv[2:] or NETWORKS:
        make(network, target)
        print(network, flush=True)

"""Makes the files of `files/`, small networks with random weights, and what their interpreters say.

It needs larq, larq-compute-engine and TensorFlow 2.15, which the tests do not:
``python tests/converters/from_tflite/make_files.py``.
"""

from __future__ import annotations

from pathlib import Path

import larq
import larq_compute_engine as lce
import numpy as np
import tensorflow as tf
from larq_compute_engine.tflite.python.interpreter import Interpreter
from tensorflow.keras import layers

FOLDER = Path(__file__).parent / "files"
IMAGES = 4
SIGNS = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "use_bias": False}


def ones_around():
    """Shortcut, fused ReLU, bits between two convolutions, a pool of bits; 40 channels."""
    x = start = layers.Input((8, 8, 3))
    x = layers.BatchNormalization()(layers.Conv2D(40, 3, padding="same", strides=2)(x))
    y = larq.layers.QuantConv2D(40, 3, padding="same", pad_values=1, **SIGNS)(x)
    x = layers.BatchNormalization()(layers.Activation("relu")(y)) + x
    x = larq.layers.QuantConv2D(33, 3, padding="same", pad_values=1, **SIGNS)(x)
    x = layers.MaxPool2D()(layers.BatchNormalization()(x))
    x = larq.layers.QuantConv2D(8, 2, **SIGNS)(x)
    x = layers.BatchNormalization()(x)
    x = larq.layers.QuantConv2D(8, 1, **SIGNS)(x)
    x = layers.GlobalAveragePooling2D()(layers.PReLU(shared_axes=[1, 2])(x))
    return tf.keras.Model(start, layers.Dense(5, activation="softmax")(x))


def zeros_around():
    """Zeros around signs, an input of one channel, scales of weights, a binary linear layer."""
    x = start = layers.Input((9, 8, 1))
    x = layers.BatchNormalization()(layers.DepthwiseConv2D(3, depth_multiplier=20)(x))
    x = larq.layers.QuantConv2D(
        12, 3, padding="same", strides=2, pad_values=0, input_quantizer="ste_sign",
        kernel_quantizer="magnitude_aware_sign",
    )(x)  # fmt: skip
    x = layers.BatchNormalization()(layers.Activation("relu6")(x))
    x = layers.Concatenate()([x, layers.AveragePooling2D(1)(x)])
    x = layers.Flatten()(layers.BatchNormalization()(x))
    x = larq.layers.QuantDense(6, **SIGNS)(x)
    return tf.keras.Model(start, layers.BatchNormalization()(x))


def randomised(model, seed):
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            n = layer.gamma.shape[0]
            layer.gamma.assign(rng.uniform(0.5, 1.5, n) * rng.choice([-1, 1, 1, 1], n))
            layer.beta.assign(rng.normal(0, 0.3, n))
            layer.momentum = 0.0
        elif getattr(layer, "bias", None) is not None:
            layer.bias.assign(rng.normal(0, 0.1, layer.bias.shape))
        elif isinstance(layer, layers.PReLU):
            layer.alpha.assign(rng.uniform(-0.3, 0.5, layer.alpha.shape))
    images = rng.normal(size=(64, *model.input_shape[1:])).astype(np.float32)
    model(images, training=True)  # and every BatchNorm takes their statistics
    return model, images


def by_larq(data, images):
    made = Interpreter(data, num_threads=1)
    if np.dtype(made.input_types[0]) == np.int8:
        scale, zero = made.input_scales[0], made.input_zero_points[0]
        images = np.clip(np.rint(images / scale) + zero, -128, 127).astype(np.int8)
    return images, np.concatenate([made.predict(image[None]) for image in images])


def by_tensorflow(data, images):
    made = tf.lite.Interpreter(model_content=data, num_threads=1)
    made.allocate_tensors()
    start, end = made.get_input_details()[0], made.get_output_details()[0]
    scale, zero = start["quantization"]
    if start["dtype"] != np.float32:
        low, high = np.iinfo(start["dtype"]).min, np.iinfo(start["dtype"]).max
        images = np.clip(np.rint(images / scale) + zero, low, high).astype(start["dtype"])
    found = []
    for image in images:
        made.set_tensor(start["index"], image[None])
        made.invoke()
        found.append(made.get_tensor(end["index"])[0])
    return images, np.array(found)


def save(name, data, run, images):
    inputs, outputs = run(data, images[:IMAGES])
    (FOLDER / f"{name}.tflite").write_bytes(data)
    np.savez(FOLDER / f"{name}.npz", inputs=inputs, outputs=outputs)


def plain(model, images, *, kind):
    """The ordinary converter, which writes signs in plain operators."""
    made = tf.lite.TFLiteConverter.from_keras_model(model)
    if kind != "float":
        made.optimizations = [tf.lite.Optimize.DEFAULT]
    if kind == "float16":
        made.target_spec.supported_types = [tf.float16]
    if kind == "int8":
        made.representative_dataset = lambda: ([image[None]] for image in images)
        made.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        made.inference_input_type = made.inference_output_type = tf.int8
    return made.convert()


def float_network():
    x = start = layers.Input((8, 8, 2))
    x = layers.Conv2D(6, 3, padding="same", strides=2, activation="relu6")(x)
    x = layers.DepthwiseConv2D(3, padding="same", activation="relu")(x)
    x = layers.MaxPool2D(2)(layers.ZeroPadding2D(1)(x))
    return tf.keras.Model(start, layers.Dense(4)(layers.Flatten()(x)))


def mixed():
    """Many operators of the ordinary converter behind each other."""
    x = start = layers.Input((9, 7, 4))
    x = layers.Conv2D(8, (3, 2), padding="same")(x)
    x = x + layers.AveragePooling2D(3, strides=1, padding="same")(x)
    a, b = tf.split(x, 2, axis=3)
    x = tf.concat([tf.nn.leaky_relu(b, 0.1), tf.tanh(a)], axis=3)
    x = x[:, 1:, :6] * tf.constant([0.5, -2, 3, 1, 1, -1, 2, 0.25])
    x = tf.nn.space_to_depth(tf.gather(x, [7, 0, 5, 1], axis=3), 2)
    x = layers.Conv2D(6, 1)(x)
    x = x * tf.sigmoid(layers.Dense(6)(tf.reduce_mean(x, axis=[1, 2])))[:, None, None]
    x = tf.minimum(tf.maximum(x - 0.1, -1.5), 1.2) / 0.7
    x = tf.where(x >= tf.constant([0.1, -0.1, 0, 0.2, -0.3, 0]), 1.0, -1.0) + tf.abs(-x)
    x = layers.Conv2D(6, 2)(tf.pad(x, [[0, 0], [1, 0], [0, 1], [0, 0]]))
    x = x * tf.nn.relu6(x + 3) / 6  # HARD_SWISH
    x = tf.transpose(x, [0, 2, 1, 3])
    x = tf.concat([tf.reduce_max(x, axis=[1, 2]), tf.reduce_sum(x, axis=[1, 2])], axis=1)
    return tf.keras.Model(start, layers.Dense(4)(x))


def main():
    for name, network in (("ones", ones_around), ("zeros", zeros_around)):
        model, images = randomised(network(), 1)
        save(f"larq_{name}", lce.convert_keras_model(model), by_larq, images)
        eight = {"inference_input_type": tf.int8, "inference_output_type": tf.int8}
        data = lce.convert_keras_model(model, **eight, experimental_default_int8_range=(-4, 4))
        save(f"larq_{name}_int8", data, by_larq, images)
    save("plain_zeros", plain(model, images, kind="float"), by_tensorflow, images)
    model, images = randomised(mixed(), 3)
    save("float_mixed", plain(model, images, kind="float"), by_tensorflow, images)
    model, images = randomised(float_network(), 2)
    for kind in ("float", "float16", "int8"):
        save(f"float_{kind}", plain(model, images, kind=kind), by_tensorflow, images)


if __name__ == "__main__":
    main()

"""Reads labels and preprocessing that `to_onnx.writer.metadata_of` put into a model's metadata."""

from __future__ import annotations

import json
from typing import Any

import onnx

from bnas_deploy.errors import ConversionError
from bnas_deploy.format import Preprocessing

__all__ = ["stored_labels", "stored_preprocessing"]

LENGTH_LIMIT = 2**24


def stored_labels(proto: onnx.ModelProto) -> tuple[str, ...] | None:
    """The class names; None if the model has none.

    Raises:
        ConversionError: They are not a list of texts.
    """
    value = _entry(proto, "bnas.labels")
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        msg = "metadata bnas.labels: expected a list of texts"
        raise ConversionError(msg)
    return tuple(value)


def stored_preprocessing(proto: onnx.ModelProto) -> Preprocessing | None:
    """How pictures become inputs; None if the model does not say.

    Raises:
        ConversionError: What it says has another form.
    """
    value = _entry(proto, "bnas.preprocessing")
    if value is None:
        return None
    try:
        resize, crop, mean, std = (value[key] for key in ("resize", "crop", "mean", "std"))
        height, width = (_whole(n) for n in crop)
        return Preprocessing(
            _whole(resize), (height, width), tuple(map(float, mean)), tuple(map(float, std))
        )
    except (KeyError, TypeError, ValueError) as error:
        msg = (
            "metadata bnas.preprocessing: expected resize, crop (two), mean and std (one a channel)"
        )
        raise ConversionError(msg) from error


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    return value


def _entry(proto: onnx.ModelProto, key: str) -> Any:  # noqa: ANN401
    texts = [entry.value for entry in proto.metadata_props if entry.key == key]
    if not texts:
        return None
    try:
        return json.loads(texts[0][:LENGTH_LIMIT])
    except (ValueError, RecursionError) as error:
        msg = f"metadata {key}: not JSON"
        raise ConversionError(msg) from error

"""What a front end gives: a graph, and all that is known of the model it came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bnas_deploy.converters.graph.model_layer import ModelLayer, Warned
from bnas_deploy.converters.graph.nodes import Graph
from bnas_deploy.errors import UsageError
from bnas_deploy.format import Preprocessing

__all__ = [
    "InputLayout",
    "Inside",
    "Logits",
    "Original",
    "PaperFigures",
    "Source",
    "numbered_labels",
    "plain_preprocessing",
]

Floats = npt.NDArray[np.float32]

Logits = Callable[[Floats], Floats]
"""Maps inputs (N, C, H, W) to logits (N, classes)."""

PaperFigures = Callable[[int], Mapping[str, Any]]
"""Cost figures in the accounting of the paper, for shortcuts of so many bits (32 or 8)."""


@dataclass(frozen=True)
class Inside:
    """The values inside an original, so that a self-check can name the layer that is wrong.

    Attributes:
        layers: The graph's value that each layer makes, by the name that the user's model has for
            the layer. Layers that have none, such as those of signs, are left out.
        run: Takes inputs (N, C, H, W) and names of layers; gives what these make, (N, C, H, W) as
            the graph has it. Where the framework does not tell, a name is missing.
    """

    layers: Mapping[str, str]
    run: Callable[[Floats, Sequence[str]], Mapping[str, Floats]]


@dataclass(frozen=True)
class Original:
    """The model as its own framework runs it: what a packed program is checked against.

    Attributes:
        logits: Runs it, on at most `packing.kinds.BATCH` inputs at a time.
        name: Of what runs it, such as `PyTorch`.
        inside: The values inside it; None where its front end cannot tell them.
    """

    logits: Logits
    name: str
    inside: Inside | None = None


@dataclass(frozen=True)
class InputLayout:
    """How a model takes its inputs.

    Attributes:
        image: (C, H, W) of the graph's input.
        dims: Of one input as the model takes it: the same, (K,), or (H, W, C).
        channels_last: Whether `dims` has the channels at the end.
    """

    image: tuple[int, int, int]
    dims: tuple[int, ...]
    channels_last: bool = False

    def arranged(self, inputs: Floats) -> Floats:
        """Bring inputs, given as the model takes them or as (N, C, H, W), to (N, C, H, W).

        Raises:
            UsageError: They have neither shape.
        """
        if inputs.shape[1:] == self.dims:
            last = self.channels_last
            first = np.moveaxis(inputs, 3, 1) if last else inputs.reshape(-1, *self.image)
            return np.ascontiguousarray(first)
        if inputs.shape[1:] == self.image:
            return inputs
        msg = f"inputs of shape {list(inputs.shape)}; the model takes (N, {list(self.dims)})"
        raise UsageError(msg)

    def as_taken(self, images: Floats) -> Floats:
        """Bring inputs (N, C, H, W) to the shape that the model takes."""
        if self.channels_last:
            return np.ascontiguousarray(np.moveaxis(images, 1, 3))
        return images.reshape(len(images), *self.dims)


@dataclass(frozen=True)
class Source:
    """A model as its front end read it.

    Attributes:
        graph: Float meaning, before the passes.
        name: Of the model.
        parameters: Their number.
        original: What the packed program is checked against.
        file_bytes: Of its file, with all that belongs to it; None for just the file.
        labels: One per class; None for `class 0` and so on.
        preprocessing: How pictures become inputs; None if nobody says.
        layout: How the model takes its inputs; None for the graph's own (N, C, H, W).
        facts: To store in the file.
        reasons: Why layers stay in full precision, by name, where it is not the usual reason.
        exact: Layers that must stay in float32, also where 8 bits are asked for.
        clips: Nodes that clip a value to what the model's own 8 bits can say.
        sign_zero: What Sign(0) becomes, as the user or the front end chose it: `auto`, `exact` or
            `plus`; None where there is no such choice.
        layers: The model's layers of weights, in its order; None for those of the graph.
        warnings: What people must know, though the model can be packed.
        notes: How the model was understood, for people.
        paper: For networks of the paper, their cost in its accounting.
    """

    graph: Graph
    name: str
    parameters: int
    original: Original
    file_bytes: int | None = None
    labels: tuple[str, ...] | None = None
    preprocessing: Preprocessing | None = None
    layout: InputLayout | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)
    exact: frozenset[str] = frozenset()
    clips: frozenset[str] = frozenset()
    sign_zero: str | None = None
    layers: tuple[ModelLayer, ...] | None = None
    warnings: tuple[Warned, ...] = ()
    notes: tuple[str, ...] = ()
    paper: PaperFigures | None = None

    @property
    def classes(self) -> int:
        """Number of logits."""
        return self.graph.values[self.graph.output].shape[0]

    def arranged(self, inputs: Floats) -> Floats:
        """Inputs as (N, C, H, W); see `InputLayout.arranged`."""
        layout = self.layout or InputLayout(self.graph.input_shape, self.graph.input_shape)
        return layout.arranged(inputs)

    def with_pixels(
        self,
        *,
        mean: tuple[float, ...] | None = None,
        std: tuple[float, ...] | None = None,
        resize: int | None = None,
    ) -> Source:
        """Return the source with another preprocessing where something of it is given.

        Args:
            mean: Of each channel, on the scale 0 to 1 (default: what it has, or 0).
            std: Of each channel (default: what it has, or 1).
            resize: Pixels of a picture's shorter side (default: what it has, or the input's).
        """
        if not (mean or std or resize):
            return self
        base = self.preprocessing or plain_preprocessing(self.graph.input_shape)
        pixels = Preprocessing(resize or base.resize, base.crop, mean or base.mean, std or base.std)
        return replace(self, preprocessing=pixels)


def plain_preprocessing(shape: tuple[int, int, int]) -> Preprocessing:
    """Pixels from 0 to 1, for inputs (C, H, W)."""
    channels, height, width = shape
    return Preprocessing(max(height, width), (height, width), (0.0,) * channels, (1.0,) * channels)


def numbered_labels(classes: int) -> tuple[str, ...]:
    """`class 0` and so on, for a model that names no classes."""
    return tuple(f"class {index}" for index in range(classes))

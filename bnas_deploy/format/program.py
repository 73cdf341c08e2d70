"""What a ``.bnn`` file holds, as frozen dataclasses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bnas_deploy.format.values import Shape, Value

if TYPE_CHECKING:
    from bnas_deploy.format.steps import Step

__all__ = ["Interface", "PackedModel", "Preprocessing", "Program", "Value"]

Tensor = npt.NDArray[np.generic]


@dataclass(frozen=True)
class Program:
    """A straight line of steps over named values, each assigned exactly once before it is read.

    Attributes:
        values: Every value by name, the input included.
        steps: In order of execution.
        input: Name of the input, float32 (C, H, W), normalised by the preprocessing.
        output: Name of the logits, float32 (classes, 1, 1).
    """

    values: Mapping[str, Value]
    steps: tuple[Step, ...]
    input: str
    output: str


@dataclass(frozen=True)
class Preprocessing:
    """How a picture becomes the program's input.

    The picture is converted to RGB, or to grey where there is one channel, resized (bilinear,
    antialiased) so that its shorter side has `resize` pixels, cropped in the centre to `crop`,
    divided by 255, and normalised per channel.

    Attributes:
        resize: Length of the shorter side in pixels.
        crop: (height, width) in pixels.
        mean: Per channel, on the scale 0 to 1.
        std: Per channel, on the scale 0 to 1.
    """

    resize: int
    crop: tuple[int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True)
class Interface:
    """What goes into a network and what comes out of it.

    Attributes:
        input_shape: (C, H, W) of one input, float32.
        preprocessing: How a picture becomes one.
        labels: One name per class, in the order of the logits.
    """

    input_shape: Shape
    preprocessing: Preprocessing
    labels: tuple[str, ...]


@dataclass(frozen=True)
class PackedModel:
    """A packed network: the content of one ``.bnn`` file.

    Attributes:
        program: The steps.
        tensors: Weights and constants by name; dtypes uint64, float32, int32 and int8.
        preprocessing: How pictures become inputs.
        labels: One name per class.
        provenance: JSON object: where the network came from (training, export, self-check).
        cost: JSON object: figures of `bnas_deploy.cost`.
        file: Content of the file that this was read from, checked; None for a model that was made
            here, by `dataclasses.replace` for one.
    """

    program: Program
    tensors: Mapping[str, Tensor]
    preprocessing: Preprocessing
    labels: tuple[str, ...]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    cost: Mapping[str, Any] = field(default_factory=dict)
    file: bytes | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def interface(self) -> Interface:
        """What goes in and comes out."""
        shape = self.program.values[self.program.input].shape
        return Interface(shape, self.preprocessing, self.labels)

    def __getstate__(self) -> dict[str, Any]:
        """What a pickle or a copy holds: tensors that can be changed no longer are the file's."""
        return {**self.__dict__, "tensors": dict(self.tensors), "file": None}

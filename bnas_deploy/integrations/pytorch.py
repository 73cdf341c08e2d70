"""A packed network as a module of PyTorch, which `torch.compile` and `torch.export` keep whole.

Shapes: N images, C H W of the network's input. The file's bytes are a buffer of the module, so
`state_dict` and exported programs hold the network itself.
"""

from __future__ import annotations

import os
from collections import deque
from threading import Lock
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from bnas_deploy.errors import UsageError
from bnas_deploy.format.model_file import ModelFile
from bnas_deploy.runtime.model import Model, load

__all__ = ["PackedNetwork"]

MODELS = 16
"""Networks that are kept ready; of more, those that came last."""


class PackedNetwork(nn.Module):
    """A packed network on the CPU: images in, logits out, the same bits as `Model.run`.

    There is no gradient: backward through it raises PyTorch's own error.

    Example:
        >>> from bnas_deploy.integrations.pytorch import PackedNetwork  # doctest: +SKIP
        >>> network = PackedNetwork("model.bnn", threads=2)  # doctest: +SKIP
        >>> pipeline = torch.nn.Sequential(normalise, network)  # doctest: +SKIP
    """

    content: Tensor

    def __init__(
        self,
        source: str | os.PathLike[str] | bytes,
        *,
        backend: str | None = None,
        threads: int = 1,
    ) -> None:
        """Read a file.

        Args:
            source: A ``.bnn`` file, or its bytes.
            backend: Name of a backend, as for `bnas_deploy.load`.
            threads: Number of threads that share a batch.

        Raises:
            FormatError: The file is missing, damaged, or of another version.
            BackendError: The backend is unknown or not available here.
            UsageError: `threads` is no whole number of at least 1.
        """
        super().__init__()
        self.backend, self.threads = backend, threads
        file = ModelFile(source) if isinstance(source, bytes) else ModelFile.at(source)
        Model(file, backend=backend, threads=threads)  # mistakes are met here, with the file's name
        content = torch.frombuffer(bytearray(file.content), dtype=torch.uint8)
        self.register_buffer("content", content)
        self._describe()

    @property
    def model(self) -> Model:
        """What runs: labels, preprocessing, `preprocess` for pictures, `rank` for logits."""
        return _model(self.content, self.backend, self.threads)

    def forward(self, images: Tensor) -> Tensor:
        """Compute logits.

        Args:
            images: float32 (N, C, H, W) on the CPU, normalised as the network takes it.

        Returns:
            float32 (N, classes).

        Raises:
            UsageError: Another device, dtype or shape.
        """
        logits: Tensor = _run(self.content, images, self._classes, self.backend, self.threads)
        return logits

    def _load_from_state_dict(self, *arguments: object, **options: object) -> None:
        super()._load_from_state_dict(*arguments, **options)
        self._describe()

    def _describe(self) -> None:
        """Note what must be known of the network without running it."""
        self._classes = len(self.model.labels)

    def extra_repr(self) -> str:
        """What PyTorch prints of the module."""
        return repr(self.model)


@torch.library.custom_op("bnas_deploy::run", mutates_args=())
def _run(
    content: Tensor, images: Tensor, classes: int, backend: str | None, threads: int
) -> Tensor:
    if images.device.type != "cpu" or content.device.type != "cpu":
        device = images.device if images.device.type != "cpu" else content.device
        msg = f"a packed network runs on the CPU; got a tensor on {device}: move it by .cpu()"
        raise UsageError(msg)
    logits = _model(content, backend, threads).run(images.detach().contiguous().numpy())
    if logits.shape[1] != classes:
        msg = f"the network has {logits.shape[1]} classes, and {classes} when it was traced"
        raise UsageError(msg)
    return torch.from_numpy(logits)


@_run.register_fake
def _(content: Tensor, images: Tensor, classes: int, backend: str | None, threads: int) -> Tensor:
    return images.new_empty((images.shape[0], classes), dtype=torch.float32)


class _Made(NamedTuple):
    content: npt.NDArray[np.uint8]
    backend: str | None
    threads: int
    model: Model

    def is_of(self, content: npt.NDArray[np.uint8], backend: str | None, threads: int) -> bool:
        same = (self.backend, self.threads) == (backend, threads)
        return same and np.array_equal(self.content, content)


_MADE: deque[_Made] = deque(maxlen=MODELS)
_LOCK = Lock()


def _model(content: Tensor, backend: str | None, threads: int) -> Model:
    """The network of these bytes, made once.

    The bytes are compared at every call, which takes microseconds, as a buffer may be written to.
    """
    mine = content.detach().numpy()
    with _LOCK:
        for made in _MADE:
            if made.is_of(mine, backend, threads):
                return made.model
        model = load(mine.tobytes(), backend=backend, threads=threads)
        _MADE.append(_Made(mine.copy(), backend, threads, model))
        return model

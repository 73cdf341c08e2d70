"""`load` and `Model`: a packed network that names what is in pictures.

Shapes: N images, C H W of the network's input.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import cached_property

import numpy as np
import numpy.typing as npt

from bnas_deploy import engine
from bnas_deploy.checks import whole
from bnas_deploy.cpus import capped_threads
from bnas_deploy.format.model_file import ModelFile
from bnas_deploy.format.program import PackedModel, Preprocessing
from bnas_deploy.runtime.images import Picture
from bnas_deploy.runtime.in_order import checked_workers, chunks, in_order
from bnas_deploy.runtime.listed import named
from bnas_deploy.runtime.predictions import Prediction, best, check_logits
from bnas_deploy.runtime.preprocess import check_pixels, normalise, read_pixels
from bnas_deploy.runtime.travel import Options, shared

__all__ = ["Model", "load"]

Floats = npt.NDArray[np.float32]


class Model:
    """A packed network on one backend. Threads may share it: no call changes it.

    It may be copied (a copy is the model itself) and pickled: by path and checksum where it was
    loaded from a path, else by its bytes. Where it arrives, it is loaded when it is first used, and
    once for all equal models of the process.
    """

    def __init__(
        self,
        packed: PackedModel | ModelFile,
        *,
        backend: str | None = None,
        isa: str | None = None,
        threads: int = 1,
    ) -> None:
        """Prepare a packed network for running; arguments are those of `load`."""
        self._source = packed
        self._options = Options(backend, isa, threads)
        _ = self.runner  # mistakes are met here

    @cached_property
    def runner(self) -> engine.Runner:
        """The engine's side of it.

        Raises:
            FormatError: The model came from another process by its path, and the file cannot be
                read, or has changed.
            BackendError: What was chosen there is not available here.
        """
        backend, isa, asked = self._options
        threads, note = capped_threads(asked)
        runner = engine.create(self._source, backend=backend, isa=isa, threads=threads)
        runner.note = "; ".join(filter(None, (runner.note, note))) or None
        return runner

    def __copy__(self) -> Model:
        return self

    def __deepcopy__(self, memo: object) -> Model:
        return self

    def __reduce__(self) -> tuple[Callable[..., Model], tuple[ModelFile, Options]]:
        file = self._file
        shared(self, file, self._options)
        return _arrived, (file, self._options)

    @cached_property
    def _file(self) -> ModelFile:
        if isinstance(self._source, ModelFile):
            return self._source
        from bnas_deploy.format.writer import to_bytes  # noqa: PLC0415 - for models without a file

        return ModelFile(self._source.file or to_bytes(self._source))

    @property
    def packed(self) -> PackedModel:
        """The content of the ``.bnn`` file, decoded when it is first asked for."""
        return self._source.packed if isinstance(self._source, ModelFile) else self._source

    @property
    def checksum(self) -> str:
        """SHA-256, in hexadecimal, of the file that was loaded, or that the model would make."""
        return self._file.checksum

    @property
    def labels(self) -> tuple[str, ...]:
        """One name per class, in the order of the logits."""
        return self.runner.interface.labels

    @property
    def preprocessing(self) -> Preprocessing:
        """How a picture becomes an input."""
        return self.runner.interface.preprocessing

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of one input."""
        return self.runner.interface.input_shape

    @property
    def backend(self) -> str:
        """Name of the backend that runs."""
        return self.runner.name

    @property
    def isa(self) -> str | None:
        """Instruction set that runs, or None where the backend does not choose one."""
        return self.runner.isa

    @property
    def threads(self) -> int:
        """Number of threads that share a batch."""
        return self.runner.threads

    def predict(
        self,
        images: Picture | Iterable[Picture],
        *,
        top_k: int = 1,
        batch: int = 64,
        workers: int | None = None,
    ) -> list[Prediction]:
        """Name what is in pictures.

        Args:
            images: One picture or several: paths, bytes of picture files, Pillow images, or uint8
                arrays (H, W, 3) in RGB. An array (N, H, W, 3) is several. Any iterable will do, and
                is asked for pictures as they are needed. A network with one input channel sees
                pictures in grey, and takes arrays (H, W), (H, W, 1) and (N, H, W, 1), too.
            top_k: Number of classes to name for each, best first.
            batch: Number of pictures that run together; twice as many are in memory at a time.
            workers: Number of threads that decode pictures while the network runs; 0 decodes in the
                calling thread. None takes as many as the model has threads, and 0 where it has one.

        Returns:
            One `Prediction` a picture, in order.

        Raises:
            ImageError: A picture cannot be read; the message names it.
            UsageError: `top_k` or `batch` is no whole number of at least 1, or `workers` of at
                least 0, or `images` is something else.
            FormatError: The network's input has neither 3 channels nor 1.

        Example:
            >>> model = load("model.bnn")  # doctest: +SKIP
            >>> cat, dog = model.predict(["cat.jpg", "dog.png"], top_k=2)  # doctest: +SKIP
            >>> cat.label, cat.probability, cat.top[1].label  # doctest: +SKIP
            ('cat', 0.97, 'dog')
        """
        top_k, batch = whole("top_k", top_k, 1), whole("batch", batch, 1)
        workers = checked_workers(workers, self.threads)
        pixels = in_order(self._named_pixels, named(images), workers=workers, ahead=batch)
        predictions: list[Prediction] = []
        for chunk in chunks(pixels, batch):
            predictions += self.rank(self.run(self.normalise(chunk)), top_k=top_k)
        return predictions

    async def predict_async(
        self,
        images: Picture | Iterable[Picture],
        *,
        top_k: int = 1,
        batch: int = 64,
        workers: int | None = None,
    ) -> list[Prediction]:
        """The same as `predict` for asyncio: it runs in a thread, and the loop goes on meanwhile.

        The thread is one of the loop's default executor, whose number limits how many run at once.
        An iterable is asked for pictures in that thread. Cancelling does not end what has begun.
        """
        import asyncio  # noqa: PLC0415 - takes longer than all else

        return await asyncio.to_thread(
            self.predict, images, top_k=top_k, batch=batch, workers=workers
        )

    def run(self, images: Floats) -> Floats:
        """Compute logits.

        Args:
            images: float32 (N, C, H, W), normalised as `preprocess` does; N may be 0.

        Returns:
            float32 (N, classes).

        Raises:
            UsageError: Another dtype or shape.
        """
        return self.runner.run(images)

    def rank(self, logits: Floats, *, top_k: int = 1) -> list[Prediction]:
        """Turn logits (N, classes) into predictions, as `predict` does; else a `UsageError`."""
        top_k = whole("top_k", top_k, 1)
        check_logits(logits, len(self.labels))
        return [best(row, self.labels, top_k) for row in logits]

    def preprocess(self, images: Picture | Iterable[Picture]) -> Floats:
        """Decode, resize, crop and normalise pictures.

        Args:
            images: As for `predict`.

        Returns:
            float32 (N, C, H, W) for `run`.

        Raises:
            ImageError: A picture cannot be read; the message names it.
            UsageError: `images` is something else.
            FormatError: The network's input has neither 3 channels nor 1.
        """
        return self.normalise([self._named_pixels(named) for named in named(images)])

    def pixels(self, picture: Picture, name: str | None = None) -> npt.NDArray[np.uint8]:
        """Decode, resize and crop one picture to uint8 (H, W, C); `name` is for errors.

        Raises:
            ImageError: It cannot be read.
            FormatError: The network's input has neither 3 channels nor 1.
        """
        return read_pixels(picture, self.preprocessing, name)

    def _named_pixels(self, named: tuple[str | None, Picture]) -> npt.NDArray[np.uint8]:
        name, picture = named
        return self.pixels(picture, name)

    def normalise(self, pixels: list[npt.NDArray[np.uint8]]) -> Floats:
        """Stack what `pixels` gave into float32 (N, C, H, W) for `run`.

        Raises:
            UsageError: They are not such arrays.
        """
        check_pixels(pixels, self.input_shape)
        if not pixels:
            return np.empty((0, *self.input_shape), np.float32)
        return normalise(np.stack(pixels), self.preprocessing)

    def __repr__(self) -> str:
        if "runner" not in self.__dict__:
            return f"<Model of {self._file.path or 'bytes'}, loaded when it is first used>"
        shape = "x".join(map(str, self.input_shape))
        backend = self.backend if self.isa is None else f"{self.backend}/{self.isa}"
        return f"<Model {shape} to {len(self.labels)} classes, {backend}, {self.threads} threads>"


def _arrived(file: ModelFile, options: Options) -> Model:
    """The model of a pickle: one that is here already, or a new one, not loaded yet."""
    model = Model.__new__(Model)
    model._source, model._options = file, options
    return shared(model, file, options)


def load(
    path: str | os.PathLike[str] | bytes,
    *,
    backend: str | None = None,
    isa: str | None = None,
    threads: int = 1,
) -> Model:
    """Read a ``.bnn`` file and prepare it for running.

    Args:
        path: The file, as `bnas-export` wrote it; or its bytes.
        backend: Name of a backend; None takes `BNAS_BACKEND`, or native.
        isa: Name of an instruction set of the native backend; None takes `BNAS_ISA`, or
            the best of this machine.
        threads: Number of threads that share a batch, and each picture where there are fewer
            pictures than threads (native backend). As many as CPUs may be used here are the most;
            `runner.note` says so where that acts.

    Raises:
        FormatError: The file is missing, damaged, or of another version.
        BackendError: The backend or instruction set is unknown or not available here.
        UsageError: `path` is neither a path nor bytes, or `threads` is no whole number of at least
            1.

    Example:
        >>> import bnas_deploy
        >>> model = bnas_deploy.load("model.bnn", threads=2)  # doctest: +SKIP
        >>> model.predict("photo.jpg")[0].label  # doctest: +SKIP
        'cat'
    """
    return Model(ModelFile.given(path), backend=backend, isa=isa, threads=threads)

"""A packed network for `map_batches` of Ray Data: an actor loads it once and answers batches."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from bnas_deploy.bulk.rows import Row, row_of
from bnas_deploy.errors import UsageError
from bnas_deploy.runtime.model import Model, load
from bnas_deploy.runtime.sources import Item
from bnas_deploy.runtime.stream import answers

__all__ = ["Classifier"]

Batch = Mapping[str, npt.NDArray[Any]]


class Classifier:
    """Adds answers to the rows of a dataset, in place of their pictures.

    Example:
        >>> pictures = ray.data.read_images("photos/", include_paths=True)  # doctest: +SKIP
        >>> answers = pictures.map_batches(  # doctest: +SKIP
        ...     Classifier,
        ...     fn_constructor_kwargs={"model": "model.bnn", "threads": 2},
        ...     num_cpus=2,
        ...     compute=ray.data.ActorPoolStrategy(min_size=1, max_size=8),
        ...     batch_size=64,
        ...     zero_copy_batch=True,
        ... )
    """

    def __init__(
        self,
        model: Model | str | os.PathLike[str] | bytes,
        *,
        column: str = "image",
        top_k: int = 1,
        backend: str | None = None,
        threads: int = 1,
        workers: int | None = None,
    ) -> None:
        """Load the network; Ray does so once an actor.

        Args:
            model: A ``.bnn`` file that every machine has, its bytes, or a `Model`, which has its
                own backend and threads.
            column: Of the pictures: uint8 arrays (H, W, 3), bytes of picture files, Hugging Face's
                structs with them, or paths.
            top_k: Number of classes to name; above 1, a column `top` has them all.
            backend: As for `bnas_deploy.load`.
            threads: Number of threads of the network; give Ray's `num_cpus` the same number.
            workers: Number of threads that decode pictures, as for `Model.predict`.

        Raises:
            FormatError: The file is missing, damaged, or of another version.
            BackendError: The backend is unknown or not available here.
        """
        if not isinstance(model, Model):
            model = load(model, backend=backend, threads=threads)
        self._model = model
        self._column, self._top_k, self._workers = column, top_k, workers

    def __call__(self, batch: Batch) -> dict[str, npt.NDArray[Any]]:
        """Answer a batch of NumPy arrays, which may be read-only.

        Returns:
            The other columns as they are, and `label`, `index`, `probability`, `error`. A picture
            that cannot be read has an error, no label, index -1 and probability NaN; the others
            have no error.

        Raises:
            UsageError: There is no such column.
        """
        if self._column not in batch:
            msg = f"no column {self._column!r}; the batch has {', '.join(batch)}"
            raise UsageError(msg)
        found = answers(self._model, self._items(batch), batch=64, workers=self._workers)
        rows = [row_of(self._model, answer, self._top_k) for answer in found]
        others = {name: values for name, values in batch.items() if name != self._column}
        return {**others, **_columns(rows, several=self._top_k > 1)}

    def _items(self, batch: Batch) -> Iterator[Item]:
        for i, value in enumerate(batch[self._column]):
            picture: Any = value.get("bytes") if isinstance(value, Mapping) else value
            named = isinstance(picture, str)
            yield Item(str(picture) if named else f"{self._column}[{i}]", picture)


def _columns(rows: list[Row], *, several: bool) -> dict[str, npt.NDArray[Any]]:
    indices = [-1 if row["index"] is None else row["index"] for row in rows]
    shares = [np.nan if row["probability"] is None else row["probability"] for row in rows]
    columns = {
        "label": _objects([row["label"] for row in rows]),
        "index": np.array(indices, np.int32),
        "probability": np.array(shares, np.float64),
        "error": _objects([row["error"] for row in rows]),
    }
    return columns | ({"top": _objects([row["top"] or [] for row in rows])} if several else {})


def _objects(values: list[Any]) -> npt.NDArray[Any]:
    """An array of objects, lists among them, which NumPy would take for another dimension."""
    found = np.empty(len(values), object)
    for i, value in enumerate(values):
        found[i] = value
    return found

"""Models that go from process to process: each is in a process once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from weakref import WeakValueDictionary

from bnas_deploy.format.model_file import ModelFile

if TYPE_CHECKING:
    from bnas_deploy.runtime.model import Model

__all__ = ["Options", "shared"]


class Options(NamedTuple):
    """What was asked of a backend."""

    backend: str | None
    isa: str | None
    threads: int


_MODELS: WeakValueDictionary[tuple[str | None, str, Options], Model] = WeakValueDictionary()
"""Those of this process that were pickled, here or elsewhere."""


def shared(model: Model, file: ModelFile, options: Options) -> Model:
    """Return the model of that file and these options that is here already, or else this one."""
    place = None if file.place is None else str(file.place)
    return _MODELS.setdefault((place, file.checksum, options), model)

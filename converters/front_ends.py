"""The table of front ends: what each one reads, how such a file is recognised, what it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from bnas_deploy.converters.packing.model_file import ModelFile

if TYPE_CHECKING:
    from bnas_deploy.converters.packing.source import Source

__all__ = ["FRONT_ENDS", "FrontEnd", "front_end_of"]


@dataclass(frozen=True)
class FrontEnd:
    """How one kind of model is read.

    Attributes:
        name: Its folder below `converters`; the module `source` there has
            ``read(file, **options) -> Source``.
        reads: What it reads, with an article, for messages.
        takes: Whether a file looks like one of those. Its bytes may still be damaged.
        extra: Of the installation, with the packages that it brings.
        options: What `read` takes beside the file, by name.
        foreign: Whether other tools write such files: `bnas-import` takes these.
        no_onnx: Why its graphs cannot be written as ONNX, and what to do; empty if they can.
    """

    name: str
    reads: str
    takes: Callable[[ModelFile], bool]
    extra: tuple[str, tuple[str, ...]]
    options: frozenset[str] = frozenset()
    foreign: bool = False
    no_onnx: str = ""

    def read(self, file: ModelFile, **options: Any) -> Source:  # noqa: ANN401
        """Read a model; the packages of `extra` must be installed.

        Raises:
            BnasError: The file is damaged or cannot be understood, or an option does not fit it.
        """
        # Each front end imports its framework, which takes its time.
        module = import_module(f"bnas_deploy.converters.{self.name}.source")
        return cast("Source", module.read(file, **options))


def front_end_of(file: ModelFile) -> FrontEnd | None:
    """Return the front end for a file; None if there is none."""
    return next((front_end for front_end in FRONT_ENDS if front_end.takes(file)), None)


def _is_torch(file: ModelFile) -> bool:
    # Older files and damaged ones are left to torch, which says what is wrong with them.
    if file.kind is None:
        return file.path.suffix in (".pt", ".pth", ".bin", ".ckpt", ".tar")
    return file.kind.key in ("torch", "zip", "pickle", "safetensors")


def _is_ours(file: ModelFile) -> bool:
    # The format's name is the first entry of the first member.
    return _is_torch(file) and b"bnas-deploy/" in file.data[:4096]


def _is_onnx(file: ModelFile) -> bool:
    return file.path.suffix == ".onnx" if file.kind is None else file.kind.key == "onnx"


def _is_tflite(file: ModelFile) -> bool:
    # Older files lack the identifier; reading one says so.
    return file.path.suffix == ".tflite" if file.kind is None else file.kind.key == "tflite"


def _is_program(file: ModelFile) -> bool:
    return file.path.suffix == ".pt2" if file.kind is None else file.kind.key == "pt2"


def _is_code(file: ModelFile) -> bool:
    return file.code is not None


_PLAIN = frozenset({"allow_float", "sign_zero", "labels", "mean", "std", "resize"})
"""What every model of other tools can be given."""

FRONT_ENDS = (
    FrontEnd(
        "from_torch",
        "a model.pt of bnas-train",
        _is_ours,
        ("train", ("torch",)),
        frozenset({"float", "labels"}),
    ),
    FrontEnd(
        "from_release",
        "a checkpoint of the authors' release",
        _is_torch,
        ("train", ("torch",)),
        frozenset({"arch", "entry", "labels", "preprocessing"}),
        no_onnx="its signs have a zero; pack it first, and write the packed file as ONNX",
    ),
    FrontEnd(
        "from_onnx",
        "an ONNX model",
        _is_onnx,
        ("onnx", ("onnx", "onnxruntime")),
        _PLAIN,
        foreign=True,
        no_onnx="it is ONNX already; pack it first, and write the packed file as ONNX",
    ),
    FrontEnd(
        "from_tflite",
        "a TensorFlow Lite model",
        _is_tflite,
        ("tflite", ("tflite",)),
        _PLAIN,
        foreign=True,
        no_onnx="its signs may have a zero; pack it first, and write the packed file as ONNX",
    ),
    FrontEnd(
        "from_program",
        "a saved program of torch.export (.pt2)",
        _is_program,
        ("train", ("torch",)),
        _PLAIN,
        foreign=True,
        no_onnx="torch.onnx.export does that; or pack it first, and write the packed file as ONNX",
    ),
    FrontEnd(
        "from_code",
        "code that builds a model (package.module:name)",
        _is_code,
        ("train", ("torch",)),
        _PLAIN | {"entry", "input_shape", "weights"},
        foreign=True,
        no_onnx="torch.onnx.export does that; or pack it first, and write the packed file as ONNX",
    ),
)
"""In the order of asking; a new front end is one folder and one entry here."""

"""The C library through ctypes, found where it was built, or built here.

The library is looked for in the folder of the environment variable `BNAS_C_LIBRARY_DIR` and in the
usual build folders; one that is older than its sources does not count.
"""

from __future__ import annotations

import ctypes
import functools
import os
import shutil
import subprocess
import sys
from ctypes import POINTER, byref, c_char, c_char_p, c_double, c_float, c_int, c_size_t, c_void_p
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[2]
FOLDERS = ("build/editable", "build/dev", "build/c-api")
STATUSES = ("ok", "argument", "file", "format", "backend", "memory", "system", "internal")


class Error(ctypes.Structure):
    _fields_ = [("status", c_int), ("message", c_char * 500)]


class Description(ctypes.Structure):
    _fields_ = [
        ("channels", c_size_t), ("height", c_size_t), ("width", c_size_t), ("classes", c_size_t),
        ("isa", c_char_p), ("format_version", c_char_p), ("resize", c_size_t),
        ("mean", POINTER(c_double)), ("std", POINTER(c_double)),
        ("weight_bytes", c_size_t), ("table_bytes", c_size_t), ("context_bytes", c_size_t),
    ]  # fmt: skip


class CError(Exception):
    """What a function of the library returned instead of BNAS_OK."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


@functools.cache
def folder() -> Path:
    """Where libbnas.so and bnas_classify lie."""
    chosen = os.environ.get("BNAS_C_LIBRARY_DIR")
    if chosen:
        return Path(chosen)
    sources = [ROOT / "CMakeLists.txt", *(ROOT / "examples/c").iterdir()]
    sources += [p for p in (ROOT / "kernels").rglob("*") if p.suffix in {".h", ".cpp", ".txt"}]
    newest = max(path.stat().st_mtime for path in sources)
    for name in FOLDERS:
        library = ROOT / name / "libbnas.so"
        if library.exists() and library.stat().st_mtime >= newest:
            return library.parent
    return _build(ROOT / FOLDERS[-1])


def _build(into: Path) -> Path:
    cmake = program("cmake")
    run(cmake, "-S", ROOT, "-B", into, "-DBNAS_PYTHON=OFF", "-DBNAS_C_API=ON")
    run(cmake, "--build", into)
    return into


def program(name: str) -> str:
    """The path of a program, that beside Python's if there is one."""
    path = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert path is not None, f"{name} is missing"
    return path


def run(*command: object) -> str:
    """What a program prints; it must succeed."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@functools.cache
def library() -> Any:
    """The library with the types of its functions."""
    lib = ctypes.CDLL(str(folder() / "libbnas.so"))
    error, size = POINTER(Error), c_size_t
    for name, result, *arguments in (
        ("bnas_api_version", c_int),
        ("bnas_isa", c_char_p, size, POINTER(c_int)),
        ("bnas_model_load_file", c_int, c_char_p, c_char_p, POINTER(c_void_p), error),
        ("bnas_model_load_memory", c_int, c_void_p, size, c_char_p, POINTER(c_void_p), error),
        ("bnas_model_free", None, c_void_p),
        ("bnas_model_describe", None, c_void_p, POINTER(Description)),
        ("bnas_model_label", c_char_p, c_void_p, size),
        ("bnas_model_run", c_int, c_void_p, c_void_p, size, size, c_void_p, error),
        ("bnas_model_prepare", c_int, c_void_p, c_void_p, size, size, size, c_void_p, error),
        ("bnas_model_run_rgb", c_int, c_void_p, c_void_p, size, size, c_void_p, error),
        ("bnas_model_rank", size, c_void_p, c_void_p, size, c_void_p, c_void_p),
    ):
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
    return lib


def check(status: int, error: Error) -> None:
    assert status == error.status
    assert (status == 0) == (error.message == b"")
    if status:
        raise CError(STATUSES[status], error.message.decode())


def isas() -> list[str]:
    """The instruction sets that this machine can run, best first."""
    names, able = [], c_int()
    for i in range(100):
        name = library().bnas_isa(i, byref(able))
        if name is None:
            break
        if able.value:
            names.append(name.decode())
    return names


class CModel:
    """A model of the C library, from a file's bytes or its path."""

    def __init__(self, source: bytes | Path, isa: str | None = None) -> None:
        self.handle, error = c_void_p(), Error()
        name = isa.encode() if isa else None
        if isinstance(source, bytes):
            status = library().bnas_model_load_memory(
                source, len(source), name, byref(self.handle), byref(error)
            )
        else:
            status = library().bnas_model_load_file(
                os.fsencode(source), name, byref(self.handle), byref(error)
            )
        assert bool(self.handle) == (status == 0)
        check(status, error)
        self.description = Description()
        library().bnas_model_describe(self.handle, byref(self.description))

    def __del__(self) -> None:
        library().bnas_model_free(self.handle)

    @property
    def labels(self) -> list[str]:
        names = []
        while (name := library().bnas_model_label(self.handle, len(names))) is not None:
            names.append(name.decode())
        return names

    def run(self, images: np.ndarray, threads: int = 1) -> np.ndarray:
        assert images.dtype == np.float32
        return self._run("bnas_model_run", images, threads)

    def run_rgb(self, pixels: np.ndarray, threads: int = 1) -> np.ndarray:
        assert pixels.dtype == np.uint8
        return self._run("bnas_model_run_rgb", pixels, threads)

    def prepare(self, pixels: np.ndarray) -> np.ndarray:
        """A picture uint8 (height, width, 3 or 4) of the model's size."""
        assert pixels.dtype == np.uint8
        pixels, error, d = np.ascontiguousarray(pixels), Error(), self.description
        prepared = np.zeros((d.height, d.width, d.channels), np.uint8)
        status = library().bnas_model_prepare(
            self.handle, pixels.ctypes.data, *pixels.shape, prepared.ctypes.data, byref(error)
        )
        check(status, error)
        return prepared

    def _run(self, name: str, images: np.ndarray, threads: int) -> np.ndarray:
        images, error = np.ascontiguousarray(images), Error()
        logits = np.full((len(images), self.description.classes), np.nan, np.float32)
        function = getattr(library(), name)
        status = function(
            self.handle, images.ctypes.data, len(images), threads, logits.ctypes.data, byref(error)
        )
        check(status, error)
        return logits

    def rank(self, logits: np.ndarray, count: int) -> tuple[list[int], list[float]]:
        """Classes and probabilities of one image's logits."""
        assert logits.dtype == np.float32
        assert logits.shape == (self.description.classes,)
        classes, probabilities = (c_size_t * count)(), (c_double * count)()
        n = library().bnas_model_rank(
            self.handle, (c_float * len(logits))(*logits), count, classes, probabilities
        )
        return list(classes[:n]), list(probabilities[:n])


def same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two arrays are equal, NaN to NaN of any sign and payload (docs/format.md)."""
    nan = np.isnan(a)
    return bool(
        a.shape == b.shape
        and (nan == np.isnan(b)).all()
        and (a.view(np.uint32)[~nan] == b.view(np.uint32)[~nan]).all()
    )

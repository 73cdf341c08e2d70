"""The choice of a backend: by argument, by environment, or the default; it is never silent.

The environment can choose where the caller does not: ``BNAS_BACKEND`` and ``BNAS_ISA`` hold names;
``BNAS_ALLOW_PURE_PYTHON=1`` allows another backend where the compiled one is missing.
"""

from __future__ import annotations

import importlib
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bnas_deploy.engine.runner import Runner, check_threads
from bnas_deploy.errors import BackendError
from bnas_deploy.extras import how_to_install, is_installed
from bnas_deploy.format.model_file import ModelFile
from bnas_deploy.format.program import PackedModel
from bnas_deploy.shown import found_name, unknown_name

__all__ = ["available", "create", "describe"]

DEFAULT = "native"
HOW_TO_BUILD = (
    "install a wheel of bnas-deploy or build it with 'pip install .' (needs a C++17 compiler), "
    "or choose another backend: --backend numba or --backend reference"
)


def _native_missing() -> str | None:
    try:
        importlib.import_module("bnas_deploy._kernels")
    except ImportError as error:
        return f"the compiled module bnas_deploy._kernels cannot be imported ({error})"
    return None


def _numba_missing() -> str | None:
    if not is_installed("numba"):
        return f"numba is not installed; {how_to_install('numba')}"
    return None


def _native(model: PackedModel | ModelFile, isa: str | None, threads: int) -> Runner:
    module = importlib.import_module("bnas_deploy.engine.native.backend")
    runner: Runner = module.NativeRunner(model, isa=isa, threads=threads)
    return runner


def _numba(model: PackedModel | ModelFile, isa: str | None, threads: int) -> Runner:
    module = importlib.import_module("bnas_deploy.engine.numba.backend")
    runner: Runner = module.NumbaRunner(_decoded(model), threads=threads)
    return runner


def _reference(model: PackedModel | ModelFile, isa: str | None, threads: int) -> Runner:
    module = importlib.import_module("bnas_deploy.engine.reference.backend")
    runner: Runner = module.ReferenceRunner(_decoded(model), threads=threads)
    return runner


def _decoded(model: PackedModel | ModelFile) -> PackedModel:
    return model.packed if isinstance(model, ModelFile) else model


def _refuse_isa(backend: str, isa: str | None, forced: str | None) -> None:
    if isa is not None or forced:
        origin = "" if isa is not None else " (isa from BNAS_ISA)"
        msg = (
            f"backend {backend} has no choice of instruction sets; leave out isa {isa or forced!r}"
            f"{origin}"
        )
        raise BackendError(msg)


_Create = Callable[[PackedModel | ModelFile, "str | None", int], Runner]

BACKENDS: dict[str, tuple[Callable[[], str | None], _Create]] = {  # best first
    "native": (_native_missing, _native),
    "numba": (_numba_missing, _numba),
    "reference": (lambda: None, _reference),
}


def available() -> dict[str, str | None]:
    """Every backend, best first, with None, or the reason why it cannot run here."""
    return {name: missing() for name, (missing, _) in BACKENDS.items()}


def create(
    model: PackedModel | ModelFile,
    *,
    backend: str | None = None,
    isa: str | None = None,
    threads: int = 1,
) -> Runner:
    """Load a model on a backend.

    Args:
        model: Checked before it is used, a file by the backend's own reader where it has one.
        backend: Name of a backend; None for ``BNAS_BACKEND``, or native where that is not set.
        isa: Instruction set of the native backend; None for ``BNAS_ISA``, or the best.
        threads: How many threads share a batch.

    Raises:
        BackendError: A name is unknown or not available here.
        UsageError: `threads` is no whole number of at least 1.
        FormatError: The model is not valid.
    """
    threads = check_threads(threads)
    name, note = _choose(backend)
    if name != DEFAULT:
        _refuse_isa(name, isa, forced=None if backend else os.environ.get("BNAS_ISA"))
    if isinstance(model, PackedModel) and model.file is None:  # else a reader has done so, or will
        from bnas_deploy.format.validation import validate  # noqa: PLC0415 - not needed for files

        validate(model)
    runner = BACKENDS[name][1](model, isa, threads)
    runner.note = "; ".join(filter(None, (note, runner.note))) or None
    return runner


def _choose(backend: str | None) -> tuple[str, str | None]:
    """The name of the backend to use, and a note where it is not the expected one."""
    forced = backend or os.environ.get("BNAS_BACKEND") or None
    wanted = forced or DEFAULT
    name = found_name(wanted, BACKENDS)
    if name is None:
        origin = "" if backend else " (from BNAS_BACKEND)"
        raise BackendError(unknown_name("backend", wanted, BACKENDS) + origin)
    reason = BACKENDS[name][0]()
    if reason is None:
        return name, None
    if forced is None and os.environ.get("BNAS_ALLOW_PURE_PYTHON") == "1":
        other = next(n for n, missing in available().items() if missing is None)
        return other, f"backend {other} chosen by BNAS_ALLOW_PURE_PYTHON=1: {reason}"
    advice = f"; {HOW_TO_BUILD}" if name == DEFAULT else ""
    msg = f"backend {name} is not available: {reason}{advice}"
    raise BackendError(msg)


def describe() -> dict[str, dict[str, str]]:
    """Facts for people: backends, instruction sets, CPU, environment; names to text."""
    backends = {name: reason or "available" for name, reason in available().items()}
    variables = ("BNAS_BACKEND", "BNAS_ISA", "BNAS_ALLOW_PURE_PYTHON")
    return {
        "backends": backends,
        "isas": _isas() if backends["native"] == "available" else {},
        "cpu": _cpu(),
        "environment": {name: os.environ.get(name, "not set") for name in variables},
    }


def _isas() -> dict[str, str]:
    native: Any = importlib.import_module("bnas_deploy.engine.native.backend")
    missing: dict[str, list[str]] = native.isas()
    return {n: f"lacks {', '.join(m)}" if m else "supported" for n, m in missing.items()}


def _cpu() -> dict[str, str]:
    info = Path("/proc/cpuinfo")
    lines = info.read_text(errors="replace").splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "model": names[0] if names else platform.processor() or "unknown",
        "architecture": platform.machine(),
        "logical processors": str(os.cpu_count()),
    }

"""Numba's cache on disk: functions that use it where they can, and whether one is in it."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["is_compiled", "jitted"]


def jitted(function: Callable[..., Any], **options: Any) -> Any:  # noqa: ANN401 - as below
    """Return Numba's compiled form of a function, kept on disk where that can be written.

    A full disk, or no folder to write in, costs time at the next start, and is said as a warning.

    Args:
        function: What to compile when it is first called.
        **options: Those of `numba.njit`.
    """
    from numba import njit  # noqa: PLC0415 - an extra

    try:
        kept = njit(cache=True, **options)(function)
    except RuntimeError as error:  # "no locator available": no folder can be written
        _tell(error)
        return njit(**options)(function)
    cache = getattr(kept, "_cache", None)  # lacking: NUMBA_DISABLE_JIT
    if cache is not None:
        cache.save_overload = _forgiving(cache.save_overload)
    return kept


def _forgiving(save: Callable[..., None]) -> Callable[..., None]:
    def save_or_tell(*arguments: Any) -> None:  # noqa: ANN401 - Numba's
        try:
            save(*arguments)
        except OSError as error:
            _tell(error)

    return save_or_tell


def _tell(error: Exception) -> None:
    msg = (
        f"Numba's compiled code cannot be kept on disk ({error}); it is compiled again in the next"
        " process; set NUMBA_CACHE_DIR to a folder with room"
    )
    warnings.warn(msg, RuntimeWarning, stacklevel=3)


def is_compiled(function: Any) -> bool:  # noqa: ANN401 - Numba has no types
    """Whether a cached, jitted function was compiled, in this process or since its file changed.

    A guess by the index files of the cache, which Numba alone knows how to read: after a change of
    processor it may compile where this says that it will not.
    """
    if not hasattr(function, "signatures") or function.signatures:  # lacking: NUMBA_DISABLE_JIT
        return True
    code = function.py_func.__code__
    version = f"py{sys.version_info.major}{sys.version_info.minor}"
    name = f"{Path(code.co_filename).stem}.{code.co_name}-{code.co_firstlineno}.{version}*.nbi"
    changed = Path(code.co_filename).stat().st_mtime
    if function.stats.cache_path is None:
        return False
    folder = Path(function.stats.cache_path)
    return any(path.stat().st_mtime >= changed for path in folder.glob(name))

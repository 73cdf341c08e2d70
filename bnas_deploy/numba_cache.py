"""Whether Numba has compiled a function before, so that a wait can be announced.

A guess by the index files of Numba's cache, which it alone knows how to read: after a change of
processor it may compile where this says that it will not.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

__all__ = ["is_compiled"]


def is_compiled(function: Any) -> bool:  # noqa: ANN401 - Numba has no types
    """Whether a cached, jitted function was compiled, in this process or since its file changed."""
    if not hasattr(function, "signatures") or function.signatures:  # lacking: NUMBA_DISABLE_JIT
        return True
    code = function.py_func.__code__
    version = f"py{sys.version_info.major}{sys.version_info.minor}"
    name = f"{Path(code.co_filename).stem}.{code.co_name}-{code.co_firstlineno}.{version}*.nbi"
    changed = Path(code.co_filename).stat().st_mtime
    folder = Path(function.stats.cache_path)
    return any(path.stat().st_mtime >= changed for path in folder.glob(name))

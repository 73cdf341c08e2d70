"""Binary networks from PyTorch to the CPU's limit: the public entry point.

Importing this package needs NumPy only; torch, numba and onnx are imported where they are used.

Example:
    >>> import bnas_deploy
    >>> model = bnas_deploy.load("model.bnn")  # doctest: +SKIP
    >>> model.predict(["photo.jpg"])[0].label  # doctest: +SKIP
    'cat'

A module of PyTorch becomes such a file:
    >>> model, report = bnas_deploy.convert(module, torch.zeros(1, 3, 32, 32))  # doctest: +SKIP
    >>> bnas_deploy.format.write(model, "model.bnn")  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bnas_deploy import errors

if TYPE_CHECKING:
    from bnas_deploy.converters.from_program.convert import convert_module as convert
    from bnas_deploy.runtime.model import Model, load

__all__ = ["Model", "__version__", "convert", "errors", "load"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Import the runtime and PyTorch on first use, so that `import bnas_deploy` stays fast."""
    if name == "convert":
        from bnas_deploy.converters.from_program.convert import convert_module  # noqa: PLC0415

        return convert_module
    if name in ("Model", "load"):
        from bnas_deploy.runtime import model  # noqa: PLC0415

        return getattr(model, name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)

"""From a PyTorch network to a packed program: the public names.

The folder is installed as ``bnas_deploy.converters``; under any other name its classes would exist
twice. Importing this package loads no torch. `convert_module` takes any module of PyTorch,
`convert_network` a network of this project, `convert_trained` what `load_model` gives of a
`model.pt`.

Example:
    >>> from bnas_deploy.converters import convert_network
    >>> model, report = convert_network(network)  # doctest: +SKIP
"""

from __future__ import annotations

if __name__ != "bnas_deploy.converters":
    _msg = (
        f"this folder is the package bnas_deploy.converters, but was imported as {__name__!r};"
        " write `import bnas_deploy.converters`"
    )
    raise ImportError(_msg)

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bnas_deploy.converters.eight_bit.facts import EightBitOptions
from bnas_deploy.converters.packing.check import CheckOptions
from bnas_deploy.converters.packing.report import Report

if TYPE_CHECKING:
    from bnas_deploy.converters.from_program.convert import convert_module
    from bnas_deploy.converters.from_torch.convert import convert_network, convert_trained

__all__ = [
    "CheckOptions",
    "EightBitOptions",
    "Report",
    "convert_module",
    "convert_network",
    "convert_trained",
]

_HOMES = {
    "convert_module": "from_program",
    "convert_network": "from_torch",
    "convert_trained": "from_torch",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Import the parts that need torch on first use."""
    if name in _HOMES:
        home = import_module(f"bnas_deploy.converters.{_HOMES[name]}.convert")
        return getattr(home, name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)

"""Naming the layer in which a forward pass first stops being finite. It repairs nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Protocol

import torch
from torch import Tensor, nn

__all__ = [
    "first_fault",
    "nonfinite_parameter",
]


class _Layers(Protocol):
    def named_modules(self) -> Iterator[tuple[str, nn.Module]]: ...


def first_fault(network: _Layers, run: Callable[[], object]) -> str:
    """Run a forward pass again and say which layer is the first to give NaN or infinity.

    Args:
        network: The modules to watch.
        run: The forward pass that went wrong; it is run without gradients.

    Returns:
        A clause for an error message: `the first layer at fault is cells.0.edges.3`, with the
        parameter of that layer that is not finite, if there is one.
    """
    found: list[str] = []
    modules = dict(network.named_modules())
    handles = [
        module.register_forward_hook(partial(_note, found, name))
        for name, module in modules.items()
    ]
    try:
        with torch.no_grad():
            run()
    finally:
        for handle in handles:
            handle.remove()
    if not found:
        return _of_parameters(modules[""])
    name = found[0]
    parameter = nonfinite_parameter(modules[name])
    cause = f" (its parameter {parameter} is not finite)" if parameter else ""
    return f"the first layer at fault is {name or 'the network itself'}{cause}"


def nonfinite_parameter(module: nn.Module) -> str | None:
    """Return the name of the first parameter or buffer with NaN or infinity; None if there is none.

    Buffers count because a BatchNorm's running statistics are weights of the evaluation.
    """
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            return name
    return None


def _of_parameters(network: nn.Module) -> str:
    name = nonfinite_parameter(network)
    return f"the parameter {name} is not finite" if name else "every layer's output is finite"


def _note(found: list[str], name: str, module: nn.Module, inputs: object, output: object) -> None:
    if isinstance(output, Tensor) and not torch.isfinite(output).all():
        found.append(name)

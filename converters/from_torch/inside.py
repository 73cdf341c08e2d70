"""The values inside a network of PyTorch modules, taken by forward hooks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from bnas_deploy.converters.packing.source import Inside

__all__ = ["evaluating", "network_inside"]

Floats = npt.NDArray[np.float32]


def network_inside(network: nn.Module, modules: Mapping[str, nn.Module]) -> Inside:
    """Return what the modules of a network make.

    Args:
        network: It is run in evaluation mode, and not changed.
        modules: The one that makes each of the graph's values, for those that have one.
    """
    names = {module: name for name, module in network.named_modules()}
    layers = {names[module]: value for value, module in modules.items() if names.get(module)}
    return Inside(layers, partial(_run, network))


def _run(network: nn.Module, images: Floats, names: Sequence[str]) -> dict[str, Floats]:
    """What modules make, (N, C, H, W), by name; without those that are not called."""
    found: dict[str, Floats] = {}

    def keep(name: str, module: nn.Module, inputs: object, output: object) -> None:
        if isinstance(output, Tensor) and output.dim() in (2, 4):
            array = np.array(output.cpu().numpy(), np.float32)
            found[name] = array if array.ndim == 4 else array[:, :, None, None]

    device = next(network.parameters()).device
    with ExitStack() as stack, evaluating(network), torch.inference_mode():
        for name in names:
            hook = network.get_submodule(name).register_forward_hook(partial(keep, name))
            stack.callback(hook.remove)
        network(torch.from_numpy(images).to(device))
    return found


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Put a network into evaluation mode, and back afterwards."""
    training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(training)

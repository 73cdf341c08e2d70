"""Trying every distinct convolution of a network where and how the network computes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from bnas_deploy.errors import TrainingError
from bnas_deploy.training.arithmetic.convolutions import Convolutions, Ways
from bnas_deploy.training.arithmetic.geometry import Geometry
from bnas_deploy.training.arithmetic.trial import expected, is_right
from bnas_deploy.training.arithmetic.ways import AS_IT_IS, PARTS, REMEDIES, Call

__all__ = ["survey"]


def survey(
    network: nn.Module, step: Callable[[Convolutions], None], share: Share = lambda ways: [ways]
) -> Convolutions:
    """Find out which convolutions of a network are computed wrong here, and what to do instead.

    Args:
        network: Is afterwards as it was before, save its gradients, which are gone.
        step: Makes passes with the network, forward and backward, and in evaluation mode if it is
            evaluated; gets how convolutions are to be computed.
        share: Returns what each of the processes that train together has found.

    Raises:
        TrainingError: A convolution is wrong in every way that is known here.
    """
    found: Ways = {}
    tried: set[tuple[Geometry, str]] = set()
    with _unchanged(network):
        # Once more if something was wrong, to see that it no longer is.
        for _ in range(_ATTEMPTS):
            tried -= set(found)
            with _Trials(tried) as trials:
                step(Convolutions(found))
            new = {key: way for ways in share(trials.remedies) for key, way in ways.items()}
            if not new:
                return Convolutions(found)
            found = {**found, **new}
    kinds = ", ".join(f"{part} of {geometry}" for geometry, part in found)
    msg = f"convolutions are computed wrong on this machine, whatever was tried: {kinds}"
    raise TrainingError(msg)


Share = Callable[[Ways], Sequence[Ways]]
_ATTEMPTS = 3


class _Trials(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Tries each convolution that is computed under it, once; returns the right result.

    Attributes:
        remedies: For the parts that are computed wrong.
    """

    def __init__(self, tried: set[tuple[Geometry, str]]) -> None:
        """Take what was tried before; gets what is tried now."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.remedies: Ways = {}
        self._tried = tried

    def __torch_dispatch__(
        self,
        func: Any,  # noqa: ANN401 - PyTorch's signature
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> object:
        if func is torch.ops.aten.convolution.default and not args[6]:
            x, weight, bias, *how = args
            call = Call(_geometry(x, weight, how), x, weight, bias)
            self._try(call, PARTS[0])
        elif func is torch.ops.aten.convolution_backward.default and not args[7]:
            grad, x, weight, _, *how, mask = args
            call = Call(_geometry(x, weight, how), x, weight, None, grad)
            for part, wanted in zip(PARTS[1:], mask, strict=False):
                if wanted:
                    self._try(call, part)
        return func(*args, **(kwargs or {}))

    def _try(self, call: Call, part: str) -> None:
        key = call.geometry, part
        if key in self._tried:
            return
        self._tried.add(key)
        reference = expected(part, call)
        # A network whose numbers are not finite tells nothing of the machine; training will say so.
        if reference.isfinite().all() and not is_right(part, call, AS_IT_IS, reference):
            right = (way for way in REMEDIES if is_right(part, call, way, reference))
            self.remedies[key] = next(right, REMEDIES[-1])


def _geometry(x: Tensor, weight: Tensor, how: Sequence[Any]) -> Geometry:
    stride, padding, dilation, *_, groups = how
    return Geometry.of(x, weight, stride, padding, dilation, groups)


@contextmanager
def _unchanged(network: nn.Module) -> Iterator[None]:
    """Put weights, statistics, mode and random generators back as they are now."""
    training = network.training
    kept = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
    try:
        with torch.random.fork_rng():
            yield
    finally:
        with torch.no_grad():
            for name, tensor in network.state_dict().items():
                tensor.copy_(kept[name])
        network.zero_grad()
        network.train(training)

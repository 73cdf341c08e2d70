"""How the convolutions of a run are computed: as PyTorch would, save those that it gets wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from bnas_deploy.training.arithmetic.geometry import Geometry
from bnas_deploy.training.arithmetic.ways import AS_IT_IS, PARTS, Call, Way, compute

__all__ = ["Convolutions", "Ways"]

Ways = dict[tuple[Geometry, str], Way]
"""For a kind of convolution and one of `ways.PARTS` how it is computed."""


_NAMES = {torch.float32: "float32", torch.bfloat16: "bfloat16", torch.float16: "float16"}


class Convolutions(TorchFunctionMode):
    """A context in which some convolutions are computed in another way, whoever calls them.

    Attributes:
        ways: Which, and how; the others are left to PyTorch.
    """

    def __init__(self, ways: Ways | None = None) -> None:
        super().__init__()
        self.ways = ways or {}
        self._geometries = {geometry for geometry, _ in self.ways}

    def used(self) -> AbstractContextManager[object]:
        """Return the context; it costs nothing where nothing is computed otherwise."""
        return self if self.ways else nullcontext()

    def told(self) -> list[str]:
        """Say which convolutions are wrong here, and what is done instead; a line for each kind."""
        lines = (
            f"{_NAMES.get(geometry.dtype, geometry.dtype)} convolutions {geometry}: {part} wrong in"
            f" {geometry.layout} layout here; computed in {way}"
            for (geometry, part), way in self.ways.items()
        )
        return list(dict.fromkeys(lines))

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> object:
        kwargs = kwargs or {}
        if func is torch.conv2d:
            return self._conv2d(*args, **kwargs)
        return func(*args, **kwargs)

    def _conv2d(
        self,
        input: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: Sequence[int] = (1,),
        padding: Sequence[int] = (0,),
        dilation: Sequence[int] = (1,),
        groups: int = 1,
    ) -> Tensor:
        kind, dtype = input.device.type, input.dtype
        if torch.is_autocast_enabled(kind):
            dtype = torch.get_autocast_dtype(kind)
        geometry = Geometry.of(input, weight, stride, padding, dilation, groups, dtype=dtype)
        if geometry not in self._geometries:
            return torch.conv2d(input, weight, bias, stride, padding, dilation, groups)
        tensors = (None if t is None else t.to(dtype) for t in (input, weight, bias))
        with torch.autocast(kind, enabled=False):
            result: Tensor = _Convolution.apply(*tensors, geometry, self._chosen(geometry))  # type: ignore[no-untyped-call]
        return result

    def _chosen(self, geometry: Geometry) -> tuple[Way, ...]:
        return tuple(self.ways.get((geometry, part), AS_IT_IS) for part in PARTS)


class _Context(Protocol):
    saved_tensors: tuple[Tensor, ...]
    needs_input_grad: tuple[bool, ...]
    geometry: Geometry
    ways: tuple[Way, ...]

    def save_for_backward(self, *tensors: Tensor) -> None: ...


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: _Context,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        geometry: Geometry,
        ways: tuple[Way, ...],
    ) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.geometry, ctx.ways = geometry, ways
        return compute(PARTS[0], Call(geometry, x, weight, bias), ways[0])

    @staticmethod
    def backward(ctx: _Context, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        call = Call(ctx.geometry, x, weight, None, grads[0])
        gradients: list[Tensor | None] = [
            compute(part, call, way) if wanted else None
            for part, way, wanted in zip(
                PARTS[1:], ctx.ways[1:], ctx.needs_input_grad[:2], strict=True
            )
        ]
        bias = grads[0].sum(dim=(0, 2, 3)) if ctx.needs_input_grad[2] else None
        return *gradients, bias, None, None

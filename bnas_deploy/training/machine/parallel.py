"""The processes that train one network together, as `torchrun` starts them. No networks, no data.

Every process has all weights and a part of each batch; gradients are summed over the processes, so
that all of them take the same step. A single process is a group of one, which waits for nobody.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, distributed, nn

from bnas_deploy.errors import UsageError
from bnas_deploy.training.machine.torchrun import started_by_torchrun

__all__ = [
    "Group",
    "join_group",
    "share",
]

_T = TypeVar("_T")


@dataclass(frozen=True)
class Group:
    """The processes of a run.

    Attributes:
        rank: Which one this is; the first, 0, prints and writes the files.
        world: How many there are.
    """

    rank: int = 0
    world: int = 1

    def add(self, tensor: Tensor) -> None:
        """Replace a tensor by its sum over the processes."""
        if self.world > 1:
            distributed.all_reduce(tensor)

    def add_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its sum over the processes, in one exchange a dtype."""
        if self.world == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        for dtype in dict.fromkeys(gradient.dtype for gradient in gradients):
            chosen = [gradient for gradient in gradients if gradient.dtype == dtype]
            flat = torch.cat([gradient.reshape(-1) for gradient in chosen])
            distributed.all_reduce(flat)
            parts = torch.split(flat, [gradient.numel() for gradient in chosen])
            for gradient, part in zip(chosen, parts, strict=True):
                gradient.copy_(part.view(gradient.shape))

    def copy_from_first(self, tensors: Iterable[Tensor]) -> None:
        """Give every process the first one's values."""
        if self.world > 1:
            for tensor in tensors:
                # A tensor of another memory order cannot be received in place.
                values = tensor.detach().contiguous()
                distributed.broadcast(values, src=0)
                tensor.detach().copy_(values)

    def gather(self, value: _T) -> list[_T]:
        """Return the value that each process gives, by rank; plain values only."""
        if self.world == 1:
            return [value]
        values: list[_T] = [value] * self.world
        distributed.all_gather_object(values, value)
        return values


def share(total: int, part: int, parts: int) -> tuple[int, int]:
    """Return where one of several nearly equal parts of `total` things begins and ends."""
    return total * part // parts, total * (part + 1) // parts


@contextmanager
def join_group(device: str) -> Iterator[Group]:
    """Wait for the other processes that torchrun has started, and leave them at the end.

    Args:
        device: `cpu` (they talk by gloo) or `cuda` (by nccl; each takes the GPU of its local rank).

    Raises:
        UsageError: There are fewer GPUs than processes on this machine.
    """
    if not started_by_torchrun():
        yield Group()
        return
    if device == "cuda":
        _take_gpu(int(os.environ["LOCAL_RANK"]))
    distributed.init_process_group("nccl" if device == "cuda" else "gloo")
    try:
        yield Group(distributed.get_rank(), distributed.get_world_size())
        distributed.barrier()  # the first one holds what the others leave through
    finally:
        distributed.destroy_process_group()


def _take_gpu(local: int) -> None:
    found = torch.cuda.device_count()
    if local >= found:
        msg = (
            f"torchrun has started more processes here than there are GPUs ({found});"
            " start as many as there are, or add --device cpu"
        )
        raise UsageError(msg)
    torch.cuda.set_device(local)

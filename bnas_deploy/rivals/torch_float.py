"""PyTorch in float32, eager, as a user has it after training."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch

__all__ = ["runner"]

Floats = npt.NDArray[np.float32]


def runner(network: torch.nn.Module, threads: int = 1) -> Callable[[Floats], Floats]:
    """Return a function from float32 (N, C, H, W) to float32 logits (N, classes)."""
    torch.set_num_threads(threads)

    def run(batch: Floats) -> Floats:
        with torch.inference_mode():
            logits: Floats = network(torch.from_numpy(batch)).numpy()
            return logits

    return run

"""PyTorch in float32, eager, as a user has it after training."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

__all__ = ["runner"]


def runner(network: torch.nn.Module, threads: int = 1) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function from float32 (N, C, H, W) to float32 logits (N, classes)."""
    torch.set_num_threads(threads)

    def run(batch: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            logits: np.ndarray = network(torch.from_numpy(batch)).numpy()
            return logits

    return run

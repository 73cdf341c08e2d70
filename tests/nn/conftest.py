"""Shared by the tests of networks: one thread."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    # Tensors this small are slower on several threads.
    torch.set_num_threads(1)

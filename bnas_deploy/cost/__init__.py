"""What a network costs in operations and bytes, by the paper's count and in full.

`network` and `accounting` count a `NetworkConfig`; `program` counts the steps of a packed program.
Nothing here needs torch or NumPy's arithmetic, so that figures can be printed anywhere.
"""

from __future__ import annotations

from bnas_deploy.cost.accounting import (
    float_flops,
    full_flops,
    memory_bits,
    memory_saving,
    paper_figures,
    paper_flops,
    speedup,
)
from bnas_deploy.cost.network import Layer, network_layers
from bnas_deploy.cost.program import StepCost, bytes_by_dtype, cost_summary, program_cost

__all__ = [
    "Layer",
    "StepCost",
    "bytes_by_dtype",
    "cost_summary",
    "float_flops",
    "full_flops",
    "memory_bits",
    "memory_saving",
    "network_layers",
    "paper_figures",
    "paper_flops",
    "program_cost",
    "speedup",
]

"""Binary networks in PyTorch: genotypes, cells, the published networks. Itself it loads no torch.

`genotype` and `config` need no torch; `quantize`, `primitives`, `cell` and `network` do.
"""

from __future__ import annotations

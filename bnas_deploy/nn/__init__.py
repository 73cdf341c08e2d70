"""Binary networks in PyTorch: genotypes, cells and the published networks.

`genotype` and `config` need no torch; `quantize`, `primitives`, `cell` and `network` do.
"""

from __future__ import annotations

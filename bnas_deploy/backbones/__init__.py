"""The binary networks that the paper compares with: a backbone, a scheme. Itself it loads no torch.

`config` and `registry` need no torch; `network`, the backbones' files and `schemes` do.
"""

from __future__ import annotations

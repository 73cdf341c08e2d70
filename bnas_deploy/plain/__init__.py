"""Small float networks that people deploy, to compare binary ones with: trained and measured alike.

`config` and `registry` need no torch.
"""

from __future__ import annotations

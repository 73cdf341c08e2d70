"""The binary networks that the paper compares with: backbones and schemes.

`config` and `registry` need no torch; `network`, the backbones' files and `schemes` do.
"""

from __future__ import annotations

"""The kinds of networks as one: configurations of any kind, and building any. Loads no torch.

Every kind is trained, saved, exported and run by the same code, which asks here what is what.
`config` needs no torch, `build` does.
"""

from __future__ import annotations

"""Networks of every kind through one interface: configurations and building.

Every kind is trained, saved, exported and run by the same code, which asks here what is what.
`config` needs no torch, `build` does.
"""

from __future__ import annotations
